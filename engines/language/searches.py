"""Decoding: what greedy choice, sampling and beam search find after a prompt, and the tree that each looks over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engines.language import Node, Search, Searched, too_long
from engines.language.draw import Taste
from engines.language.network import Language
from engines.language.pace import Pace
from engines.language.rows import rows
from engines.runtime import forward


@dataclass(eq=False)
class Hypothesis:
    """A text that may be found: its tokens after the prompt, their log p together, its place in the tree (-1: the prompt)."""

    tokens: tuple[int, ...] = ()
    logp: float = 0.0
    node: int = -1

    def score(self, length_penalty: float) -> float:
        return self.logp / len(self.tokens) ** length_penalty


@dataclass
class Tree:
    """Every hypothesis that was looked at, parents before children: [id, parent, depth, logp, kept, ended]."""

    rows: list[list] = field(default_factory=list)

    def add(self, parent: Hypothesis, token: int, logp: float) -> Hypothesis:
        tokens = (*parent.tokens, token)
        self.rows.append([token, parent.node, len(tokens), logp, False, False])
        return Hypothesis(tokens, logp, len(self.rows) - 1)

    def keep(self, *these: Hypothesis) -> None:
        for each in these:
            self.rows[each.node][4] = True

    def end(self, these: Hypothesis) -> None:
        self.rows[these.node][5] = True

    def nodes(self, best: Hypothesis | None) -> tuple[Node, ...]:
        """The whole tree, the way to `best` marked."""
        way, at = set(), -1 if best is None else best.node
        while at >= 0:
            way.add(at)
            at = self.rows[at][1]
        return tuple(Node(*row, place in way) for place, row in enumerate(self.rows))


def search(model: Language, p: Search) -> Iterator[Searched]:
    """One frame at most each tenth of a second, and the whole at the end."""
    ids = model.encode(p.text)
    if len(ids) >= model.context:
        raise too_long(len(ids), model.context)
    total = min(p.count, model.context - len(ids))
    yield from (beam if p.method == "beam" else path)(model, p, ids, total)


def beam(model: Language, p: Search, ids: list[int], total: int) -> Iterator[Searched]:
    """Beam search as transformers does it (early_stopping=False): of all continuations of the hypotheses that stand, the
    likeliest go on; those that end are set aside by log p / length ** length_penalty. It stops when the best that
    stands, scored at its present length, is behind the worst of `beams` finished ones."""
    tree, pace, reading = Tree(), Pace(), rows(model, len(ids) + total)
    running, finished = [Hypothesis()], []
    logits = yield forward(reading.begin, ids)                                         # (1, V)
    for done in range(1, total + 1):
        # 1. the likeliest continuations of all hypotheses together
        ranked = continuations(running, logits, max(2, 1 + len(model.ends)) * p.beams)
        # 2. who has ended, and who goes on
        going: list[tuple[int, Hypothesis]] = []
        for rank, (at, token, logp) in enumerate(ranked):
            ends = token in model.ends
            goes = not ends and len(going) < p.beams and (rank < p.beams or done < total)
            if rank >= 2 * p.beams and not goes:
                continue
            found = tree.add(running[at], token, logp)
            if ends and rank < p.beams:
                tree.end(found)
                finished.append(found)
            elif goes:
                tree.keep(found)
                going.append((at, found))
        running = [each for _, each in going]
        finished = best_of(finished, p.beams, p.length_penalty)
        # 3. can those that stand still be better?
        hopeless = not running or len(finished) == p.beams and \
            running[0].score(p.length_penalty) <= finished[-1].score(p.length_penalty)
        over = hopeless or done == total
        if over or pace.due():
            standing = [] if hopeless and done < total else running
            frame = told(p, tree, best_of(finished + standing, p.beams, p.length_penalty), done, total)
            pace.made()
            yield frame
        if over:
            return
        # 4. read what they chose
        logits = yield forward(reading.grow, [at for at, _ in going], [each.tokens[-1] for each in running])


def continuations(running: list[Hypothesis], logits: Tensor, wanted: int) -> list[tuple[int, int, float]]:
    """logits: (R, V), of each hypothesis. The likeliest of all its and the others' next tokens, best first:
    (which hypothesis, the token, log p of it and all before it)."""
    before = torch.tensor([each.logp for each in running], dtype=torch.float64)
    sums = logits.cpu().double().log_softmax(-1) + before[:, None]                     # (R, V)
    logp, places = sums.flatten().topk(min(wanted, sums.numel()))
    return [(*divmod(place, sums.shape[1]), value)
            for place, value in zip(places.tolist(), logp.tolist(), strict=True) if value > -torch.inf]


def path(model: Language, p: Search, ids: list[int], total: int) -> Iterator[Searched]:
    """One token after the other: the likeliest each time, or one that is drawn. Rejected are the likeliest others."""
    tree, pace, standing, reading = Tree(), Pace(), Hypothesis(), rows(model, len(ids) + total)
    taste = Taste(p.settings, p.seed, tuple(ids))
    logits = yield forward(reading.begin, ids)                                         # (1, V)
    for done in range(1, total + 1):
        log_p = logits[0].cpu().double().log_softmax(-1)                               # (V,)
        # 1. choose
        chosen = int(logits[0].argmax()) if p.method == "greedy" else taste.choose(logits[0], standing.tokens)
        # 2. put it into the tree, beside what was likely there
        likely = log_p.topk(min(2 * p.beams, len(log_p))).indices.tolist()
        looked_at = {token: tree.add(standing, token, standing.logp + log_p[token].item())
                     for token in (likely if chosen in likely else [*likely[:-1], chosen])}
        # 3. go on from there
        standing, over = looked_at[chosen], chosen in model.ends or done == total
        if chosen in model.ends:
            tree.end(standing)
        else:
            tree.keep(standing)
        if over or pace.due():
            frame = told(p, tree, [standing], done, total)
            pace.made()
            yield frame
        if over:
            return
        logits = yield forward(reading.grow, [0], [chosen])


def best_of(these: list[Hypothesis], beams: int, length_penalty: float) -> list[Hypothesis]:
    return sorted(these, key=lambda each: -each.score(length_penalty))[:beams]


def told(p: Search, tree: Tree, found: list[Hypothesis], done: int, total: int) -> Searched:
    return Searched(p.method, tree.nodes(found[0] if found else None),
                    tuple((each.tokens, each.logp, each.score(p.length_penalty)) for each in found), done, total)
