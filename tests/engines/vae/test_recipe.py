"""The recipe: stopping and starting again changes nothing, and what it writes is whole and true."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engines.runtime import models
from engines.training import data as sources
from engines.training.loop import run
from engines.training.vae import Recipe, Training, warped
from engines.training.vae_report import write_model
from engines.vae import model as paper
from engines.vae.measure import extent, measure, principal_plane
from tests.engines.vae.conftest import make_pictures, make_vae

TOY = Recipe("toy", latent=3, width=16, encoder_depth=1, decoder_depth=1, epochs=4, batch=20, rate=5e-3, shift=1,
             precision="fp32")


def toy_pictures(count: int = 200) -> np.ndarray:
    """Bars at random heights: something that can be learned."""
    rows = np.random.default_rng(0).integers(0, 8, count)
    images = np.zeros((count, 8, 8, 1), np.uint8)
    images[np.arange(count), rows] = 255
    return images


@pytest.mark.parametrize("recipe", [TOY, replace(TOY, optimiser="muon", latent=2), replace(TOY, kind="ae", beta=0.5)],
                         ids=["adamw", "muon", "autoencoder"])
def test_stopping_and_starting_again_ends_at_the_same_weights(recipe: Recipe, tmp_path: Path) -> None:
    whole = run(Training(recipe, toy_pictures()), tmp_path / "whole.pt")
    assert whole.step == whole.steps == 40
    run(Training(recipe, toy_pictures()), tmp_path / "parts.pt", until=13)
    run(Training(recipe, toy_pictures()), tmp_path / "parts.pt", until=14)
    parts = run(Training(recipe, toy_pictures()), tmp_path / "parts.pt")
    for name, weight in whole.finished().state_dict().items():
        assert torch.equal(weight, parts.finished().state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    run(Training(TOY, toy_pictures()), tmp_path / "toy.pt", until=2)
    with pytest.raises(SystemExit, match="belongs to another recipe"):
        run(Training(replace(TOY, beta=2.0), toy_pictures()), tmp_path / "toy.pt")


def test_training_raises_the_bound() -> None:
    training = Training(replace(TOY, epochs=20, rate=0.01), toy_pictures())
    before = measure(training.finished(), toy_pictures()).figures["negative_elbo"]
    while training.step < training.steps:
        training.advance()
    assert measure(training.finished(), toy_pictures()).figures["negative_elbo"] < before / 2


def test_what_is_written_is_what_was_measured(tmp_path: Path) -> None:
    training = run(Training(replace(TOY, dataset="mnist"), toy_pictures()), tmp_path / "toy.pt")
    vae, held_out = training.finished(), toy_pictures(50)
    folder = tmp_path / "toy"
    config = write_model(vae, training.recipe, folder, held_out, n_train=200, seconds=61.0, steps=40, threads=1)
    assert config["name"] == json.loads((folder / "config.json").read_text())["name"] == "toy"
    models.check(folder)
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert {"config.json", "model.safetensors", "codes.safetensors"} <= set(sums)
    assert sums["model.safetensors"] == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    back = measure(paper.load(folder), held_out)                  # 16-bit weights, so exactly the stated figures
    assert back.figures == config["measured"] and back.kl_per_dim == config["kl_per_dim"]
    stored = load_file(folder / "codes.safetensors")
    torch.testing.assert_close(stored["mu"].float(), back.mu, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(stored["logvar"].float(), back.logvar, rtol=1e-3, atol=1e-3)
    card = (folder / "MODEL_CARD.md").read_text()
    stated = f"{config['measured']['negative_elbo']:.2f}"
    for said in (stated, "seed | 0", "1 minute", "licence", "Limits", "--latent 3"):
        assert said in card


def test_figures_are_the_means_of_the_papers_terms() -> None:
    vae, images = make_vae(), make_pictures(30)
    found = measure(vae, images, seeds=(4,))
    x, generator = paper.to_float(torch.from_numpy(images)), torch.Generator().manual_seed(4)
    with torch.no_grad():
        reconstruction, kl = paper.elbo_terms(vae, x, generator)
        mse = (vae.decoder_mean(found.mu) - x).square().mean().item()
    assert found.figures["reconstruction_nats"] == pytest.approx(reconstruction.mean().item(), abs=1e-3)
    assert found.figures["kl_nats"] == pytest.approx(kl.sum(1).mean().item(), abs=1e-3)
    assert found.figures["negative_elbo"] == pytest.approx((reconstruction + kl.sum(1)).mean().item(), abs=2e-3)
    assert found.figures["mse"] == pytest.approx(mse, abs=1e-6)
    np.testing.assert_allclose(found.kl_per_dim, kl.mean(0), atol=1e-4)


def test_the_plane_of_the_map_holds_the_most_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    mu = torch.randn((500, 4), generator=generator) * torch.tensor([0.3, 5.0, 0.1, 2.0]) + 3
    mean, axes = principal_plane(mu)
    torch.testing.assert_close(axes @ axes.T, torch.eye(2), atol=1e-5, rtol=0)
    assert axes[0, 1] > 0.99 and axes[1, 3] > 0.99
    x0, x1, y0, y1 = extent((mu - mean) @ axes.T)
    inside = ((mu - mean) @ axes.T - torch.tensor([x0, y0])) / torch.tensor([x1 - x0, y1 - y0])
    assert ((inside > 0) & (inside < 1)).all(1).float().mean() > 0.98


# --- where the data come from ------------------------------------------------------------------------------------

def test_idx_files_are_read() -> None:
    raw = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (2, 2, 3)) + bytes(range(12))
    assert np.array_equal(sources.read_idx(raw), np.arange(12).reshape(2, 2, 3))
    with pytest.raises(ValueError):
        sources.read_idx(b"<html>")


def test_a_set_is_fetched_from_its_home_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    pixels, labels = make_pictures(5, (28, 28, 1))[..., 0], np.arange(5, dtype=np.uint8)
    for part, array in zip(sources.PARTS, (pixels[:3], labels[:3], pixels[3:], labels[3:])):
        head = b"\0\0\x08" + bytes([array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        (home / f"{part}.gz").write_bytes(sources.gzip.compress(head + array.tobytes()))
    address = home.as_uri() + "/"
    monkeypatch.setenv("GALLERY_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(sources.HOMES, "mnist", ((tmp_path / "nowhere").as_uri() + "/", address))
    with pytest.raises(sources.DataMissing, match="differ from the set"):
        sources.whole("mnist")
    fingerprints = tuple(hashlib.sha256(each.tobytes()).hexdigest() for each in (pixels, labels))
    monkeypatch.setitem(sources.FINGERPRINTS, "mnist", fingerprints)
    images, found, n_train = sources.whole("mnist")
    assert np.array_equal(images[..., 0], pixels) and np.array_equal(found, labels) and n_train == 3
    monkeypatch.setitem(sources.HOMES, "mnist", ())
    assert len(sources.whole("mnist")[0]) == 5                    # kept: no home is asked again


def test_emoji_are_halved_and_laid_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((128, 128, 4), np.uint8)
    rgba[:64] = (200, 100, 0, 255)
    rgba[64:, ::2] = (10, 20, 30, 255)                            # every second column is clear
    from PIL import Image
    Image.fromarray(rgba).save(tmp_path / "one.png")
    small = sources._halve((tmp_path / "one.png").read_bytes())
    assert small.shape == (64, 64, 4) and tuple(small[0, 0]) == (200, 100, 0, 255)
    assert tuple(small[63, 5]) == (10, 20, 30, 128)               # the colour is kept, the opacity halved
    white = sources.on_white(small[None])[0]
    assert tuple(white[0, 0]) == (200, 100, 0) and tuple(white[63, 5]) == (132, 137, 142)


def test_the_bundled_training_pictures_are_balanced() -> None:
    labels = np.array([0, 1, 1, 0, 1, 0, 0], np.uint8)
    assert sources.balanced(labels, 2).tolist() == [0, 1, 2, 3]


def test_a_run_can_begin_with_the_weights_of_another_and_says_so(tmp_path: Path) -> None:
    recipes = [replace(TOY, name="first", epochs=1)]
    recipes.append(replace(TOY, name="second", epochs=1, warp=0.1, start=str(tmp_path / "first")))
    recipes.append(replace(TOY, name="third", epochs=1, warm_up=0.0, start=str(tmp_path / "second")))
    for recipe in recipes:
        training = run(Training(recipe, toy_pictures()), tmp_path / f"{recipe.name}.pt")
        config = write_model(training.finished(), recipe, tmp_path / recipe.name, toy_pictures(30),
                             n_train=200, seconds=1.0, steps=10, threads=1)
    assert [earlier["name"] for earlier in config["begun_with"]] == ["first", "second"]
    assert config["recipe"]["start"] == "second" and config["begun_with"][1]["start"] == "first"
    card = (tmp_path / "third" / "MODEL_CARD.md").read_text()
    assert card.index("--name first") < card.index("--name second") and str(tmp_path) not in card
    begun = Training(recipes[1], toy_pictures()).vae.state_dict()
    for name, weight in paper.load(tmp_path / "first").state_dict().items():
        assert torch.equal(begun[name], weight)


def test_half_of_a_batch_is_left_as_it_is_and_half_is_moved_a_little() -> None:
    x = paper.to_float(torch.from_numpy(toy_pictures(40)))
    out = warped(x, 0.1, torch.Generator().manual_seed(0))
    assert out.shape == x.shape and torch.equal(out[20:], x[20:]) and not torch.equal(out[:20], x[:20])
    assert out.min() >= 0 and out.max() <= 1
    torch.testing.assert_close(warped(x, 0.0, torch.Generator()), x, atol=1e-5, rtol=0)


def test_the_bundled_sets_are_made_from_the_whole_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, labels = make_pictures(60, (28, 28, 1))[..., 0], (np.arange(60) % 10).astype(np.uint8)
    (tmp_path / "whole" / "mnist").mkdir(parents=True)
    np.savez(tmp_path / "whole" / "mnist" / "mnist.npz", images=pixels, labels=labels, n_train=np.int64(40))
    (tmp_path / "small" / "mnist").mkdir(parents=True)
    (tmp_path / "small" / "mnist" / "config.json").write_text(
        json.dumps({"image": [28, 28, 1], "classes": list("0123456789"), "splits": {}}))
    monkeypatch.setenv("GALLERY_DATA", str(tmp_path / "whole"))
    monkeypatch.setattr(sources.data, "ROOT", tmp_path / "small")
    monkeypatch.setitem(sources.PER_CLASS, "mnist", 2)
    sources.bundle("mnist")
    read = sources.data.load.__wrapped__                          # without its cache
    test, train = read("mnist", "test"), read("mnist", "train")
    assert np.array_equal(test.images[..., 0], pixels[40:]) and np.array_equal(test.labels, labels[40:])
    assert np.array_equal(train.images[..., 0], pixels[:20]) and np.bincount(train.labels).tolist() == [2] * 10
