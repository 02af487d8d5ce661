"""The dashboard: `streamlit run app.py`. Which pages there are stands in ecgkt/ui/widgets/navigation.py."""

import streamlit as st
from starlette.middleware import Middleware

from ecgkt.ui import preload
from ecgkt.ui.closed_paths import ClosedPaths
from ecgkt.ui.paced_sockets import PacedSockets
from ecgkt.ui.widgets import navigation

if __name__ == "__main__":  # somebody's session
    navigation.bar().run()
else:  # the server, when it starts
    app = st.App(__file__, lifespan=preload.lifespan, middleware=[Middleware(ClosedPaths), Middleware(PacedSockets)])
