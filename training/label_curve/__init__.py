"""The label-efficiency curve: what knowledge transfer is worth at how many labeled patients."""
