"""Folders of ECGs browsed in place: MIMIC-IV-ECG's layout, PTB-XL's, or any folder of files."""
