"""Serial: two ECGs of one patient, what changed in the beats, the intervals and the scores."""

from ecgkt.ui import resources, serial, serial_choice, theme

theme.frame("Serial")
model = resources.model_or_stop()
serial.show(serial_choice.pair(model), model)
