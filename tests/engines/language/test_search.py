"""Decoding against transformers' generate on the same weights: what is found, at what log p, and how the tree hangs together."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from engines.language import Search, Searched, pace, searches
from engines.language.network import Language, load
from engines.runtime import BadInput
from tests.engines.alone import run_alone
from tests.engines.language.toys import CONTEXT, TEXT, bundled, foreign

COUNT = 9


@pytest.fixture(scope="module", params=["bundled", "ends soon", "llama"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random networks; one of them is likely to end a text at any place."""
    home = tmp_path_factory.mktemp("models") / "toy"
    if request.param == "llama":
        return foreign(home, "llama")
    return bundled(home, seed=3, sharp=1.0, end=1.5) if request.param == "ends soon" else bundled(home)


@pytest.fixture(scope="module")
def model(folder: Path) -> Language:
    return load(folder)


def found_by(model: Language, **changes) -> list[Searched]:
    return run_alone(searches.search(model, replace(Search("toy", TEXT, count=COUNT), **changes)))


@torch.inference_mode()
def theirs(folder: Path, ids: list[int], **settings):
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return net.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=COUNT, pad_token_id=0, output_scores=True,
                        return_dict_in_generate=True, temperature=None, **settings)


def until_end(tokens: list[int], ends: frozenset[int]) -> tuple[int, ...]:
    """Without the padding after the token that ends a text."""
    at = next((place for place, token in enumerate(tokens) if token in ends), len(tokens) - 1)
    return tuple(tokens[:at + 1])


@pytest.mark.parametrize("length_penalty", [-2.0, 0.0, 1.0, 3.0])
@pytest.mark.parametrize("beams", [2, 3, 8])
def test_beam_search_finds_what_transformers_finds(folder: Path, model: Language, beams: int, length_penalty: float) -> None:
    last = found_by(model, beams=beams, length_penalty=length_penalty)[-1]
    ids = model.encode(TEXT)
    other = theirs(folder, ids, num_beams=beams, num_return_sequences=beams, length_penalty=length_penalty, early_stopping=False)
    assert len(last.found) == beams
    for (tokens, _, score), sequence, expected in zip(last.found, other.sequences.tolist(), other.sequences_scores.tolist(), strict=True):
        assert tokens == until_end(sequence[len(ids):], model.ends)
        assert score == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_greedy_finds_what_transformers_finds(folder: Path, model: Language) -> None:
    (tokens, logp, score), = found_by(model, method="greedy", length_penalty=2.0)[-1].found
    ids = model.encode(TEXT)
    other = theirs(folder, ids, num_beams=1)
    assert tokens == until_end(other.sequences[0, len(ids):].tolist(), model.ends)
    expected = sum(step[0].log_softmax(-1)[token].item() for step, token in zip(other.scores, tokens, strict=True))
    assert logp == pytest.approx(expected, abs=1e-4)
    assert score == pytest.approx(logp / len(tokens) ** 2)


@pytest.mark.parametrize("method", ["greedy", "sampling", "beam"])
def test_the_tree_hangs_together(model: Language, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "PACE_S", 0.0)
    monkeypatch.setattr(pace, "SHARE", 0)
    frames = found_by(model, method=method, beams=3)
    for place, frame in enumerate(frames, 1):
        assert frame.done == place and frame.total == COUNT and frame.method == method
        for at, node in enumerate(frame.nodes):
            assert -1 <= node.parent < at
            assert node.depth == (frame.nodes[node.parent].depth + 1 if node.parent >= 0 else 1) <= frame.done
            assert node.logp <= (frame.nodes[node.parent].logp if node.parent >= 0 else 0.0)
            assert node.parent < 0 or frame.nodes[node.parent].kept and not frame.nodes[node.parent].ended
            assert not (node.kept and node.ended)
            assert not node.ended or node.id in model.ends
        for depth in range(1, frame.done + 1):
            layer = [node for node in frame.nodes if node.depth == depth]
            assert len(layer) <= 2 * 3 and sum(node.best for node in layer) <= 1
            assert sum(node.kept for node in layer) <= (3 if method == "beam" else 1)
    tokens, logp, _ = frames[-1].found[0]
    way = [node for node in frames[-1].nodes if node.best]
    assert tuple(node.id for node in way) == tokens and way[-1].logp == pytest.approx(logp)
    assert all(len(one.nodes) < len(other.nodes) for one, other in pairwise(frames))


def test_log_p_is_what_the_model_says_of_the_whole_text(model: Language) -> None:
    ids = model.encode(TEXT)
    for tokens, logp, score in found_by(model, beams=4)[-1].found:
        with torch.inference_mode():
            log_p = model.logits(torch.tensor([[*ids, *tokens]]))[0, len(ids) - 1:-1].double().log_softmax(-1)
        assert logp == pytest.approx(log_p[torch.arange(len(tokens)), list(tokens)].sum().item(), abs=1e-4)
        assert score == pytest.approx(logp / len(tokens))


def test_a_single_beam_without_an_end_is_greedy(tmp_path: Path) -> None:
    model = load(bundled(tmp_path / "toy", end=-50.0))
    beam, greedy = (found_by(model, method=method, beams=1)[-1] for method in ("beam", "greedy"))
    assert beam.found[0][0] == greedy.found[0][0]


def test_a_search_stops_where_the_model_reads_no_further(model: Language) -> None:
    room = CONTEXT - len(model.encode(TEXT))
    last = found_by(model, count=200, beams=2)[-1]
    assert last.total == room and max(node.depth for node in last.nodes) <= room
    with pytest.raises(BadInput, match=f"this model reads {CONTEXT}"):
        found_by(model, text="Zyx! " * CONTEXT)


def test_frames_come_ten_times_a_second_at_most(model: Language) -> None:
    assert len(found_by(model, method="greedy", count=3)) <= 2
