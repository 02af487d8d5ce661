"""How far a simulated cohort is from real ECGs, part by part; run by `benchmarks/simulation.py`."""
