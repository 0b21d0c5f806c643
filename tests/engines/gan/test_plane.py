"""The game in the plane against oracles: autograd, torch.optim, SVD, and what the paper proves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from engines import runtime
from engines.gan import LOSSES, plane
from engines.gan.plane import Moment, Play, Rules, Shape, jobs, shapes
from engines.gan.plane.flat import Flat
from engines.gan.plane.game import Broken, Game
from engines.gan.plane.measure import Yardstick, wasserstein
from engines.gan.plane.networks import Net, update
from engines.gan.plane.plain import Plain
from engines.runtime import BadInput

TINY = Rules(g_layers=(6,), d_layers=(5,), batch=16)


@pytest.fixture
def doubles() -> Iterator[None]:
    """float64, so that two ways to the same gradient agree to their last digits."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def nets(rules: Rules) -> tuple[Net, Net]:
    random = torch.Generator().manual_seed(3)
    g, d = Net((rules.z_dim, *rules.g_layers, 2)), Net((2, *rules.d_layers, 1))
    g.begin(random)
    d.begin(random)
    for net in (g, d):
        for _, bias in net.layers:
            bias.normal_(generator=random)
    return g, d


# --- both gradients ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("layers", [(7,), (6, 5), (5, 4, 3)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("extra", [{}, {"r1": 0.7}, {"smoothing": 0.2}])
def test_gradients_by_hand_are_those_of_autograd(doubles: None, loss: str, layers: tuple[int, ...], extra: dict) -> None:
    rules = Rules(loss=loss, g_layers=layers, d_layers=layers[::-1], z_dim=3, batch=12, gp=0.8, **extra)
    g, d = nets(rules)
    random = torch.Generator().manual_seed(4)
    z, real = torch.randn(12, 3, generator=random), torch.randn(12, 2, generator=random)
    mix = torch.rand(12, 1, generator=random) if loss == "wgan-gp" else None
    found = []
    for way in (Flat(g, d, rules), Plain(g, d, rules)):
        fake = way.generate(z, learning=True)
        logits = way.d_gradient(real, fake, mix).clone()
        way.g_gradient(z, fake)
        found.append((logits, d.grad.clone(), g.grad.clone(), way.pull(real).clone(), way.judge(real).clone()))
    for by_hand, by_autograd in zip(*found):
        torch.testing.assert_close(by_hand, by_autograd, rtol=1e-9, atol=1e-11)
    assert found[0][1].abs().max() > 0 and found[0][2].abs().max() > 0


def test_noise_that_was_added_is_carried_through_alike(doubles: None) -> None:
    rules = dataclasses.replace(TINY, noise=0.3)
    g, d = nets(rules)
    z, noise = torch.randn(16, 2), 0.3 * torch.randn(16, 2)
    found = []
    for way in (Flat(g, d, rules), Plain(g, d, rules)):
        way.g_gradient(z, way.generate(z, learning=True) + noise)
        found.append(g.grad.clone())
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-12)


def test_a_penalty_s_gradient_is_what_finite_differences_measure(doubles: None) -> None:
    """The gradient of E (|dD/dx| - 1)^2 by the weights goes back twice; measured it needs no calculus."""
    _, d = nets(dataclasses.replace(TINY, d_layers=(5, 4)))
    x = torch.randn(9, 2)

    def penalty() -> torch.Tensor:
        room = d.room("x", 9)
        d.forward(x, room)
        return (d.slope(room).norm(dim=1) - 1).square().mean()
    d.grad.zero_()
    room = d.room("x", 9)
    d.forward(x, room)
    slope = d.slope(room)
    length = slope.norm(dim=1, keepdim=True)
    d.add_penalty(room, slope * (length - 1) / length * 2 / 9)
    measured = torch.zeros_like(d.flat)
    for place in range(len(d.flat)):
        for sign in (1, -1):
            d.flat[place] += sign * 1e-6
            measured[place] += sign * penalty() / 2e-6
            d.flat[place] -= sign * 1e-6
    torch.testing.assert_close(d.grad, measured, rtol=1e-6, atol=1e-8)


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    rules = dataclasses.replace(TINY, spectral=True, d_layers=(12, 9))
    g, d = nets(rules)
    way = Plain(g, d, rules)
    for _ in range(200):
        way.iterate()
    for place, layer in enumerate(d.layers):
        divided = way._divided(place, layer).weight
        assert torch.linalg.svdvals(divided)[0] == pytest.approx(1.0, abs=1e-4)
        torch.testing.assert_close(divided * torch.linalg.svdvals(layer.weight)[0], layer.weight, rtol=1e-3, atol=1e-4)


def test_batch_norm_is_that_of_torch() -> None:
    rules = dataclasses.replace(TINY, batch_norm=True)
    g, d = nets(rules)
    way = Plain(g, d, rules)
    (first, bias), (last, out) = g.layers
    norm = nn.BatchNorm1d(6)
    with torch.no_grad():
        norm.bias.copy_(bias)
    for _ in range(3):
        z = torch.randn(16, 2)
        wanted = nn.functional.leaky_relu(norm(z @ first), 0.2) @ last + out
        torch.testing.assert_close(way.generate(z, learning=True), wanted.detach())
    norm.eval()
    z = torch.randn(5, 2)
    torch.testing.assert_close(way.generate(z), (nn.functional.leaky_relu(norm(z @ first), 0.2) @ last + out).detach())


@pytest.mark.parametrize("kind, made", [
    ("adam", lambda p: torch.optim.Adam(p, 0.01, betas=(0.5, 0.9))),
    ("rmsprop", lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9)),
    ("sgd", lambda p: torch.optim.SGD(p, 0.01, momentum=0.5)),
])
def test_optimisers_are_those_of_torch(kind: str, made: object) -> None:
    net = nets(TINY)[0]
    row = net.flat.clone().requires_grad_()
    optimiser = made([row])
    random = torch.Generator().manual_seed(1)
    for _ in range(20):
        net.grad.normal_(generator=random)
        row.grad = net.grad.clone()
        optimiser.step()
        update(net, kind, 0.01, 0.5, 0.9)
    torch.testing.assert_close(net.flat, row.detach(), rtol=1e-5, atol=1e-6)


# --- the game ----------------------------------------------------------------------------------------------------

def last(params: Play) -> plane.Look:
    return [look for look in jobs.play(params) if look is not None][-1]


def same(a: Moment, b: Moment) -> bool:
    arrays = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in
                 ("g", "d", "g_memory", "d_memory", "extra", "random"))
    return arrays and a.step == b.step and a.updates == b.updates and a.rules == b.rules


KINDS = [TINY, dataclasses.replace(TINY, d_steps=3), dataclasses.replace(TINY, spectral=True, batch_norm=True),
         dataclasses.replace(TINY, optimiser="sgd"), dataclasses.replace(TINY, optimiser="rmsprop", loss="wgan"),
         dataclasses.replace(TINY, loss="wgan-gp", noise=0.1, z_kind="uniform", z_dim=5)]


@pytest.mark.parametrize("rules", KINDS)
def test_a_game_gone_on_with_is_the_game_that_never_stopped(rules: Rules) -> None:
    whole = last(Play(rules=rules, seed=5, until=40)).moment
    half = last(Play(rules=rules, seed=5, until=17)).moment
    assert same(last(Play(rules=rules, seed=5, until=40, start=half)).moment, whole)
    assert same(last(Play(rules=rules, seed=5, until=40, every=7)).moment, whole), "looking changes nothing"
    assert not same(last(Play(rules=rules, seed=6, until=40)).moment, whole)


@pytest.mark.parametrize("rules", KINDS)
def test_a_round_taken_apart_is_the_round_of_the_game(rules: Rules) -> None:
    start = last(Play(rules=rules, seed=5, until=9)).moment
    for who in ("both", "d", "g"):
        parts = list(jobs.anatomy(Play(rules=rules, seed=5, start=start, who=who)))[-1]
        whole = last(Play(rules=rules, seed=5, start=start, who=who, until=10)).moment
        assert same(parts.look.moment, whole), who
    assert parts.z.shape == (16, rules.z_dim) and parts.real.shape == parts.fake.shape == parts.moved.shape == (16, 2)


def test_the_same_seed_is_the_same_game_alone_or_beside_others() -> None:
    runtime.configure(mode="thread")
    try:
        wanted = last(Play(rules=TINY, seed=2, until=400)).moment
        runs = [runtime.start(plane.play, Play(rules=TINY, seed=seed, until=400), session=str(seed)) for seed in (1, 2, 3)]
        looks = [run.result(60) for run in runs]
        assert same(looks[1].moment, wanted)
        assert not np.array_equal(looks[0].moment.g, looks[2].moment.g)
    finally:
        runtime.stop()


def test_each_player_alone_leaves_the_other_as_it_is() -> None:
    begin = last(Play(rules=TINY, until=0)).moment
    d, g = (last(Play(rules=TINY, until=30, who=who)).moment for who in ("d", "g"))
    assert np.array_equal(d.g, begin.g) and not np.array_equal(d.d, begin.d) and d.updates == (0, 30)
    assert np.array_equal(g.d, begin.d) and not np.array_equal(g.g, begin.g) and g.updates == (30, 0)


def test_rules_are_changed_between_two_steps_and_it_is_told() -> None:
    game = jobs.play(Play(rules=TINY, seed=1, until=60, every=20))
    look = next(game)
    while look is None or look.step < 20:
        look = next(game)
    other = dataclasses.replace(TINY, loss="hinge", d_layers=(9,))
    look = game.send(Play(rules=other, seed=1, until=60, every=20))
    assert look.changed == ("loss", "d_layers") and look.step == 20 and look.moment.rules == other
    assert len(look.moment.d) == 2 * 9 + 9 + 9 + 1, "a player with another network begins anew"
    assert [each.step for each in game if each is not None] == [40, 60]


def test_an_order_to_stop_is_heard_between_two_looks() -> None:
    game = jobs.play(Play(rules=TINY, until=1000, every=1000))
    seen = [next(game) for _ in range(4)]
    assert seen[1].step == 0 and seen[2:] == [None, None]
    look = game.send(Play(rules=TINY, until=0))
    assert look.moment is not None and 0 < look.step < 1000
    assert list(game) == []


def test_the_best_detective_says_p_over_p_plus_q() -> None:
    """Proposition 1 of the paper, where both densities are known: the ring against a forger that makes one Gaussian."""
    rules = Rules(g_layers=(4,), d_layers=(64, 64), batch=512, lr_d=0.002)
    game = Game(shapes.make(Shape("line")), rules, 0)
    x = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(1))
    game.data = 0.5 * x + torch.tensor([0.5, 0.0])                             # p = N((0.5, 0), 0.25)
    for weight, bias in game.g.layers:                                         # q = N((-0.5, 0), 0.25): G made linear
        weight.zero_()
        bias.zero_()
    first, second = game.g.layers
    first.weight[:, :4] = torch.tensor([[1.0, 0, -1, 0], [0, 1, 0, -1]])       # leaky(z) - leaky(-z) = 1.2 z
    second.weight.copy_(torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]]) * 0.5 / 1.2)
    second.bias.copy_(torch.tensor([-0.5, 0.0]))
    game.burst(1500, 1e9, "d")
    places = torch.tensor([[-0.9, 0.2], [-0.4, -0.5], [0.0, 0.0], [0.3, 0.4], [0.8, -0.1]])
    log_p, log_q = (-(places - torch.tensor([at, 0.0])).square().sum(1) / 0.5 for at in (0.5, -0.5))
    wanted = torch.sigmoid(log_p - log_q)
    assert (torch.sigmoid(game.way.judge(places))[:, 0] - wanted).abs().max() < 0.06


@pytest.mark.parametrize("wild", [{"optimiser": "sgd", "lr_g": 10.0, "lr_d": 10.0, "beta1": 0.99, "loss": "least-squares"}])
def test_a_number_that_is_none_is_noticed_at_its_step_and_the_moment_before_is_kept(wild: dict) -> None:
    look = last(Play(rules=dataclasses.replace(TINY, **wild), until=5000))
    assert f"At step {look.step + 1:,} the gradient of the" in look.broken and "lower a learning rate" in look.broken
    assert np.isfinite(look.moment.g).all() and np.isfinite(look.moment.d).all()
    game, _ = __import__("engines.gan.plane.game", fromlist=["begun"]).begun(
        shapes.make(Shape()), Play(rules=look.moment.rules, start=look.moment))
    with pytest.raises(Broken):
        game.round()


def test_a_learning_rate_of_nothing_freezes_a_player() -> None:
    begin = last(Play(rules=TINY, until=0)).moment
    frozen = last(Play(rules=dataclasses.replace(TINY, lr_g=0.0), until=20)).moment
    assert np.array_equal(begin.g, frozen.g) and not np.array_equal(begin.d, frozen.d)


# --- what is measured --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, modes", [("line", 0), ("ring", 8), ("grid", 25), ("spiral", 0), ("rings", 0)])
def test_data_lies_in_the_square_and_is_its_own_equal(kind: str, modes: int) -> None:
    data = shapes.make(Shape(kind))
    assert data.x.shape == (10_000, 2) and np.abs(data.x).max() < plane.REACH and len(data.centres) == modes
    assert np.array_equal(shapes.make(Shape(kind)).x, data.x)
    yardstick = Yardstick(data)
    shares, found, good = yardstick.quality(torch.from_numpy(data.x[2000:4000]))
    assert good > 0.96 and found == modes and len(shares) == modes
    assert yardstick.divergence(torch.from_numpy(data.x[:3000])) < 0.1
    assert yardstick.divergence(torch.from_numpy(data.x[:3000]) * 0 + 1.4) > 0.99
    far, _, none = yardstick.quality(torch.full((100, 2), 1.45))
    assert none == 0 and far.sum() == 0


def test_a_mode_is_found_when_it_holds_a_tenth_of_its_share() -> None:
    yardstick = Yardstick(shapes.make(Shape("ring")))
    crowd = yardstick.centres[torch.tensor([0] * 980 + [1] * 13 + [2] * 7)]
    shares, found, good = yardstick.quality(crowd)
    assert found == 2 and good == 1.0 and shares[0] == pytest.approx(0.98)


def test_wasserstein_is_how_far_a_cloud_was_moved() -> None:
    cloud = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    assert wasserstein(cloud, cloud) < 0.05
    assert wasserstein(cloud, cloud + torch.tensor([3.0, 4.0])) == pytest.approx(5.0, rel=0.02)
    one, other = torch.tensor([[0.0, 0], [1, 0], [5, 5]]), torch.tensor([[0.0, 1], [1, 1], [5, 7]])
    assert wasserstein(one, other) == pytest.approx((1 + 1 + 2) / 3, rel=0.02), "the best pairing, which one can see"


# --- what is refused ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wrong, said", [
    ({"lr_g": -1.0}, "learning rate is -1; it may be 0 to 10"), ({"lr_d": 1e9}, r"learning rate is 1e\+09; it may be 0 to 10"),
    ({"lr_g": float("nan")}, "learning rate is nan"), ({"g_layers": ()}, "hidden layers is 0; it may be 1 to 5"),
    ({"d_layers": (0,)}, "width of a layer of the discriminator is 0"), ({"d_layers": (8,) * 6}, "is 6; it may be 1 to 5"),
    ({"loss": "vae"}, "the loss is 'vae'"), ({"batch": 1}, "the batch is 1"), ({"z_dim": 0}, "dimension of z is 0"),
    ({"d_steps": 11}, "is 11; it may be 1 to 10"),
])
def test_rules_that_cannot_be_played_are_refused_with_number_limit_and_remedy(wrong: dict, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Rules(**wrong)


@pytest.mark.parametrize("points, said", [
    (np.zeros((0, 2), np.float32), "there are 0 points"), (np.ones((1, 2), np.float32), "there are 1 points"),
    (np.zeros((1_000_000, 2), np.float32), "there are 1,000,000 points; it may be 8 to 20,000: give fewer"),
    (np.full((9, 2), np.nan, np.float32), "no number"), (np.ones((9, 2), np.float32), "one and the same place"),
    (np.ones((9, 3), np.float32), "one row for each"), ([[1, 2]] * 9, "must be float32"),
])
def test_points_that_are_no_data_are_refused(points: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Shape("own", points)


def test_ones_own_points_fill_the_square_and_find_the_way_back() -> None:
    given = np.stack([np.linspace(1000, 3000, 50), np.linspace(-7, 9, 50)], 1).astype(np.float32)
    data = shapes.make(Shape("own", given))
    assert np.abs(data.x).max() < 1 and np.abs(data.x[:, 0]).max() > 0.85
    back = np.array(data.centre) + data.scale * data.x
    assert back[:, 0].min() == pytest.approx(1000, abs=60) and back[:, 0].max() == pytest.approx(3000, abs=60)
