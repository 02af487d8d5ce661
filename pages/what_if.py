"""What if: a simulated patient whose labs and conditions can be changed, and what the ECG and the model make of it."""

from ecgkt.ui import session
from ecgkt.ui.what_if import page as what_if_page
from ecgkt.ui.widgets import theme

theme.frame("What if")
what_if_page.show(session.model_or_stop())
