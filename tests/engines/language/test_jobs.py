"""Reading and writing through the runtime: what is told is what a plain loop over transformers' logits draws."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from engines import language, runtime
from engines.language import Compare, Read, Reading, Settings, Tokens, Write, Written, jobs, network
from engines.language.network import Language, load
from engines.runtime import BadInput, models
from tests.engines.alone import run_alone
from tests.engines.language.test_warp import processed
from tests.engines.language.toys import CONTEXT, TEXT, bundled, foreign

SOME = (Settings(), Settings(0), Settings(0.7, 9, 0.9), Settings(2.0, 0, 1.0, 0.02, 0.95, 1.3))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    bundled(place / "pen", sharp=3.0)
    bundled(place / "pen-ends", seed=3, sharp=1.0, end=2.0)
    foreign(place / "pen-llama", "llama")
    return place


@pytest.fixture(autouse=True)
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(models.BUNDLED, str(home))
    monkeypatch.setattr(models, "check", lambda place: None)        # the foreign one has no checksums


@torch.inference_mode()
def plain_loop(folder: Path, model: Language, p: Write) -> list[int]:
    """Every token read anew by transformers, its settings' own processors, and inverse CDF."""
    net = AutoModelForCausalLM.from_pretrained(folder)
    ids, tokens = [*model.encode(p.text), *p.then], []
    while len(tokens) < min(p.count, CONTEXT - len(ids)) and not (tokens and tokens[-1] in model.ends):
        logits = net(torch.tensor([[*ids, *tokens]])).logits[0, -1].double()
        if p.settings.temperature == 0:
            tokens.append(int(logits.argmax()))
            continue
        q = processed(logits[None], p.settings, (*ids, *tokens)).softmax(-1)[0].numpy()
        order = np.lexsort((np.arange(len(q)), -q))
        u = np.random.default_rng([p.seed, len(p.then) + len(tokens)]).random()
        tokens.append(int(order[np.searchsorted(np.cumsum(q[order]), u, side="right")]))
    return tokens


def written(p: Write, session: str = "tests") -> list[Written]:
    return list(runtime.start(language.write, p, session=session))


def ids_of(frames: list[Written]) -> list[int]:
    return [step.id for frame in frames for step in frame.steps]


# --- reading -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["pen", "pen-llama"])
def test_a_reading_is_what_transformers_says(name: str, home: Path) -> None:
    found = runtime.start(language.read, Read(name, TEXT, (7, 9))).result(timeout=30)
    model = load(home / name)
    ids = [*model.encode(TEXT), 7, 9]
    with torch.inference_mode():
        expected = AutoModelForCausalLM.from_pretrained(home / name)(torch.tensor([ids])).logits[0, -1].numpy()
    assert isinstance(found, Reading) and found.ids.tolist() == ids and found.ids.dtype == np.int32
    assert found.prompt == len(ids) - 2 and found.context == CONTEXT and found.logits.dtype == np.float16
    assert np.allclose(found.logits, expected, rtol=1e-3, atol=1e-3)


def test_the_vocabulary_is_told_whole(home: Path) -> None:
    found = runtime.start(language.vocabulary, Tokens("pen")).result(timeout=30)
    model = load(home / "pen")
    assert found == model.vocabulary and len(found.pieces) == model.vocab_size
    assert found.end == 0 and found.special == (0,) and found.pieces[0] == b"<|endoftext|>"
    assert b"".join(found.pieces[each] for each in model.encode("Élise 🐕\x01")[1:]) == "Élise 🐕\x01".encode()


def test_logits_too_large_for_sixteen_bits_are_told_as_large_as_can_be(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(home / "pen")
    monkeypatch.setattr(model, "last", lambda ids: torch.full((1, 280), -1e9).index_fill(1, torch.tensor([3]), 1e9))
    found = run_alone(jobs.read(model, Read("pen", TEXT)))[0]
    assert np.isfinite(found.logits).all() and found.logits.argmax() == 3


# --- writing -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", SOME)
@pytest.mark.parametrize("name", ["pen", "pen-ends", "pen-llama"])
def test_a_text_is_that_of_a_plain_loop(name: str, settings: Settings, home: Path) -> None:
    p = Write(name, TEXT, settings, seed=5, count=12)
    frames, model = written(p), load(home / name)
    assert ids_of(frames) == plain_loop(home / name, model, p)
    assert [frame.place for frame in frames] == np.cumsum([0, *(len(frame.steps) for frame in frames[:-1])]).tolist()
    assert len(frames[0].steps) == 1 and [frame.ended for frame in frames[:-1]] == [""] * (len(frames) - 1)
    assert frames[-1].ended == ("end" if ids_of(frames)[-1] == 0 else "count")
    luck = [np.random.default_rng([5, place]).random() for place in range(12)]
    for place, step in enumerate(step for frame in frames for step in frame.steps):
        assert step.u == luck[place] and step.low <= step.u
        assert settings.temperature == 0 or step.u < step.low + step.q + 1e-9


def test_one_that_ends_ends(home: Path) -> None:
    ends = set()
    for seed in range(12):
        found = written(Write("pen-ends", TEXT, seed=seed, count=18))
        ends.add(found[-1].ended)
        assert 0 not in ids_of(found)[:-1] and (found[-1].ended == "end") == (ids_of(found)[-1] == 0)
    assert "end" in ends


@pytest.mark.parametrize("name", ["pen", "pen-llama"])
def test_a_branch_meets_the_luck_of_the_text_it_leaves(name: str) -> None:
    whole = ids_of(written(Write(name, TEXT, SOME[2], seed=3, count=9)))
    rest = written(Write(name, TEXT, SOME[2], seed=3, count=5, then=tuple(whole[:4])))
    assert ids_of(rest) == whole[4:] and rest[0].place == 4


@pytest.mark.parametrize("name", ["pen", "pen-llama"])
def test_the_model_reads_no_further_than_it_can(name: str, home: Path) -> None:
    prompt = len(load(home / name).encode(TEXT))
    found = written(Write(name, TEXT, SOME[2], count=200, seed=2))
    assert len(ids_of(found)) == CONTEXT - prompt and found[-1].ended == "context"
    exactly = written(Write(name, TEXT, SOME[2], count=CONTEXT - prompt, seed=2))
    assert exactly[-1].ended == "count" and ids_of(exactly) == ids_of(found)


def test_what_cannot_be_read_is_refused_with_the_limit(home: Path) -> None:
    long = "Ann saw Bob. " * 40
    count = len(load(home / "pen").encode(long))
    for job, params in ((language.read, Read("pen", long)), (language.write, Write("pen", long))):
        with pytest.raises(BadInput, match=f"the prompt has {count} tokens; this model reads {CONTEXT}"):
            runtime.start(job, params).result(timeout=30)
    with pytest.raises(BadInput, match="written after it has"):
        runtime.start(language.read, Read("pen", TEXT, (5,) * CONTEXT)).result(timeout=30)
    with pytest.raises(BadInput, match="A token is 280; this model knows 280"):
        runtime.start(language.read, Read("pen", TEXT, (280,))).result(timeout=30)


@pytest.mark.parametrize("text", ["אבא אמר שלום", "🐕🐈", "<script>alert(1)</script>", "a\u202eb", "\ufffd\ud7ff", "Zalgo\u0301\u0301"])
def test_any_letters_are_read_and_written_after(text: str, home: Path) -> None:
    model = load(home / "pen")
    ids = model.encode(text)
    assert model.decode(ids) == text
    if len(ids) < CONTEXT:
        assert written(Write("pen", text, count=2))[-1].ended in ("count", "context", "end")


def test_the_first_token_goes_out_at_once_and_the_rest_twenty_times_a_second(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, now = load(home / "pen"), [0.0]
    plain = model.speak

    def slowly(rows: torch.Tensor) -> torch.Tensor:
        now[0] += 0.02
        model.burst = 2
        return plain(rows)
    monkeypatch.setattr(model, "speak", slowly)
    monkeypatch.setattr(model, "_timed", lambda written, begun: None)
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    frames = run_alone(jobs.write(model, Write("pen", TEXT, SOME[2], count=16, seed=4)))
    assert [len(frame.steps) for frame in frames] == [1, 6, 6, 3]


@pytest.mark.parametrize("name", ["pen", "pen-llama"])
def test_texts_side_by_side_are_those_that_are_written_one_by_one(name: str) -> None:
    settings = Settings(top_k=40, top_p=0.95)
    rows = runtime.start(language.compare, Compare(name, TEXT, (0.0, 0.7, 1.5), 2, 8, settings, seed=3)).result(timeout=60).rows
    for row in rows:
        for k, tokens in enumerate(row.tokens):
            wish = Write(name, TEXT, replace(settings, temperature=row.temperature), seed=3 + k, count=8)
            assert list(tokens) == ids_of(written(wish))


def test_many_visitors_write_what_each_writes_alone() -> None:
    wishes = [Write("pen", text, settings, seed=seed, count=9)
              for seed, (text, settings) in enumerate(zip((TEXT, "Bob saw", "the cat", "Élise saw them"), SOME, strict=True))]
    alone = [ids_of(written(wish)) for wish in wishes]

    async def visit(k: int) -> list[int]:
        return ids_of([frame async for frame in runtime.start(language.write, wishes[k], session=str(k))])

    async def together() -> list[list[int]]:
        return await asyncio.gather(*map(visit, range(4)))
    assert asyncio.run(together()) == alone


def test_whoever_leaves_gives_back_what_was_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[network.Lean] = []
    begin = network.Lean.begin
    monkeypatch.setattr(network.Lean, "begin", lambda self, *args: seen.append(self) or begin(self, *args))
    monkeypatch.setattr(jobs, "FRAME_S", 0.0)
    run = runtime.start(language.write, Write("pen", TEXT, count=20), session="leaver")
    next(iter(run))
    run.cancel()
    limit = time.monotonic() + 2
    while (seen[0].pool.lent or seen[0].asked) and time.monotonic() < limit:
        time.sleep(0.01)
    assert seen[0].pool.lent == 0 and not seen[0].asked and len(seen[0].pool.free) == seen[0].pool.kept.shape[2]


def test_the_stories_model_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(models.BUNDLED)
    p = Write("gpt2-stories", "Once upon a time, there was a little", Settings(0.8, 50), seed=1, count=24)
    folder = models.bundled() / "gpt2-stories"
    model = load(folder)
    frames = written(p)
    text = model.decode(ids_of(frames))
    assert ids_of(frames) == ids_of(written(p)) and text.isprintable() and len(text) > 40
    with torch.inference_mode():
        ids = model.encode(p.text)
        logits = AutoModelForCausalLM.from_pretrained(folder)(torch.tensor([[*ids, *ids_of(frames)]])).logits[0]
    for place, step in enumerate(step for frame in frames for step in frame.steps):
        expected = logits[len(ids) + place - 1].double().softmax(-1)[step.id].item()
        assert step.p == pytest.approx(expected, abs=1e-4)
    assert ids_of(written(replace(p, seed=2))) != ids_of(frames)
