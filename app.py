"""The dashboard: `streamlit run app.py`. Which pages there are stands in ecgkt/ui/navigation.py."""

from ecgkt.ui import navigation

navigation.bar().run()
