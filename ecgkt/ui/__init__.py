"""What the pages share; the only place in `ecgkt` that knows Streamlit."""
