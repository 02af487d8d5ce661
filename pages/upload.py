"""Upload: an ECG of one's own, read in memory, shown like an example, and gone with the browser tab."""

from ecgkt.ui import reading, resources, theme, uploads

theme.frame("Upload")
reading.show(uploads.receive(), resources.model_if_loaded())
