"""The baseline page: Streamlit as it comes, one slider, one picture. `python -m tests.benchmarks.bare_streamlit PORT`."""

from __future__ import annotations

import sys

import numpy as np


def main() -> None:
    import streamlit as st
    level = st.slider("level", 0, 255, 0)
    st.image(np.full((280, 280, 3), level, np.uint8), output_format="PNG")


def serve(port: int) -> None:
    from streamlit.web import bootstrap
    for option, value in {"server.port": port, "server.headless": True, "browser.gatherUsageStats": False,
                          "server.fileWatcherType": "none", "server.address": "127.0.0.1"}.items():
        from streamlit import config
        config.set_option(option, value)
    bootstrap.run(__file__, False, [], {})


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].isdigit():
        serve(int(sys.argv[1]))
    else:
        main()
