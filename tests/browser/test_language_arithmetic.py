"""The page's own arithmetic, in a real Chromium: warp.js against transformers' logits processors, luck.js against numpy."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, Route
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.browser
MODULES = ROOT / "assets" / "web" / "language"
PLACE = "http://arithmetic.test/"

# Each case -> what is kept (ids), q by id, the ids by place, the entropy.
WARP = """async (cases) => {
  const { createWarper } = await import('/warp.js');
  return cases.map(({ logits, ids, settings }) => settings.map((each) => {
    const { order, q, cut, kept, entropy, effective } = createWarper(Float32Array.from(logits), ids).warp(each);
    const by = new Array(order.length).fill(0);
    order.forEach((id, place) => { by[id] = q[place]; });
    return { kept: [...order].filter((_, place) => !cut[place]).sort((a, b) => a - b), q: by, order: [...order], count: kept, entropy, effective };
  }));
}"""
# A slider that moves over many tokens -> how often something was sorted meanwhile, and how many arrays answered.
MOVES = """async ({ size, rounds }) => {
  const { createWarper } = await import('/warp.js');
  const warper = createWarper(Float32Array.from({ length: size }, (_, id) => Math.fround(8 * Math.sin(id * id))), [1, 2, 3]);
  const warp = (i) => warper.warp({ temperature: .2 + 3 * i / rounds, top_k: 20000, top_p: .98, min_p: .0001, repetition_penalty: 1.2 });
  warp(0);
  const kinds = [Array, Float32Array, Float64Array, Int32Array].map((kind) => kind.prototype);
  const plain = kinds.map((kind) => kind.sort);
  let sorted = 0;
  kinds.forEach((kind, at) => { kind.sort = function (...how) { sorted += 1; return plain[at].apply(this, how); }; });
  const arrays = new Set();
  for (let i = 0; i < rounds; i++) {
    const { order, q, cut } = warp(i);
    [order, q, cut].forEach((each) => arrays.add(each));
  }
  kinds.forEach((kind, at) => { kind.sort = plain[at]; });
  return { sorted, arrays: arrays.size };
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page that can import the modules and nothing else."""
    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(PLACE)
        if name:
            route.fulfill(body=(MODULES / name).read_text(encoding="utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    opened = browser.new_page()
    opened.route("**/*", answer)
    opened.goto(PLACE)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def stable_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers sorts without saying which of two equal logits comes first; the page goes by a stable sort."""
    monkeypatch.setattr(torch, "sort", functools.partial(torch.sort, stable=True))


def processed(logits: np.ndarray, ids: list[int], settings: dict[str, float]) -> torch.Tensor:
    """What transformers leaves of logits (V,), in float64, -inf where it cut."""
    processors = LogitsProcessorList()
    if settings["repetition_penalty"] != 1:
        processors.append(RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
    if settings["temperature"] != 1:
        processors.append(TemperatureLogitsWarper(settings["temperature"]))
    if settings["top_k"]:
        processors.append(TopKLogitsWarper(int(settings["top_k"])))
    if settings["top_p"] < 1:
        processors.append(TopPLogitsWarper(settings["top_p"]))
    if settings["min_p"] > 0:
        processors.append(MinPLogitsWarper(settings["min_p"]))
    if settings["typical_p"] < 1:
        processors.append(TypicalLogitsWarper(settings["typical_p"]))
    return processors(torch.tensor([ids]), torch.from_numpy(logits.astype(np.float64))[None])[0]


def drawn_settings(rng: np.random.Generator, size: int) -> dict[str, float]:
    """Each of the six on or off by chance."""
    on = rng.random(6) < 0.5
    return {"temperature": float(np.round(rng.uniform(0.05, 5), 2)) if on[0] else 1.0,
            "top_k": int(rng.integers(1, size + 3)) if on[1] else 0,
            "top_p": float(np.round(rng.uniform(0.01, 0.999), 3)) if on[2] else 1.0,
            "min_p": float(np.round(rng.uniform(0.001, 1), 3)) if on[3] else 0.0,
            "typical_p": float(np.round(rng.uniform(0.01, 0.999), 3)) if on[4] else 1.0,
            "repetition_penalty": float(np.round(rng.uniform(0.5, 3), 2)) if on[5] else 1.0}


def drawn_cases(seed: int, sizes: list[int], each: int) -> list[dict[str, Any]]:
    """Random logits that float16 can hold, some of them coarse so that many are equal, and settings for them."""
    rng = np.random.default_rng(seed)
    cases = []
    for size in sizes:
        logits = rng.normal(0, rng.uniform(0.5, 6), size) + rng.uniform(-5, 5)
        logits = (np.round(logits) if rng.random() < 0.3 else logits).astype(np.float16)
        ids = rng.integers(0, size, rng.integers(1, 40)).tolist()
        cases.append({"logits": logits.astype(float).tolist(), "ids": ids, "settings": [drawn_settings(rng, size) for _ in range(each)]})
    return cases


def check(case: dict[str, Any], settings: dict[str, float], got: dict[str, Any]) -> None:
    said = json.dumps(settings)
    scores = processed(np.array(case["logits"]), case["ids"], settings)
    assert got["kept"] == torch.nonzero(scores > -torch.inf).flatten().tolist(), said
    q = scores.softmax(-1).numpy()
    np.testing.assert_allclose(got["q"], q, rtol=0, atol=1e-6, err_msg=said)
    entropy = -(q[q > 0] * np.log(q[q > 0])).sum()
    assert got["entropy"] == pytest.approx(entropy, abs=1e-6), said
    assert got["effective"] == pytest.approx(np.exp(entropy), rel=1e-6), said
    assert got["count"] == len(got["kept"])
    falling = np.array(got["q"])[got["order"]]
    assert (np.diff(falling[falling > 0]) <= 0).all(), said


@pytest.mark.parametrize("seed", range(4))
def test_the_warpers_are_those_of_transformers(page: Page, seed: int) -> None:
    cases = drawn_cases(seed, [2, 3, 7, 40, 65, 300, 1000, 2048], 40)
    for case, answers in zip(cases, page.evaluate(WARP, cases), strict=True):
        for settings, got in zip(case["settings"], answers, strict=True):
            check(case, settings, got)


def test_a_large_vocabulary_is_cut_exactly_too(page: Page) -> None:
    cases = drawn_cases(11, [50_257, 32_000], 6)
    for case, answers in zip(cases, page.evaluate(WARP, cases), strict=True):
        for settings, got in zip(case["settings"], answers, strict=True):
            check(case, settings, got)


def test_temperature_0_is_greedy_whatever_else_is_set(page: Page) -> None:
    for case in drawn_cases(5, [3, 50, 800], 12):
        case["settings"] = [{**each, "temperature": 0} for each in case["settings"]]
        for settings, got in zip(case["settings"], page.evaluate(WARP, [case])[0], strict=True):
            penalized = processed(np.array(case["logits"]), case["ids"], {**settings, "temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "typical_p": 1})
            assert got["kept"] == [int(torch.argmax(penalized))]
            assert got["entropy"] == 0 and got["effective"] == 1


def test_equal_logits_stand_by_their_number(page: Page) -> None:
    logits = np.random.default_rng(2).integers(-3, 3, 500).astype(np.float16)
    case = {"logits": logits.astype(float).tolist(), "ids": [0], "settings": [{}]}
    order = page.evaluate(WARP, [case])[0][0]["order"]
    assert order == np.argsort(-logits.astype(float), kind="stable").tolist()


def test_a_slider_that_moves_sorts_nothing_and_takes_no_memory(page: Page) -> None:
    """That is what 50,257 tokens within a frame rest on; the frame itself is measured in the benchmarks."""
    assert page.evaluate(MOVES, {"size": 50_257, "rounds": 20}) == {"sorted": 0, "arrays": 3}


def test_luck_is_numpys(page: Page) -> None:
    asked = [(seed, place) for seed in (0, 1, 12, 2**31 - 1) for place in (0, 1, 59, 1023)]
    got = page.evaluate("async (asked) => { const { luck } = await import('/luck.js'); return asked.map(([seed, place]) => luck(seed, place)); }", asked)
    assert got == [np.random.default_rng([seed, place]).random() for seed, place in asked]


def test_a_token_is_drawn_where_its_share_holds_u(page: Page) -> None:
    logits = [1.0, 3.0, 2.0, 3.0, -1.0]
    places = page.evaluate("""async (logits) => {
      const { createWarper, draw } = await import('/warp.js');
      const view = createWarper(Float32Array.from(logits), [0]).warp({});
      return [0, .2, .5, .9, .9999999].map((u) => ({ u, id: view.order[draw(view, u).place], low: draw(view, u).low }));
    }""", logits)
    q = torch.tensor(logits, dtype=torch.float64).softmax(-1).numpy()
    order = np.argsort(-q, kind="stable")
    edges = np.cumsum(q[order])
    for each in places:
        place = int(np.searchsorted(edges, each["u"], side="right"))
        assert each["id"] == order[place]
        assert each["low"] == pytest.approx(edges[place] - q[order[place]])
