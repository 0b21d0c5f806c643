"""Checkpoints of others, in diffusers' own layout: read, refused with a sentence, and walked through as diffusers does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (AutoencoderKL, DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, LDMPipeline, UNet2DModel,
                       VQModel)

from engines.diffusion import Sample, layout
from engines.diffusion.jobs import sample
from engines.diffusion.model import Denoiser, load
from engines.runtime import BadInput, ModelFault
from tests.engines.diffusion.conftest import make_unet
from tests.engines.diffusion.test_sample import run_alone

SIDE = 8
LATENT = {"num_train_timesteps": 1000, "beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0195}


def colour(classes: int = 0) -> UNet2DModel:
    torch.manual_seed(3)
    return UNet2DModel(sample_size=SIDE, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(8, 8),
                       down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
                       norm_num_groups=4, attention_head_dim=4, num_class_embeds=classes or None).eval()


def first_stage(kind: type, channels: int = 3) -> VQModel | AutoencoderKL:
    torch.manual_seed(4)
    extra = {"num_vq_embeddings": 16} if kind is VQModel else {}
    return kind(in_channels=3, out_channels=3, latent_channels=channels, block_out_channels=(8, 8), norm_num_groups=4,
                down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1,
                **extra).eval()


def saved(folder: Path, pipeline: object) -> Path:
    pipeline.save_pretrained(folder, safe_serialization=True)                                   # type: ignore[attr-defined]
    return folder


def last(denoiser: Denoiser, **changes: object) -> np.ndarray:
    given = {"labels": (-1,), "steps": 5, "count": 2, "seed": 11, **changes}
    return run_alone(sample(denoiser, Sample("toy", **given)))[-1].x                           # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def initialised() -> None:
    """diffusers switches the initialisation of weights off for all while it loads: so networks are made first."""
    torch.manual_seed(0)


# --- pixels ------------------------------------------------------------------------------------------------------

def test_a_whole_pipeline_is_read(tmp_path: Path) -> None:
    found = layout.read(saved(tmp_path, DDPMPipeline(colour(), DDPMScheduler())))
    assert (found.image, found.state, found.classes, found.schedule) == ((SIDE, SIDE, 3), (3, SIDE, SIDE), (), "linear")
    assert found.predicts == "epsilon" and found.first_stage is None
    assert found.parameters == sum(weight.numel() for weight in colour().parameters())


def test_a_network_that_lies_flat_is_read_too(tmp_path: Path) -> None:
    """As google/ddpm-cifar10-32 has it: everything in one folder."""
    unet = colour()
    unet.save_pretrained(tmp_path, safe_serialization=True)
    DDPMScheduler().save_config(tmp_path)
    alone = last(Denoiser(unet).channels_last())
    assert layout.read(tmp_path).unet == tmp_path
    assert np.abs(last(load(tmp_path)) - alone).max() < 1e-5


def test_the_walk_is_the_one_of_the_models_own_pipeline(tmp_path: Path) -> None:
    unet = colour()
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    saved(tmp_path, DDIMPipeline(unet, scheduler))
    denoiser = load(tmp_path)
    denoiser.layout = torch.contiguous_format
    generators = [torch.Generator().manual_seed(11 + k) for k in range(2)]
    noise = torch.cat([torch.randn((1, 3, SIDE, SIDE), generator=each) for each in generators])
    scheduler.set_timesteps(5)
    with torch.inference_mode():
        for t in scheduler.timesteps:
            noise = scheduler.step(unet(noise, t).sample, t, noise).prev_sample
    assert np.abs(last(denoiser) - noise.numpy()).max() < 1e-5 * noise.abs().max()    # it is an untrained network


@pytest.mark.parametrize("classes", [0, 4])
def test_a_model_with_classes_and_none_for_nobody(tmp_path: Path, classes: int) -> None:
    denoiser = load(saved(tmp_path, DDPMPipeline(colour(classes), DDPMScheduler())))
    found = layout.read(tmp_path)
    assert found.classes == tuple(f"class {k}" for k in range(classes)) and not found.free
    if not classes:
        assert np.isfinite(last(denoiser)).all()
        return
    with pytest.raises(BadInput, match="always told a class"):
        last(denoiser)
    assert not np.array_equal(last(denoiser, labels=(3,)), last(denoiser, labels=(1,)))
    assert np.array_equal(last(denoiser, labels=(3,), guidance=4.0), last(denoiser, labels=(3,), guidance=1.0))


@pytest.mark.parametrize("predicts", layout.PREDICTS)
def test_what_the_network_predicts_becomes_the_noise(predicts: str) -> None:
    """A network that knows the truth says the same whichever way it is asked."""
    x_0, eps, a = torch.randn(2, 1, 4, 4), torch.randn(2, 1, 4, 4), torch.tensor(0.3)
    x_t = a.sqrt() * x_0 + (1 - a).sqrt() * eps
    truth = {"epsilon": eps, "sample": x_0, "v_prediction": a.sqrt() * eps - (1 - a).sqrt() * x_0}[predicts]
    denoiser = Denoiser(make_unet(), {"prediction_type": predicts})
    assert torch.allclose(denoiser.noise(truth, x_t, a), eps, atol=1e-5)


def test_the_schedule_that_a_model_came_with_is_walked(tmp_path: Path) -> None:
    saved(tmp_path, DDPMPipeline(colour(), DDPMScheduler(**LATENT)))
    found, denoiser = layout.read(tmp_path), load(tmp_path)
    assert found.schedule == "trained"
    assert torch.equal(denoiser.trained_on, DDPMScheduler(**LATENT).alphas_cumprod)
    assert not np.array_equal(last(denoiser, schedule="trained"), last(denoiser, schedule="linear"))


def test_half_precision_is_read_as_single(tmp_path: Path) -> None:
    unet = colour()
    saved(tmp_path, DDPMPipeline(unet.half(), DDPMScheduler()))
    assert next(load(tmp_path).parameters()).dtype == torch.float32


# --- latents -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, part", [(VQModel, "vqvae"), (AutoencoderKL, "vae")])
def test_a_latent_model_is_walked_and_its_belief_decoded(tmp_path: Path, kind: type, part: str) -> None:
    unet, stage = colour(), first_stage(kind)
    unet.save_pretrained(tmp_path / "unet", safe_serialization=True)
    stage.save_pretrained(tmp_path / part, safe_serialization=True)
    DDIMScheduler(**LATENT).save_config(tmp_path / "scheduler")
    found, denoiser = layout.read(tmp_path), load(tmp_path)
    assert (found.image, found.state) == ((2 * SIDE, 2 * SIDE, 3), (3, SIDE, SIDE))
    frames = run_alone(sample(denoiser, Sample("toy", (-1,), steps=4, count=2, schedule="trained")))
    assert all(each.x_0.shape == each.x_t.shape == each.eps.shape == (2, 2 * SIDE, 2 * SIDE, 3) for each in frames)
    with torch.inference_mode():
        true = stage.decode(torch.from_numpy(frames[-1].x) / stage.config.scaling_factor).sample
    shown = ((true + 1) * 127.5).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    assert np.abs(frames[-1].x_0 - shown).max() <= 1
    with pytest.raises(BadInput, match="latent space"):
        run_alone(sample(denoiser, Sample("toy", (-1,), picture=np.zeros((16, 16, 3), np.uint8), strength=0.5)))


def test_the_pipeline_of_latent_diffusion_ends_in_the_same_picture(tmp_path: Path) -> None:
    unet, stage = colour(), first_stage(VQModel)
    settings = {**LATENT, "clip_sample": False, "timestep_spacing": "trailing"}
    pipeline = LDMPipeline(vqvae=stage, unet=unet, scheduler=DDIMScheduler(**settings))
    saved(tmp_path, pipeline)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(generator=torch.Generator().manual_seed(11), num_inference_steps=5, output_type="np").images
    frames = run_alone(sample(load(tmp_path), Sample("toy", (-1,), steps=5, seed=11, schedule="trained")))
    assert np.abs(frames[-1].x_0[0] / 255 - theirs[0]).max() < 4e-3


# --- what is refused ---------------------------------------------------------------------------------------------

def changed(file: str, **values: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return change


@pytest.mark.parametrize("harm, words", [
    (changed("unet/config.json", _class_name="UNet2DConditionModel"), "steered by a text"),
    (changed("unet/config.json", _class_name="DiTTransformer2DModel"), "UNet2DModel of diffusers is understood"),
    (changed("unet/config.json", out_channels=6), "predicts a variance"),
    (changed("unet/config.json", sample_size=None), "sample_size"),
    (changed("unet/config.json", sample_size=2048), "up to 1024 x 1024"),
    (changed("unet/config.json", class_embed_type="identity"), "takes its classes"),
    (changed("scheduler/scheduler_config.json", num_train_timesteps=4000), "4000 noise levels; 1000"),
    (changed("scheduler/scheduler_config.json", prediction_type="flow"), "'flow'; epsilon"),
    (changed("scheduler/scheduler_config.json", rescale_betas_zero_snr=True), "zero terminal SNR"),
    (lambda folder: (folder / "unet/config.json").write_text("{"), "unet/config.json cannot be read"),
    (lambda folder: (folder / "unet/config.json").write_text("[]"), "not what it should be"),
    (lambda folder: (folder / "unet/diffusion_pytorch_model.safetensors").rename(
        folder / "unet/diffusion_pytorch_model.bin"), "a pickle, which can run code"),
    (lambda folder: (folder / "unet/diffusion_pytorch_model.safetensors").unlink(), "no file diffusion_pytorch_model"),
])
def test_what_cannot_be_walked_is_refused_with_a_sentence(tmp_path: Path, harm: Callable[[Path], object], words: str) -> None:
    folder = saved(tmp_path / "theirs", DDPMPipeline(colour(), DDPMScheduler()))
    harm(folder)
    with pytest.raises(ModelFault, match=words) as caught:
        load(folder)
    assert str(tmp_path) not in str(caught.value) and "\n" not in str(caught.value)


def test_only_what_is_needed_is_wanted_of_a_repository() -> None:
    files = dict.fromkeys(["README.md", "samples.png", "model_index.json", "config.json", "scheduler_config.json",
                           "diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors"], 10)
    assert layout.wanted(files) == ("model_index.json", "config.json", "scheduler_config.json",
                                    "diffusion_pytorch_model.safetensors")
    parts = dict.fromkeys(["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
                           "vqvae/config.json", "vqvae/diffusion_pytorch_model.safetensors", "vqvae/x.bin",
                           "scheduler/scheduler_config.json"], 10)
    assert set(layout.wanted(parts)) == set(parts) - {"vqvae/x.bin"}


@pytest.mark.parametrize("files, words", [
    ({"config.json": 1, "diffusion_pytorch_model.bin": 9}, "a pickle"),
    ({"unet/config.json": 1, "unet/diffusion_pytorch_model.fp16.bin": 9}, "a pickle"),
    ({"README.md": 1}, "no diffusion model in diffusers' layout"),
    ({"config.json": 1}, "no file diffusion_pytorch_model"),
])
def test_a_repository_without_what_is_needed_is_refused(files: dict[str, int], words: str) -> None:
    with pytest.raises(ModelFault, match=words):
        layout.wanted(files)


def test_more_pictures_than_memory_are_refused_with_the_number() -> None:
    denoiser = Denoiser(colour())
    denoiser.shape = (3, 256, 256)
    with pytest.raises(BadInput, match="5 pictures of 256 x 256 .* 4 fit"):
        run_alone(sample(denoiser, Sample("toy", (-1,), count=5)))
