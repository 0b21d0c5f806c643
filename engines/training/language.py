r"""The recipe behind the bundled language models.

    python -m engines.training.language --name gpt2-stories
    python -m engines.training.language --name gpt2-shakespeare-char --sources shakespeare:1 --vocabulary 257 \
        --context 256 --width 128 --layers 4 --heads 4 --epochs 11 --dropout 0.15

Stopping it (Ctrl-C) and starting it again with the same arguments goes on where the last checkpoint
was written, and ends at the same weights. The learning rate stays where it is until the last part of
the run, so that --replan with other --epochs prolongs a run, or brings it to an end, without loss. At
every look the model as it stands is measured and put into checkpoints/<name>/. The finished model goes
to assets/models/<name>, in the layout of transformers.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from engines.language.gpt2 import GPT2, Shape
from engines.training import language_data as texts
from engines.training.language_report import bits, measured, stored, write_model, write_weights
from engines.training.loop import CHECKPOINTS, arguments, chosen, run


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out, apart from the data."""

    name: str
    sources: str = "tinystories:60,simple:15,books:25"   # with the share of the rows that each of them gives
    vocabulary: int = 4096       # tokens of the byte-pair encoding; 257: the bytes, and the end of a text
    context: int = 512
    width: int = 192
    layers: int = 6
    heads: int = 6
    epochs: float = 12.0         # passes over the first source
    batch: int = 8               # rows of `context` tokens
    rate: float = 0.006          # of Muon, for the matrices within the blocks
    small_rate: float = 0.008    # of AdamW, for embeddings, biases and gains
    decay: float = 0.1           # weight decay of both, of the rate
    dropout: float = 0.05        # there are few texts, and they are read often
    warm: int = 100              # steps in which the rates rise
    cooldown: float = 0.3        # the last share of the steps, in which they fall to zero
    store: str = "float16"       # or "float8_e4m3fn", half the size: how the matrices are kept in the file
    look: int = 500              # steps between two looks at held-out text
    compile: int = 1             # 0: do without a C++ compiler, and take half as long again
    seed: int = 0


@dataclass(frozen=True)
class Corpus:
    """The sources by name with their shares, which sum to 1, and the encoding that all of them are read through."""

    sources: dict[str, texts.Source]
    shares: tuple[float, ...]
    tokenizer: Tokenizer


class Training:
    """A recipe under way: weights, optimisers, step and how many rows of each source have been read."""

    figure = "nats per token"

    def __init__(self, recipe: Recipe, corpus: Corpus, looks: Path | None = None) -> None:
        """looks: the folder that the model as it stands is put into, at every look."""
        self.recipe, self.corpus, self.looks = recipe, corpus, looks
        self.rows = [texts.Rows(texts.tokens(corpus.tokenizer, source.train), recipe.context + 1, recipe.seed)
                     for source in corpus.sources.values()]
        shape = Shape(corpus.tokenizer.get_vocab_size(), recipe.context, recipe.width, recipe.layers, recipe.heads)
        torch.manual_seed(recipe.seed)
        self.net = GPT2(shape, recipe.dropout)
        within = [weight for weight in self.net.transformer["h"].parameters() if weight.dim() == 2]
        known = set(map(id, within))
        others = [weight for weight in self.net.parameters() if id(weight) not in known]
        self.optimisers = (
            torch.optim.Muon(within, lr=recipe.rate, weight_decay=recipe.decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=recipe.small_rate, betas=(0.9, 0.98), weight_decay=recipe.decay, fused=True))
        self.loss = torch.compile(self._loss) if recipe.compile else self._loss
        self.taken = [0] * len(self.rows)
        self.curve: list[list[float]] = []      # [step, bits per character of held-out text of the first source]
        self.step, self.seconds, self.plans = 0, 0.0, []
        self.steps = max(1, round(recipe.epochs * self.rows[0].count / (corpus.shares[0] * recipe.batch)))

    def _loss(self, ids: Tensor) -> Tensor:
        """Mean of -log p(token | those before it), in nats, over rows (B, T + 1)."""
        with torch.autocast("cpu", torch.bfloat16):
            return F.cross_entropy(self.net(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())

    def advance(self) -> float:
        """One step down the gradient; the loss of the batch."""
        recipe = self.recipe
        torch.manual_seed(recipe.seed * 2**32 + self.step)      # dropout goes on where it stopped
        # 1. how surprised is the model by these rows?
        loss = self.loss(self.minibatch())
        # 2. down the gradient, at a rate that rises, stays, and falls to zero
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0, foreach=True)
        left = (self.steps - self.step) / (recipe.cooldown * self.steps)
        share = min(1.0, (self.step + 1) / recipe.warm, left)
        for optimiser, rate in zip(self.optimisers, (recipe.rate, recipe.small_rate)):
            optimiser.param_groups[0]["lr"] = rate * share
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        # 3. now and then a look at text that is held out
        if self.step % recipe.look == 0:
            self.look()
        return loss.item()

    def minibatch(self) -> Tensor:
        """Rows from the sources by their shares, int64 (B, T + 1)."""
        rows = []
        for _ in range(self.recipe.batch):
            # the source that has given least of its due
            source = min(range(len(self.rows)), key=lambda each: (self.taken[each] + 0.5) / self.corpus.shares[each])
            rows.append(self.rows[source][self.taken[source]])
            self.taken[source] += 1
        return torch.from_numpy(np.stack(rows))

    def look(self) -> None:
        net, first = self.finished(), next(iter(self.corpus.sources.values()))
        self.curve.append([self.step, round(bits(net, self.corpus.tokenizer, first, at_most=100), 4)])
        print(f"step {self.step}/{self.steps}  held out {self.curve[-1][1]:.4f} bits per character", flush=True)
        if self.looks is not None:
            write_weights(net, self.corpus.tokenizer, self.looks, self.recipe.store,
                          {"name": self.recipe.name, "family": "language", "curve": self.curve})

    def state(self) -> dict:
        return {"recipe": asdict(self.recipe), "weights": self.net.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "taken": self.taken, "curve": self.curve, "step": self.step, "seconds": self.seconds}

    def restore(self, state: dict) -> None:
        self.net.load_state_dict(state["weights"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(kept)
        self.taken, self.curve = list(state["taken"]), [list(point) for point in state["curve"]]
        self.step, self.seconds = state["step"], state["seconds"]

    def finished(self) -> GPT2:
        """The model with its weights rounded as they are stored."""
        net = GPT2(self.net.shape)
        net.load_state_dict({name: weight.to(stored(name, weight, self.recipe.store)).float()
                             for name, weight in self.net.state_dict().items()})
        return net.eval()


def corpus(recipe: Recipe, kept: Path) -> Corpus:
    """The texts of a recipe; kept: the file that the encoding is taken from, or put into."""
    shares = {name: float(share) for name, _, share in (part.partition(":") for part in recipe.sources.split(","))}
    sources = {name: texts.SOURCES[name]() for name in shares}
    parts = tuple(share / sum(shares.values()) for share in shares.values())
    tokenizer = texts.encoding(kept, list(sources.values()), parts, recipe.vocabulary)
    return Corpus(sources, parts, tokenizer)


def main() -> None:
    options = arguments(Recipe, __doc__)
    torch.set_num_threads(options.threads)
    os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    recipe, looks = chosen(Recipe, options), CHECKPOINTS / options.name
    known = corpus(recipe, looks / "tokenizer.json")
    training = run(Training(recipe, known, looks), CHECKPOINTS / f"{recipe.name}.pt", replan=options.replan)
    net = training.finished()
    config = write_model(net, recipe, known, options.into / recipe.name, measured(net, known),
                         steps=training.steps, seconds=training.seconds, threads=options.threads,
                         plans=training.plans, curve=training.curve)
    print(config["measured"], flush=True)


if __name__ == "__main__":
    main()
