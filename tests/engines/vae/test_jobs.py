"""The jobs, on toy models: alone, and through the runtime."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import runtime
from engines import vae as asked
from engines.runtime import BadInput
from engines.vae import jobs
from engines.vae import model as paper
from engines.vae.paths import along
from tests.engines.alone import run_alone
from tests.engines.vae.conftest import TOY_AE, TOY_COLOUR, make_pictures, make_vae


def points(count: int, latent: int = 3, seed: int = 0) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, np.random.default_rng(seed).normal(size=(count, latent)).tolist()))


def test_decode_gives_the_decoders_mean(vae: paper.VAE) -> None:
    z = points(5)
    frame, = run_alone(jobs.decode(vae, asked.Decode("toy", z)))
    with torch.inference_mode():
        expected = (vae.decoder_mean(torch.tensor(z)) * 255).round().numpy()
    assert frame.images.dtype == np.uint8 and frame.images.shape == (5, 8, 8, 1)
    assert np.array_equal(frame.images, expected)
    np.testing.assert_allclose(frame.z, z, rtol=1e-6)


def test_many_points_equal_one_by_one(vae: paper.VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    z = points(11)
    together, = run_alone(jobs.decode(vae, asked.Decode("toy", z)))
    monkeypatch.setattr(jobs, "CHUNK_PIXELS", 3 * 64)                      # now in passes of three
    in_passes, = run_alone(jobs.decode(vae, asked.Decode("toy", z)))
    singles = [run_alone(jobs.decode(vae, asked.Decode("toy", (one,))))[0].images[0] for one in z]
    assert np.abs(together.images.astype(int) - np.stack(singles)).max() <= 1      # 1e-5 may round to the next byte
    assert np.abs(together.images.astype(int) - in_passes.images).max() <= 1


def test_a_grid_has_its_first_row_at_the_top(vae: paper.VAE) -> None:
    grid = asked.Grid("toy", (-1.0, 2.0, -3.0, 4.0), rows=3, columns=4, origin=(9.0, 8.0, 7.0), axis=(2, 0))
    frame, = run_alone(jobs.grid(vae, grid))
    z = frame.z.reshape(3, 4, 3)
    assert np.array_equal(z[..., 1], np.full((3, 4), 8.0))
    np.testing.assert_allclose(z[0, :, 2], [-1, 0, 1, 2], atol=1e-6)       # x along axis[0]
    np.testing.assert_allclose(z[:, 0, 0], [4, 0.5, -3], atol=1e-6)        # y along axis[1], falling
    decoded, = run_alone(jobs.decode(vae, asked.Decode("toy", tuple(map(tuple, frame.z.tolist())))))
    assert np.array_equal(decoded.images, frame.images)


def test_encode_gives_codes_and_both_terms(vae: paper.VAE) -> None:
    pictures = make_pictures(6)
    frame, = run_alone(jobs.encode(vae, asked.Encode("toy", pictures)))
    x = paper.to_float(torch.from_numpy(pictures))
    with torch.inference_mode():
        mu, logvar = vae.encode(x)
        logits = vae.decode(mu)
    np.testing.assert_allclose(frame.mu, mu, atol=1e-5)
    np.testing.assert_allclose(frame.logvar, logvar, atol=1e-5)
    np.testing.assert_allclose(frame.reconstruction_nats, paper.reconstruction_nats(x, logits), rtol=1e-5)
    np.testing.assert_allclose(frame.kl_nats, paper.kl_divergence(mu, logvar), atol=1e-5)
    assert frame.reconstruction.shape == pictures.shape


def test_decoding_what_was_encoded_is_the_same_every_time(vae: paper.VAE) -> None:
    picture = make_pictures(1)[0]
    first, again, other = (run_alone(jobs.reconstruct(vae, asked.Reconstruct("toy", picture, n=5, seed=seed)))[0]
                           for seed in (7, 7, 8))
    for field in ("eps", "z", "images", "reconstruction_nats"):
        assert np.array_equal(getattr(first, field), getattr(again, field))
    assert not np.array_equal(first.eps, other.eps) and first.images.shape == (5, 8, 8, 1)
    codes, = run_alone(jobs.encode(vae, asked.Encode("toy", picture[None])))
    np.testing.assert_allclose(first.z, codes.mu + np.exp(codes.logvar / 2) * first.eps, atol=1e-5)


def test_an_autoencoder_draws_the_same_picture_every_time() -> None:
    frame, = run_alone(jobs.reconstruct(make_vae(TOY_AE), asked.Reconstruct("toy", make_pictures(1)[0], n=4)))
    assert np.ptp(frame.z, axis=0).max() == 0 and np.ptp(frame.images.astype(int), axis=0).max() == 0
    codes, = run_alone(jobs.encode(make_vae(TOY_AE), asked.Encode("toy", make_pictures(2))))
    assert not codes.kl_nats.any()


@pytest.mark.parametrize("way", ["line", "circle"])
def test_a_path_ends_where_it_should(vae: paper.VAE, way: str) -> None:
    pins = points(3)
    frame, = run_alone(jobs.interpolate(vae, asked.Interpolate("toy", pins, steps=9, way=way)))
    assert len(frame.images) == 9
    np.testing.assert_allclose(frame.z[[0, 4, 8]], pins, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("job, params", [
    (jobs.decode, asked.Decode("toy", ((0.0, 0.0),))),
    (jobs.grid, asked.Grid("toy", (-1, 1, -1, 1), 2, 2, axis=(0, 3))),
    (jobs.grid, asked.Grid("toy", (-1, 1, -1, 1), 2, 2, origin=(0.0,))),
    (jobs.encode, asked.Encode("toy", make_pictures(1, (28, 28, 1)))),
    (jobs.reconstruct, asked.Reconstruct("toy", make_pictures(1, (8, 8, 3))[0])),
    (jobs.interpolate, asked.Interpolate("toy", ((0.0,) * 4, (1.0,) * 4))),
])
def test_what_does_not_fit_the_model_is_refused_in_one_sentence(vae: paper.VAE, job: Callable, params: object) -> None:
    with pytest.raises(BadInput, match="this model (has|reads)"):
        run_alone(job(vae, params))


def test_jobs_run_through_the_runtime_and_share_passes(home: Callable) -> None:
    home("toy")
    home("colour", TOY_COLOUR)
    z = points(4)
    alone, = run_alone(jobs.decode(make_vae(), asked.Decode("toy", z)))
    runs = [runtime.start(asked.decode, asked.Decode("toy", z), session=f"visitor {i}") for i in range(6)]
    for run in runs:
        assert np.abs(run.result(timeout=30).images.astype(int) - alone.images).max() <= 1
    colour = runtime.start(asked.encode, asked.Encode("colour", make_pictures(3, (16, 16, 3))), session="c")
    assert colour.result(timeout=30).mu.shape == (3, 4)
    with pytest.raises(BadInput):
        runtime.start(asked.decode, asked.Decode("colour", z), session="d").result(timeout=30)


# --- paths -------------------------------------------------------------------------------------------------------

vectors = st.lists(st.floats(-50, 50), min_size=2, max_size=2)


@given(st.lists(vectors, min_size=2, max_size=5), st.integers(5, 40), st.sampled_from(["line", "circle"]))
@settings(deadline=None)
def test_every_path_is_finite_and_starts_and_ends_at_its_ends(pins: list, steps: int, way: str) -> None:
    z = along(np.array(pins), steps, way)
    assert z.shape == (steps, 2) and np.isfinite(z).all()
    np.testing.assert_allclose(z[[0, -1]], np.float32([pins[0], pins[-1]]), rtol=1e-4, atol=1e-4)


@given(st.floats(0.1, 20), st.floats(-3, 3), st.floats(0.1, 20), st.floats(-3, 3))
def test_on_a_circle_the_distance_from_the_origin_changes_evenly(r: float, a: float, s: float, b: float) -> None:
    ends = np.array([[r * np.cos(a), r * np.sin(a)], [s * np.cos(b), s * np.sin(b)]])
    z = along(ends, 7, "circle").astype(float)
    if np.cos(a - b) < 1 - 1e-6:                                           # else it is the straight line
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.linspace(r, s, 7), rtol=1e-3, atol=1e-3)


def test_opposite_points_are_joined_by_a_half_circle() -> None:
    z = along(np.array([[2.0, 0, 0], [-2.0, 0, 0]]), 5, "circle")
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 2, rtol=1e-5)
    np.testing.assert_allclose(along(np.array([[1.0], [-1.0]]), 3, "circle")[:, 0], [1, 0, -1], atol=1e-6)
