"""Reading and going on: what is kept changes nothing, and nobody is changed by who writes beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from engines.language import Settings, draw
from engines.language.dense import Dense
from engines.language.network import BURST, Language, Lean, load
from engines.language.pool import Pool
from engines.runtime import ModelFault, device, models
from tests.engines.language.toys import CONTEXT, TEXT, bundled, foreign

OPEN = Settings(1.0, 20)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundled(tmp_path_factory.mktemp("models") / "toy", sharp=3.0)


@pytest.fixture(scope="module")
def stories() -> Path:
    return models.bundled() / "gpt2-stories"


def theirs(folder: Path, ids: list[int]) -> torch.Tensor:
    """(V,), of the token after these, by transformers."""
    with torch.inference_mode():
        return AutoModelForCausalLM.from_pretrained(folder)(torch.tensor([ids])).logits[0, -1]


@pytest.mark.parametrize("which", ["toy", "stories"])
def test_a_kept_text_has_the_logits_that_transformers_gives(which: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(which)
    model = load(folder)
    ids = model.encode(TEXT)
    oracle = AutoModelForCausalLM.from_pretrained(folder)
    slot = model.pool.lease(len(ids) + 6)
    found = [model.pool.read(torch.tensor([ids]), slot)[0]]
    for token in (5, 9, 200, 17, 5):
        ids.append(token)
        found.append(model.pool.step([token], [slot], [len(ids) - 1])[0])
    model.pool.give(slot)
    with torch.inference_mode():
        expected = oracle(torch.tensor([ids])).logits[0, -6:]
    assert torch.allclose(torch.stack(found), expected, atol=1e-4)
    with torch.inference_mode():
        assert torch.allclose(model.last(torch.tensor([ids]))[0], expected[-1], atol=1e-4)
        assert torch.allclose(model.logits(torch.tensor([ids]))[0, -6:], expected, atol=1e-4)
        assert torch.allclose(model.unembed(model.residuals(torch.tensor([ids]))[-1])[0, -6:], expected, atol=1e-4)


def test_a_step_beside_others_is_a_step_alone(stories: Path) -> None:
    """Visitors come and go, at places of their own; the slots between them may be empty, and they stand in any order."""
    model, random = load(stories), np.random.default_rng(0)
    pool, texts = Pool(model.net), {}
    for turn in range(12):
        for _ in range(random.integers(0, 4)):
            ids = random.integers(1, 4096, random.integers(1, 90)).tolist()
            slot = pool.lease(len(ids) + 15)
            assert slot not in texts
            pool.read(torch.tensor([ids]), slot)
            texts[slot] = ids
        if turn % 3 == 2:
            gone = int(random.choice(list(texts)))
            pool.give(gone)
            del texts[gone]
        some = random.permutation(list(texts))[:random.integers(1, len(texts) + 1)].tolist()
        tokens = random.integers(1, 4096, len(some)).tolist()
        together = pool.step(tokens, some, [len(texts[slot]) for slot in some])
        for slot, token, found in zip(some, tokens, together, strict=True):
            texts[slot] = [*texts[slot], token]
            assert torch.allclose(found, model.last(torch.tensor([texts[slot]]))[0], atol=1e-4)
    for slot in texts:
        pool.give(slot)
    assert pool.kept is None and pool.lent == 0


def test_slots_apart_are_found_too(toy: Path) -> None:
    model, pool = load(toy), Pool(load(toy).net)
    slots = [pool.lease(10) for _ in range(9)]
    for slot in slots:
        pool.read(torch.tensor([[slot + 1, 5]]), slot)
    found = pool.step([7, 8], [8, 0], [2, 2])
    assert torch.allclose(found, model.last(torch.tensor([[9, 5, 7], [1, 5, 8]])), atol=1e-4)


@torch.inference_mode()
def go_on(model: Language, texts: list, wishes: list[Settings], us: list[np.ndarray]) -> list[list]:
    """One pass for all texts together, as the runtime joins them."""
    asked = [model.go_on(*each) for each in zip(texts, wishes, us, strict=True)]
    rows = [next(each).args[0] for each in asked]
    found = []
    for each, told in zip(asked, model.speak(torch.cat(rows)).split(1), strict=True):
        with pytest.raises(StopIteration) as end:
            each.send(told)
        found.append(end.value.value)
    return found


def test_texts_that_go_on_together_are_those_that_go_on_alone(toy: Path) -> None:
    wishes = [OPEN, Settings(0), Settings(2.0, 0, 0.9, 0.01, 0.9, 1.4), Settings(0.7)]
    prompts = [TEXT, "Bob", "the cat saw Ann.", "Élise"]

    def begun(model: Language, which: int):
        text = model.begin(model.encode(prompts[which]), CONTEXT)
        text.ids.append(int(draw.choose(text.logits, text.ids, wishes[which], 0.3)[0]))
        return text
    together, alone = load(toy), load(toy)
    together.burst = alone.burst = BURST
    us = [draw.luck(seed, 1, count) for seed, count in enumerate((3, 8, 1, 5))]
    texts = [begun(together, which) for which in range(4)]
    for which, found in enumerate(go_on(together, texts[::-1], wishes[::-1], us[::-1])[::-1]):
        text = begun(alone, which)
        alone.burst = BURST
        expected = go_on(alone, [text], [wishes[which]], [us[which]])[0]
        assert len(found) == len(us[which]) or found[-1].id == 0
        assert [step.id for step in found] == [step.id for step in expected]
        assert texts[which].ids == text.ids
        for one, other in zip(found, expected, strict=True):
            assert one.p == pytest.approx(other.p, abs=1e-5) and one.u == other.u and one.kept == other.kept
        text.close()
    for text in texts:
        text.close()
        text.close()            # a second time does nothing
    assert together.pool.lent == 0 and not together.asked


@pytest.mark.parametrize(("hands", "expected_parts"), [(1, [13]), (2, [7, 6]), (16, [5, 4, 4])])
def test_many_texts_are_written_in_parts_as_each_alone(toy: Path, hands: int, expected_parts: list[int],
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "hands", lambda: hands)
    together, alone, parts = load(toy), load(toy), []
    kept = together._write
    monkeypatch.setattr(together, "_write", lambda slots: parts.append(len(slots)) or kept(slots))
    order = np.random.default_rng(1).permutation(13)

    def begun(model: Language, which: int):
        text = model.begin([which + 1, 5], CONTEXT)
        text.ids.append(7)
        return text
    texts = [begun(together, which) for which in range(13)]
    us = [draw.luck(seed, 1, 3) for seed in range(13)]
    for _ in range(2):
        together.burst = BURST
        found = go_on(together, [texts[which] for which in order], [OPEN] * 13, [us[which] for which in order])
    assert sorted(parts) == sorted(2 * expected_parts)
    for which, steps in zip(order, found, strict=True):
        text, expected = begun(alone, which), []
        for _ in range(2):
            alone.burst = BURST
            expected = go_on(alone, [text], [OPEN], [us[which]])[0]
        assert [step.id for step in steps] == [step.id for step in expected]
        assert texts[which].ids == text.ids
        text.close()


def test_what_cannot_be_scripted_serves_as_it_is(toy: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no TorchScript here")
    quick, plain = Pool(load(toy).net), Pool(load(toy).net)
    found = []
    for pool in (quick, plain):
        for slot in range(3):
            pool.lease(6)
            pool.read(torch.tensor([[slot + 1, 5]]), slot)
        found.append((pool.step([7], [1], [2]), pool.step([7, 9, 3], [1, 0, 2], [3, 2, 2]), pool.step([4, 8], [2, 0], [3, 3])))
        assert isinstance(pool.quick, torch.jit.ScriptModule) == (pool is quick)
        monkeypatch.setattr(torch.jit, "script", fails)
    assert "cannot be scripted" in caplog.text
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_pass_that_fails_may_be_taken_again(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(toy)
    model.burst = BURST
    text = model.begin(model.encode(TEXT), CONTEXT)
    text.ids.append(5)
    asked = model.go_on(text, OPEN, draw.luck(0, 1, 6))
    rows, calls, choose = next(asked).args[0], [], draw.choose

    def fails_at_the_third(*args: object) -> np.ndarray:
        calls.append(args)
        if len(calls) == 3:
            raise MemoryError
        return choose(*args)
    expected = model.speak(rows)
    monkeypatch.setattr(draw, "choose", fails_at_the_third)
    model.burst = BURST
    with pytest.raises(MemoryError):
        model.speak(rows)
    assert torch.allclose(model.speak(rows), expected, atol=1e-5)


def test_a_pass_is_as_long_as_others_can_wait(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(toy)
    for written, seconds, most in ((1, 1e-4, 2), (2, 2e-4, 4), (4, 4e-4, BURST), (8, 8e-4, BURST), (8, 0.08, 2), (2, 1.0, 1)):
        monkeypatch.setattr("time.perf_counter", lambda now=seconds: now)
        model._timed(written, 0.0)
        assert model.burst == most


def test_older_files_of_gpt2_are_read_and_nothing_is_put_in_front_of_a_text(toy: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (old / name).write_bytes((toy / name).read_bytes())
    config = json.loads((toy / "config.json").read_text("utf-8"))
    (old / "config.json").write_text(json.dumps({key: value for key, value in config.items() if key != "family"}))
    weights = {name.removeprefix("transformer."): weight for name, weight in load_file(toy / "model.safetensors").items()}
    weights |= {f"h.{n}.attn.bias": torch.ones(1, 1, CONTEXT, CONTEXT) for n in range(2)}
    save_file(weights, old / "model.safetensors", {"format": "pt"})
    ours, theirs_way = load(toy), load(old)
    assert isinstance(theirs_way, Lean) and ours.encode(TEXT) == [0, *theirs_way.encode(TEXT)]
    ids = torch.tensor([ours.encode(TEXT)])
    assert torch.equal(ours.logits(ids), theirs_way.logits(ids))
    assert ours.vocabulary == theirs_way.vocabulary


def test_a_gpt2_of_another_form_is_read_by_transformers(tmp_path: Path) -> None:
    model = load(foreign(tmp_path / "untied", "gpt2-untied"))
    assert not isinstance(model, Lean)
    ids = model.encode(TEXT)
    assert torch.allclose(model.logits(torch.tensor([ids]))[0, -1], theirs(tmp_path / "untied", ids), atol=1e-4)


def test_weights_in_a_missing_file_are_said_so(toy: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((toy / name).read_bytes())
    with pytest.raises(ModelFault, match="no file model.safetensors"):
        load(tmp_path)


@pytest.mark.parametrize("turned", [False, True])
def test_packed_weights_give_what_plain_ones_give(turned: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    x, weight = torch.randn(16, 48, generator=generator), torch.randn(48, 96, generator=generator)
    bias = None if turned else torch.randn(96, generator=generator)
    layer = Dense(weight.T.contiguous() if turned else weight, bias, turned)
    for rows in (1, 2, 16):
        expected = x[:rows] @ weight + (0 if bias is None else bias)
        assert torch.allclose(layer(x[:rows]), expected, atol=1e-4)
        assert torch.allclose(layer(x[:rows], gelu=True), torch.nn.functional.gelu(expected, approximate="tanh"), atol=1e-4)
    assert layer.is_packed


def test_weights_whose_packing_gives_another_result_serve_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dense, "_quick", lambda self, x, gelu: x + 1)
    layer = Dense(torch.eye(8), torch.zeros(8))
    assert torch.equal(layer(torch.ones(4, 8)), torch.ones(4, 8)) and not layer.is_packed
