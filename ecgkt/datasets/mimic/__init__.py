"""MIMIC-IV, MIMIC-IV-ED and MIMIC-IV-ECG where they lie: the one place that knows their layout.

tables: files -> typed views; stays: the stay that an ECG belongs to and its codes; clinical: what was measured near an
ECG; reports: what the machine's report states; records: all of it for a folder that is browsed.
"""
