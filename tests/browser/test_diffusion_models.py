"""Another model than the bundled ones: looked at, fetched, walked through, and refused in plain words, in the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, VQModel
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Hub, running_hub
from tests.engines.diffusion.test_layout import LATENT, colour, first_stage
from tests.engines.runtime.toy_hub import ToyHub, toy_hub

NAME = "someone/ddpm-toy"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, ToyHub]]:
    """A gallery that may use any model, beside a small Hub, with a latent model in the host's own folder."""
    home = tmp_path_factory.mktemp("shop")
    theirs, latent = home / "theirs", home / "own" / "latent"
    DDPMPipeline(colour(), DDPMScheduler()).save_pretrained(theirs, safe_serialization=True)
    colour().save_pretrained(latent / "unet", safe_serialization=True)
    first_stage(VQModel).save_pretrained(latent / "vqvae", safe_serialization=True)
    DDIMScheduler(**LATENT).save_config(latent / "scheduler")
    with toy_hub() as server:
        server.repositories[NAME] = {path.relative_to(theirs).as_posix(): path.read_bytes()
                                     for path in theirs.rglob("*") if path.is_file()}
        with running_hub("--only", "diffusion-stepper", HF_ENDPOINT=server.address, HF_HOME=str(home / "cache"),
                         GALLERY_MODEL_FOLDERS=str(home / "own"), GALLERY_MODELS="any") as hub:
            yield hub, server


@pytest.fixture
def page(shop: tuple[Hub, ToyHub], browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_(query: str = "", width: int = 1280, height: int = 720) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        opened = context.new_page()
        opened.goto(f"{shop[0].url}/demo/diffusion-stepper/{query}", wait_until="load", timeout=60_000)
        expect(opened.locator("[data-ready=true]").first).to_be_attached(timeout=60_000)
        return opened
    yield open_
    for context in contexts:
        context.close()


def open_shelf(page: Page) -> None:
    page.get_by_role("button", name="Other models").click()
    expect(page.get_by_role("heading", name="Any other")).to_be_visible(timeout=30_000)


def test_any_model_is_looked_at_fetched_and_walked_through(page: Callable[..., Page]) -> None:
    opened = page()
    open_shelf(opened)
    expect(opened.get_by_text("143 MB")).to_be_visible()
    opened.get_by_label("Its id on the Hub").fill(NAME)
    opened.keyboard.press("Enter")
    fetch = opened.get_by_role("button", name=f"Fetch {NAME}")
    expect(fetch).to_be_focused()
    fetch.press("Enter")
    expect(opened.get_by_role("dialog")).to_have_count(0, timeout=30_000)
    expect(opened.locator("#status")).to_contain_text(re.compile("no class asked for|is here"), timeout=30_000)
    expect(opened.locator(".dx-about")).to_contain_text("8 × 8, without classes")
    expect(opened.get_by_label("Guidance scale w")).to_be_disabled()
    assert f"model={NAME}" in opened.url
    opened.reload()
    expect(opened.locator(".dx-about")).to_contain_text("ddpm-toy", timeout=60_000)
    again = page()
    open_shelf(again)
    again.get_by_label("Its id on the Hub").fill(NAME)
    again.keyboard.press("Enter")       # it is here: nothing is left to fetch
    expect(again.locator(".dx-about")).to_contain_text("ddpm-toy", timeout=30_000)
    again.get_by_role("button", name="Digits").click()
    expect(again.locator(".dx-about")).to_be_hidden()
    expect(again.get_by_label("Guidance scale w")).to_be_enabled()


def test_a_latent_model_of_the_hosts_brings_its_own_schedule(page: Callable[..., Page]) -> None:
    opened = page(width=390, height=844)
    open_shelf(opened)
    opened.get_by_role("button", name="Use folder:latent").click()
    expect(opened.locator(".dx-about")).to_contain_text("in a latent space")
    expect(opened.get_by_role("button", name="Its own")).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("#status")).to_contain_text("no class asked for", timeout=30_000)
    opened.get_by_role("tab", name="Forward").click()
    opened.get_by_role("button", name="Digits").locator("visible=true").click()
    expect(opened.locator("#status")).to_contain_text("test picture", timeout=30_000)
    assert "schedule" not in opened.url


@pytest.mark.parametrize("typed, words", [
    ("someone/nothing", "has no model someone/nothing"), ("  ", "no id of the Hub"),
    ("<img src=x onerror=alert(1)>", "no id of the Hub"), ("folder:none", "choose one of folder:latent"),
])
def test_what_is_not_there_is_told_in_the_dialog(page: Callable[..., Page], typed: str, words: str) -> None:
    opened = page()
    open_shelf(opened)
    opened.get_by_label("Its id on the Hub").fill(typed)
    opened.get_by_role("button", name="Look").click()
    expect(opened.locator(".mx-told")).to_contain_text(words, timeout=30_000)
    assert opened.locator(".mx-dialog img").count() == 0
    opened.keyboard.press("Escape")
    expect(opened.get_by_role("dialog")).to_have_count(0)


def test_a_well_known_one_that_the_hub_does_not_give_is_one_sentence(page: Callable[..., Page],
                                                                    shop: tuple[Hub, ToyHub]) -> None:
    shop[1].repositories["google/ddpm-church-256"] = {"config.json": b"{}", "diffusion_pytorch_model.bin": b"x"}
    opened = page()
    open_shelf(opened)
    opened.get_by_role("button", name="Fetch google/ddpm-church-256").click()
    expect(opened.locator(".mx-told")).to_contain_text("a pickle, which can run code", timeout=30_000)
    opened.get_by_role("button", name="Fetch google/ddpm-celebahq-256").click()
    expect(opened.locator(".mx-told")).to_contain_text("has no model google/ddpm-celebahq-256", timeout=30_000)
