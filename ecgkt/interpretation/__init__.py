"""What an ECG says, as a cart prints it: lines composed of measurements, criteria, scores and the record."""
