"""A bundle's test figures, typed and told."""
