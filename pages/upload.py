"""Upload: an ECG of one's own, read in memory, shown like an example, and gone with the browser tab."""

from ecgkt.ui import reading, resources, theme, uploads

theme.frame("Upload")
model = resources.model_or_stop()
opened = uploads.receive()
reading.show(opened, model)
