"""The named endpoints, called as a program calls them."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import uvicorn
from gradio_client import Client
from PIL import Image

from apps.latent_space_explorer import catalogue, view
from engines import runtime, vae
from gallery.server import create_app
from tests.browser.conftest import free_port, wait_until

MODEL = catalogue.DEFAULT
NAMES = ("decode", "grid", "encode", "reconstruct", "interpolate")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    port = free_port()
    app = create_app(only="latent-space-explorer", engine="thread")
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: app.state.gallery.warm, 240, "the demo was not built")
    yield Client(f"http://127.0.0.1:{port}/demo/latent-space-explorer/", verbose=False, httpx_kwargs={"timeout": 60})
    server.should_exit = True
    thread.join(20)
    runtime.configure(mode="thread")


def pixels(uri: str) -> np.ndarray:
    assert uri.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def test_every_endpoint_is_described(client: Client) -> None:
    told = client.view_api(return_format="dict")["named_endpoints"]
    for name in NAMES:
        assert told[f"/{name}"]["description"].strip()


def test_decode_gives_what_the_engine_gives(client: Client) -> None:
    answer = client.predict(MODEL, [0.5, -1.0], api_name="/decode")
    exact = runtime.start(vae.decode, vae.Decode(MODEL, ((0.5, -1.0),)), session="test").result().images[0, ..., 0]
    assert np.array_equal(pixels(answer["picture"]), exact) and answer["z"] == [0.5, -1.0]


def test_encode_then_reconstruct(client: Client) -> None:
    picture = view.data_uri(catalogue.pictures("mnist").images[3])
    told = client.predict(MODEL, picture, api_name="/encode")
    assert len(told["mu"]) == 2 and told["reconstruction_nats"] > 0 and len(told["kl_nats"]) == 2
    drawn = client.predict(MODEL, picture, 4, 7, api_name="/reconstruct")
    again = client.predict(MODEL, picture, 4, 7, api_name="/reconstruct")
    assert len(drawn["pictures"]) == 4 and drawn["z"] == again["z"]


def test_interpolate_and_grid(client: Client) -> None:
    walk = client.predict(MODEL, [[0.0, 0.0], [1.0, 1.0]], 5, "line", api_name="/interpolate")
    assert len(walk["pictures"]) == 5 and np.allclose(walk["z"][2], [0.5, 0.5], atol=1e-6)
    grid = client.predict(MODEL, [-2, 2, -2, 2], 3, 4, api_name="/grid")
    assert pixels(grid["picture"]).shape == (84, 112)


@pytest.mark.parametrize("name, values, words", [
    ("decode", (MODEL, [float("1e9"), 0.0]), "1000"),
    ("decode", ("nobody", [0.0, 0.0]), "nobody"),
    ("decode", (MODEL, ["a", "b"]), "number"),
    ("decode", (MODEL, []), "0 numbers"),
    ("encode", (MODEL, "not a picture"), "could not be read"),
    ("encode", (MODEL, "PHN2Zz48L3N2Zz4="), "could not be read"),
    ("interpolate", (MODEL, [[0.0, 0.0]], 5, "line"), "2 to 16"),
    ("interpolate", (MODEL, [[0.0, 0.0], [1.0, 1.0]], 5, "sideways"), "circle"),
    ("grid", (MODEL, [0, 1], 3, 3), "four"),
    ("grid", (MODEL, [-2, 2, -2, 2], 1000, 1000), "64"),
    ("reconstruct", (MODEL, "iVBORw0KGgo=", 1000, 0), "could not be read"),
])
def test_bad_calls_get_one_sentence(client: Client, name: str, values: tuple, words: str) -> None:
    with pytest.raises(Exception, match=words) as told:
        client.predict(*values, api_name=f"/{name}")
    assert "Traceback" not in str(told.value)


def test_a_picture_too_large_is_refused_before_it_is_opened(client: Client) -> None:
    out = io.BytesIO()
    Image.new("L", (3000, 3000)).save(out, "PNG")
    with pytest.raises(Exception, match="9,000,000 pixels"):
        client.predict(MODEL, base64.b64encode(out.getvalue()).decode(), api_name="/encode")
