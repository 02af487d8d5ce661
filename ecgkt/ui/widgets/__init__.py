"""Parts that every page uses: frame, navigation, HTML tables and bars, charts."""
