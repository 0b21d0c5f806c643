"""The variational autoencoder (Kingma & Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114).

A picture x is thought to come from a few hidden numbers z. The prior over z is a standard normal
distribution; the decoder gives p(x|z), one Bernoulli distribution per pixel; the encoder gives an
approximate posterior q(z|x), one normal distribution per dimension. Both are trained to raise the
evidence lower bound (eq. 3),

    ELBO = E_q[log p(x|z)] - KL(q(z|x) || p(z)),

estimated with one draw z = mu + sigma * eps (eq. 4, 10). A beta other than 1 weighs the second
term (Higgins et al., "beta-VAE", ICLR 2017). A plain autoencoder (kind "ae") has neither noise nor KL.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.runtime import BadInput, ModelFault
from engines.vae.networks import NETWORKS

NO_NOISE = -20.0                 # the log-variance that stands for "none" in a plain autoencoder
LOGVAR_RANGE = (-14.0, 6.0)      # keeps exp() and 16-bit storage of codes in range


@dataclass(frozen=True)
class Architecture:
    """What a config.json says of the networks. image: (H, W, C); width, depth: size of the networks."""

    image: tuple[int, int, int]
    latent: int
    kind: str = "vae"            # or "ae"
    network: str = "mlp"         # or "conv"
    width: int = 256
    encoder_depth: int = 1       # residual layers
    decoder_depth: int = 2


class VAE(nn.Module):
    """Encoder q(z|x) and decoder p(x|z). Pictures are float (B, H, W, C) from 0 to 1; codes (B, d)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        encoder, decoder = NETWORKS[a.network]
        outputs = a.latent if a.kind == "ae" else 2 * a.latent
        self.encoder = encoder(a.image, outputs, a.width, a.encoder_depth)
        self.decoder = decoder(a.image, a.latent, a.width, a.decoder_depth)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, H, W, C) -> mu, logvar, each (B, d): the parameters of q(z|x) (eq. 9)."""
        out = self.encoder(x).float()
        if self.architecture.kind == "ae":
            return out, torch.full_like(out, NO_NOISE)
        mu, logvar = out.chunk(2, dim=1)                         # (B, 2d) -> 2 x (B, d)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def decode(self, z: Tensor) -> Tensor:
        """z (B, d) -> the logits of p(x|z), (B, H, W, C)."""
        return self.decoder(z).float()

    def decoder_mean(self, z: Tensor) -> Tensor:
        """z (B, d) -> the mean of p(x|z), (B, H, W, C), values from 0 to 1: the picture that is shown."""
        return torch.sigmoid(self.decode(z))

    def picture(self, z: Tensor) -> Tensor:
        """z (B, d) -> that mean as bytes, uint8 (B, H, W, C)."""
        return to_bytes(self.decoder_mean(z))

    def sample_posterior(self, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """x -> z, mu, logvar, with eps drawn on the CPU, so that a seed means the same on every device."""
        mu, logvar = self.encode(x)
        if self.architecture.kind == "ae":
            return mu, mu, logvar
        eps = torch.randn(mu.shape, generator=generator).to(mu.device)
        return reparameterise(mu, logvar, eps), mu, logvar


# --- the two terms of the ELBO -----------------------------------------------------------------------------------

def reparameterise(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """z = mu + sigma * eps (eq. 4): all (B, d). The noise comes from outside, so gradients reach mu and sigma."""
    return mu + torch.exp(0.5 * logvar) * eps


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)) in nats by dimension (appendix B): (B, d) -> (B, d), never negative."""
    return -0.5 * (1 + logvar - mu.square() - logvar.exp())


def reconstruction_nats(x: Tensor, logits: Tensor) -> Tensor:
    """-log p(x|z) of Bernoulli pixels (appendix C.1), in nats: 2 x (B, H, W, C) -> (B,).

    A grey pixel counts as the mixture of black and white that it is, so this is the expected value
    over pictures drawn with those probabilities, and it has a floor above zero.
    """
    each = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return each.flatten(1).sum(1)


def elbo_terms(vae: VAE, x: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """The two terms of -ELBO for each picture, with one eps: reconstruction (B,) and KL (B, d), in nats."""
    # 1. the encoder says where z may be
    z, mu, logvar = vae.sample_posterior(x, generator)
    # 2. the decoder says how likely the picture is from there
    reconstruction = reconstruction_nats(x, vae.decode(z))
    # 3. the price of knowing z better than the prior does
    kl = torch.zeros_like(mu) if vae.architecture.kind == "ae" else kl_divergence(mu, logvar)
    return reconstruction, kl


# --- pictures and files ------------------------------------------------------------------------------------------

def to_float(pictures: Tensor) -> Tensor:
    """Bytes to floats from 0 to 1, same shape."""
    return pictures.float() / 255


def to_bytes(means: Tensor) -> Tensor:
    """Floats from 0 to 1 to bytes, same shape."""
    return (means.clamp(0, 1) * 255).round().to(torch.uint8)


def check_fit(vae: VAE, shape: tuple[int, ...], what: str = "the picture") -> None:
    """Raise BadInput unless pictures of this (H, W, C) are what the model was made for."""
    if tuple(shape) != tuple(vae.architecture.image):
        height, width, channels = vae.architecture.image
        raise BadInput(f"{what} is {' x '.join(map(str, shape))}; this model reads "
                       f"{height} x {width} x {channels}: choose the model of its data set.")


def save(vae: VAE, folder: Path, **facts: object) -> None:
    """Write config.json and model.safetensors (16-bit floats) into `folder`, which must exist."""
    weights = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in vae.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    config = {**facts, "image": list(vae.architecture.image), "latent": vae.architecture.latent,
              "kind": vae.architecture.kind, "likelihood": "bernoulli", "architecture": asdict(vae.architecture)}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")


def load(folder: Path) -> VAE:
    """Read what `save` wrote: a VAE on the CPU, fp32, in eval mode. Raises ModelFault, naming the file."""
    try:
        stored = json.loads((folder / "config.json").read_text("utf-8"))["architecture"]
        vae = VAE(Architecture(**{**stored, "image": tuple(stored["image"])}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFault(f"config.json of {folder.name} is missing or damaged: "
                         f"put the bundled file back.") from error
    try:
        weights = load_file(folder / "model.safetensors")
        vae.load_state_dict({name: value.float() for name, value in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelFault(f"model.safetensors of {folder.name} is missing, truncated or of another model: "
                         f"put the bundled file back.") from error
    return vae.eval()
