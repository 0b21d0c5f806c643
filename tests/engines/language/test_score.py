"""Surprise and perplexity against transformers' loss; long texts in windows."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from engines.language import Score, Scored, layers
from engines.language.network import load
from engines.runtime import BadInput
from tests.engines.alone import run_alone
from tests.engines.language.toys import CONTEXT, FOREIGN, TEXT, bundled, foreign

LONG = "Bob saw Élise. The cat saw them all, 3 times! " * 6


@pytest.fixture(params=["bundled", *FOREIGN])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return bundled(tmp_path / "toy") if request.param == "bundled" else foreign(tmp_path / "toy", request.param)


def scored(folder: Path, text: str) -> Scored:
    frames = run_alone(layers.score(load(folder), Score("toy", text)))
    assert len(frames) == 1
    return frames[0]


def test_perplexity_is_exp_of_transformers_loss(folder: Path) -> None:
    found = scored(folder, TEXT)
    ids = torch.from_numpy(found.ids).long()[None]
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        loss = net(ids, labels=ids).loss.item()
        log_p = net(ids).logits[0].double().log_softmax(-1)
    assert math.log(found.perplexity) == pytest.approx(loss, abs=1e-5)
    assert found.bits_per_character == pytest.approx(loss * (ids.shape[1] - 1) / math.log(2) / len(TEXT), abs=1e-4)
    assert np.isnan(found.surprise[0]) and found.rank[0] == 0 and found.likeliest[0] == -1
    own = log_p[torch.arange(ids.shape[1] - 1), ids[0, 1:]]
    assert np.allclose(found.surprise[1:], -own.numpy(), atol=1e-5)
    assert np.array_equal(found.likeliest[1:], log_p[:-1].argmax(-1).numpy())
    assert np.array_equal(found.rank[1:], (log_p[:-1] > own[:, None] + 1e-9).sum(-1).numpy() + 1)


def test_bits_count_the_characters_of_the_text_not_its_bytes_or_tokens(tmp_path: Path) -> None:
    found = scored(bundled(tmp_path / "toy"), "Élise 🙂")
    assert found.bits_per_character == pytest.approx(np.nansum(found.surprise) / math.log(2) / 7, rel=1e-5)


def test_a_text_longer_than_the_context_is_judged_once_in_windows(tmp_path: Path) -> None:
    folder = bundled(tmp_path / "toy")
    found, model = scored(folder, LONG), load(folder)
    ids = torch.from_numpy(found.ids).long()
    assert len(ids) > 3 * CONTEXT and not np.isnan(found.surprise[1:]).any()
    starts, size = layers.windows(len(ids), CONTEXT)
    for place in range(1, len(ids)):
        start = next(start for start in starts if place <= start + size)       # the first window that reaches it
        with torch.inference_mode():
            log_p = model.logits(ids[None, start:place])[0, -1].log_softmax(-1)
        assert found.surprise[place] == pytest.approx(-log_p[ids[place]].item(), abs=1e-4)


@pytest.mark.parametrize("context", [1, 2, 7, 8, 32])
def test_windows_reach_every_token_with_half_a_context_before_it(context: int) -> None:
    for tokens in range(2, 70):
        starts, size = layers.windows(tokens, context)
        assert starts[0] == 0 and starts[-1] + size == tokens - 1 and size <= context
        judged = 1
        for start in starts:
            assert start == 0 or judged - start >= context / 2
            assert start < judged <= start + size
            judged = start + size + 1
        assert judged == tokens


def test_several_windows_in_a_pass_or_one_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bundled(tmp_path / "toy")
    whole = scored(folder, LONG)
    monkeypatch.setattr(layers, "AT_ONCE", 2000)
    assert np.allclose(whole.surprise, scored(folder, LONG).surprise, atol=1e-5, equal_nan=True)


def test_a_single_token_with_nothing_before_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="single token"):
        scored(foreign(tmp_path / "toy", "llama"), "A")
    assert scored(bundled(tmp_path / "ours"), "A").surprise.shape == (2,)      # the beginning of a text stands before it
