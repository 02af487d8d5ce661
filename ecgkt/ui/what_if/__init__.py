"""The what-if page: a simulated patient whose labs and conditions can be changed."""
