"""A model in colour with many classes, as small as can be: its menu, one of each, a GIF in colour, the way into the noise."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.conftest import ROOT, SIZES, Hub, running_hub
from tests.engines.diffusion.conftest import make_unet

PAGE = "/demo/diffusion-stepper/?model=ddpm-emoji"
PATIENCE = 120_000
DONE = "window.__diffusion?.app.main.take?.state === 'done'"
KNOWN = ["face-smiling", "food-fruit", "heart"]


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("models") / "ddpm-emoji"
    classes = KNOWN + [f"kind-{k}" for k in range(93)]
    make_unet(channels=3, classes=len(classes)).save_pretrained(folder / "unet", safe_serialization=True)
    (folder / "config.json").write_text(json.dumps({
        "name": "ddpm-emoji", "family": "diffusion", "dataset": "emoji", "image": [8, 8, 3], "classes": classes,
        "measured": {}, "parameters": 1}))
    (folder / "MODEL_CARD.md").write_text("# A toy")
    files = [path for path in folder.rglob("*") if path.is_file()]
    (folder / "SHA256SUMS").write_text("".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files))
    for model in ("ddpm-mnist", "ddpm-fashion"):           # the room stays closed without its own
        (folder.parent / model).symlink_to(ROOT / "assets" / "models" / model)
    with running_hub("--only", "diffusion-stepper", GALLERY_BUNDLED=str(folder.parent), GALLERY_COMPILE="0") as hub:
        yield hub


@pytest.fixture
def page(browser: Browser, coloured: Hub, request: pytest.FixtureRequest) -> Iterator[Page]:
    size, query = request.param
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=size == "phone")
    page = context.new_page()
    page.goto(coloured.url + PAGE + query)
    page.wait_for_selector('#instrument[data-ready="true"]', timeout=PATIENCE)
    yield page
    context.close()


@pytest.mark.parametrize("page", [("phone", "&steps=4&at=4&label=0")], indirect=True)
def test_many_classes_are_a_menu_in_groups(page: Page) -> None:
    menu = page.get_by_label("Class", exact=True)
    page.wait_for_function("document.querySelectorAll('.dx-kinds optgroup').length >= 3", timeout=PATIENCE)
    assert menu.locator("option:checked").inner_text() == "😀 face smiling"
    menu.select_option("1")
    page.wait_for_function(f"{DONE} && window.__diffusion.app.main.take.about.labels[0] === 1", timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("page", [("laptop", "&steps=4&at=4&label=0")], indirect=True)
def test_one_of_each_reaches_from_the_first_class_to_the_last_and_a_gif_has_its_colours(page: Page) -> None:
    page.get_by_role("button", name="one of each").click()
    page.wait_for_function(f"{DONE} && window.__diffusion.app.main.take.about.count === 16", timeout=PATIENCE)
    assert page.evaluate("window.__diffusion.app.main.take.about.labels") == [6 * k for k in range(16)]
    with page.expect_download() as download:
        page.locator("button.g-keep", has_text="GIF").click()
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as gif:
        seen = {pixel for _, pixel in gif.convert("RGB").getcolors(100_000)}
    assert len(seen) > 100 and any(max(pixel) - min(pixel) > 150 for pixel in seen)


@pytest.mark.parametrize("page", [("laptop", "&tool=forward&t=200&steps=4")], indirect=True)
def test_a_picture_in_colour_dissolves_and_is_brought_back(page: Page) -> None:
    page.wait_for_function("window.__diffusion.forward.blend?.shape.c === 3", timeout=PATIENCE)
    page.get_by_role("button", name="Bring it back").click()
    page.wait_for_function("document.getElementById('status').textContent.startsWith('Brought back')", timeout=PATIENCE)
