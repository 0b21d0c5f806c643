"""The game of pictures: the same seed is the same run, a moment can be gone on from, and what breaks is noticed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load as read_tensors
from torch import nn

from engines import gan, runtime
from engines.diffusion.classifier import Classifier
from engines.gan import losses
from engines.gan import pictures as asked
from engines.gan.pictures import Rules, live, moments, stages
from engines.gan.pictures.augment import varied
from engines.gan.pictures.game import Game, NotFinite, latent, to_bytes, to_float
from engines.gan.pictures.measure import Ruler, colours
from engines.gan.pictures.networks import Discriminator, fresh
from engines.gan.pictures.rules import Architecture
from engines.runtime import BadInput, models, trained

TOY = Architecture(channels=1, classes=2, z_dim=4, width=4, label_dim=2)
RULES = Rules(batch=8, z_dim=4)


def bars(count: int = 40, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Bars that lie or stand, and which of the two."""
    random = np.random.default_rng(0)
    images, labels = np.zeros((count, 32, 32, channels), np.uint8), np.arange(count) % 2
    for image, label, place in zip(images, labels, random.integers(0, 28, count)):
        image[(slice(place, place + 4), slice(None)) if label else (slice(None), slice(place, place + 4))] = 255
    return images, labels


def game(rules: Rules = RULES, seed: int = 0, architecture: Architecture = TOY) -> Game:
    images, labels = bars(channels=architecture.channels)
    return Game(architecture, rules, torch.from_numpy(images), torch.from_numpy(labels), seed)


def weights(of: Game) -> dict[str, torch.Tensor]:
    return {f"{who}.{name}": value.clone() for who, network in (("g", of.g), ("d", of.d))
            for name, value in network.state_dict().items()}


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# --- networks ----------------------------------------------------------------------------------------------------

def test_networks_make_pictures_and_judge_them() -> None:
    for channels in (1, 3):
        g, d = fresh(replace(TOY, channels=channels), seed=0)
        x = g(torch.randn(5, 4), torch.tensor([0, 1, 0, 1, 1]))
        assert x.shape == (5, channels, 32, 32) and x.abs().max() <= 1
        assert d(x, torch.zeros(5, dtype=torch.long)).shape == (5,)


def test_the_bundled_size_is_small() -> None:
    g, d = fresh(Architecture(), seed=0)
    sizes = [sum(weight.numel() for weight in network.parameters()) for network in (g, d)]
    assert 120_000 < sizes[0] < 200_000 and 100_000 < sizes[1] < 150_000


def test_spectral_norm_is_that_of_a_singular_value_decomposition() -> None:
    _, d = fresh(Architecture(), seed=0)
    d.spectral = True
    assert not d.weights()[-1].any()                          # the classes begin at zero, which has no direction
    with torch.no_grad():
        for layer in d.normed():
            layer.weight.mul_(3).add_(torch.randn(layer.weight.shape, generator=torch.Generator().manual_seed(1)))
        d.sharpen(500)
        for place, weight in enumerate(d.weights()):
            largest = torch.linalg.svdvals(d.normed()[place].weight.flatten(1))[0]
            torch.testing.assert_close(weight, d.normed()[place].weight / largest, rtol=1e-3, atol=1e-6)


def test_the_detective_knows_the_classes_by_projection() -> None:
    d = game().d.eval()
    with torch.no_grad():
        d.label.weight.normal_()
        x = torch.randn(3, 1, 32, 32)
        zero, one = (d(x, torch.full((3,), label)) for label in (0, 1))
        blank = Discriminator(TOY).eval()
        blank.load_state_dict(d.state_dict())
        blank.label.weight.zero_()
        plain = [blank(x, torch.full((3,), label)) for label in (0, 1)]
    assert not torch.allclose(zero, one) and torch.equal(*plain)


# --- the game ----------------------------------------------------------------------------------------------------

def test_the_same_seed_is_the_same_run_alone_or_beside_others() -> None:
    alone, beside, other = game(), game(), game(seed=1)
    for _ in range(6):
        alone.round()
    for _ in range(6):
        other.round()
        torch.rand(3)
        beside.round()
    assert equal(weights(alone), weights(beside)) and not equal(weights(alone), weights(other))


@pytest.mark.parametrize("rules", [RULES, replace(RULES, spectral=True, batch_norm=False, z_kind="uniform", noise=0.1),
                                   replace(RULES, loss="wgan-gp", d_steps=2, batch_norm_d=True, augment=True)])
def test_a_run_that_goes_on_from_a_moment_is_the_run_itself(rules: Rules) -> None:
    whole = game(rules)
    for _ in range(3):
        whole.round()
    stored = moments.moment(whole, "mnist")
    resumed = game(RULES, seed=5)
    moments.resume(resumed, stored)
    assert resumed.rules == rules and resumed.step == 3 and resumed.seed == 0
    for _ in range(3):
        whole.round()
        resumed.round()
    assert equal(weights(whole), weights(resumed))


def test_a_moment_of_another_network_is_refused() -> None:
    stored = moments.moment(game(), "mnist")
    with pytest.raises(BadInput, match="other networks"):
        moments.resume(game(architecture=replace(TOY, width=8)), stored)


@pytest.mark.parametrize("loss", gan.LOSSES)
def test_each_loss_is_played_by_its_own_rules(loss: str) -> None:
    play = game(replace(RULES, loss=loss, r1=0.0, clip=0.02))
    for _ in range(3):
        detective, forger = play.round()
    assert np.isfinite([detective.loss, detective.norm, detective.real, detective.fake, forger.loss, forger.norm]).all()
    largest = max(weight.abs().max().item() for weight in play.d.parameters())
    assert (largest <= 0.02 + 1e-6) == (loss == "wgan")
    if loss in losses.PROBABILITIES:
        assert 0 <= detective.fake <= 1 and 0 <= detective.real <= 1


def test_the_step_is_that_of_the_paper() -> None:
    """One round with plain torch: same pictures, same noise, same Adam."""
    rules = replace(RULES, r1=0.7, lr_d=0.01, beta1=0.5)
    ours, theirs = game(rules), game(rules)
    (g, d), random = (theirs.g, theirs.d), theirs.random
    optimisers = [torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.99)) for network, rate in
                  ((g, rules.lr_g), (d, 0.01))]

    def drawn() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        index = torch.randint(40, (8,), generator=random)
        return to_float(theirs.images[index]), theirs.labels[index], torch.randn((8, 4), generator=random)
    x, y, z = drawn()
    x.requires_grad_()
    real = d(x, y)
    slope, = torch.autograd.grad(real.sum(), x, create_graph=True)
    bce = nn.functional.binary_cross_entropy_with_logits
    loss = bce(real, torch.ones(8)) + bce(d(g(z, y).detach(), y), torch.zeros(8)) + 0.35 * slope.square().sum() / 8
    loss.backward()
    optimisers[1].step()
    detective, forger = ours.round()
    assert detective.loss == pytest.approx(loss.item(), rel=1e-4)
    _, y, z = drawn()
    loss = bce(d(g(z, y), y), torch.ones(8))
    optimisers[0].zero_grad()
    loss.backward()
    optimisers[0].step()
    assert forger.loss == pytest.approx(loss.item(), rel=1e-4)
    for name, weight in ours.d.named_parameters():
        torch.testing.assert_close(weight, d.get_parameter(name), rtol=1e-3, atol=2e-4)


def test_a_number_that_is_none_is_noticed_within_a_step_and_changes_nothing() -> None:
    play = game(replace(RULES, lr_g=10.0, lr_d=10.0, batch_norm=False))
    with pytest.raises(NotFinite, match=r"At step \d+ the (detective|forger)'s loss is"):
        for _ in range(50):
            before = weights(play)
            play.round()
    spoilt = game()
    spoilt.round()
    with torch.no_grad():
        spoilt.g.ups[2].bias.fill_(float("nan"))
    before = [weight.clone() for weight in spoilt.d.parameters()]
    with pytest.raises(NotFinite, match="At step 2 the detective's"):
        spoilt.round()
    assert all(torch.equal(*pair) for pair in zip(before, spoilt.d.parameters())) and spoilt.step == 1


def test_a_rule_that_changes_takes_effect_at_once_and_keeps_what_was_learned() -> None:
    play = game()
    play.round()
    assert play.change(RULES) == ()
    before = weights(play)
    assert play.change(replace(RULES, lr_g=0.0, lr_d=0.5, spectral=True)) == ("lr_g", "lr_d", "spectral")
    play.round()
    after = weights(play)
    still = [torch.equal(before[f"g.{name}"], after[f"g.{name}"]) for name, _ in play.g.named_parameters()]
    assert all(still) and not torch.equal(before["d.features.weight"], after["d.features.weight"])


def test_another_dimension_of_z_keeps_what_both_have_in_common() -> None:
    play = game()
    play.round()
    before = play.g.first.weight.detach().clone()
    for z_dim in (6, 3):
        assert play.change(replace(play.rules, z_dim=z_dim)) == ("z_dim",)
        assert play.g.first.weight.shape == (8 * 16, z_dim + 2)
        torch.testing.assert_close(play.g.first.weight[:, :3], before[:, :3])
        torch.testing.assert_close(play.g.first.weight[:, -2:], before[:, -2:])
    play.round()
    stored = moments.moment(play, "mnist")
    resumed = game()
    moments.resume(resumed, stored)
    play.round(), resumed.round()
    assert equal(weights(play), weights(resumed))


def test_it_learns_what_bars_look_like() -> None:
    play = game(replace(RULES, batch=32, lr_g=2e-3, lr_d=2e-3), architecture=replace(TOY, width=8))
    real = colours(bars()[0])

    def distance() -> float:
        play.g.eval()
        with torch.no_grad():
            made = to_bytes(play.g(latent("normal", 40, 4, torch.Generator().manual_seed(0)), torch.arange(40) % 2))
        play.g.train()
        return float(np.square(colours(made.numpy()).mean(0) - real.mean(0)).mean())
    before = distance()
    for _ in range(200):
        play.round()
    assert distance() < before / 2


def test_what_is_varied_stays_a_picture_and_can_be_learned_through() -> None:
    x = torch.rand((6, 3, 32, 32), generator=torch.Generator().manual_seed(0)).requires_grad_()
    found = varied(x, torch.Generator().manual_seed(1))
    assert found.shape == x.shape and torch.equal(found, varied(x, torch.Generator().manual_seed(1)))
    found.sum().backward()
    assert (x.grad != 0).float().mean() > 0.5


# --- measures ----------------------------------------------------------------------------------------------------

def through(job: Iterator) -> object:
    """What a generator returns in the end."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("judge", [None, Classifier(1, 2, 4).eval()])
def test_real_pictures_are_as_good_as_real_ones_and_a_single_one_is_a_collapse(judge: Classifier | None) -> None:
    images, labels = bars(60)
    ruler = Ruler(images, 2, judge)
    place = iter(range(0, 60, 1))
    same = through(ruler.measuring(3, lambda asked: torch.from_numpy(images[[next(place) for _ in asked]])))
    assert same.precision == same.recall == 1 and same.frechet == pytest.approx(0, abs=1e-6) and same.step == 3
    collapsed = through(ruler.measuring(4, lambda asked: torch.from_numpy(images[:1].repeat(len(asked), 0))))
    assert collapsed.precision == 1 and collapsed.recall < 0.2 and collapsed.frechet > same.frechet
    if judge is None:
        assert np.isnan(same.recognised) and same.share == () and same.space == "colours"
    else:
        assert sum(same.share) == pytest.approx(1) and max(collapsed.share) == 1 and 0 <= same.recognised <= 1


# --- live --------------------------------------------------------------------------------------------------------

@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pictures, toy networks, and a clock by which everything takes a twentieth of a second."""
    ticks = iter(range(10**9))
    monkeypatch.setattr(asked, "learned_from", lambda dataset, split="train": bars(60, 3 if dataset == "emoji" else 1))
    monkeypatch.setattr(live, "Architecture", lambda channels, classes, z_dim: replace(
        TOY, channels=channels, classes=classes, z_dim=z_dim))
    monkeypatch.setattr(live, "perf_counter", lambda: next(ticks) / 20)
    monkeypatch.setattr(live, "LOOK_COST", 3)
    monkeypatch.setattr(live, "MEASURE_COST", 1)
    monkeypatch.setenv(trained.FOLDER, str(tmp_path))


def watch(p: asked.Train, update: Callable[[asked.Look], asked.Train | None] = lambda look: None) -> list[asked.Look]:
    """All looks of a training; after each, `update` may hand in new parameters."""
    looks, newer = [], None
    with torch.enable_grad():
        job = live.train(p)
        try:
            while True:
                look = job.send(newer) if looks or newer else next(job)
                newer = None
                if look is not None:
                    looks.append(look)
                    newer = update(look)
        except StopIteration:
            return looks


def test_a_training_shows_itself_from_the_first_moment_to_the_last(small: None) -> None:
    looks = watch(asked.Train(rules=RULES, until=40, measure_every=15, keep_every=20))
    assert {0, 1, 2, 5, 10, 20} <= {look.step for look in looks} and looks[-1].step == 40
    assert np.isnan(looks[0].loss_d) and np.isfinite([[look.loss_d, look.norm_g] for look in looks[1:]]).all()
    for look in looks:
        assert look.images.shape == (12, 32, 32, 1) and look.images.dtype == np.uint8
        assert look.verdicts.shape == look.real_verdicts.shape == (12,)
        assert ((0 <= look.verdicts) & (look.verdicts <= 1)).all()
        assert look.labels.tolist() == [0, 1] * 6 and not look.changed and not look.broken
    assert looks[-1].curve.shape == (40, len(asked.CURVE)) and looks[-1].curve[:, 0].tolist() == list(range(1, 41))
    assert looks[-1].curve[-1].tolist() == pytest.approx([40, looks[-1].loss_d, looks[-1].loss_g, looks[-1].d_real,
                                                          looks[-1].d_fake, looks[-1].norm_d, looks[-1].norm_g])
    assert any(look.measures for look in looks) and looks[-1].model and not any(look.model for look in looks[:-1])
    assert looks[0].moment and looks[-1].moment and any(look.moment.step >= 20 for look in looks[1:-1] if look.moment)


def test_what_is_learned_does_not_depend_on_when_it_is_looked_at(small: None) -> None:
    often = watch(asked.Train(rules=RULES, until=20, every=1, measure_every=5))
    seldom = watch(asked.Train(rules=RULES, until=20, measure_every=0, keep_every=0))
    assert len(often) > len(seldom)
    assert np.array_equal(often[-1].images, seldom[-1].images)
    assert np.array_equal(often[-1].moment.d, seldom[-1].moment.d)


def test_a_new_rule_takes_effect_and_is_reported_once(small: None) -> None:
    newer = replace(RULES, lr_g=0.0, loss="hinge")
    looks = watch(asked.Train(rules=RULES, until=30, every=5),
                  lambda look: asked.Train(rules=newer, until=30, every=5) if look.step == 10 else None)
    reported = [look for look in looks if look.changed]
    assert [(look.step, look.changed) for look in reported] == [(11, ("loss", "lr_g"))]
    assert reported[0].moment and reported[0].moment.rules == newer
    after = [look for look in looks if look.step >= 10]
    assert np.array_equal(after[0].moment.g if after[0].moment else looks[-1].moment.g, looks[-1].moment.g)


def test_what_is_asked_for_between_two_looks_is_not_lost(small: None) -> None:
    """The runtime hands new parameters to whatever yield comes next, a bare pause as well."""
    for pause in range(12):
        job, newer = live.train(asked.Train(rules=RULES, until=9)), asked.Train(rules=replace(RULES, lr_d=0.5), until=9)
        with torch.enable_grad():
            looks = [next(job)] + [job.send(newer if place == pause else None) for place in range(14)]
        assert [look.changed for look in looks if look and look.changed] == [("lr_d",)], pause


def test_it_ends_when_it_is_told_to_and_goes_on_from_there(small: None) -> None:
    p = asked.Train(rules=RULES, until=1000)
    looks = watch(p, lambda look: replace(p, finish=True) if look.step == 5 else None)
    assert looks[-1].step == 5 and looks[-1].model
    onward = watch(replace(p, start=looks[-1].moment, until=12))
    whole = watch(replace(p, until=12))
    assert onward[0].step == 5 and np.array_equal(onward[-1].images, whole[-1].images)
    branch = watch(replace(p, start=looks[-1].moment, until=12, rules=replace(RULES, lr_d=0.01)))
    assert branch[0].changed == ("lr_d",) and not np.array_equal(branch[-1].images, whole[-1].images)


def test_a_run_that_breaks_says_where_and_offers_the_last_good_moment(small: None) -> None:
    looks = watch(asked.Train(rules=replace(RULES, lr_g=10.0, lr_d=10.0, batch_norm=False), until=200, keep_every=1))
    last = looks[-1]
    assert last.broken.startswith("At step ") and f"Go back to step {last.moment.step}" in last.broken
    assert np.isfinite(last.moment.g).all() and np.isfinite(last.moment.d).all() and not last.model
    assert last.step < 200 and f"At step {last.step + 1} " in last.broken


def test_what_was_kept_can_be_sampled_and_trained_on(small: None) -> None:
    p = asked.Train(rules=RULES, until=8)
    last = watch(p)[-1]
    folder = models.folder(last.model)
    models.check(folder)
    assert asked.about(last.model)["stages"] == [8]
    kept = stages.load(folder)
    made = runtime.start(asked.sample, asked.Sample(last.model, 8, labels=(0, 1), seed=3)).result(timeout=30)
    assert made.images.shape == (2, 32, 32, 1)
    with torch.enable_grad():
        first = next(look for look in live.train(kept, replace(p, model=last.model, stage=8, until=9)) if look)
    assert first.step == 8
    assert np.abs(first.images.astype(int) - last.images.astype(int)).max() <= 8                        # 16-bit weights
    with pytest.raises(BadInput, match="learned mnist, not fashion"):
        live.Watched(replace(p, dataset="fashion", model=last.model, stage=8), None, kept)


# --- what else may be asked --------------------------------------------------------------------------------------

@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A toy model where the runtime looks for bundled ones; its name."""
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    folder = tmp_path / "gan-toy"
    folder.mkdir()
    play = game()
    play.round()
    stages.save(folder, {1: stages.packed(play.g, play.d)}, TOY, RULES, dataset="mnist", classes=["lies", "stands"],
                stages=[0, 1], seed=0)
    trained.write_sums(folder)
    return folder.name


def ask(job: runtime.Job, p: object) -> object:
    return runtime.start(job, p).result(timeout=30)


def test_stage_0_follows_from_the_seed(home: str) -> None:
    found, (g, _) = stages.load(models.folder(home)), fresh(TOY, seed=0)
    assert all(torch.equal(*pair) for pair in zip(found.pair(0)[0].state_dict().values(), g.state_dict().values()))
    with pytest.raises(BadInput, match="there are 0, 1: choose one"):
        found.pair(7)


def test_samples_are_those_of_z_and_judged_like_any_picture(home: str) -> None:
    made = ask(asked.sample, asked.Sample(home, 1, labels=(0, 1, 1), seed=4))
    again = ask(asked.sample, asked.Sample(home, 1, labels=(0, 1, 1), z=made.z))
    assert np.array_equal(made.images, again.images) and made.z.shape == (3, 4)
    verdicts = ask(asked.judge, asked.Judge(home, 1, pictures=made.images, labels=(0, 1, 1)))
    np.testing.assert_allclose(verdicts.verdicts, made.verdicts, rtol=1e-5)
    np.testing.assert_allclose(1 / (1 + np.exp(-verdicts.logits)), verdicts.verdicts, rtol=1e-5)


def test_a_walk_is_a_plane_of_samples(home: str) -> None:
    walked = ask(asked.walk, asked.Walk(home, 1, label=1, rows=3, columns=5, extent=2.0))
    assert walked.images.shape == (3, 5, 32, 32, 1) and np.abs(walked.z[1, 2]).max() < 1e-6
    x, y = walked.z[1, 4] - walked.z[1, 2], walked.z[0, 2] - walked.z[1, 2]
    assert abs(x @ y) < 1e-4 and np.linalg.norm(x) == pytest.approx(2.0 * 4 ** 0.5, rel=1e-5)
    corner = ask(asked.sample, asked.Sample(home, 1, labels=(1,), z=walked.z[0, 0][None]))
    assert np.abs(corner.images[0].astype(int) - walked.images[0, 0].astype(int)).max() <= 1


def test_the_networks_of_a_moment_are_asked_in_the_same_way(home: str) -> None:
    play = game()
    play.round()
    stored = moments.moment(play, "mnist")
    kept = ask(asked.sample, asked.Sample(home, 1, labels=(0, 1), seed=4))
    own = ask(asked.sample, asked.Sample(moment=stored, labels=(0, 1), seed=4))
    assert np.abs(kept.images.astype(int) - own.images.astype(int)).max() <= 4                          # 16-bit weights
    file = ask(asked.export, asked.Export(moment=stored))
    assert file.name == "gan-mnist-1.safetensors"
    tensors = read_tensors(file.content)
    assert torch.equal(tensors["g.first.weight"], play.g.first.weight.detach())
    head = json.loads(file.content[8:8 + int.from_bytes(file.content[:8], "little")])
    assert json.loads(head["__metadata__"]["gan"])["step"] == 1


@pytest.mark.parametrize("make, said", [
    (lambda: Rules(loss="nice"), "the loss is 'nice'"), (lambda: Rules(lr_g=-1.0), "learning rate is -1"),
    (lambda: Rules(lr_d=1e9), "it may be 0 to 10"), (lambda: Rules(lr_d=float("nan")), "learning rate is nan"),
    (lambda: Rules(d_steps=0), "it may be 1 to 10"), (lambda: Rules(batch=4), "batch is 4; it may be 8 to 128"),
    (lambda: Rules(z_dim=1), "z is 1; it may be 2 to 128"), (lambda: Rules(smoothing=0.6), "smoothing is 0.6"),
    (lambda: Rules(z_kind="odd"), "may be normal, uniform"), (lambda: asked.Train("cifar"), "the data set is 'cifar'"),
    (lambda: asked.Train(until=-1), "the last step is -1"), (lambda: asked.Sample(), "no model was named"),
    (lambda: asked.Sample("m", labels=()), "the number of pictures is 0"),
    (lambda: asked.Sample("m", z=np.full((1, 4), np.nan, np.float32)), "not within"),
    (lambda: asked.Sample("m", labels=(0, 1), z=np.zeros((1, 4), np.float32)), "1 points z were given for 2"),
    (lambda: asked.Walk("m", rows=1), "rows is 1"), (lambda: asked.Walk("m", extent=0), "the extent is 0"),
    (lambda: asked.Judge("m", pictures=np.zeros((1, 28, 28, 1), np.uint8), labels=(0,)), "must be bytes of shape"),
    (lambda: asked.Judge("m", pictures=np.zeros((2, 32, 32, 1), np.uint8), labels=(0,)), "1 classes were given for 2"),
])
def test_what_is_out_of_range_is_refused_in_one_sentence(make: Callable[[], object], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        make()
    assert said in str(refused.value) and ":" in str(refused.value) and "\n" not in str(refused.value)


def test_what_does_not_fit_a_model_is_refused(home: str) -> None:
    for job, p, said in ((asked.sample, asked.Sample(home, 1, labels=(7,)), "class 7 was asked for"),
                         (asked.sample, asked.Sample(home, 200), "there are 0, 1"),
                         (asked.sample, asked.Sample(home, 1, z=np.zeros((1, 9), np.float32)), "z has 9 numbers"),
                         (asked.walk, asked.Walk(home, 1, seeds=(3, 3)), "one and the same direction"),
                         (asked.judge, asked.Judge(home, 1, pictures=np.zeros((1, 32, 32, 3), np.uint8), labels=(0,)),
                          "this model's have 1")):
        with pytest.raises(BadInput, match=said):
            ask(job, p)


def test_watching_costs_less_than_a_twentieth() -> None:
    """By the rules of when to look: of 50 parts of training a look takes one, a measure one of 80."""
    assert 1 / live.LOOK_COST + 1 / live.MEASURE_COST < 0.05
    assert time.perf_counter is live.perf_counter
