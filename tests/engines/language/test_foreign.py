"""Models of any kind: what is read, what is refused in one sentence, and what a catalogue can say without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import Unigram, WordPiece
from transformers import AutoModelForCausalLM, AutoTokenizer, MambaConfig, MambaForCausalLM, PreTrainedTokenizerFast

from engines.language import Settings, Write, jobs, layout, tokens
from engines.language.foreign import Foreign
from engines.language.network import load
from engines.runtime import ModelFault
from tests.browser.conftest import ROOT
from tests.engines.alone import run_alone
from tests.engines.language.toys import CONTEXT, FOREIGN, TEXT, bundled, foreign, tokenizer

PARTS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_kept_gives_the_logits_of_transformers(kind: str, tmp_path: Path) -> None:
    model = load(foreign(tmp_path / kind, kind))
    assert isinstance(model, Foreign) and model.keeps and model.context == CONTEXT and model.ends == {0}
    oracle = AutoModelForCausalLM.from_pretrained(tmp_path / kind)
    ids = model.encode(TEXT)
    assert ids == AutoTokenizer.from_pretrained(tmp_path / kind)(TEXT)["input_ids"]
    steps = [step for frame in run_alone(jobs.write(model, Write(kind, TEXT, Settings(0.9, 30), seed=2, count=12)))
             for step in frame.steps]
    with torch.inference_mode():
        logits = oracle(torch.tensor([[*ids, *(step.id for step in steps)]])).logits[0]
        assert torch.allclose(model.last(torch.tensor([ids]))[0], logits[len(ids) - 1], atol=1e-4)
    for place, step in enumerate(steps):
        p = logits[len(ids) - 1 + place].double().softmax(-1)
        assert step.p == pytest.approx(p[step.id].item(), abs=1e-5)
        assert [each for each, _, _ in step.others[:3]] == p.topk(3).indices.tolist()


def test_a_pass_that_fails_may_be_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(foreign(tmp_path / "llama", "llama"))
    model.burst, u = 4, (0.1, 0.5, 0.9, 0.3)
    with torch.inference_mode():
        texts = [model.begin(model.encode(TEXT), CONTEXT) for _ in range(2)]
        for text in texts:
            text.ids.append(5)
        expected = model.speak(texts[0], Settings(), u)
        model.burst, calls, plain = 4, [], model._pass

        def fails_at_the_third(ids: list[int], kept: object, **options: int) -> object:
            found = plain(ids, kept, **options)
            calls.append(ids)
            if len(calls) == 3:
                raise MemoryError
            return found
        monkeypatch.setattr(model, "_pass", fails_at_the_third)
        with pytest.raises(MemoryError):
            model.speak(texts[1], Settings(), u)
        found = model.speak(texts[1], Settings(), u)
    assert [told[0] for told in found] == [told[0] for told in expected]


def test_a_model_with_a_memory_of_its_own_is_read_anew(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reads = tokenizer()
    MambaForCausalLM(MambaConfig(vocab_size=reads.get_vocab_size(), hidden_size=16, state_size=4, num_hidden_layers=2,
                                 eos_token_id=0, bos_token_id=0, pad_token_id=0)).save_pretrained(tmp_path / "mamba")
    PreTrainedTokenizerFast(tokenizer_object=reads, eos_token="<|endoftext|>").save_pretrained(tmp_path / "mamba")
    model = load(tmp_path / "mamba")
    assert not model.keeps and model.context == layout.ANY_LENGTH
    frames = run_alone(jobs.write(model, Write("mamba", TEXT, count=3, seed=1)))
    with torch.inference_mode():
        ids = model.encode(TEXT)
        for step in (step for frame in frames for step in frame.steps):
            logits = AutoModelForCausalLM.from_pretrained(tmp_path / "mamba")(torch.tensor([ids])).logits[0, -1]
            assert step.p == pytest.approx(logits.double().softmax(-1)[step.id].item(), abs=1e-5)
            ids.append(step.id)


# --- tokens ------------------------------------------------------------------------------------------------------

def test_every_byte_has_a_letter() -> None:
    letters = tokens.byte_letters()
    assert sorted(letters.values()) == list(range(256)) and len(letters) == 256
    assert letters["\u0120"] == 0x20 and letters["!"] == 0x21 and letters["\u010a"] == 0x0A
    assert set(letters) == set(pre_tokenizers.ByteLevel.alphabet())


def test_pieces_of_sentencepiece_are_their_bytes() -> None:
    reads = Tokenizer(Unigram([("<unk>", 0.0), ("\u2581", -1.0), ("\u2581the", -2.0), ("cat", -2.0), ("<0xF0>", -9.0), ("</s>", 0.0)], 0, True))
    reads.pre_tokenizer, reads.decoder = pre_tokenizers.Metaspace(), decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    assert tokens.kind(reads.to_str()) == "pieces"
    found = tokens.vocabulary([reads.id_to_token(each) for each in range(6)] + [None], {0, 5}, "pieces", 5)
    assert found.pieces == (b"<unk>", b" ", b" the", b"cat", b"\xf0", b"</s>", b"[6]")
    assert found.special == (0, 5, 6) and found.end == 5
    assert tokens.Tokenizer(None, found).decode([2, 1, 3, 5]) == " the cat"


def test_pieces_of_wordpiece_are_words_and_their_ends() -> None:
    reads = Tokenizer(WordPiece({"[UNK]": 0, "play": 1, "##ing": 2}, unk_token="[UNK]"))
    reads.decoder = decoders.WordPiece()
    assert tokens.kind(reads.to_str()) == "words"
    assert tokens.vocabulary(["[UNK]", "play", "##ing"], {0}, "words", -1).pieces == (b"[UNK]", b" play", b"ing")


def test_a_token_that_was_added_whole_is_its_own_text(tmp_path: Path) -> None:
    folder = foreign(tmp_path / "llama", "llama")
    reads = AutoTokenizer.from_pretrained(folder)
    size = len(reads)
    assert tokens.piece("<é b>", "bytes", tokens.byte_letters()) == "<é b>".encode()
    vocabulary = load(folder).vocabulary
    assert len(vocabulary.pieces) == size and vocabulary.pieces[0] == b"<|endoftext|>"


# --- what a folder says ------------------------------------------------------------------------------------------

def test_a_catalogue_needs_no_torch(tmp_path: Path) -> None:
    bundled(tmp_path / "toy")
    program = f"import sys; from pathlib import Path; from engines.language import layout; print(layout.about(Path({str(tmp_path / 'toy')!r}))); " \
              "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "title='toy', parameters=1234, context=32, vocabulary=280" in done.stdout


@pytest.mark.parametrize("kind", FOREIGN)
def test_sizes_are_those_of_the_network(kind: str, tmp_path: Path) -> None:
    found = layout.about(foreign(tmp_path / "snapshot", kind))
    net = AutoModelForCausalLM.from_pretrained(tmp_path / "snapshot")
    assert found.parameters == net.num_parameters() and found.vocabulary == net.config.vocab_size
    assert (found.context, found.family, found.ours, found.lean) == (CONTEXT, net.config.model_type, False, False)


def test_title_and_licence_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "models--someone--small-model" / "snapshots" / "0123"
    foreign(folder, "llama")
    assert layout.about(folder).title == "someone/small-model" and layout.about(folder).licence == ""
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\nlicense: none\n")
    assert layout.about(folder).licence == "apache-2.0"


@pytest.mark.parametrize(("config", "sentence"), [
    ({"architectures": ["BertForMaskedLM"], "model_type": "bert"}, "does not write a text from left to right"),
    ({"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "is_encoder_decoder": True}, "from left to right"),
    ({}, "names no model_type"),
    ({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "quantization_config": {"quant_method": "gptq"}}, "quantised \\(gptq\\)"),
])
def test_what_does_not_write_is_refused(config: dict, sentence: str, tmp_path: Path) -> None:
    folder = foreign(tmp_path / "model", "llama")
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFault, match=sentence) as fault:
        load(folder)
    assert str(fault.value).count(".") <= 3 and str(tmp_path) not in str(fault.value)


def test_code_of_a_model_is_never_run(tmp_path: Path) -> None:
    folder = foreign(tmp_path / "model", "llama")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"model_type": "mine", "architectures": ["MineForCausalLM"],
               "auto_map": {"AutoConfig": "mine.MineConfig", "AutoModelForCausalLM": "mine.MineForCausalLM"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ModelFault, match="does not know without running code"):
        load(folder)
    assert not (tmp_path / "ran").exists()


def test_pickles_and_folders_without_a_tokenizer_are_refused(tmp_path: Path) -> None:
    folder = foreign(tmp_path / "model", "llama")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelFault, match="has no tokenizer"):
        load(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelFault, match="as pytorch_model.bin only, a pickle"):
        load(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelFault, match="no file model.safetensors"):
        load(folder)


def test_a_broken_tokenizer_is_said_so(tmp_path: Path) -> None:
    folder = foreign(tmp_path / "model", "llama")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelFault, match="tokenizer"):
        load(folder)


def test_of_a_repository_only_what_is_needed_is_fetched() -> None:
    files = dict.fromkeys(["config.json", "README.md", "model.safetensors", "pytorch_model.bin", "tf_model.h5", "onnx/model.onnx",
                           "tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "generation_config.json",
                           "64.tflite", "original/consolidated.00.pth", "modeling_mine.py"], 1)
    assert set(layout.wanted(files)) == {"config.json", "README.md", "model.safetensors", "tokenizer.json", "vocab.json", "merges.txt",
                                         "tokenizer_config.json", "generation_config.json"}
    parts = dict.fromkeys(["config.json", layout.INDEX, *PARTS, "tokenizer.model"], 1)
    assert set(layout.wanted(parts)) == set(parts)
    for broken, sentence in (({"model.safetensors": 1}, "no config.json"),
                             ({"config.json": 1, "pytorch_model.bin": 1, "tokenizer.json": 1}, "a pickle"),
                             ({"config.json": 1, "model.safetensors": 1, "vocab.json": 1}, "no tokenizer")):
        with pytest.raises(ModelFault, match=sentence):
            layout.wanted(broken)
