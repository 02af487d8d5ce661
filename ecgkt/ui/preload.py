"""What the server does besides serving: the model loaded and the opening example explained before the first visitor
comes, uploads bounded, and closed sessions freed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from threading import Thread
from typing import Any

from streamlit.runtime import get_instance

from ecgkt.ui import ended_sessions, session
from ecgkt.ui.reading import scores, sheet
from ecgkt.ui.sources import examples, upload_limits


@asynccontextmanager
async def lifespan(app: Any) -> AsyncGenerator[None]:
    """For `st.App`: begins when the server does. Only torch is waited for, two or three seconds: a page that uses scipy
    while another thread is half way through importing torch fails, since scipy looks at what is there of it."""
    import_module("torch")
    Thread(target=up, name="warm", daemon=True).start()
    upload_limits.bound(get_instance().uploaded_file_mgr)
    watching = asyncio.create_task(ended_sessions.watch(get_instance()))
    yield
    watching.cancel()


def up() -> None:
    """Load and explain; what goes wrong is said on the page, to the one who opens it."""
    try:
        collection = session.examples()
        first = session.example(collection, examples.opening(collection.entries))
        model = session.load_model()
        prediction = model.predict(first.analyzed)
        if not prediction.abstained:
            session.attribute(first, model, scores.standing_out(prediction).code, next(iter(sheet.METHODS)))
    except (OSError, ValueError):
        return
    gc.freeze()  # what is loaded now stays; looking for garbage need not pass over it each time
