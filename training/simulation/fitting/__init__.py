"""Real recordings and real laboratory tables -> the CSV tables of the simulator."""
