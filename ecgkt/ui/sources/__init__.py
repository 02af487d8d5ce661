"""Where the ECG on a page comes from: an example, an upload, or two of one patient."""
