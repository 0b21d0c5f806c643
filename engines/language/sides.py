"""Side by side: one prompt at several temperatures, several texts of each, and what can be measured of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from torch import Tensor

from engines.language import Compare, Compared, Measured, measures, too_long
from engines.language.draw import Taste
from engines.language.network import Language
from engines.language.pace import Pace
from engines.language.rows import rows
from engines.runtime import forward

TOGETHER = 64                # texts that grow in one pass; more gain nothing on a processor
KEPT = 4096                  # tokens of all of them, whose keys and values are kept: 38 MB of the stories' model, 300 MB of GPT-2
CHOICES = 100_000            # tokens that are weighed before others have their turn: some milliseconds


@dataclass
class Text:
    """One text: whose taste it is written with, its tokens, and -ln p of each."""

    taste: Taste
    tokens: list[int] = field(default_factory=list)
    surprise: list[float] = field(default_factory=list)


def compare(model: Language, p: Compare) -> Iterator[Compared]:
    """All texts grow side by side. One frame at most each tenth of a second, and the whole at the end."""
    ids = model.encode(p.text)
    if len(ids) >= model.context:
        raise too_long(len(ids), model.context)
    count = min(p.count, model.context - len(ids))
    texts = [[Text(Taste(replace(p.settings, temperature=temperature), p.seed + k, tuple(ids))) for k in range(p.samples)]
             for temperature in p.temperatures]
    turn = [text for column in zip(*texts, strict=True) for text in column]            # the first of each temperature before
    together = max(1, min(TOGETHER, KEPT // (len(ids) + count)))                       # the second of any
    pace, total = Pace(), len(turn) * count
    for start in range(0, len(turn), together):
        these = turn[start:start + together]
        # 1. the prompt is read once, and every text begins with what comes after it
        growing = rows(model, len(ids) + count)
        logits = yield forward(growing.begin, ids)                                     # (1, V)
        logits = logits.expand(len(these), -1)
        parents = [0] * len(these)
        for place in range(count):
            # 2. each chooses its next token by its own settings and luck
            yield from choose(these, logits.cpu())
            if pace.due():
                frame = told(model, p, texts, total)
                pace.made()
                yield frame
            # 3. those that have not ended go on
            going = [at for at, text in enumerate(these) if text.tokens[-1] not in model.ends]
            these = [these[at] for at in going]
            if not these or place == count - 1:
                break
            logits = yield forward(growing.grow, [parents[at] for at in going], [text.tokens[-1] for text in these])
            parents = list(range(len(these)))
    yield told(model, p, texts, total)


def choose(these: list[Text], logits: Tensor) -> Iterator[None]:
    """One more token for each. logits: (B, V). Others have their turn now and then."""
    breath = max(1, CHOICES // logits.shape[1])
    for at, (text, row) in enumerate(zip(these, logits, strict=True), 1):
        token = text.taste.choose(row, text.tokens)
        text.tokens.append(token)
        text.surprise.append(-row.double().log_softmax(-1)[token].item())
        if at % breath == 0:
            yield None


def told(model: Language, p: Compare, texts: list[list[Text]], total: int) -> Compared:
    return Compared(sum(len(text.tokens) for row in texts for text in row), total,
                    tuple(measured(model, temperature, row) for temperature, row in zip(p.temperatures, texts, strict=True)))


def measured(model: Language, temperature: float, texts: list[Text]) -> Measured:
    samples = [text.tokens for text in texts]
    return Measured(temperature, tuple(model.decode(each) for each in samples), tuple(tuple(each) for each in samples),
                    measures.distinct_2(samples), measures.self_bleu(samples), measures.repetition(samples),
                    measures.perplexity([each for text in texts for each in text.surprise]))
