"""Cohort files -> prepared arrays, labels, splits and a data card."""
