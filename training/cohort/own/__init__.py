"""ECG files and tables of any layout, described by one YAML -> a prepared set."""
