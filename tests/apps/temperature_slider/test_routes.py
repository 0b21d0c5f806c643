"""What the page fetches, over real HTTP: what matters is what happens when a page leaves, and what it reads meanwhile."""

from __future__ import annotations

import gzip
import io
import json
import time
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from apps.temperature_slider import delivery, thumbnail
from engines import language, runtime
from engines.runtime import EngineLost
from tests.apps.temperature_slider.conftest import CONTEXT, VOCABULARY

PROMPT = "Ann saw"


def written(place: str, **body: Any) -> list[dict[str, Any]]:
    answer = httpx.post(f"{place}/write", json={"text": PROMPT, **body}, timeout=60)
    assert answer.headers["content-type"].startswith("application/x-ndjson") or "error" in answer.json()
    return [json.loads(line) for line in answer.text.splitlines()]


def tokens(lines: list[dict[str, Any]]) -> list[int]:
    return [step[0] for line in lines for step in line.get("steps", [])]


def test_the_next_token_is_read_as_the_page_unpacks_it(place: str) -> None:
    body = httpx.post(f"{place}/read", json={"text": PROMPT, "then": [5, 6]}, timeout=60).content
    length = int.from_bytes(body[:4], "little")
    header = json.loads(body[4:4 + length])
    logits = np.frombuffer(body[4 + length:], "<f2")
    assert (4 + length) % 4 == 0 and len(logits) == header["vocab"] <= VOCABULARY and np.isfinite(logits).all()
    assert header["ids"][-2:] == [5, 6] and header["prompt"] == len(header["ids"]) - 2 and header["context"] == CONTEXT


def test_a_vocabulary_is_bytes_as_letters_and_is_sent_once(place: str) -> None:
    first = httpx.get(f"{place}/vocabulary", params={"model": "gpt2-stories"}, headers={"accept-encoding": "gzip"}, timeout=60)
    told = first.json()
    assert first.headers["content-encoding"] == "gzip" and told["model"] == "gpt2-stories" and told["end"] == 0
    pieces = [token.encode("latin-1") for token in told["tokens"]]
    assert {bytes([byte]) for byte in range(256)} <= set(pieces) and 0 in told["special"]
    assert httpx.get(f"{place}/vocabulary", headers={"if-none-match": first.headers["etag"]}, timeout=60).status_code == 304
    plain = httpx.get(f"{place}/vocabulary", headers={"accept-encoding": "identity"}, timeout=60)
    assert "content-encoding" not in plain.headers and plain.json() == told


def test_a_text_is_written_line_by_line_and_the_seed_decides_it(place: str) -> None:
    lines = written(place, seed=3, count=12, settings={"temperature": 1.3, "top_k": 50})
    steps = [step for line in lines for step in line.get("steps", [])]
    assert 1 <= len(steps) <= 12 and lines[-1]["ended"] in ("count", "end", "context") and lines[0]["place"] == 0
    for _, p, q, u, low, entropy, kept, others in steps:
        assert 0 < p <= 1 and low <= u < low + q + 1e-9 and entropy >= 0 and 1 <= kept <= 50 and len(others) <= language.SHOWN
    assert tokens(written(place, seed=3, count=12, settings={"temperature": 1.3, "top_k": 50})) == tokens(lines)
    assert tokens(written(place, seed=4, count=12, settings={"temperature": 1.3, "top_k": 50})) != tokens(lines)


def test_a_branch_meets_the_same_luck(place: str) -> None:
    whole = written(place, seed=3, count=8)
    luck = [step[3] for line in whole for step in line.get("steps", [])]
    branch = written(place, seed=3, count=4, then=[9, 9])
    assert branch[0]["place"] == 2
    assert [step[3] for line in branch for step in line.get("steps", [])] == luck[2:6]


def test_the_context_ends_a_text(place: str) -> None:
    lines = written(place, seed=1, count=1024, settings={"temperature": 1.0})
    assert lines[-1]["ended"] in ("context", "end") and len(tokens(lines)) <= CONTEXT


@pytest.mark.parametrize("body, words", [
    ({"text": ""}, "The prompt is empty"), ({"text": "  "}, "only spaces"), ({"text": 3}, "must be text"),
    ({"text": "a\0"}, "NUL"), ({"text": "x" * 20_001}, "the limit is 20,000"), ({"text": "no " * 100}, "this model reads 64"),
    ({"settings": {"top_p": 0}}, "top-p is 0"), ({"settings": {"temperature": "hot"}}, "temperature"), ({"settings": 3}, "settings may be"),
    ({"settings": {"magic": 1}}, "settings may be"), ({"then": "5"}, "not understood"), ({"then": [-1]}, "a token is -1"),
    ({"then": [10**6]}, "token"), ({"seed": -1}, "the seed"), ({"count": 0}, "1 to 1024"), ({"model": "nobody"}, "no language model named"),
    ({"model": "../../etc"}, "no language model named"),
])
def test_what_cannot_be_is_one_sentence(place: str, body: dict[str, Any], words: str) -> None:
    answer = httpx.post(f"{place}/write", json={"text": PROMPT, **body}, timeout=60)
    told = json.loads(answer.text.splitlines()[-1])
    assert words in told["error"] and "Traceback" not in answer.text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "שלום", "👩‍👩‍👧", "é\u202e", "x\ny\tz"])
def test_any_text_can_be_gone_on_with(place: str, text: str) -> None:
    lines = written(place, text=text, count=2, model="gpt2-stories")
    assert tokens(lines) and "error" not in lines[-1]


def test_a_page_that_leaves_ends_its_run_within_two_seconds(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with httpx.stream("POST", f"{place}/write", json={"text": "A", "count": 1000, "session": "gone"}, timeout=60) as answer:
        next(answer.iter_lines())
    left = time.monotonic()
    while runtime.state().running and time.monotonic() < left + 5:
        time.sleep(0.02)
    assert time.monotonic() - left < 2
    assert httpx.post(f"{place}/leave?session=gone", timeout=10).status_code == 204


class Dying:
    """A run whose engine ends after one frame."""

    status = type("Status", (), {"sentence": "running"})()
    cancelled = False

    async def __aiter__(self) -> Any:
        yield language.Written(0, (language.Step(7, 0.5, 0.5, 0.1, 0.0, 0.7, 2, ((7, 0.5, 0.5),)),))
        raise EngineLost("The engine ended: write it again.")

    def cancel(self) -> None:
        self.cancelled = True


def test_an_engine_that_dies_is_told_in_the_stream() -> None:
    import asyncio

    async def read() -> list[dict[str, Any]]:
        return [json.loads(line) async for line in delivery.written(Dying())]

    first, last = asyncio.run(read())
    assert first["steps"] == [[7, 0.5, 0.5, 0.1, 0.0, 0.7, 2, [[7, 0.5, 0.5]]]]
    assert last == {"error": "The engine ended: write it again.", "lost": True}


def test_the_doors_picture_moves_and_stands(place: str) -> None:
    import asyncio
    for still, frames in ((True, 1), (False, thumbnail.FRAMES)):
        picture = Image.open(io.BytesIO(asyncio.run(thumbnail.make(still))))
        assert picture.size == thumbnail.SIZE and picture.n_frames == frames
    q = thumbnail.distribution(np.array([1.0, 3.0, 2.0]), 0.0)
    assert q.tolist() == [0, 1, 0] and thumbnail.distribution(np.array([1.0, 3.0]), 2.0).sum() == pytest.approx(1)


def test_a_packed_vocabulary_is_what_it_says() -> None:
    held = language.Vocabulary((b"<end>", b"\xff", "é".encode()), (0,), 0)
    body, etag = delivery._told_vocabulary("m", held)
    assert json.loads(gzip.decompress(body))["tokens"] == ["<end>", "ÿ", "Ã©"] and etag.startswith('"')
