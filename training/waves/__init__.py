"""Fits the wave network of `ecgkt.measurements.wave_network`: python -m training.waves.fit --help"""
