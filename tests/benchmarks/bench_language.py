"""Writing token by token: the gain over `generate`, and of sharing passes; nothing is asserted.

Ours runs in the engine process on one thread and one core; what it is held against runs on that same core in turn.
Only the sixteen visitors have all cores, alone and together.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from engines import language, runtime
from engines.language import Settings, Write
from engines.language.network import load
from engines.runtime import hub, models
from tests.benchmarks.ledger import Row, record
from tests.benchmarks.rates import ENGINE, HUB, engine_process, every_core, keep_on, rate, ratio

MODEL = os.environ.get("BENCH_LANGUAGE", "gpt2-stories")
LLAMA = "folder:bench-llama"
PROMPT = "Once upon a time, there was a little"
SETTINGS = Settings(1.0, 50)
COUNT = 200
REPEATS = 11
VISITORS = 16
PROMPTS = ("Once upon a time, there was a little", "The dog ran", "Lily was sad because", "In the garden a bird", "Tom had a red ball and",
           "The sun was", "My mother said that", "One day the king", "A small boat", "There was a big tree", "Ben and Mia went",
           "The cat sat", "It was a cold", "He opened the door and", "She found a box", "The old man")

engine = pytest.fixture(scope="module", autouse=True)(engine_process)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, engine: None) -> Iterator[None]:
    """A Llama of the stories' size, with random weights, among the host's own models; the engine is told where."""
    place = tmp_path_factory.mktemp("own")
    torch.manual_seed(0)
    logging.set_verbosity_error()
    LlamaForCausalLM(LlamaConfig(vocab_size=4096, hidden_size=192, intermediate_size=512, num_hidden_layers=6, num_attention_heads=6,
                                 max_position_embeddings=512, bos_token_id=0, eos_token_id=4095)).save_pretrained(place / "bench-llama")
    reads = models.bundled() / "gpt2-stories" / "tokenizer.json"
    PreTrainedTokenizerFast(tokenizer_file=str(reads), eos_token="<|endoftext|>").save_pretrained(place / "bench-llama")
    os.environ[hub.FOLDERS] = str(place)
    runtime.configure(mode="process", device="cpu")
    assert runtime.warm(timeout=120)
    keep_on(runtime.state().pid, ENGINE)
    yield
    del os.environ[hub.FOLDERS]


def streamed(name: str, seed: int, text: str = PROMPT, count: int = COUNT) -> int:
    """Writes, and says how many tokens: a text may end before."""
    return sum(len(frame.steps) for frame in runtime.start(language.write, Write(name, text, SETTINGS, seed=seed, count=count)))


@cache
def plain(folder: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(folder).eval()


def generated(name: str, seed: int) -> float:
    """Tokens a second of `generate`, which keeps what it read; texts do not end before their length."""
    folder = models.folder(name)
    net, ids = plain(folder), torch.tensor([load(folder).encode(PROMPT)])
    keep_on(os.getpid(), ENGINE)
    try:
        torch.manual_seed(seed)
        with torch.inference_mode():
            return rate(COUNT, lambda: net.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=COUNT, min_new_tokens=COUNT,
                                                    do_sample=True, temperature=1.0, top_k=50, pad_token_id=0, use_cache=True))
    finally:
        keep_on(os.getpid(), HUB)


def ours(name: str) -> float:
    """Tokens a second, of texts that are COUNT tokens together at least."""
    begun, written, seed = time.perf_counter(), 0, 0
    while written < COUNT:
        written += streamed(name, seed)
        seed += 1
    return written / (time.perf_counter() - begun)


@pytest.mark.parametrize(("name", "what", "bar"), [
    (MODEL, "language, one visitor's text, every token told with its alternatives", 2.0),
    (LLAMA, "language, the same of a model that transformers runs (a Llama of that size)", 1.1)])
def test_streaming_against_generate(name: str, what: str, bar: float) -> None:
    ours(name)
    generated(name, 0)
    mine, theirs, share = ratio(lambda: ours(name), lambda: generated(name, 1), REPEATS)
    record(Row(what, "model.generate of transformers, same weights, top-k 50, key-value cache",
               f"{share:.2f}× ({mine:.0f} against {theirs:.0f} tokens/s)", f"≥ {bar:g}×", share >= bar))


def test_the_first_token() -> None:
    model = load(models.folder(MODEL))
    ids = torch.tensor([model.encode(PROMPT)])

    def first() -> float:
        begun = time.perf_counter()
        reader = iter(runtime.start(language.write, Write(MODEL, PROMPT, SETTINGS, count=1000)))
        next(reader)
        spent = time.perf_counter() - begun
        reader.close()
        return spent

    def once() -> float:
        begun = time.perf_counter()
        with torch.inference_mode():
            model.logits(ids)
        return time.perf_counter() - begun
    mine, theirs = (1000 * statistics.median(work() for _ in range(15)) for work in (first, once))
    record(Row("language, from asking to the first token at the hub", "one forward pass of the prompt",
               f"{mine:.1f} ms (a pass: {theirs:.1f} ms)", "≤ that + 60 ms", mine <= theirs + 60))


all_cores = pytest.fixture(every_core)


def test_many_visitors(all_cores: None) -> None:
    counts = []

    def in_turn() -> float:
        begun = time.perf_counter()
        counts.append(sum(streamed(MODEL, k, text) for k, text in enumerate(PROMPTS)))
        return counts[-1] / (time.perf_counter() - begun)

    async def visit(k: int, text: str) -> int:
        run = runtime.start(language.write, Write(MODEL, text, SETTINGS, seed=k, count=COUNT), session=str(k))
        return sum([len(frame.steps) async for frame in run])

    async def together() -> int:
        return sum(await asyncio.gather(*(visit(k, text) for k, text in enumerate(PROMPTS))))

    def all_at_once() -> float:
        begun = time.perf_counter()
        counts.append(asyncio.run(together()))
        return counts[-1] / (time.perf_counter() - begun)
    in_turn()
    mine, theirs, share = ratio(all_at_once, in_turn, repeats=3)
    record(Row("language, 16 visitors with different prompts", "the same texts one after another",
               f"{share:.1f}× ({mine:.0f} against {theirs:.0f} tokens/s)", "≥ 3×", share >= 3))
