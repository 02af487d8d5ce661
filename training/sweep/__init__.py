"""Sweeps: settings of a config, searched by Optuna on validation patients."""
