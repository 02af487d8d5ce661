"""The three stages and the baselines: objectives, the loop, what each stage leaves behind."""
