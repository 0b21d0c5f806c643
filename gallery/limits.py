"""Every number that limits what the hub does for a visitor, each with its reason."""

from __future__ import annotations

UPLOAD_BYTES = 12 * 2**20          # a phone's photograph is 3 to 8 MB; a 40-megapixel one is refused by its pixels
UPLOAD_PIXELS = 16_000_000         # decoded to RGB that is 48 MB of memory, for a picture shrunk to 28 or 64 pixels
BODY_BYTES = 16 * 2**20            # one request to a demo's own routes: an upload and its envelope
QUERY_CHARACTERS = 8192            # the address of a page; browsers and proxies cut off not far beyond
GRADIO_THREADS = 40                # Gradio's default; Streamlit lowers the shared pool to 28, so it is set again
GRADIO_QUEUE = 64                  # events waiting in one demo; the runtime's own queue says how many are ahead
GRADIO_SESSIONS = 500              # kept per demo: about 0.1 MB each, so 50 MB; the default is 10,000
GRADIO_STATELESS_SESSIONS = 64     # where a page has no gr.State: a session left out is made anew, and nothing is lost
GRADIO_CACHE_SECONDS = (3600, 7200)  # look every hour, delete what is two hours old: a lecture's length
STREAMLIT_SESSION_SECONDS = 120    # a reload or a short loss of the line finds its page again
THUMBNAIL_SECONDS = 60.0           # a thumbnail asks a model for pictures; a model on two cores may load first
THUMBNAIL_BYTES = 400_000          # four of them moving on the hub stay well under what a phone line stands
SHUTDOWN_SECONDS = 2               # open streams are given this long to end after Ctrl-C or SIGTERM
SEARCH_CHARACTERS = 200            # longer than any title; what is typed is echoed in the address


def table() -> list[tuple[str, object]]:
    """Name and value of every limit, in the order above."""
    return [(name, value) for name, value in globals().items() if name.isupper()]
