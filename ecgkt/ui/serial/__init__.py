"""Two ECGs being compared."""
