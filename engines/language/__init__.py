"""Language models that write: what may be asked of them, and what comes back.

Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2), and every causal model
that transformers loads without remote code. Cheap to import: numpy only. The network is in `engines.language.gpt2`,
texts that grow side by side in `rows`, what reshapes a distribution and draws from it in `sampling`, the jobs in `jobs`,
`sides`, `searches` and `layers`: no module bears a job's name, or importing it would put the module in the job's place.

A token is its number in the model's vocabulary; a text is str. logits are what the network says of the next
token, one number for each token of the vocabulary; p is softmax(logits), q what is left of p after the settings.
Probabilities are natural, surprise is in nats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engines.checks import between, one_of, whole
from engines.runtime import BadInput, Job, ModelRef

LOADER = "engines.language.network:load"
MAX_CHARACTERS = 20_000      # of a prompt: more than any model here reads; tokens are counted after that
MAX_TOKENS = 1024            # written in one run
MAX_SAMPLES = 200            # texts in one comparison
MAX_TEMPERATURES = 8
MAX_BEAMS = 8
SHOWN = 12                   # alternatives told beside each written token
METHODS = ("greedy", "sampling", "beam")
SEEDS = 2**31 - 1
EMPTY = "The prompt is empty: type the beginning of a text."


def _needs(params) -> tuple[ModelRef, ...]:
    return (ModelRef(params.model, LOADER),)


def check_text(text: str, what: str = "the prompt") -> None:
    """Raises BadInput for what cannot be read: nothing at all, only spaces, NUL, far too much."""
    if not isinstance(text, str):
        raise BadInput(f"{what} must be text: send a string.")
    if not text:
        raise BadInput(EMPTY if what == "the prompt" else f"{what} is empty: paste or type a text.")
    if not text.strip():
        raise BadInput(f"{what} has only spaces: type the beginning of a text.")
    if "\0" in text:
        raise BadInput(f"{what} holds a NUL character, which no text has: remove it.")
    if len(text) > MAX_CHARACTERS:
        raise BadInput(f"{what} has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}: shorten it.")


@dataclass(frozen=True)
class Settings:
    """What reshapes a distribution, in the order in which transformers applies it.

    repetition_penalty (Keskar et al. 2019), temperature (0 is exactly greedy), top_k (0: off; Fan et al. 2018),
    top_p (1: off; Holtzman et al. 2020), min_p (0: off; Nguyen et al. 2024), typical_p (1: off; Meister et al. 2023).
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        between("the temperature", self.temperature, 0, 5)
        whole("top-k", self.top_k, 0, 1_000_000)
        for name, value in (("top-p", self.top_p), ("typical-p", self.typical_p)):
            between(name, value, 0, 1)
            if value == 0:
                raise BadInput(f"{name} is 0, which leaves no token to choose; it may be more than 0, up to 1: "
                               "choose a small one such as 0.01, or the temperature 0 for the likeliest token alone.")
        between("min-p", self.min_p, 0, 1)
        between("the repetition penalty", self.repetition_penalty, 0.5, 5)


# --- the next token ----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Read:
    """Read a text and say what may come next. then: tokens that were chosen after the text, read as part of it."""

    model: str
    text: str
    then: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.text)
        _check_ids(self.then)


@dataclass(frozen=True)
class Reading:
    """ids: all tokens read, int32 (T,), those of `then` at its end and, where the model has one, the token that begins
    a text in front. prompt: how many of them are the prompt's. logits: float16 (V,), of the token after the last.
    context: tokens that the model reads at most."""

    ids: np.ndarray
    prompt: int
    logits: np.ndarray
    context: int


@dataclass(frozen=True)
class Tokens:
    """Ask for the whole vocabulary of a model."""

    model: str


@dataclass(frozen=True)
class Vocabulary:
    """pieces: the bytes of every token, by number; a special token's are its name. special: numbers of special tokens.
    end: the token that ends a text, -1 where there is none."""

    pieces: tuple[bytes, ...]
    special: tuple[int, ...]
    end: int


# --- writing -----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Write:
    """Go on with a text, token by token, each drawn by inverse CDF over the tokens from the likeliest down.

    then: tokens already chosen after the text. The number u that the token at place i after the text is drawn with
    depends on the seed and on i alone, so that two branches of one text meet the same luck. count: tokens to write.
    """

    model: str
    text: str
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    count: int = 60
    then: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_text(self.text)
        _check_ids(self.then)
        whole("the seed", self.seed, 0, SEEDS)
        whole("the number of tokens", self.count, 1, MAX_TOKENS)


@dataclass(frozen=True)
class Step:
    """One written token.

    p, q: its probability before and after the settings. u: the number it was drawn with, in [0, 1); low: the
    sum of q of the tokens before it in the order of drawing, so that low <= u < low + q. entropy: of q, in nats.
    kept: tokens with q > 0. others: (token, p, q) of the likeliest by q, then by p, at most SHOWN, itself among them
    if it is one of these.
    """

    id: int
    p: float
    q: float
    u: float
    low: float
    entropy: float
    kept: int
    others: tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class Written:
    """The next tokens, in order. place: of the first of them, counted after the text. ended: "" while it goes on, else
    why it stopped: "end" (the token that ends a text), "count", "context" (the model can read no further)."""

    place: int
    steps: tuple[Step, ...]
    ended: Literal["", "end", "count", "context"] = ""


# --- several temperatures side by side ---------------------------------------------------------------------------

@dataclass(frozen=True)
class Compare:
    """Write `samples` texts at each temperature, the other settings being the same. Sample k of every temperature has
    the seed seed + k."""

    model: str
    text: str
    temperatures: tuple[float, ...] = (0.1, 0.7, 1.0, 1.5, 2.0)
    samples: int = 4
    count: int = 60
    settings: Settings = field(default_factory=Settings)
    seed: int = 0

    def __post_init__(self) -> None:
        check_text(self.text)
        if not 1 <= len(self.temperatures) <= MAX_TEMPERATURES:
            raise BadInput(f"{len(self.temperatures)} temperatures were given; the limit is {MAX_TEMPERATURES}: "
                           f"give 1 to {MAX_TEMPERATURES}.")
        for value in self.temperatures:
            between("a temperature", value, 0, 5)
        whole("the number of samples", self.samples, 1, MAX_SAMPLES)
        whole("the number of tokens", self.count, 1, MAX_TOKENS)
        whole("the seed", self.seed, 0, SEEDS)
        if self.samples * len(self.temperatures) > MAX_SAMPLES:
            raise BadInput(f"{self.samples} samples at {len(self.temperatures)} temperatures are "
                           f"{self.samples * len(self.temperatures)} texts; the limit is {MAX_SAMPLES}: ask for fewer.")


@dataclass(frozen=True)
class Measured:
    """One temperature. texts: what was written, without the prompt. distinct_2: different pairs of tokens over pairs,
    of all samples together (Li et al. 2016). self_bleu: mean BLEU-4 of each sample against the others (Zhu et al. 2018),
    nan with one sample. repetition: share of 4-grams that stood before in the same sample (Welleck et al. 2020,
    seq-rep-4). perplexity: exp of the mean surprise of the written tokens under the model itself, at temperature 1
    and nothing cut. tokens: the written ones, a tuple of numbers for each text."""

    temperature: float
    texts: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]
    distinct_2: float
    self_bleu: float
    repetition: float
    perplexity: float


@dataclass(frozen=True)
class Compared:
    """done and total: tokens written so far of those asked for. rows: one for each temperature, of what is there so
    far; the last frame holds the whole."""

    done: int
    total: int
    rows: tuple[Measured, ...]


# --- decoding ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Search:
    """Find a continuation: greedy, by sampling (with settings and seed), or by beam search over `beams` hypotheses.

    length_penalty: a finished hypothesis is scored log p / length ** length_penalty, as transformers does it.
    """

    model: str
    text: str
    method: Literal["greedy", "sampling", "beam"] = "beam"
    beams: int = 4
    count: int = 20
    length_penalty: float = 1.0
    settings: Settings = field(default_factory=Settings)
    seed: int = 0

    def __post_init__(self) -> None:
        check_text(self.text)
        one_of("the method", self.method, METHODS)
        whole("the number of beams", self.beams, 1, MAX_BEAMS)
        whole("the number of tokens", self.count, 1, 200)
        between("the length penalty", self.length_penalty, -5, 5)
        whole("the seed", self.seed, 0, SEEDS)


@dataclass(frozen=True)
class Node:
    """A hypothesis in the tree of a search: the token it ends with, its parent's place in the list of nodes (-1: the
    prompt), its depth (1: the first token), log p of all its tokens together in nats, whether it went on to the next
    round (kept), whether it is finished (ended), and whether it lies on the way to what was found (best)."""

    id: int
    parent: int
    depth: int
    logp: float
    kept: bool
    ended: bool
    best: bool


@dataclass(frozen=True)
class Searched:
    """nodes: the tree so far, parents before children; rejected hypotheses of each round are in it up to 2 x beams.
    found: (tokens, log p, score) of the finished or standing hypotheses, best first. done of total rounds."""

    method: str
    nodes: tuple[Node, ...]
    found: tuple[tuple[tuple[int, ...], float, float], ...]
    done: int
    total: int


# --- under the bonnet --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Lens:
    """Read the residual stream after every layer as if it were the last (the logit lens, nostalgebraist 2020).

    top: how many tokens are told for each layer and place."""

    model: str
    text: str
    top: int = 5

    def __post_init__(self) -> None:
        check_text(self.text)
        whole("the number of tokens told", self.top, 1, 20)


@dataclass(frozen=True)
class Layers:
    """ids: int32 (T,), as they were read. top_ids: int32 (L + 1, T, top) and top_p: float32, the likeliest next tokens
    after the embedding (row 0) and after each of L layers. answer: int32 (T,), the likeliest by the last layer;
    answer_p: float32 (L + 1, T), answer_rank: int32 (L + 1, T), from 1: what each layer thinks of it. entropy: float32
    (L + 1, T), nats."""

    ids: np.ndarray
    top_ids: np.ndarray
    top_p: np.ndarray
    answer: np.ndarray
    answer_p: np.ndarray
    answer_rank: np.ndarray
    entropy: np.ndarray


@dataclass(frozen=True)
class Score:
    """How well a model foresees a text, which may be longer than its context: it is read in windows then, each half
    overlapping the one before, and every token is judged once, with at least half a context before it but at the
    beginning."""

    model: str
    text: str

    def __post_init__(self) -> None:
        check_text(self.text, "the text")


@dataclass(frozen=True)
class Scored:
    """ids: int32 (T,). surprise: float32 (T,), -ln p of each, nan for the first where nothing stands before it.
    rank: int32 (T,), from 1, 0 where there is no surprise. likeliest: int32 (T,), what the model expected there, -1 likewise.
    perplexity: exp of the mean surprise. bits_per_character: of all characters of the text."""

    ids: np.ndarray
    surprise: np.ndarray
    rank: np.ndarray
    likeliest: np.ndarray
    perplexity: float
    bits_per_character: float


def _check_ids(ids: tuple[int, ...]) -> None:
    if len(ids) > 4 * MAX_TOKENS:
        raise BadInput(f"{len(ids):,} tokens were given after the text; the limit is {4 * MAX_TOKENS:,}: begin anew.")
    for each in ids:
        whole("a token", each, 0, 10_000_000)


def too_long(used: int, context: int, what: str = "the prompt") -> BadInput:
    """The refusal of a text that the model cannot read whole."""
    return BadInput(f"{what} has {used:,} tokens; this model reads {context:,}, and needs room for one more: "
                    "shorten it, or choose a model that reads further.")


read = Job("engines.language.jobs:read", params=Read, frame=Reading, models=_needs)
vocabulary = Job("engines.language.jobs:vocabulary", params=Tokens, frame=Vocabulary, models=_needs)
write = Job("engines.language.jobs:write", params=Write, frame=Written, models=_needs, outbox_size=32, deadline_s=300.0)
compare = Job("engines.language.sides:compare", params=Compare, frame=Compared, models=_needs, outbox="latest",
              deadline_s=600.0, memory_mb=256)
search = Job("engines.language.searches:search", params=Search, frame=Searched, models=_needs, outbox="latest", deadline_s=300.0,
             memory_mb=128)
lens = Job("engines.language.layers:lens", params=Lens, frame=Layers, models=_needs, memory_mb=256)
score = Job("engines.language.layers:score", params=Score, frame=Scored, models=_needs, deadline_s=120.0, memory_mb=256)
