"""Several temperatures side by side: the texts of a plain loop with the same seeds, and measures of these texts."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import language, runtime
from engines.language import Compare, Compared, Settings, measures, pace, sides
from engines.language.network import Language, load
from engines.runtime import BadInput, models
from tests.engines.alone import run_alone
from tests.engines.language.test_warp import processed
from tests.engines.language.toys import CONTEXT, TEXT, bundled, foreign

TEMPERATURES = (0.0, 0.7, 1.0, 2.0)


@pytest.fixture(scope="module", params=["bundled", "ends soon", "llama"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Language:
    home = tmp_path_factory.mktemp("models") / "toy"
    if request.param == "llama":
        return load(foreign(home, "llama"))
    return load(bundled(home, seed=3, sharp=1.0, end=2.0) if request.param == "ends soon" else bundled(home, sharp=3.0))


def compared(model: Language, **changes) -> list[Compared]:
    return run_alone(sides.compare(model, replace(Compare("toy", TEXT, TEMPERATURES, samples=3, count=8, seed=7), **changes)))


@torch.inference_mode()
def plain_loop(model: Language, temperature: float, seed: int, count: int, settings: Settings) -> tuple[list[int], list[float]]:
    """One text by itself, read anew for each token: its tokens, and -ln p of each."""
    ids, tokens, surprise = model.encode(TEXT), [], []
    while len(tokens) < count and not (tokens and tokens[-1] in model.ends):
        logits = model.logits(torch.tensor([[*ids, *tokens]]))[0, -1]
        if temperature == 0:
            chosen = int(logits.argmax())
        else:
            q = processed(logits[None], replace(settings, temperature=temperature))[0].double().softmax(-1).numpy()
            order = np.lexsort((np.arange(len(q)), -q))
            u = np.random.default_rng([seed, len(tokens)]).random()
            chosen = int(order[np.searchsorted(np.cumsum(q[order]), u, side="right")])
        tokens.append(chosen)
        surprise.append(-logits.double().log_softmax(-1)[chosen].item())
    return tokens, surprise


@pytest.mark.parametrize("settings", [Settings(), Settings(top_k=9, top_p=0.8)])
def test_texts_and_perplexity_are_those_of_a_plain_loop(model: Language, settings: Settings) -> None:
    last = compared(model, settings=settings)[-1]
    assert [row.temperature for row in last.rows] == list(TEMPERATURES)
    for row in last.rows:
        expected = [plain_loop(model, row.temperature, 7 + k, 8, settings) for k in range(3)]
        assert row.tokens == tuple(tuple(tokens) for tokens, _ in expected)
        assert row.texts == tuple(model.decode(tokens) for tokens, _ in expected)
        assert math.log(row.perplexity) == pytest.approx(np.mean([each for _, those in expected for each in those]), abs=1e-4)
        assert row.distinct_2 == pytest.approx(measures.distinct_2(row.tokens), nan_ok=True)
        assert row.self_bleu == pytest.approx(measures.self_bleu(row.tokens), nan_ok=True)
        assert row.repetition == pytest.approx(measures.repetition(row.tokens), nan_ok=True)
    assert last.done == sum(len(tokens) for row in last.rows for tokens in row.tokens) <= last.total == 4 * 3 * 8


def test_cold_texts_are_all_the_same_and_hot_ones_differ(model: Language) -> None:
    cold, *_, hot = compared(model, samples=4)[-1].rows
    assert len(set(cold.tokens)) == 1 and cold.self_bleu == pytest.approx(1)
    assert len(set(hot.tokens)) > 1 and hot.self_bleu < 1 and hot.perplexity > cold.perplexity


def test_a_single_sample_has_no_self_bleu(model: Language) -> None:
    assert all(math.isnan(row.self_bleu) for row in compared(model, samples=1)[-1].rows)


def test_in_parts_and_in_one_pass_the_texts_are_the_same(model: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compared(model)[-1]
    monkeypatch.setattr(sides, "TOGETHER", 5)
    monkeypatch.setattr(sides, "CHOICES", 1)
    assert [row.tokens for row in compared(model)[-1].rows] == [row.tokens for row in whole.rows]


def test_frames_grow_to_the_whole_and_say_how_far_it_is(model: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(compared(model, temperatures=(1.0,), samples=1, count=2)) <= 2
    monkeypatch.setattr(pace, "PACE_S", 0.0)
    monkeypatch.setattr(pace, "SHARE", 0)
    frames = compared(model)
    assert len(frames) > 2
    for one, next_one in pairwise(frames):
        assert one.done <= next_one.done <= next_one.total == one.total
        for row, later in zip(one.rows, next_one.rows, strict=True):
            assert all(grown[:len(tokens)] == tokens for tokens, grown in zip(row.tokens, later.tokens, strict=True))


def test_texts_stop_where_the_model_reads_no_further(model: Language) -> None:
    room = CONTEXT - len(model.encode(TEXT))
    last = compared(model, count=1000)[-1]
    assert last.total == 4 * 3 * room
    assert all(len(tokens) == room or tokens[-1] in model.ends for row in last.rows for tokens in row.tokens)
    with pytest.raises(BadInput, match=f"this model reads {CONTEXT}"):
        compared(model, text="Zyx! " * CONTEXT)


def test_the_jobs_are_found_by_name_and_stay_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled(tmp_path / "toy")
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    asked = ((language.compare, Compare("toy", TEXT, (0.0, 1.0), 2, 4)), (language.search, language.Search("toy", TEXT, count=4)),
             (language.lens, language.Lens("toy", TEXT)), (language.score, language.Score("toy", TEXT)))
    for job, params in asked:
        assert isinstance(runtime.start(job, params, session="tests").result(timeout=30), job.frame)
    assert all(isinstance(getattr(language, name), runtime.Job) for name in ("compare", "search", "lens", "score"))
