"""The dashboard: `streamlit run app.py`. Which pages there are stands in ecgkt/ui/navigation.py."""

import streamlit as st

from ecgkt.ui import navigation, warm

if __name__ == "__main__":  # somebody's session
    navigation.bar().run()
else:  # the server, when it starts
    app = st.App(__file__, lifespan=warm.lifespan)
