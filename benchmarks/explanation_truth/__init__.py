"""What explanations are held against: simulated ECGs with and without a cause, and what medicine says of real ones."""
