"""The logit lens against transformers' hidden states, for every kind of network that is promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from engines.language import Layers, Lens, layers
from engines.language.network import load
from engines.runtime import BadInput
from tests.engines.alone import run_alone
from tests.engines.language.toys import CONTEXT, FOREIGN, TEXT, bundled, foreign


@pytest.fixture(params=["bundled", *FOREIGN])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return bundled(tmp_path / "toy") if request.param == "bundled" else foreign(tmp_path / "toy", request.param)


def looked(folder: Path, text: str = TEXT, top: int = 5) -> Layers:
    frames = run_alone(layers.lens(load(folder), Lens("toy", text, top)))
    assert len(frames) == 1
    return frames[0]


@torch.inference_mode()
def theirs(folder: Path, ids: np.ndarray) -> torch.Tensor:
    """What transformers' hidden states say after the embedding and each layer, (L + 1, T, V); their last is normed already."""
    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    found = net(torch.from_numpy(ids).long()[None], output_hidden_states=True)
    inner = net.base_model
    norm = next(getattr(inner, name) for name in ("ln_f", "final_layer_norm", "norm") if hasattr(inner, name))
    hidden = [*(norm(each) for each in found.hidden_states[:-1]), found.hidden_states[-1]]
    logits = torch.stack([net.get_output_embeddings()(each)[0] for each in hidden])
    assert torch.allclose(logits[-1], found.logits[0], atol=1e-5)
    return logits.double()


def test_every_row_is_what_transformers_hidden_states_say(folder: Path) -> None:
    found = looked(folder)
    logits = theirs(folder, found.ids)
    p = logits.softmax(-1).numpy()
    size, T = p.shape[0], len(found.ids)
    assert found.top_ids.shape == found.top_p.shape == (size, T, 5) and size == 3
    assert np.allclose(np.take_along_axis(p, found.top_ids, -1), found.top_p, atol=1e-5)
    assert np.allclose(-np.sort(-p, -1)[..., :5], found.top_p, atol=1e-5)
    assert np.array_equal(found.answer, p[-1].argmax(-1))
    of_answer = p[:, np.arange(T), found.answer]
    assert np.allclose(of_answer, found.answer_p, atol=1e-5)
    assert np.array_equal(found.answer_rank, (p > of_answer[..., None] + 1e-9).sum(-1) + 1)
    assert np.allclose(found.entropy, -(p * np.log(p)).sum(-1), atol=1e-4)


def test_the_last_layer_is_the_output(folder: Path) -> None:
    model, found = load(folder), looked(folder, top=20)
    with torch.inference_mode():
        p = model.logits(torch.from_numpy(found.ids).long()[None])[0].softmax(-1).numpy()
    assert np.allclose(np.take_along_axis(p, found.top_ids[-1], -1), found.top_p[-1], atol=1e-5)
    assert np.array_equal(found.answer, p.argmax(-1)) and np.array_equal(found.top_ids[-1, :, 0], found.answer)
    assert (found.answer_rank[-1] == 1).all()
    assert np.allclose(found.answer_p[-1], p.max(-1), atol=1e-5)


def test_a_text_read_in_pieces_reads_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = looked(folder)
    monkeypatch.setattr(layers, "AT_ONCE", 600)
    for one, other in zip(vars(whole).values(), vars(looked(folder)).values(), strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_the_frame_is_of_the_kinds_that_it_promises(tmp_path: Path) -> None:
    found = looked(bundled(tmp_path / "toy"))
    whole, real = ("ids", "top_ids", "answer", "answer_rank"), ("top_p", "answer_p", "entropy")
    assert all(getattr(found, name).dtype == np.int32 for name in whole)
    assert all(getattr(found, name).dtype == np.float32 for name in real)


def test_a_prompt_that_fills_the_context_is_refused_with_numbers(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=rf"has \d+ tokens; this model reads {CONTEXT}"):
        looked(bundled(tmp_path / "toy"), "Zyx! " * CONTEXT)
