"""The networks, shared by training and inference."""
