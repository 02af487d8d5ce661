"""The tracing on its paper, in millimeters: layouts, figures, overlays, calipers."""
