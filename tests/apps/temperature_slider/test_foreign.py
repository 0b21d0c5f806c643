"""Models from elsewhere, through the room's own routes: looked at, refused in time, fetched, and written with."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from apps.temperature_slider import DEMO, catalogue, foreign, state
from engines.runtime import VisitorError, hub
from tests.apps.served import lent, lines, post
from tests.engines.runtime.toy_hub import ToyHub

NAME = "someone/llama-toy"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, toy_models: Path) -> Path:
    """A random Llama with the toy's tokenizer, as transformers saves it."""
    folder = tmp_path_factory.mktemp("theirs")
    tokenizer = AutoTokenizer.from_pretrained(toy_models / "gpt2-stories")
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                                 num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A toy\n")
    return folder


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkpoint: Path) -> Iterator[ToyHub]:
    with lent(monkeypatch, tmp_path, NAME, checkpoint) as server:
        yield server


def test_a_model_is_looked_at_fetched_and_read_with(there: ToyHub, place: str) -> None:
    offer = json.loads(post(place, "look", name=f" {NAME} "))["offer"]
    assert offer["name"] == NAME and offer["bytes"] > 10_000
    told = lines(post(place, "fetch", name=NAME))
    known = told[-1]["config"]
    assert (known["title"], known["context"], known["foreign"]) == ("llama-toy", 32, True)
    assert known["licence"] == "apache-2.0" and known["parameters"] > 5_000
    assert json.loads(post(place, "look", name=NAME))["config"] == known
    cleaned, faults = state.parse({"model": NAME, "prompt": "Ann saw"})
    assert (cleaned["model"], cleaned["prompt"], faults) == (NAME, "Ann saw", [])
    assert [each["name"] for each in catalogue.offered(NAME)] == [*DEMO.models, NAME]
    answer = post(place, "read", model=NAME, text="Ann saw")
    header = json.loads(answer[4:4 + int.from_bytes(answer[:4], "little")])
    assert (header["vocab"], header["context"]) == (known["vocabulary"], 32)


def test_the_shelf_offers_the_well_known_and_the_hosts_own(there: ToyHub, place: str, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine").symlink_to(checkpoint)
    shelf = json.loads(urllib.request.urlopen(f"{place}/shelf", timeout=10).read())
    assert shelf["own"] == ["folder:mine"] and shelf["policy"] == "any"
    assert [each["name"] for each in shelf["curated"]] == ["distilbert/distilgpt2", "openai-community/gpt2"]
    assert not any(each["here"] for each in shelf["curated"])
    assert foreign.config("folder:mine")["title"] == "mine"


@pytest.mark.parametrize("lost, words", [("tokenizer.json", "no tokenizer"), ("model.safetensors", "no file model.safetensors")])
def test_a_folder_that_lacks_a_part_is_one_sentence(there: ToyHub, place: str, checkpoint: Path, tmp_path: Path, lost: str, words: str) -> None:
    mine = tmp_path / "own" / "mine"
    mine.mkdir(parents=True)
    for path in checkpoint.iterdir():
        if path.name != lost:
            (mine / path.name).symlink_to(path)
    with pytest.raises(VisitorError, match=words):
        foreign.config("folder:mine")
    assert words in json.loads(post(place, "read", model="folder:mine", text="Ann"))["error"]
    del there.repositories[NAME][lost]
    assert "error" in json.loads(post(place, "look", name=NAME))


def test_pickles_other_kinds_and_offline_are_sentences(there: ToyHub, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = there.repositories[NAME]
    files["pytorch_model.bin"] = files.pop("model.safetensors")
    assert "a pickle" in json.loads(post(place, "look", name=NAME))["error"]
    assert "no id of the Hub" in json.loads(post(place, "look", name="<b>x</b>"))["error"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in json.loads(post(place, "look", name=NAME))["error"]


@pytest.mark.parametrize("policy, words", [("curated", "chosen models only"), ("bundled", "bundled models only")])
def test_the_host_may_forbid_it(there: ToyHub, place: str, monkeypatch: pytest.MonkeyPatch, policy: str, words: str) -> None:
    assert "config" in lines(post(place, "fetch", name=NAME))[-1]
    monkeypatch.setenv(hub.POLICY, policy)
    for way in ("look", "fetch"):
        assert words in lines(post(place, way, name=NAME))[-1]["error"]
    assert words in json.loads(post(place, "read", model=NAME, text="Ann"))["error"]
