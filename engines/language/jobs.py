"""The jobs of the temperature slider that read and write; those that compare and look inside have files of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import torch

from engines.language import Read, Reading, Tokens, Vocabulary, Write, Written, draw, too_long
from engines.language.network import BURST, Language
from engines.runtime import BadInput, ModelFault, forward

FRAME_S = 0.05               # between two frames: twenty a second look like writing, and each costs the page a redraw


def read(model: Language, p: Read) -> Iterator[Reading]:
    """What may come next."""
    ids = tokens(model, p.text, p.then)
    logits = (yield forward(model.last, torch.tensor([ids])))[0].cpu().numpy()          # (V,)
    if not np.isfinite(logits.max()):
        raise ModelFault(draw.NO_NUMBER)
    most = np.finfo(np.float16).max
    yield Reading(np.array(ids, dtype=np.int32), len(ids) - len(p.then), np.clip(logits, -most, most).astype(np.float16),
                  model.context)


def vocabulary(model: Language, p: Tokens) -> Iterator[Vocabulary]:
    yield model.vocabulary


def write(model: Language, p: Write) -> Iterator[Written]:
    """Token after token. The first goes out at once, then whatever was written since, twenty times a second at most."""
    ids = tokens(model, p.text, p.then)
    count, first = min(p.count, model.context - len(ids)), len(p.then)
    with closing(model.begin(ids, len(ids) + count)) as text:
        # 1. the token after the prompt
        u = draw.luck(p.seed, first, min(count, BURST))
        steps = [draw.step(draw.choose(text.logits, text.ids, p.settings, u[0]))]
        new, done, told, due = steps, 1, 0, 0.0
        text.ids.append(steps[0].id)
        while True:
            # 2. what is there goes out
            ended = "end" if steps[-1].id in model.ends else "" if done < count else "count" if count == p.count else "context"
            if ended or time.monotonic() >= due:
                yield Written(first + told, tuple(steps), ended)
                told, due, steps = done, time.monotonic() + FRAME_S, []
            if ended:
                return
            # 3. the next ones, in a pass that is shared with other visitors
            u = u[len(new):]
            if len(u) < BURST:
                u = np.append(u, draw.luck(p.seed, first + done + len(u), min(BURST, count - done - len(u))))
            new = yield from model.go_on(text, p.settings, u[:BURST])
            steps += new
            done += len(new)


def tokens(model: Language, text: str, then: tuple[int, ...]) -> list[int]:
    """The tokens of a text and those chosen after it. Raises BadInput where the model cannot read them all."""
    ids = model.encode(text)
    for each in then:
        if each >= model.vocab_size:
            raise BadInput(f"A token is {each:,}; this model knows {model.vocab_size:,}, numbered from 0: begin the branch anew.")
    if len(ids) + len(then) >= model.context:
        what = "the prompt" if not then or len(ids) >= model.context else "the prompt with what was written after it"
        raise too_long(len(ids) + len(then), model.context, what)
    return [*ids, *then]
