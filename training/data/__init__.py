"""Prepared sets -> batches."""
