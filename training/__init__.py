"""Training: cohort files -> prepared arrays -> networks -> bundle. Builds on `ecgkt`; nothing there imports it."""
