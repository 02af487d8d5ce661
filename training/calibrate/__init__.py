"""What is fitted after training on validation patients: probabilities, verdict limits, out-of-distribution limits."""
