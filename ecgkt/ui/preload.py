"""What is done before the first visitor comes: the model loaded and the opening example explained, in a thread."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from threading import Thread
from typing import Any

from ecgkt import intake
from ecgkt.ui import session
from ecgkt.ui.reading import scores, sheet
from ecgkt.ui.sources import examples


@asynccontextmanager
async def lifespan(app: Any) -> AsyncGenerator[None]:
    """For `st.App`: begins when the server does. Only torch is waited for, two or three seconds: a page that uses scipy
    while another thread is half way through importing torch fails, since scipy looks at what is there of it."""
    import_module("torch")
    Thread(target=up, name="warm", daemon=True).start()
    yield


def up() -> None:
    """Load and explain; what goes wrong is said on the page, to the one who opens it."""
    try:
        intake.start()
        collection = session.examples()
        first = session.example(collection, examples.opening(collection.entries))
        model = session.load_model()
        prediction = model.predict(first.analyzed)
        if not prediction.abstained:
            session.attribute(first, model, scores.standing_out(prediction).code, next(iter(sheet.METHODS)))
    except (OSError, ValueError):
        return
