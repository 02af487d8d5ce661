"""One ECG being read: sheet, scores, what a score rests on, measurements, report."""
