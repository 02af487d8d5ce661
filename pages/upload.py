"""Upload: an ECG of one's own, read in memory, shown like an example, and gone with the browser tab."""

from ecgkt.ui import session
from ecgkt.ui.reading import page as reading_page
from ecgkt.ui.sources import uploads
from ecgkt.ui.widgets import theme

theme.frame("Upload")
reading_page.show(uploads.receive(), session.model_if_loaded())
