"""WFDB records -> one array of signals, straight from files or from a zip."""
