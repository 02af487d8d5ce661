"""What goes out: the bundle, its model card, the examples."""
