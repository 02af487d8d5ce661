"""What is measured on a tracing: beats, waves, intervals, axes and amplitudes, and their normal limits."""
