"""Two ECGs of one patient: what changed in the beats, the intervals and the scores."""
