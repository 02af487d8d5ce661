"""Figures on test patients: AUROC, calibration error, refusals, subgroups, labs on real ECGs."""
