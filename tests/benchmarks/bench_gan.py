"""The game of two networks: how fast it is played while somebody watches, and by how many at once; nothing is asserted.

Ours runs in the engine process on one thread and one core; the bare loop runs on that same core in turn.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from engines import runtime, vae
from engines.gan import pictures, plane
from engines.gan.pictures.game import Game
from engines.gan.pictures.networks import Architecture
from engines.gan.plane import shapes
from engines.runtime import Cancelled
from tests.benchmarks.ledger import Row, record
from tests.benchmarks.rates import ENGINE, HUB, engine_process, every_core, keep_on, rate, ratio

STEPS, BARE = 4000, 700
WATCHED_S = 6.0                  # of eight games at once
VISITORS = 8
CLICKS = 60
PICTURE_STEPS = 500              # so many that the measures, one in a minute, weigh what they weigh in a long training

engine = pytest.fixture(scope="module")(engine_process)
all_cores = pytest.fixture(every_core)


# --- the plane ---------------------------------------------------------------------------------------------------------

def perceptron(*sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for into, out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(into, out), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1])


def bare_game() -> Callable[[], None]:
    """One step as one writes it in PyTorch: G 2-32-32-2, D 2-32-32-1, a batch of 150, Adam."""
    g, d, data = perceptron(2, 32, 32, 2), perceptron(2, 32, 32, 1), torch.from_numpy(shapes.make(plane.Shape()).x)
    by_g, by_d = (torch.optim.Adam(net.parameters(), 1e-3, betas=(0.5, 0.99)) for net in (g, d))
    loss, ones, zeros = nn.functional.binary_cross_entropy_with_logits, torch.ones(150, 1), torch.zeros(150, 1)

    def step() -> None:
        real, fake = data[torch.randint(len(data), (150,))], g(torch.randn(150, 2))
        by_d.zero_grad()
        (loss(d(real), ones) + loss(d(fake.detach()), zeros)).backward()
        by_d.step()
        by_g.zero_grad()
        loss(d(fake), ones).backward()
        by_g.step()
    return step


def test_steps_in_the_plane_while_watched(engine: None) -> None:
    step = bare_game()

    def bare() -> float:
        keep_on(os.getpid(), ENGINE)
        try:
            return rate(BARE, lambda: [step() for _ in range(BARE)])
        finally:
            keep_on(os.getpid(), HUB)

    def ours() -> float:
        return rate(STEPS, lambda: [look for look in runtime.start(plane.play, plane.Play(until=STEPS))])
    ours()
    mine, theirs, times = ratio(ours, bare, 5)
    record(Row("GAN in the plane: training steps with the page watching", "the same step in a bare PyTorch loop, one thread",
               f"{times:.2f}× ({mine:,.0f} against {theirs:,.0f} /s)", "≥ 3×, aim at 5×", times >= 3))


def steps_in(seconds: float, visitors: int) -> list[int]:
    """Steps that each of so many visitors was given in that time, counted by what they saw."""
    runs = [runtime.start(plane.play, plane.Play(seed=seed, until=plane.MAX_ROUNDS), session=f"player {seed}")
            for seed in range(visitors)]
    seen = [[] for _ in runs]

    def watch(number: int) -> None:
        with contextlib.suppress(Cancelled):
            for look in runs[number]:
                seen[number].append((time.monotonic(), look.step))
    threads = [threading.Thread(target=watch, args=(number,), daemon=True) for number in range(visitors)]
    for thread in threads:
        thread.start()
    while not all(seen):
        time.sleep(0.05)
    begin = time.monotonic() + 0.5
    time.sleep(seconds + 1)
    for run in runs:
        run.cancel()
    within = [[step for at, step in each if begin <= at <= begin + seconds] for each in seen]
    return [steps[-1] - steps[0] for steps in within]


def test_eight_visitors_play_at_once_and_a_click_elsewhere_is_answered(engine: None, all_cores: None) -> None:
    alone = steps_in(WATCHED_S, 1)[0]
    clicks: list[float] = []

    def click() -> None:
        time.sleep(1.5)
        for number in range(CLICKS):
            begun = time.perf_counter()
            runtime.start(vae.decode, vae.Decode("vae-mnist-2d", ((number / 50, 0.0),)), session="elsewhere").result(30)
            clicks.append(1000 * (time.perf_counter() - begun))
            time.sleep(0.05)
    runtime.start(vae.decode, vae.Decode("vae-mnist-2d", ((0.0, 0.0),)), session="elsewhere").result(60)
    clicker = threading.Thread(target=click)
    clicker.start()
    together = steps_in(WATCHED_S, VISITORS)
    clicker.join()
    share, mean = sum(together) / alone, statistics.mean(together)
    apart = max(abs(each - mean) for each in together) / mean
    record(Row(f"GAN in the plane: {VISITORS} visitors at once, steps of all", "one visitor alone",
               f"{share:.2f}× (each within {100 * apart:.0f} % of the mean)", "≥ 0.8×, within 20 %", share >= 0.8 and apart <= 0.2))
    p95 = sorted(clicks)[int(0.95 * len(clicks))]
    record(Row(f"Another room's answer while {VISITORS} visitors train GANs", "—",
               f"p95 {p95:.0f} ms (median {statistics.median(clicks):.0f} ms)", "≤ 250 ms", p95 <= 250))


# --- pictures ----------------------------------------------------------------------------------------------------------

def test_steps_of_pictures_while_watched(engine: None) -> None:
    images, labels = pictures.learned_from("mnist")
    game = Game(Architecture(1, 10, 64, 32), pictures.Rules(), torch.tensor(images),
                torch.from_numpy(labels.astype(np.int64)), 0)

    def bare() -> float:
        keep_on(os.getpid(), ENGINE)
        try:
            return rate(60, lambda: [game.round() for _ in range(60)])
        finally:
            keep_on(os.getpid(), HUB)

    def ours() -> float:
        seen = []
        for look in runtime.start(pictures.train, pictures.Train("mnist", until=PICTURE_STEPS)):
            seen.append((time.perf_counter(), look.step))
        steady = [each for each in seen if each[1] >= 20]
        return (steady[-1][1] - steady[0][1]) / (steady[-1][0] - steady[0][0])
    bare()
    mine, theirs, times = ratio(ours, bare, 2)
    record(Row("GAN of pictures: training steps with the page watching", "a bare loop over the same networks",
               f"{times:.2f}× ({mine:.1f} against {theirs:.1f} /s)", "≥ 0.95×", times >= 0.95))
