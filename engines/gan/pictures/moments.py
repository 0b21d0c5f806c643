"""A game as plain arrays, and back: so that a run can go on elsewhere and later exactly as it would have."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from engines.gan.pictures.game import Game
from engines.gan.pictures.networks import Discriminator, Generator, fresh
from engines.gan.pictures.rules import Moment
from engines.runtime import BadInput


def moment(game: Game, dataset: str) -> Moment:
    """The game as it stands."""
    memories = [_memory(network, optimiser) for network, optimiser in zip((game.g, game.d), game.optimisers)]
    extra = torch.cat([value.detach().float().reshape(-1) for value in _buffers(game.g, game.d)])
    return Moment(dataset, game.rules, game.g.architecture, game.step, game.seed, _flat(game.g), _flat(game.d),
                  memories[0][0], memories[1][0], (memories[0][1], memories[1][1]), extra.numpy(),
                  game.random.get_state().numpy().copy())


def resume(game: Game, stored: Moment) -> None:
    """Put a game of the same kind back to that moment, its rules too. Raises BadInput for one that does not fit."""
    game.change(stored.rules)
    fill(game.g, game.d, stored)
    for network, optimiser, memory, updates in zip((game.g, game.d), game.optimisers,
                                                   (stored.g_memory, stored.d_memory), stored.updates):
        optimiser.state.clear()
        if updates:
            _remember(network, optimiser, torch.from_numpy(memory), updates)
    game.random.set_state(torch.from_numpy(stored.random.copy()))
    game.step, game.seed = stored.step, stored.seed


def networks(stored: Moment) -> tuple[Generator, Discriminator]:
    """Both networks of a moment, for looking at: on the CPU, in eval mode."""
    g, d = fresh(stored.architecture, stored.seed)
    fill(g, d, stored)
    rules = stored.rules
    g.batch_norm, d.batch_norm, d.spectral = rules.batch_norm, rules.batch_norm_d, rules.spectral
    return g.eval().requires_grad_(False), d.eval().requires_grad_(False)


@torch.no_grad()
def fill(g: Generator, d: Discriminator, stored: Moment) -> None:
    """Weights and buffers, each from one flat array."""
    for values, flat in ((list(g.parameters()), stored.g), (list(d.parameters()), stored.d),
                         (_buffers(g, d), stored.extra)):
        if sum(value.numel() for value in values) != len(flat):
            raise BadInput("this moment was kept by a run of other networks: start the run anew.")
        for value, part in zip(values, _cut(torch.from_numpy(flat), values)):
            value.copy_(part)


def _buffers(*networks: nn.Module) -> list[Tensor]:
    return [value for network in networks for value in network.buffers()]


def _flat(network: nn.Module) -> np.ndarray:
    return torch.cat([weight.detach().reshape(-1) for weight in network.parameters()]).numpy()


def _cut(flat: Tensor, like: list[Tensor]) -> list[Tensor]:
    parts = flat.split([value.numel() for value in like])
    return [part.view(value.shape) for part, value in zip(parts, like)]


def _memory(network: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[np.ndarray, int]:
    """Adam's two running means, float32 (2, parameters), and how many updates they have seen; zeros before the
    first."""
    states = [optimiser.state.get(weight, {}) for weight in network.parameters()]
    updates = max((int(state["step"]) for state in states if state), default=0)
    means = [torch.cat([state[name].reshape(-1) if state else torch.zeros(weight.numel())
                        for state, weight in zip(states, network.parameters())]) for name in ("exp_avg", "exp_avg_sq")]
    return torch.stack(means).numpy(), updates


def _remember(network: nn.Module, optimiser: torch.optim.Optimizer, memory: Tensor, updates: int) -> None:
    weights = list(network.parameters())
    for weight, first, second in zip(weights, _cut(memory[0], weights), _cut(memory[1], weights)):
        optimiser.state[weight] = {"step": torch.tensor(float(updates)),
                                   "exp_avg": torch.empty_like(weight).copy_(first),
                                   "exp_avg_sq": torch.empty_like(weight).copy_(second)}
        for value in optimiser.state[weight].values():
            value.requires_grad_(False)
