"""The hub by keyboard and by link, and the way from room to room."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from gallery.catalog import entries
from gallery.milestones import MILESTONES
from tests.browser.conftest import Watched


@pytest.mark.parametrize("words, address", [
    ("latent-space explorer", r"/demo/latent-space-explorer/$"), ("lab book", r"/demo/lab-book/$"), ("bottleneck", r"#label-seq$"),
])
def test_enter_opens_the_only_hit(open_page: Callable[..., Watched], words: str, address: str) -> None:
    page = open_page("/").page
    page.keyboard.press("/")
    page.keyboard.type(words)
    hits = page.locator(".door:not([hidden]), .other:not([hidden])")
    expect(hits).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(address), timeout=30_000)


def test_a_search_leaves_no_label_in_the_address(open_page: Callable[..., Watched]) -> None:
    page = open_page("/#label-gan").page
    page.keyboard.press("/")
    page.keyboard.type("noise")
    page.wait_for_url(re.compile(r"\?q=noise$"))


def test_next_leads_to_a_room_that_is_open(open_page: Callable[..., Watched]) -> None:
    open_rooms = {entry.slug for entry in entries() if entry.works}
    keys = [milestone.key for milestone in MILESTONES]
    hung = sorted((keys.index(entry.milestone), entry.slug) for entry in entries() if entry.milestone)
    page = open_page(f"/demo/{hung[0][1]}/").page
    for _, slug in hung[1:]:
        page.locator(".g-next").click()
        page.wait_for_url(f"**/demo/{slug}/", timeout=30_000)
        assert slug in open_rooms
    assert page.locator(".g-next").count() == 0


def test_the_lab_book_says_that_it_is_opening(open_page: Callable[..., Watched]) -> None:
    page = open_page("/").page
    page.route("**/_stcore/stream*", lambda route: None)
    page.route("**/*.js", lambda route: route.abort() if "/lab-book/static/" in route.request.url else route.continue_())
    page.goto(page.url + "demo/lab-book/", wait_until="commit")
    expect(page.get_by_text("Opening the lab book")).to_be_visible(timeout=30_000)
    page.unroute_all()
    page.reload()
    page.wait_for_selector(".st-key-status .g-status", timeout=60_000)
    expect(page.get_by_text("Opening the lab book")).to_be_hidden()
