"""Texts that grow side by side: what is kept of them changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engines.language.network import Language, load
from engines.language.rows import CachedRows, LeanRows, Rows, rows
from tests.engines.language.toys import FOREIGN, TEXT, bundled, foreign

STEPS = [([0, 0, 0], [5, 6, 7]), ([0, 1, 2], [8, 8, 9]), ([2, 0, 0], [10, 11, 12]), ([0, 2], [13, 14]), ([0, 1], [15, 16]), ([1], [17])]


@pytest.fixture(scope="module", params=["bundled", *FOREIGN])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Language:
    home = tmp_path_factory.mktemp("models") / "toy"
    return load(bundled(home) if request.param == "bundled" else foreign(home, request.param))


@torch.inference_mode()
def test_what_is_kept_gives_the_same_logits_as_reading_anew(model: Language) -> None:
    ids = model.encode(TEXT)
    most = len(ids) + len(STEPS)
    quick, plain = rows(model, most), Rows(model, most)
    assert isinstance(quick, (LeanRows, CachedRows))
    assert torch.allclose(quick.begin(ids), plain.begin(ids), atol=1e-4)
    for parents, tokens in STEPS:
        found, expected = quick.grow(parents, tokens), plain.grow(parents, tokens)
        assert found.shape == (len(tokens), model.vocab_size)
        assert torch.allclose(found, expected, atol=1e-4)


@torch.inference_mode()
def test_a_text_beside_others_is_read_as_alone(model: Language) -> None:
    ids = model.encode(TEXT)
    beside, alone = rows(model, len(ids) + 3), rows(model, len(ids) + 3)
    beside.begin(ids), alone.begin(ids)
    for step in range(3):
        many = beside.grow([0] * 5 if step == 0 else range(5), [step + k for k in range(5)])
        one = alone.grow([0], [step + 2])
        assert torch.allclose(many[2], one[0], atol=1e-4)


@torch.inference_mode()
def test_a_pass_that_fails_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(bundled(tmp_path / "toy"))
    ids, growing = model.encode(TEXT), rows(model, 30)
    growing.begin(ids)
    growing.grow([0, 0], [5, 6])

    def fails(x: torch.Tensor) -> torch.Tensor:
        raise MemoryError
    with monkeypatch.context() as patch:
        patch.setattr(model, "unembed", fails)
        with pytest.raises(MemoryError):
            growing.grow([1, 0], [7, 8])
    expected = model.logits(torch.tensor([[*ids, 6, 7], [*ids, 5, 8]]))[:, -1]
    assert torch.allclose(growing.grow([1, 0], [7, 8]), expected, atol=1e-4)
