"""The lab book: its address, its shelf, its drawings, and the page itself without a browser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from apps.lab_book import DEMO, VIEWS, parse, shelf, view
from engines.runtime import EngineState, ModelFault, RunRecord, models

CANARY = '<img src=x onerror="window.canary=1">'


def put_model(home: Path, name: str, dataset: str = "mnist", latent: int = 2, **more: object) -> None:
    folder = home / name
    folder.mkdir(parents=True)
    config = {"name": name, "dataset": dataset, "latent": latent, "kind": "vae", "beta": 1.0, "map_extent": [-3, 3, -2, 2],
              "measured": {"negative_elbo": 140.0, "reconstruction_nats": 133.5, "kl_nats": 6.5}, "kl_per_dim": [3.25] * latent}
    (folder / "config.json").write_text(json.dumps(config | more))
    (folder / "MODEL_CARD.md").write_text(f"# {name}\n\nA card of {name}.\n")
    save_file({"mu": np.zeros((10_000, latent), np.float16)}, folder / "codes.safetensors")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    put_model(tmp_path, "vae-mnist-16d", latent=16)
    put_model(tmp_path, "vae-mnist-2d")
    put_model(tmp_path, "vae-mnist-2d-beta4", beta=4.0)
    put_model(tmp_path, "ae-mnist-2d", kind="ae", measured={"reconstruction_nats": 120.0, "kl_nats": 0.0}, kl_per_dim=[0, 0])
    put_model(tmp_path, "vae-fashion-2d", dataset="fashion")
    return tmp_path


def test_the_shelf_is_in_order(home: Path) -> None:
    assert list(shelf.titles()) == ["vae-mnist-2d", "vae-mnist-2d-beta4", "vae-mnist-16d", "ae-mnist-2d", "vae-fashion-2d"]


def test_a_damaged_model_leaves_the_others_on_the_shelf(home: Path) -> None:
    (home / "vae-mnist-2d" / "config.json").write_text("{")
    (home / "vae-mnist-16d" / "codes.safetensors").write_bytes(b"short")
    assert "vae-mnist-2d" not in shelf.titles() and "vae-mnist-16d" in shelf.titles()
    with pytest.raises(ModelFault, match="vae-mnist-16d"):
        shelf.plane("vae-mnist-16d")


def test_a_trained_model_costs_nothing_to_name(home: Path) -> None:
    book = next(book for book in shelf.shelf() if book.name == "ae-mnist-2d")
    assert "plain autoencoder" in book.title and "reconstruction 120.0" in book.caption and book.used == 0


@pytest.mark.parametrize("query, told", [({"model": CANARY}, "no model named"), ({"view": "cellar"}, "no view named"),
                                         ({"model": "x" * 9999}, "no model named")])
def test_what_cannot_be_taken_is_told(home: Path, query: dict[str, str], told: str) -> None:
    state, sentences = parse(query)
    assert state == {"model": "vae-mnist-2d", "view": "quality"}
    assert len(sentences) == 1 and told in sentences[0] and len(sentences[0]) < 300


def test_codes_of_other_pictures_are_one_sentence(home: Path) -> None:
    save_file({"mu": np.zeros((10, 2), np.float16)}, home / "vae-mnist-2d" / "codes.safetensors")
    page = AppTest.from_string("from apps.lab_book import app\napp.main()", default_timeout=60)
    page.query_params["view"] = "map"
    page.run()
    assert not page.exception and not page.get("plotly_chart")


def test_an_empty_shelf_is_no_error_of_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(models.BUNDLED, str(tmp_path / "none"))
    assert parse({}) == ({"model": "", "view": "quality"}, [])


def test_the_plane_of_many_dimensions_is_the_stored_one(home: Path) -> None:
    axes = np.zeros((2, 16), np.float32)
    axes[0, 3] = axes[1, 5] = 1
    mu = np.arange(160, dtype=np.float16).reshape(10, 16)
    save_file({"mu": mu, "pca_mean": np.full(16, 2, np.float32), "pca_axes": axes},
              home / "vae-mnist-16d" / "codes.safetensors")
    points, extent = shelf.plane("vae-mnist-16d")
    assert np.array_equal(points, mu[:, [3, 5]].astype(np.float32) - 2) and extent == [-3, 3, -2, 2]


def test_bars_are_the_figures_of_one_data_set(home: Path) -> None:
    books = shelf.shelf()
    figure = view.quality(books, books[0], dark=False)
    reconstruction, kl = figure.data
    assert len(reconstruction.x) == 4                                   # fashion is another data set
    assert [a + b for a, b in zip(reconstruction.x, kl.x, strict=True)] == [140.0, 140.0, 140.0, 120.0]
    assert list(reconstruction.marker.opacity).count(1.0) == 1


def test_dimensions_are_sorted_and_the_unused_are_grey(home: Path) -> None:
    put_model(home, "vae-mnist-3d", latent=3, kl_per_dim=[0.001, 2.0, 1.0])
    book = next(book for book in shelf.shelf() if book.name == "vae-mnist-3d")
    bars = view.dimensions(book, dark=True).data[0]
    assert list(bars.x) == ["z2", "z3", "z1"] and list(bars.y) == [2.0, 1.0, 0.001]
    assert bars.marker.color[0] == bars.marker.color[1] != bars.marker.color[2] and book.used == 2


def test_the_map_thins_out_but_keeps_every_class() -> None:
    points = np.zeros((10_000, 2), np.float32)
    labels = np.arange(10_000) % 7 % 10
    figure = view.map_of(points, labels, [str(n) for n in range(10)], [-1, 1, -1, 1], dark=False)
    assert sum(len(trace.x) for trace in figure.data) <= view.MOST_POINTS
    assert [len(trace.x) > 0 for trace in figure.data] == [True] * 7 + [False] * 3


def test_pictures_are_sent_without_loss() -> None:
    import base64
    import io

    from PIL import Image
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    back = Image.open(io.BytesIO(base64.b64decode(view.picture(image).partition(",")[2])))
    assert np.array_equal(np.asarray(back), image)


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_names_from_outside_are_escaped_and_tags_are_closed() -> None:
    state = EngineState(True, "process", device_name=CANARY, models=((CANARY, 2**20),), budget_bytes=2**30, fault=CANARY)
    run = RunRecord(f"x:{CANARY}", CANARY, 0.0, 0.5, 3, CANARY)
    for html in (view.engine(state, 1, 2, (1, 2, 3)), view.runs([run], now=10.0),
                 view.before_and_after(np.zeros((1, 4, 4, 1), np.uint8), np.zeros((1, 4, 4, 1), np.uint8), [CANARY], np.zeros(1))):
        assert CANARY not in html
        reader = Balanced()
        reader.feed(html)
        assert reader.open == []


def test_scenes_name_views_there_are() -> None:
    assert {scene.query.get("view", "quality") for scene in DEMO.scenes} <= set(VIEWS)


@pytest.mark.parametrize("which", ["quality", "map", "card", "runs"])
def test_the_page_shows_every_view(home: Path, which: str) -> None:
    page = AppTest.from_string("from apps.lab_book import app\napp.main()", default_timeout=60)
    page.query_params["model"] = "ae-mnist-2d"
    page.query_params["view"] = which
    page.run()
    assert not page.exception
    assert page.radio(key="model").value == "ae-mnist-2d"
    page.radio(key="model").set_value("vae-mnist-2d").run()
    assert not page.exception and page.query_params["model"] == "vae-mnist-2d"


# --- other families --------------------------------------------------------------------------------------------------

def put_other(home: Path, name: str, family: str, measured: dict[str, object]) -> None:
    folder = home / name
    folder.mkdir()
    config = {"name": name, "family": family, "dataset": "mnist", "classes": list("0123456789"), "measured": measured}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "MODEL_CARD.md").write_text(f"# {name}\n\nA card of {name}.\n")


DRAWN = {"recognised": 0.97, "recognised_by_class": [0.9] * 9 + [1.0], "frechet": 3.0, "frechet_floor": 1.0,
         "nearest": {"samples_median": 20.0, "test_median": 21.0}}


def test_families_stand_apart_and_each_says_its_own_figure(home: Path) -> None:
    put_other(home, "classifier-mnist", "classifier", {"accuracy": 0.996})
    put_other(home, "ddpm-mnist", "diffusion", DRAWN)
    put_other(home, "strange", "oracle", {})
    books = {book.name: book for book in shelf.shelf()}
    assert list(books)[-2:] == ["ddpm-mnist", "classifier-mnist"] and "strange" not in books
    assert books["ddpm-mnist"].caption.startswith("97.0% recognised") and "99.6%" in books["classifier-mnist"].caption
    told = view.figures(books["ddpm-mnist"])
    assert all(part in told for part in ("97.00%", "3.00", "1.00", "20.0", "21.0"))


def test_a_view_that_a_family_has_not_is_told(home: Path) -> None:
    put_other(home, "classifier-mnist", "classifier", {"accuracy": 0.996})
    state, sentences = parse({"model": "classifier-mnist", "view": "map"})
    assert state == {"model": "classifier-mnist", "view": "quality"} and "no view named 'map'" in sentences[0]


@pytest.mark.real
@pytest.mark.parametrize("which", ["quality", "pictures", "card"])
def test_a_classifier_is_shown_by_what_it_does_now(which: str) -> None:
    page = AppTest.from_string("from apps.lab_book import app\napp.main()", default_timeout=60)
    page.query_params["model"], page.query_params["view"] = "classifier-fashion", which
    page.run()
    assert not page.exception and page.selectbox[0].value == "classifier"
    assert page.query_params["model"] == "classifier-fashion" and page.query_params["view"] == which
    page.selectbox[0].set_value("vae").run()
    assert not page.exception and page.query_params["model"] == "vae-mnist-2d"


def test_the_worst_class_stands_out() -> None:
    bar, = view.by_class(["a", "b", "c"], [0.9, 0.5, 1.0], dark=False).data
    assert list(bar.marker.opacity) == [0.45, 1.0, 0.45] and list(bar.text) == ["90.0%", "50.0%", "100.0%"]


def put_language(home: Path) -> None:
    folder = home / "gpt2-toy-char"
    folder.mkdir()
    config = {"name": folder.name, "family": "language", "vocab_size": 4096, "n_positions": 512, "parameters": 3_554_304,
              "measured": {"bits_per_character": {CANARY: 0.7643, "books": 1.56}, "samples": 200, "longest_copy": 29},
              "curve": [[500, 1.2], [1000, 0.9]]}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "MODEL_CARD.md").write_text(f"# toy\n\nA card.\n\n## Samples\n\n**Seed 0**\n\n    Once {CANARY}\n\n## Limits\n\nMany.\n")


def test_a_language_model_is_told_by_what_it_foresees(home: Path) -> None:
    put_language(home)
    books = {book.name: book for book in shelf.shelf()}
    book = books["gpt2-toy-char"]
    assert (book.title, list(books)[-1]) == ("Toy char, 4,096 tokens", "gpt2-toy-char")
    assert book.caption.startswith("0.764 bits per character")
    told = view.foreseen(book)
    assert all(part in told for part in ("0.764", "1.560", "200 samples", "<b>29</b>", "3,554,304", "512")) and CANARY not in told
    assert list(view.reading(book, dark=True).data[0].y) == [1.2, 0.9]
    assert shelf.told(book.name) == f"**Seed 0**\n\n    Once {CANARY}"


@pytest.mark.parametrize("which", ["quality", "samples", "card", "runs"])
def test_the_page_shows_every_view_of_a_language_model(home: Path, which: str) -> None:
    put_language(home)
    page = AppTest.from_string("from apps.lab_book import app\napp.main()", default_timeout=60)
    page.query_params["model"], page.query_params["view"] = "gpt2-toy-char", which
    page.run()
    assert not page.exception and page.selectbox[0].value == "language"
    assert page.query_params["model"] == "gpt2-toy-char" and page.query_params["view"] == which
    page.selectbox[0].set_value("vae").run()
    assert not page.exception and page.query_params["view"] == ("quality" if which == "samples" else which)
