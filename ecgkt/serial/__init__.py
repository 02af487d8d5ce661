"""Two ECGs of one patient: what changed in beats, intervals and scores."""
