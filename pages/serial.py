"""Serial: two ECGs of one patient, what changed in the beats, the intervals and the scores."""

from ecgkt.ui import session
from ecgkt.ui.serial import page as serial_page
from ecgkt.ui.sources import pair
from ecgkt.ui.widgets import theme

theme.frame("Serial")
model = session.model_or_stop()
serial_page.show(pair.choose(model), model)
