"""What an ECG finding is by its definition: a table of criteria, each with its source, held against one ECG."""
