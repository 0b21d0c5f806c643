"""What the page fetches: the same numbers that the engine and the data hold."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from apps.latent_space_explorer import catalogue, codes
from apps.latent_space_explorer.atlas import layout, points
from apps.latent_space_explorer.delivery import routes
from engines import runtime, vae
from gallery.rooms import data_app

MODEL = catalogue.DEFAULT


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(data_app(routes())) as client:
        yield client


def test_opening_holds_all_that_the_map_needs(client: TestClient) -> None:
    answer = client.get("/opening?z=nan").json()
    assert answer["state"]["model"] == MODEL and len(answer["faults"]) == 1
    assert MODEL in {config["name"] for config in answer["catalog"]}
    facts = answer["facts"]
    x0, x1, y0, y1 = facts["extent"]
    assert x0 < x1 and y0 < y1 and facts["d"] == 2 and len(facts["names"]) == 10
    assert client.get("/opening").headers["cache-control"] == "no-store"


def test_codes_are_the_models_own(client: TestClient) -> None:
    facts = client.get(f"/model/{MODEL}").json()
    answer = client.get(f"/codes/{MODEL}?v={facts['version']}")
    assert "max-age" in answer.headers["cache-control"]
    mu = np.frombuffer(answer.content, "<i2").reshape(facts["n"], facts["d"]) * facts["scale"]
    assert np.abs(mu - codes.read(MODEL).mu).max() < 1e-3


def test_labels_and_pictures_are_the_data_sets(client: TestClient) -> None:
    data = catalogue.pictures("mnist")
    assert client.get("/labels/mnist").content == data.labels.tobytes()
    strip = np.asarray(Image.open(io.BytesIO(client.get("/pictures/mnist?i=7,0").content)))
    assert np.array_equal(strip[:28], data.images[7, ..., 0]) and np.array_equal(strip[28:], data.images[0, ..., 0])


def test_pictures_with_names_stand_on_the_map_and_a_face_comes_first(client: TestClient) -> None:
    facts, data = client.get("/model/vae-emoji").json(), catalogue.pictures("emoji")
    assert "smiling" in data.titles[facts["first"]]
    side, columns = facts["tiles"]["side"], facts["tiles"]["columns"]
    sheet = np.asarray(Image.open(io.BytesIO(client.get("/tiles/emoji").content)))
    assert sheet.shape == (side * -(-len(data.images) // columns), side * columns, 3)
    for index in (facts["first"], len(data.images) - 1):
        row, column = divmod(index, columns)
        tile = sheet[row * side:(row + 1) * side, column * side:(column + 1) * side]
        assert np.abs(tile.mean((0, 1)) - data.images[index].mean((0, 1))).max() < 4
    digits = client.get(f"/model/{MODEL}").json()
    assert digits["first"] is None and digits["tiles"] is None
    assert "dots" in client.get("/tiles/mnist").json()["error"]


def test_atlas_is_what_the_decoder_says_at_its_places(client: TestClient) -> None:
    sheet = np.asarray(Image.open(io.BytesIO(client.get(f"/atlas/{MODEL}").content)))
    grid = layout(MODEL)
    assert sheet.shape == (28 * grid.rows, 28 * grid.columns)
    z = points(MODEL, grid)
    assert np.allclose(z[0], [grid.extent[0], grid.extent[3]]) and np.allclose(z[-1], [grid.extent[1], grid.extent[2]])
    for row, column in ((0, 0), (grid.rows // 2, 5), (grid.rows - 1, grid.columns - 1)):
        place = tuple(map(float, z[row * grid.columns + column]))
        exact = runtime.start(vae.decode, vae.Decode(MODEL, (place,)), session="test").result().images[0, ..., 0]
        tile = sheet[28 * row:28 * row + 28, 28 * column:28 * column + 28]
        assert np.abs(tile.astype(int) - exact).max() <= 1          # a batch of many rounds otherwise than a batch of one


@pytest.mark.parametrize("path, words", [
    ("/model/nobody", "nobody"),
    ("/codes/..%2F..%2Fetc", "model"),
    ("/atlas/vae-mnist-3d", "vae-mnist-3d"),
    ("/logvar/trained/0123456789abcdef", "trained"),
    ("/labels/cats", "cats"),
    ("/pictures/mnist", "test pictures"),
    ("/pictures/mnist?i=-1", "numbers"),
    ("/pictures/mnist?i=10000", "9999"),
    ("/pictures/mnist?i=" + ",".join("1" * 65), "64"),
    ("/pictures/mnist?i=%F0%9D%9F%99", "numbers"),
])
def test_what_there_is_not_is_said_in_a_sentence(client: TestClient, path: str, words: str) -> None:
    answer = client.get(path)
    assert 400 <= answer.status_code < 600
    assert words in answer.json()["error"] and "Traceback" not in answer.text


def test_a_map_of_every_bundled_model_can_be_drawn(client: TestClient) -> None:
    for config in catalogue.bundled():
        facts = client.get(f"/model/{config['name']}").json()
        assert facts["n"] == len(catalogue.pictures(config["dataset"]).images)
        assert len(facts["plane"]["axes"]) == 2 and len(facts["plane"]["mean"]) == facts["d"]
