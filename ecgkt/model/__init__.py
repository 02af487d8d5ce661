"""ECG -> `Prediction`: preprocessing, the networks, a bundle on disk, and what a score rests on.

This file stays free of torch: preparation's worker processes import `ecgkt.model.preprocessing`.
"""
