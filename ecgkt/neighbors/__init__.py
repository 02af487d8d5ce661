"""Patients like this one: the nearest of a reference cohort of simulated patients, by the network's embedding."""
