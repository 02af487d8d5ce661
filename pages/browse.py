"""Browse: example ECGs, each on its paper with what the model says of it and what that rests on."""

from ecgkt.ui import choose, reading, resources, theme

theme.frame("Browse")
model = resources.model_or_stop()
collection = resources.collection_or_stop()
entry = choose.example(collection, model)
reading.show(resources.open_entry(collection, entry), model)
