"""A run on one HTML page, and as events for TensorBoard."""
