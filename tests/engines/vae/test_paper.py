"""The equations of the paper, held against torch.distributions and against differences."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from engines.runtime import BadInput, ModelFault
from engines.vae import model as paper
from tests.engines.vae.conftest import TOY, TOY_AE, TOY_COLOUR, make_pictures, make_vae


def some_posterior(count: int = 7, latent: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    mu = 2 * torch.randn((count, latent), generator=generator, dtype=torch.float64)
    logvar = torch.randn((count, latent), generator=generator, dtype=torch.float64) - 1
    return mu, logvar


def test_kl_equals_that_of_torch_distributions() -> None:
    mu, logvar = some_posterior()
    ours = paper.kl_divergence(mu, logvar)
    theirs = kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert (ours >= 0).all()
    assert paper.kl_divergence(torch.zeros(1, 4), torch.zeros(1, 4)).abs().max() == 0


def test_reconstruction_equals_the_log_likelihood_of_bernoulli_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.bernoulli(torch.full((5, 8, 8, 1), 0.4, dtype=torch.float64), generator=generator)
    logits = 3 * torch.randn(x.shape, generator=generator, dtype=torch.float64)
    theirs = -Independent(Bernoulli(logits=logits), 3).log_prob(x)
    torch.testing.assert_close(paper.reconstruction_nats(x, logits), theirs, rtol=1e-12, atol=1e-12)


def test_a_grey_pixel_counts_as_the_mixture_of_black_and_white_that_it_is() -> None:
    logits = torch.tensor([[[[0.7]]]])
    black, white = (paper.reconstruction_nats(torch.full((1, 1, 1, 1), value), logits) for value in (0.0, 1.0))
    grey = paper.reconstruction_nats(torch.full((1, 1, 1, 1), 0.3), logits)
    torch.testing.assert_close(grey, 0.7 * black + 0.3 * white)


def test_the_bound_lies_below_the_likelihood(vae: paper.VAE) -> None:
    """-ELBO, averaged over eps, is at least -log p(x), estimated by importance sampling (Burda et al. 2016)."""
    x = paper.to_float(torch.from_numpy(make_pictures(2)))
    with torch.no_grad():
        mu, logvar = vae.encode(x)
        q, prior = Normal(mu, (0.5 * logvar).exp()), Normal(torch.zeros(3), torch.ones(3))
        torch.manual_seed(0)
        z = q.sample((4000,))                                                   # (K, B, d)
        logits = vae.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])          # (K, B, H, W, C)
        log_p = -torch.stack([paper.reconstruction_nats(x, each) for each in logits])
        log_w = log_p + prior.log_prob(z).sum(-1) - q.log_prob(z).sum(-1)       # (K, B)
        bound = log_p.mean(0) - paper.kl_divergence(mu, logvar).sum(1)
        torch.testing.assert_close(log_w.mean(0), bound, rtol=0, atol=0.2)
        assert (torch.logsumexp(log_w, 0) - torch.log(torch.tensor(4000.0)) >= log_w.mean(0)).all()


def test_elbo_terms_are_the_two_terms_at_the_drawn_z(vae: paper.VAE) -> None:
    x = paper.to_float(torch.from_numpy(make_pictures(6)))
    with torch.no_grad():
        reconstruction, kl = paper.elbo_terms(vae, x, torch.Generator().manual_seed(5))
        z, mu, logvar = vae.sample_posterior(x, torch.Generator().manual_seed(5))
    torch.testing.assert_close(reconstruction, paper.reconstruction_nats(x, vae.decode(z)))
    torch.testing.assert_close(kl, paper.kl_divergence(mu, logvar))
    assert reconstruction.shape == (6,) and kl.shape == (6, 3)


# --- the reparameterised sample ----------------------------------------------------------------------------------

def test_the_sample_equals_rsample_with_the_same_noise() -> None:
    mu, logvar = some_posterior()
    torch.manual_seed(11)
    theirs = Normal(mu, (0.5 * logvar).exp()).rsample()
    torch.manual_seed(11)
    eps = torch.normal(torch.zeros_like(mu), torch.ones_like(mu))
    torch.testing.assert_close(paper.reparameterise(mu, logvar, eps), theirs)


def test_gradients_through_the_sample_equal_those_of_rsample() -> None:
    mu, logvar = (each.requires_grad_() for each in some_posterior())
    eps = torch.randn(mu.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    ours = torch.autograd.grad(paper.reparameterise(mu, logvar, eps).sin().sum(), (mu, logvar))
    sigma = (0.5 * logvar).exp()
    sample = Normal(mu, sigma).rsample()
    # rsample draws its own noise: put ours in its place, the path to mu and sigma stays
    theirs = torch.autograd.grad((sample + sigma * (eps - ((sample - mu) / sigma).detach())).sin().sum(), (mu, logvar))
    for a, b in zip(ours, theirs):
        torch.testing.assert_close(a, b)


def test_gradients_of_the_whole_bound_equal_differences() -> None:
    vae = make_vae(TOY).double()
    vae.encode = lambda x: tuple(each.double() for each in vae.encoder(x).chunk(2, 1))      # keeps fp64 throughout
    vae.decode = lambda z: vae.decoder[1:](torch.nn.functional.linear(z, vae.decoder[0].weight, vae.decoder[0].bias))
    head = vae.encoder[-1]
    vae.encoder[-1] = torch.nn.Linear(head.in_features, head.out_features).double()
    vae.encoder[-1].load_state_dict(head.state_dict())
    x = paper.to_float(torch.from_numpy(make_pictures(2))).double()
    eps = torch.randn((2, 3), dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def loss(*weights: torch.Tensor) -> torch.Tensor:
        mu, logvar = vae.encode(x)
        z = paper.reparameterise(mu, logvar, eps)
        return (paper.reconstruction_nats(x, vae.decode(z)) + paper.kl_divergence(mu, logvar).sum(1)).sum()

    assert torch.autograd.gradcheck(loss, (vae.encoder[-1].bias, vae.decoder[0].weight), atol=1e-6, rtol=1e-5)


def test_the_noise_has_the_moments_that_q_states() -> None:
    mu, logvar = torch.full((1, 2), 1.5), torch.full((1, 2), -1.0)
    eps = torch.randn((200_000, 2), generator=torch.Generator().manual_seed(0))
    z = paper.reparameterise(mu, logvar, eps)
    torch.testing.assert_close(z.mean(0), mu[0], rtol=0, atol=0.01)
    torch.testing.assert_close(z.var(0), logvar[0].exp(), rtol=0, atol=0.01)


# --- networks ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("architecture", [TOY, TOY_AE, TOY_COLOUR], ids=lambda each: f"{each.network}-{each.kind}")
def test_a_batch_equals_its_pictures_one_by_one(architecture: paper.Architecture) -> None:
    vae = make_vae(architecture)
    x = paper.to_float(torch.from_numpy(make_pictures(9, architecture.image)))
    with torch.no_grad():
        mu, logvar = vae.encode(x)
        means = vae.decoder_mean(mu)
        assert means.shape == x.shape and mu.shape == logvar.shape == (9, architecture.latent)
        assert means.min() >= 0 and means.max() <= 1
        for i in range(9):
            one, spread = vae.encode(x[i:i + 1])
            torch.testing.assert_close(one, mu[i:i + 1], rtol=0, atol=1e-5)
            torch.testing.assert_close(spread, logvar[i:i + 1], rtol=0, atol=1e-5)
            torch.testing.assert_close(vae.decoder_mean(mu[i:i + 1]), means[i:i + 1], rtol=0, atol=1e-5)


def test_codes_keep_full_precision_under_autocast(vae: paper.VAE) -> None:
    z = torch.tensor([[2.0, 0.0, 0.0], [2.0 + 1e-3, 0.0, 0.0]])       # one bf16 number, two fp32 numbers
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        first = vae.decoder[0](z)
        mu, _ = vae.encode(torch.rand(2, 8, 8, 1))
    assert first.dtype == mu.dtype == torch.float32
    assert not torch.equal(first[0], first[1])


def test_an_autoencoder_has_no_noise() -> None:
    vae = make_vae(TOY_AE)
    x = paper.to_float(torch.from_numpy(make_pictures(4)))
    with torch.no_grad():
        z, mu, _ = vae.sample_posterior(x)
        _, kl = paper.elbo_terms(vae, x)
    assert torch.equal(z, mu) and kl.abs().max() == 0


def test_pictures_of_another_size_are_refused(vae: paper.VAE) -> None:
    with pytest.raises(BadInput, match="28 x 28 x 1; this model reads 8 x 8 x 1: choose the model of its data set"):
        paper.check_fit(vae, (28, 28, 1))


# --- files -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("architecture", [TOY, TOY_AE, TOY_COLOUR], ids=lambda each: f"{each.network}-{each.kind}")
def test_a_saved_model_comes_back_the_same(architecture: paper.Architecture, tmp_path: Path) -> None:
    vae = make_vae(architecture)
    paper.save(vae, tmp_path, name="toy")
    back = paper.load(tmp_path)
    assert back.architecture == architecture and not back.training
    for name, weight in vae.state_dict().items():
        assert torch.equal(back.state_dict()[name], weight), name


@pytest.mark.parametrize("harm, names", [
    (lambda folder: (folder / "model.safetensors").write_bytes(b"no weights"), "model.safetensors"),
    (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
    (lambda folder: truncate(folder / "model.safetensors"), "model.safetensors"),
    (lambda folder: paper.save_file({"x": torch.ones(1)}, folder / "model.safetensors"), "model.safetensors"),
    (lambda folder: truncate(folder / "config.json"), "config.json"),
    (lambda folder: (folder / "config.json").write_text('{"architecture": {"depth": 3}}'), "config.json"),
    (lambda folder: (folder / "config.json").write_text("[]"), "config.json"),
])
def test_harmed_files_give_one_sentence_that_names_the_file(tmp_path: Path, harm, names: str) -> None:
    paper.save(make_vae(), tmp_path, name="toy")
    harm(tmp_path)
    with pytest.raises(ModelFault, match=names) as caught:
        paper.load(tmp_path)
    assert "\n" not in str(caught.value) and str(tmp_path) not in str(caught.value)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])
