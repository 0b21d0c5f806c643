"""The lab book's page: which model, which view of it; beside it the engine as it stands."""

from __future__ import annotations

import os
from collections import deque

import numpy as np
import psutil
import streamlit as st

from apps.lab_book import OFFERED, VIEWS, parse, shelf, view
from engines import data, diffusion, runtime, vae
from engines.runtime import ModelFault, VisitorError
from gallery.bridges import streamlit as bridge

LOOKS_KEPT = 60                  # two minutes of looks at the engine, one every two seconds
LOOK_SECONDS = 2.0
JUDGED = 1000                    # test pictures that a classifier is tried on while one waits
SHOWN = 10                       # pictures sent through the model
STAGE = 392                      # pixels: what a card or a list scrolls in, so that the stage keeps its height
NAMES = {"quality": "Quality", "map": "Map", "pictures": "Pictures", "samples": "Samples", "card": "Card", "runs": "Runs"}
READ = {
    "quality": "Reconstruction: what it costs to describe the picture, given its code. KL: what the code itself costs.",
    "map": "Each dot is a test picture, where the encoder puts it; the colour is its class, which the model never saw.",
    "card": "What the model is, what it was trained on and how, under which licence, and where it fails.",
    "runs": "What visitors asked of the engine, newest first; a visitor is known by six characters, not by name.",
    "samples": "Drawn one after the other when the model was made, none left out. The room writes new ones.",
    "pictures": "Above the picture, below what the model makes of it, computed just now. Fewer nats is closer.",
}


def main() -> None:
    wanted, complaints = parse(st.query_params.to_dict())
    books = {book.name: book for book in shelf.shelf()}
    if not books:
        bridge.status("No model is installed: fetch assets/models again.", "error")
        return
    st.session_state.setdefault("view", wanted["view"])
    left, middle, right = st.columns([26, 48, 26], gap="medium")
    with left:
        name = _choose(books, wanted["model"])
    with right:
        _engine()
    with middle:
        which = _views(books[name].family)
        sentence = READ[which]
        with bridge.instrument():
            try:
                sentence = _draw(which, books[name], list(books.values())) or sentence
            except VisitorError as error:
                complaints.append(str(error))
        bridge.status(" ".join(complaints) or sentence, "error" if complaints else "")
    st.query_params.from_dict({"model": name, "view": which})


def _choose(books: dict[str, shelf.Book], wanted: str) -> str:
    """The model: first its family, then which of it."""
    families = [key for key in shelf.FAMILIES if any(book.family == key for book in books.values())]
    st.session_state.setdefault("family", books[wanted].family)
    if len(families) > 1:
        st.selectbox("Family", families, key="family", format_func=shelf.FAMILIES.get,
                     label_visibility="collapsed")
    within = {name: book for name, book in books.items() if book.family == st.session_state["family"]}
    if st.session_state.get("model", wanted) not in within:
        wanted = st.session_state["model"] = next(iter(within))
    st.session_state.setdefault("model", wanted)
    with bridge.primary():
        return st.radio("Models", list(within), key="model", format_func=lambda name: books[name].title,
                        label_visibility="collapsed", captions=[book.caption for book in within.values()])


def _views(family: str) -> str:
    if st.session_state["view"] not in OFFERED[family]:
        st.session_state["view"] = VIEWS[0]
    return st.segmented_control("View", OFFERED[family], key="view", format_func=NAMES.get, required=True, label_visibility="collapsed")


def _draw(which: str, book: shelf.Book, books: list[shelf.Book]) -> str:
    """Draw one view of a model; returns a sentence that says more than the standing one, or ""."""
    dark = st.context.theme.type == "dark"
    if which == "map":
        points, extent = shelf.plane(book.name)
        pictures = data.load(book.config["dataset"], "all" if book.config["dataset"] == "emoji" else "test")
        if len(points) != len(pictures.labels):
            raise ModelFault(f"{book.name} has codes of {len(points)} pictures and there are {len(pictures.labels)}: "
                             "fetch its folder again.")
        _chart(view.map_of(points, pictures.labels, pictures.names, extent, dark), "map", f"Map of {book.title}")
        return "" if book.config["latent"] == 2 else READ["map"] + " Shown on the plane in which the codes vary most."
    if which in ("card", "runs"):
        {"card": _card, "runs": _runs}[which](book)
        return ""
    if book.family != "vae":
        return _draw_other(which, book)
    if which == "pictures":
        _pictures(book)
        return ""
    _chart(view.quality(books, book, dark), "quality", "Reconstruction and KL divergence of the models of this data set")
    if book.config.get("kind") == "ae":
        return "A plain autoencoder: nothing asks its codes to be cheap, so there is no KL and no bound; only the first part compares."
    _chart(view.dimensions(book, dark), "dimensions", f"KL divergence of each dimension of {book.title}")
    return f"{READ['quality']} Below, what each dimension costs: {book.used} of {book.config['latent']} are used."


def _draw_other(which: str, book: shelf.Book) -> str:
    """Quality and pictures of a model that is no autoencoder."""
    dark = st.context.theme.type == "dark"
    if book.family == "language":
        return _draw_language(which, book)
    if which == "quality" and book.family in ("diffusion", "gan"):
        st.html(view.figures(book))
        if "recognised_by_class" in book.figures:
            _chart(view.by_class(book.config["classes"], book.figures["recognised_by_class"], dark), "classes",
                   "Share of each asked class that was recognised")
        return f"Measured once, when the model was made, on {book.figures.get('samples', 0):,} samples; the card says how."
    if which == "quality":
        pictures = data.load(book.config["dataset"])
        part = slice(JUDGED)
        found = bridge.last(diffusion.judge, diffusion.Judge(book.name, data.padded(pictures.images[part])))
        right = found.probabilities.argmax(1) == pictures.labels[part]
        shares = [right[pictures.labels[part] == index].mean() for index in range(len(pictures.names))]
        _chart(view.by_class(pictures.names, shares, dark), "classes", "Share of each class that was recognised")
        return (f"How many of the first {JUDGED:,} test pictures it names rightly, class by class, computed just now: "
                f"{right.mean():.1%}. On all 10,000 it is {book.figures['accuracy']:.1%}.")
    if book.family in ("diffusion", "gan"):
        st.image(str(shelf.samples(book.name)), width=STAGE, output_format="PNG")
        return "64 samples drawn one after the other when the model was made, none left out. The room draws new ones."
    pictures = data.load(book.config["dataset"])
    chosen = np.arange(2 * SHOWN)
    verdict = bridge.last(diffusion.judge, diffusion.Judge(book.name, data.padded(pictures.images[chosen])))
    st.html(view.verdicts(pictures.images[chosen], pictures.labels[chosen], pictures.names, verdict.probabilities))
    return "The first test pictures, and what it takes them for, computed just now."


def _draw_language(which: str, book: shelf.Book) -> str:
    if which == "samples":
        with st.container(height=STAGE, border=True):
            st.markdown(shelf.told(book.name))
        return READ["samples"]
    st.html(view.foreseen(book))
    if book.config.get("curve"):
        _chart(view.reading(book, st.context.theme.type == "dark"), "reading", f"Bits per character while {book.title} learned")
    return ("Bits per character: how much a reader who knows the model's guess must still be told of each letter. "
            "It does not depend on the tokens, so models compare by it.")


def _chart(figure: object, key: str, alt: str) -> None:
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config={"displayModeBar": False, "displaylogo": False})


def _pictures(book: shelf.Book) -> None:
    """The first test picture of each class through the model, now."""
    emoji = book.config["dataset"] == "emoji"
    pictures = data.load(book.config["dataset"], "all" if emoji else "test")
    chosen = (np.arange(SHOWN) if emoji else
              np.asarray([int(np.argmax(pictures.labels == index)) for index in range(len(pictures.names))][:SHOWN]))
    names = [pictures.titles[index] if emoji else pictures.names[pictures.labels[index]] for index in chosen]
    codes = bridge.last(vae.encode, vae.Encode(book.name, pictures.images[chosen]))
    st.html(view.before_and_after(pictures.images[chosen], codes.reconstruction, names, codes.reconstruction_nats))


@st.fragment(run_every=LOOK_SECONDS)
def _engine() -> None:
    state = runtime.state()
    hub = psutil.Process().memory_info().rss
    inside = state.mode != "process" or not state.pid or state.pid == os.getpid()
    try:
        engine = hub if inside else psutil.Process(state.pid).memory_info().rss
    except psutil.Error:         # it ended between the two looks
        engine = 0
    history = st.session_state.setdefault("memory", deque(maxlen=LOOKS_KEPT))
    history.append(engine)
    st.html(view.engine(state, hub, engine, tuple(history)))


@st.fragment(run_every=LOOK_SECONDS)
def _runs(book: shelf.Book) -> None:
    with st.container(height=STAGE, border=True):
        st.html(view.runs(runtime.state().recent))


def _card(book: shelf.Book) -> None:
    with st.container(height=STAGE, border=True):
        st.markdown(shelf.card(book.name))


if __name__ == "__main__":
    main()
