"""The reverse process against diffusers: the same weights, seed, sampler and steps give the same bits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMPipeline, DDPMPipeline

from engines import diffusion, runtime
from engines.diffusion import SAMPLERS, SCHEDULES, Begin, Sample, Step
from engines.diffusion.jobs import sample, to_bytes
from engines.diffusion.model import Denoiser
from engines.diffusion.process import alpha_bars, predicted_x_0, q_sample
from engines.diffusion.samplers import Sampler, scheduler
from engines.runtime import BadInput, models
from engines.runtime.trained import write_sums
from tests.engines.alone import run_alone
from tests.engines.diffusion.conftest import CLASSES, make_unet

EIGHT = np.random.default_rng(3).integers(0, 256, (8, 8, 1), dtype=np.uint8)


def ask(**changes) -> Sample:
    return replace(Sample("toy", labels=(2,), guidance=1.5, steps=6, count=2, seed=5), **changes)


def walked(denoiser: Denoiser, **changes) -> list[Step]:
    return run_alone(sample(denoiser, ask(**changes)))


def generators(seed: int, count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + k) for k in range(count)]


@torch.inference_mode()
def plain_loop(unet, p: Sample) -> torch.Tensor:
    """The loop that diffusers' documentation gives, with classifier-free guidance: (N, C, H, W)."""
    theirs = scheduler(p.sampler, p.schedule)
    theirs.set_timesteps(p.steps)
    random = generators(p.seed, p.count)
    x = torch.cat([torch.randn((1, 1, 8, 8), generator=each) for each in random]) * theirs.init_noise_sigma
    labels = torch.tensor([*p.labels * p.count, *[CLASSES] * p.count])
    extra = {"generator": random} if p.sampler in ("ddpm", "ddim") else {}
    extra |= {"eta": p.eta} if p.sampler == "ddim" else {}
    for t in theirs.timesteps:
        shown = theirs.scale_model_input(x, t)
        given, left_out = unet(torch.cat([shown, shown]), t, class_labels=labels).sample.chunk(2)
        x = theirs.step(left_out + p.guidance * (given - left_out), t, x, **extra).prev_sample
    return x


@pytest.mark.parametrize("steps", [1, 4, 7, 50])
@pytest.mark.parametrize(("sampler", "eta"), [*((each, 0.0) for each in SAMPLERS), ("ddim", 0.7)])
def test_the_same_bits_as_the_plain_loop(denoiser: Denoiser, sampler: str, eta: float, steps: int) -> None:
    changes = {"sampler": sampler, "eta": eta, "steps": steps}
    frames = walked(denoiser, **changes)
    assert [frame.index for frame in frames] == list(range(steps + 1))
    assert torch.equal(torch.from_numpy(frames[-1].x), plain_loop(denoiser.unet, ask(**changes)))


@pytest.mark.parametrize("schedule", ["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("steps", [1, 3, 7, 50, 333, 999, 1000])
def test_ddim_without_noise_has_diffusers_bits_at_every_step(schedule: str, steps: int) -> None:
    ours, theirs = Sampler("ddim", schedule, steps), scheduler("ddim", schedule)
    theirs.set_timesteps(steps)
    generator = torch.Generator().manual_seed(steps)
    for index, t in enumerate(theirs.timesteps):
        x, eps = torch.randn(2, 1, 3, 8, 8, generator=generator)
        assert torch.equal(ours.step(eps, index, x, []), theirs.step(eps, t, x).prev_sample), f"step {index}"


@pytest.mark.parametrize(("sampler", "pipeline"), [("ddpm", DDPMPipeline), ("ddim", DDIMPipeline)])
def test_the_same_bits_as_the_pipelines(sampler: str, pipeline) -> None:
    unet = make_unet(classes=0)
    theirs = pipeline(unet, scheduler(sampler))
    theirs.set_progress_bar_config(disable=True)
    pictures = theirs(batch_size=2, generator=generators(5, 2), num_inference_steps=10, output_type="np").images
    ours = walked(Denoiser(unet), labels=(-1,), sampler=sampler, steps=10)[-1]
    assert np.array_equal(np.rint(pictures * 255).astype(np.uint8), ours.x_t)
    assert np.array_equal((torch.from_numpy(ours.x) / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy(), pictures)


def test_channels_last_gives_the_same_picture(denoiser: Denoiser) -> None:
    plain = walked(denoiser)[-1].x
    assert np.abs(walked(denoiser.channels_last())[-1].x - plain).max() < 2e-3


def test_a_picture_is_the_same_whatever_stands_beside_it(denoiser: Denoiser) -> None:
    four = walked(denoiser, sampler="ddpm", count=4)[-1].x
    third = walked(denoiser, sampler="ddpm", count=1, seed=7)[-1].x
    assert np.allclose(four[2], third[0], atol=1e-4)


@pytest.mark.parametrize(("sampler", "eta"), [*((each, 0.0) for each in SAMPLERS), ("ddim", 1.0)])
def test_going_on_from_any_step_ends_at_the_same_picture(denoiser: Denoiser, sampler: str, eta: float) -> None:
    changes = {"sampler": sampler, "eta": eta, "steps": 8}
    frames = walked(denoiser, **changes)
    for index in (1, 4, 7, 8):
        begin = Begin(index, frames[index].x, frames[index - 1].x)
        again = walked(denoiser, **changes, begin=begin)
        assert [frame.index for frame in again] == list(range(index, 9))
        # Euler works in another scale: the way there and back costs the last bits
        assert np.allclose(again[-1].x, frames[-1].x, rtol=0, atol=1e-3 if sampler == "euler" else 0)


def test_a_branch_shares_its_past_and_not_its_future(denoiser: Denoiser) -> None:
    frames = walked(denoiser, sampler="ddpm")
    other = walked(denoiser, sampler="ddpm", seed=99, begin=Begin(3, frames[3].x))
    assert np.array_equal(other[0].x, frames[3].x) and not np.array_equal(other[-1].x, frames[-1].x)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_shown_of_a_step_hangs_together(denoiser: Denoiser, sampler: str) -> None:
    frames = walked(denoiser, sampler=sampler)
    for frame in frames[:-1]:
        level = round(frame.t)
        assert frame.alpha_bar == pytest.approx(alpha_bars()[level].item())
        a = torch.tensor(frame.alpha_bar)
        with torch.inference_mode():
            x = torch.from_numpy(frame.x)
            given, left_out = (denoiser(x, torch.full((2,), float(level)), torch.full((2,), label))
                               for label in (2, CLASSES))
        eps = left_out + 1.5 * (given - left_out)
        x_0 = to_bytes(predicted_x_0(x, a, eps)).astype(int)
        assert np.abs(frame.x_0.astype(int) - x_0).max() <= 1 + 255 * 1e-3
        assert np.array_equal(frame.x_t, to_bytes(x))
        assert np.abs(frame.eps.astype(int) - to_bytes(eps / 3).astype(int)).max() <= 1
        assert frame.with_label.shape == frame.without_label.shape == frame.x_0.shape
    assert frames[-1].alpha_bar == 1 and np.array_equal(frames[-1].x_t, frames[-1].x_0)


def test_one_branch_is_enough_where_guidance_needs_no_other(denoiser: Denoiser) -> None:
    for changes in ({"guidance": 1.0}, {"guidance": 0.0}, {"labels": (-1,)}):
        assert not walked(denoiser, **changes)[0].with_label.size
    none = walked(denoiser, labels=(-1,))[-1].x
    assert np.array_equal(walked(denoiser, guidance=0.0)[-1].x, none)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_network_is_asked_at_the_noise_it_was_trained_with(denoiser: Denoiser, schedule: str) -> None:
    sampler = Sampler("ddim", schedule, 20)
    trained = denoiser.trained_on.double()
    for told, alpha_bar in zip(sampler.told(denoiser.trained_on), sampler.alpha_bar.tolist()):
        if trained[-1] < alpha_bar < trained[0]:        # between the levels that it knows
            low, share = int(told), told - int(told)
            near = trained[low] + share * (trained[min(low + 1, 999)] - trained[low])
            assert near.item() == pytest.approx(alpha_bar, rel=0.01)
    assert len(walked(denoiser, schedule=schedule)) == 7


# --- pictures that are handed in ---------------------------------------------------------------------------------

def test_sdedit_returns_the_picture_at_zero_and_forgets_it_at_one(denoiser: Denoiser) -> None:
    kept = walked(denoiser, picture=EIGHT, strength=0.0)
    assert len(kept) == 1 and np.array_equal(kept[0].x_t, np.stack([EIGHT, EIGHT]))
    x = walked(denoiser, picture=EIGHT, strength=1.0)[0].x
    noise = walked(denoiser)[0].x
    assert np.abs(x - noise).max() < 0.02      # sqrt(alpha_bar) of the last level is 0.006


def test_sdedit_begins_at_the_level_that_was_asked_for(denoiser: Denoiser) -> None:
    frames = walked(denoiser, picture=EIGHT, strength=0.5, steps=10)
    assert frames[0].index == 5 and frames[0].t == 499
    picture = torch.from_numpy(EIGHT).permute(2, 0, 1)[None].float() / 127.5 - 1
    noise = torch.cat([torch.randn((1, 1, 8, 8), generator=each) for each in generators(5, 2)])
    assert np.array_equal(frames[0].x, q_sample(picture, alpha_bars()[499], noise).numpy())


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_inpainting_keeps_what_is_not_masked(denoiser: Denoiser, sampler: str) -> None:
    mask = np.zeros((8, 8), bool)
    mask[2:5, 3:7] = True
    last = walked(denoiser, sampler=sampler, picture=EIGHT, mask=mask)[-1]
    for picture in last.x_t:
        assert np.array_equal(picture[~mask], EIGHT[~mask]) and not np.array_equal(picture[mask], EIGHT[mask])


@pytest.mark.parametrize(("changes", "words"), [
    ({"labels": (CLASSES,)}, "The class is 3; this model knows 3"),
    ({"picture": np.zeros((9, 8, 1), np.uint8), "strength": 0.5}, "8 x 9 with 1 colours"),
    ({"begin": Begin(1, np.zeros((2, 1, 4, 4), np.float32))}, "start the run anew"),
])
def test_what_does_not_fit_the_model_is_refused(denoiser: Denoiser, changes: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        walked(denoiser, **changes)


def test_classes_are_refused_by_a_model_without(denoiser: Denoiser) -> None:
    with pytest.raises(BadInput, match="without classes"):
        walked(Denoiser(make_unet(classes=0)))


def test_visitors_share_passes_and_get_their_own_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sixteen visitors at once, each with a seed, a sampler and a number of steps of their own."""
    folder = tmp_path / "toy"
    make_unet().save_pretrained(folder / "unet")
    scheduler("ddpm").save_config(folder / "scheduler")
    (folder / "config.json").write_text('{"classes": ["a", "b", "c"]}')
    write_sums(folder)
    monkeypatch.setenv(models.BUNDLED, str(tmp_path))
    asks = [ask(count=1, seed=k, sampler=SAMPLERS[k % 4], steps=5 + k % 3) for k in range(16)]
    denoiser = Denoiser(make_unet()).channels_last()     # before from_pretrained switches initialisation off for all
    runs = [runtime.start(diffusion.sample, params, session=str(k)) for k, params in enumerate(asks)]
    for params, run in zip(asks, runs, strict=True):
        frames = list(run)
        assert len(frames) == params.steps + 1
        assert np.abs(frames[-1].x - run_alone(sample(denoiser, params))[-1].x).max() < 2e-3
