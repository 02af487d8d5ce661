"""MIMIC-IV-ECG with MIMIC-IV -> a prepared set."""
