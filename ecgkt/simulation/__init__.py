"""Simulated patients, one at a time: a latent clinical state, the labs and vitals it brings, and the ECG they draw.

What labs and conditions do to the ECG is in `effects.csv` and `expression.csv`, with the source where there is one; the
other tables are listed in `tables`. Whole cohorts in MIMIC's file layout: `training.simulation`.
"""
