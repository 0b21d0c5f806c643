"""The rearranged network is the network: whatever its sizes, to the rounding of a sum."""

from __future__ import annotations

import copy

import pytest
import torch
from diffusers import UNet2DModel

from engines.diffusion.merged import Merged, _GroupNorm
from tests.engines.diffusion.conftest import make_unet

FORMS = {
    "one layer a block": {},
    "two layers": {"layers_per_block": 2},
    "colours": {"in_channels": 3, "out_channels": 3},
    "no classes": {"num_class_embeds": None},
    "no attention in the middle": {"add_attention": False},
}


def changed(**changes: object) -> UNet2DModel:
    torch.manual_seed(0)
    config = {key: value for key, value in make_unet().config.items() if not key.startswith("_")} | changes
    unet = UNet2DModel(**config).eval()
    with torch.no_grad():
        for weight in unet.parameters():            # fresh norms and biases are ones and noughts, which hide mistakes
            weight.add_(0.1 * torch.randn_like(weight))
    return unet


@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_it_predicts_the_same(form: str, norms: bool) -> None:
    unet = changed(**FORMS[form])
    before = copy.deepcopy(unet.state_dict())
    merged = Merged(unet, norms=norms).eval()
    for rows in (1, 3):
        x, t = 3 * torch.randn(rows, unet.config.in_channels, 8, 8), torch.rand(rows) * 999
        labels = torch.arange(rows) % 4
        with torch.no_grad():
            wanted = unet(x, t, class_labels=labels if unet.config.num_class_embeds else None).sample
            found = merged(x, t, labels)
        assert found.shape == wanted.shape and wanted.std() > 0.1
        torch.testing.assert_close(found, wanted, atol=2e-5, rtol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in unet.state_dict().items())


def test_it_norms_what_lies_far_from_nought() -> None:
    """Where the mean is a thousand times the spread, squares less squared means would have no digits left."""
    norm = torch.nn.GroupNorm(4, 16)
    x = 1000 + torch.randn(2, 16, 8, 8)
    exact = torch.nn.functional.group_norm(x.double(), 4).float()
    torch.testing.assert_close(_GroupNorm(norm)(x), exact, atol=1e-3, rtol=0)


@pytest.mark.parametrize("changes", [{"time_embedding_type": "fourier"}, {"resnet_time_scale_shift": "scale_shift"},
                                     {"center_input_sample": True}, {"class_embed_type": "timestep"},
                                     {"down_block_types": ("SkipDownBlock2D", "SkipDownBlock2D"),
                                      "up_block_types": ("SkipUpBlock2D", "SkipUpBlock2D")}])
def test_what_it_does_not_know_it_refuses(changes: dict) -> None:
    with pytest.raises(ValueError, match="not rearranged"):
        Merged(changed(**changes), norms=False)
