from __future__ import annotations

import numpy as np

from apps.latent_space_explorer.projection import principal_plane, turned_like


def cloud(d: int, n: int = 400, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.standard_normal((d, d)))
    return (rng.standard_normal((n, d)) * np.linspace(3, 0.2, d) @ turn).astype(np.float32)


def test_the_axes_are_those_of_the_singular_value_decomposition() -> None:
    mu = cloud(16)
    plane = principal_plane(mu)
    _, singular, vt = np.linalg.svd(mu - mu.mean(0), full_matrices=False)
    assert np.allclose(np.abs((plane.axes * vt[:2]).sum(1)), 1, atol=1e-4)
    assert np.allclose(plane.explained, (singular**2 / (singular**2).sum())[:2], atol=1e-4)
    assert np.allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-5)


def test_two_dimensions_are_left_as_they_are() -> None:
    mu = cloud(2) + 1.5
    assert np.array_equal(principal_plane(mu).flat(mu), mu)


def test_lifting_undoes_flattening_and_keeps_what_the_map_does_not_show() -> None:
    mu = cloud(8)
    plane, places = principal_plane(mu), np.array([[1.0, -2.0], [0.3, 0.4]])
    assert np.allclose(plane.flat(plane.lift(places)), places, atol=1e-5)
    z = mu[3]
    moved = plane.lift(places, z)
    assert np.allclose(plane.flat(moved), places, atol=1e-5)
    across = moved - z                                            # only along the two axes
    assert np.allclose(across, (across @ plane.axes.T) @ plane.axes, atol=1e-5)


def test_the_sign_of_an_axis_does_not_depend_on_chance() -> None:
    mu = cloud(6)
    assert np.allclose(principal_plane(mu).axes, principal_plane(mu[::-1].copy()).axes, atol=1e-4)


def test_a_plane_that_was_turned_by_training_is_turned_back() -> None:
    mu = cloud(6)
    before = principal_plane(mu)
    angle = np.deg2rad(70)
    turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])     # mirrored, too
    after = turned_like(type(before)(before.mean, turn @ before.axes, before.explained), before)
    assert np.allclose(after.axes, before.axes, atol=1e-5)
    assert np.allclose(after.axes @ after.axes.T, np.eye(2), atol=1e-5)
