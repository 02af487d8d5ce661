"""What the server does besides serving: the model loaded and the examples explained before visitors come to them,
uploads bounded, reports kept until they are fetched, and closed sessions freed."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from threading import Thread
from typing import Any

from streamlit.runtime import get_instance
from threadpoolctl import threadpool_limits

from ecgkt import intake
from ecgkt.datasets.collection import Collection, Entry
from ecgkt.ui import ended_sessions, made_files, session
from ecgkt.ui.reading import interpretation, scores, sheet
from ecgkt.ui.sources import examples, upload_limits

PAUSE = 0.3  # s between two examples, so that visitors come first


@asynccontextmanager
async def lifespan(app: Any) -> AsyncGenerator[None]:
    """For `st.App`: begins when the server does. Only torch is waited for, two or three seconds: a page that uses scipy
    while another thread is half way through importing torch fails, since scipy looks at what is there of it."""
    # One thread a page: with one a core, pages that run at once wait for each other's (benchmarks/load.md).
    import_module("torch").set_num_threads(1)
    threadpool_limits(1)
    Thread(target=up, name="warm", daemon=True).start()
    upload_limits.bound(get_instance().uploaded_file_mgr)
    made_files.keep(get_instance().media_file_mgr)
    watching = asyncio.create_task(ended_sessions.watch(get_instance()))
    yield
    watching.cancel()


def up() -> None:
    """Load and explain, the opening example first; what goes wrong is said on the page, to the one who opens it."""
    try:
        intake.start()
        collection = session.examples()
        first = examples.opening(collection.entries)
        _explain(collection, first)
        for entry in collection.entries:
            time.sleep(PAUSE)
            _explain(collection, entry)
    except (OSError, ValueError):
        return
    gc.collect()
    gc.freeze()  # what is loaded now stays; looking for garbage need not pass over it each time


def _explain(collection: Collection, entry: Entry) -> None:
    opened, model = session.example(collection, entry), session.load_model()
    prediction = model.predict(opened.analyzed)
    if not prediction.abstained:
        label = scores.opening(prediction, interpretation.found(opened, prediction))
        session.attribute(opened, model, label.code, next(iter(sheet.METHODS)))
