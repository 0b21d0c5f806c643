"""The recipe: stopping and starting again changes nothing; transformers reads what it writes."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from engines.language import measure
from engines.language.gpt2 import GPT2, Shape
from engines.runtime import models
from engines.training import language_data as texts
from engines.training.data import DataMissing
from engines.training.language import Corpus, Recipe, Training
from engines.training.language_report import bits, measured, told, write_model, write_weights
from engines.training.loop import run

TOY = Recipe("toy", sources="tinystories:3,simple:1", vocabulary=300, context=16, width=16, layers=2, heads=2, epochs=2,
             batch=4, warm=2, look=5, compile=0, seed=1)


def source(seed: int, count: int = 30) -> texts.Source:
    """Stories of who saw whom, with a capital and a stop."""
    random, names = np.random.default_rng(seed), ("Ann", "Bob", "the cat", "a dog", "Élise")
    stories = ["\n".join(f"{names[a]} saw {names[b]}." for a, b in random.integers(0, len(names), (6, 2)))
               for _ in range(count)]
    return texts.Source("stories of seeing", "none", stories[3:], stories[:3], True, ("[A story](x), by nobody",))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    sources = {"tinystories": source(0), "simple": source(1)}
    tokenizer = texts.byte_pairs((text for each in sources.values() for text in each.train), TOY.vocabulary)
    return Corpus(sources, (0.75, 0.25), tokenizer)


@pytest.mark.parametrize("recipe", [TOY, replace(TOY, dropout=0.3, store="float8_e4m3fn")])
def test_stopping_and_starting_again_ends_at_the_same_weights(recipe: Recipe, corpus: Corpus, tmp_path: Path) -> None:
    whole = run(Training(recipe, corpus), tmp_path / "whole.pt")
    assert whole.step == whole.steps > 15
    run(Training(recipe, corpus), tmp_path / "parts.pt", until=11)
    torch.rand(3)       # the dropout of whoever goes on must not depend on what else drew
    parts = run(Training(recipe, corpus), tmp_path / "parts.pt")
    for name, weight in whole.finished().state_dict().items():
        assert torch.equal(weight, parts.finished().state_dict()[name]), name
    assert whole.curve == parts.curve and whole.taken == parts.taken


def test_a_run_may_be_prolonged_without_loss_before_its_rates_fall(corpus: Corpus, tmp_path: Path) -> None:
    longer = replace(TOY, epochs=4)
    run(Training(TOY, corpus), tmp_path / "replanned.pt", until=8)
    replanned = run(Training(longer, corpus), tmp_path / "replanned.pt", replan=True)
    planned = run(Training(longer, corpus), tmp_path / "planned.pt")
    assert replanned.plans == [[8, 2.0]]
    for name, weight in planned.net.state_dict().items():
        assert torch.equal(weight, replanned.net.state_dict()[name]), name


def test_training_foresees_more_of_what_it_has_not_seen(corpus: Corpus) -> None:
    training = Training(replace(TOY, epochs=20), corpus)
    before = bits(training.finished(), corpus.tokenizer, corpus.sources["simple"])
    while training.step < training.steps:
        training.advance()
    assert bits(training.finished(), corpus.tokenizer, corpus.sources["simple"]) < before / 3


def test_rows_come_by_their_shares_and_each_token_once_in_a_pass(corpus: Corpus) -> None:
    training = Training(TOY, corpus)
    for _ in range(10):
        training.minibatch()
    assert training.taken == [30, 10]
    documents = [np.arange(start, start + 7) for start in range(0, 70, 7)]
    rows = texts.Rows(documents, 5, seed=0)
    first = [rows[k] for k in range(rows.count)]
    foretold = np.concatenate([row[1:] for row in first])
    assert len(np.unique(foretold)) == len(foretold) == 68
    later = rows[rows.count + 2]
    assert np.array_equal(texts.Rows(documents, 5, seed=0)[rows.count + 2], later)
    assert not np.array_equal(np.stack(first), np.stack([rows[k] for k in range(rows.count, 2 * rows.count)]))


def test_bits_per_character_do_not_depend_on_the_tokens(corpus: Corpus) -> None:
    """A model that finds every token equally likely: log2 V bits for each token, and for the end."""
    for vocabulary in (257, 280):
        tokenizer = texts.byte_pairs(iter(corpus.sources["simple"].train), vocabulary)
        flat = GPT2(Shape(vocabulary, 16, 8, 1, 1)).eval()
        torch.nn.init.zeros_(flat.transformer["wte"].weight)
        held_out = corpus.sources["simple"].held_out
        count = sum(len(tokenizer.encode(text).ids) + 1 for text in held_out)
        expected = count * math.log2(vocabulary) / sum(map(len, held_out))
        assert bits(flat, tokenizer, corpus.sources["simple"]) == pytest.approx(expected, rel=1e-5)


def test_windows_of_a_long_text_give_the_loss_that_transformers_gives(corpus: Corpus, tmp_path: Path) -> None:
    training = run(Training(TOY, corpus), tmp_path / "toy.pt", until=5)
    write_weights(training.finished(), corpus.tokenizer, tmp_path / "toy", TOY.store, {})
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "toy")
    ids = np.random.default_rng(0).integers(0, theirs.config.vocab_size, 41)
    total = 0.0
    for start in (0, 15, 30):
        window = torch.from_numpy(ids[start:start + 16])[None]
        total += theirs(window, labels=window).loss.item() * (window.shape[1] - 1)
    assert measure.nats(training.finished(), [ids], 15, rows=2) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("store", ["float16", "float8_e4m3fn"])
def test_what_is_written_is_read_by_us_and_by_transformers(store: str, corpus: Corpus, tmp_path: Path) -> None:
    recipe = replace(TOY, store=store)
    training = run(Training(recipe, corpus, tmp_path / "looks"), tmp_path / "toy.pt")
    models.check(tmp_path / "looks")
    net, folder = training.finished(), tmp_path / "gpt2-toy"
    found = measured(net, corpus, count=12)
    config = write_model(net, recipe, corpus, folder, found, steps=training.steps, seconds=90.0, threads=1,
                         plans=[[5, 4.0]], curve=training.curve)
    models.check(folder)
    assert set(config["measured"]["bits_per_character"]) == {"tinystories", "simple"}
    assert json.loads((folder / "config.json").read_text("utf-8"))["family"] == "language"
    ids = torch.tensor([[0, *corpus.tokenizer.encode("Ann saw a dog. Élise 🐕").ids[:15]]])
    for place in (folder, tmp_path / "looks"):
        theirs, tokenizer = AutoModelForCausalLM.from_pretrained(place), AutoTokenizer.from_pretrained(place)
        assert theirs.dtype == torch.float32 and tokenizer.eos_token_id == 0
        assert tokenizer("Élise saw 🐕.")["input_ids"] == corpus.tokenizer.encode("Élise saw 🐕.").ids
        assert tokenizer.decode(corpus.tokenizer.encode("Élise saw 🐕.").ids) == "Élise saw 🐕."
        if place == folder:      # the last look is older
            with torch.inference_mode():
                assert torch.allclose(theirs(ids).logits, net(ids), atol=1e-5)
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    for part in ("## Data and licence", "--store " + store, "## Measured", "bits per character", "longest run",
                 "**Seed 9**", "4 epochs were planned", "## Limits"):
        assert part in card
    assert "[A story](x), by nobody" in (folder / "CREDITS.md").read_text("utf-8")


def test_the_longest_copy_is_found() -> None:
    known = measure.as_text(np.array([5, 1, 2, 3, 4, 9, 1, 2, 7]))
    assert measure.longest_copy(np.array([8, 1, 2, 3, 8, 2, 7]), known) == 3
    assert measure.longest_copy(np.array([8, 8]), known) == 0
    assert measure.longest_copy(np.array([3, 4, 9, 1]), known) == 4


def test_a_seed_gives_the_same_sample_alone_and_among_others(corpus: Corpus) -> None:
    torch.manual_seed(0)
    net = GPT2(Shape(300, 32, 16, 2, 2)).eval()
    together = measure.written(net, [0], range(6), 20, temperature=0.8)
    for seed in (0, 4):
        assert np.array_equal(measure.written(net, [0], [seed], 20, temperature=0.8)[0], together[seed])
    assert told(np.array([66, 67, 0, 66]), corpus.tokenizer) == corpus.tokenizer.decode([66, 67])


def test_drawing_follows_the_cumulated_probabilities() -> None:
    p = np.array([[0.0, 0.25, 0.0, 0.75, 0.0]] * 4)
    assert measure.drawn(p, np.array([0.0, 0.2499, 0.25, np.nextafter(1, 0)])).tolist() == [1, 1, 3, 3]


def test_texts_are_read_split_and_credited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_DATA", str(tmp_path))
    with pytest.raises(DataMissing, match="stories.jsonl"):
        texts.simple()
    row = {"title": "T", "text": " A\u2028b. ", "licence": "CC-BY", "licence_url": "https://l", "author": "N",
           "translation": None, "url": "https://u", "source": "S"}
    (tmp_path / "simple_stories_ccby").mkdir()
    lines = [json.dumps(row, ensure_ascii=False), *(json.dumps(row | {"text": f"{place}"}) for place in range(40))]
    (tmp_path / "simple_stories_ccby" / "stories.jsonl").write_text("\n".join(lines), "utf-8")
    found = texts.simple()
    assert found.held_out == ["A\u2028b.", "19", "39"] and len(found.train) == 38
    assert found.credits[0] == "[T](https://u), N, S, [CC-BY](https://l)"
    (tmp_path / "tiny_shakespeare").mkdir()
    (tmp_path / "tiny_shakespeare" / "tinyshakespeare.txt").write_text("0123456789" * 3, "utf-8")
    assert texts.shakespeare().train == ["012345678901234567890123456"] and texts.shakespeare().held_out == ["789"]
