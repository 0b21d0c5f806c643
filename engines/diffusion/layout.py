"""What a folder in diffusers' layout holds, read from its small files: no torch, nothing loaded.

    <folder>/model_index.json                 the pipeline's name (may be missing)
    <folder>/unet/ or <folder> itself         config.json, diffusion_pytorch_model.safetensors: a UNet2DModel
    <folder>/scheduler/ or <folder> itself    scheduler_config.json: the schedule that it was trained with
    <folder>/vqvae/ or <folder>/vae/          the first stage of a latent diffusion model (Rombach et al. 2022,
                                              arXiv:2112.10752), a VQModel or an AutoencoderKL
    <folder>/config.json                      in folders of this gallery: dataset, names of the classes, measured quality
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.diffusion import TRAINED
from engines.runtime import ModelFault, models

T = 1000                                    # noise levels that a model must know
FIRST_STAGES = ("vqvae", "vae")
MOST_SIDE = 1024                            # pixels of a picture that a page can be sent, step after step
NAMED = {"linear": "linear", "squaredcos_cap_v2": "cosine", "sigmoid": "sigmoid"}
PREDICTS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True)
class Layout:
    """unet, first_stage: their folders (none: it works on pixels). image: (H, W, C) of the pictures it makes.
    state: (C, H, W) of what it walks through. classes: names, in the order of their numbers. free: whether "no
    class" may be asked for. schedule: the one it was trained with, "trained" where it is none of those with a name.
    """

    unet: Path
    first_stage: Path | None
    image: tuple[int, int, int]
    state: tuple[int, int, int]
    classes: tuple[str, ...]
    free: bool
    scheduler: dict[str, Any]
    schedule: str
    predicts: str
    parameters: int


def read(folder: Path) -> Layout:
    """Raises ModelFault, with what to do, for a folder that cannot be walked through here."""
    index = _json(folder / "model_index.json")
    unet = folder / "unet" if (folder / "unet").is_dir() else folder
    config = _json(unet / "config.json")
    _check_network(folder, index, config)
    weights = unet / "diffusion_pytorch_model.safetensors"
    if not weights.is_file():
        raise ModelFault(_no_weights(models.shown(unet), [path.name for path in unet.iterdir()]))
    side = config["sample_size"]
    height, width = (side, side) if isinstance(side, int) else side
    first_stage = next((folder / name for name in FIRST_STAGES if (folder / name / "config.json").is_file()), None)
    scheduler = _json(folder / "scheduler" / "scheduler_config.json") or _json(folder / "scheduler_config.json")
    schedule, predicts = _schedule(scheduler)
    classes, free = _classes(_json(folder / "config.json"), config)
    state = int(config["in_channels"]), int(height), int(width)
    image = (state[1], state[2], state[0]) if first_stage is None else _decoded(first_stage, state)
    if max(image[:2]) > MOST_SIDE or image[2] not in (1, 3):
        raise ModelFault(f"This model makes pictures of {image[1]} x {image[0]} with {image[2]} channels; up to "
                         f"{MOST_SIDE} x {MOST_SIDE}, grey or in colour, can be shown: choose another model.")
    parameters = sum(models.elements(path) for each in (unet, first_stage) if each is not None
                     for path in each.glob("diffusion_pytorch_model*.safetensors"))
    return Layout(unet, first_stage, image, state, classes, free, scheduler, schedule, predicts, parameters)


def wanted(files: dict[str, int]) -> tuple[str, ...]:
    """Of a repository's files (path -> bytes), those that `read` and the loader need.

    Raises ModelFault where the weights are there as pickles only, or not at all.
    """
    unet = "unet/" if "unet/config.json" in files else ""
    if f"{unet}config.json" not in files:
        raise ModelFault("This is no diffusion model in diffusers' layout (it has no config.json of a network): "
                         "choose another model.")
    first_stage = next((f"{name}/" for name in FIRST_STAGES if f"{name}/config.json" in files), None)
    chosen = [name for name in ("model_index.json", "config.json", "scheduler_config.json",
                                "scheduler/scheduler_config.json") if name in files]
    for part in (unet, first_stage):
        if part is None:
            continue
        weights = f"{part}diffusion_pytorch_model.safetensors"
        if weights not in files:
            here = [name.removeprefix(part) for name in files if name.startswith(part)]
            raise ModelFault(_no_weights(part.rstrip("/") or "The model", here))
        chosen += [f"{part}config.json", weights]
    return tuple(dict.fromkeys(chosen))


def _no_weights(where: str, files: list[str]) -> str:
    pickled = [name for name in files if name.endswith(models.PICKLES)]
    if pickled:
        return (f"{where} has its weights as {pickled[0]} only, a pickle, which can run code when it is read; only "
                "safetensors files are loaded here: convert it (save_pretrained with safe_serialization) and try again.")
    return f"{where} has no file diffusion_pytorch_model.safetensors: choose another model, or fetch it again."


def _check_network(folder: Path, index: dict[str, Any], config: dict[str, Any]) -> None:
    kind = config.get("_class_name")
    if kind == "UNet2DConditionModel" or "text_encoder" in index:
        raise ModelFault("This model is steered by a text; models without a class or with classes can be walked through "
                         "here: choose one such as google/ddpm-cifar10-32.")
    if kind != "UNet2DModel":
        raise ModelFault(f"{models.shown(folder)} is no diffusion model that can be walked through here: its network is "
                         f"{str(kind or 'not named')[:40]}, and UNet2DModel of diffusers is understood.")
    if not isinstance(config.get("sample_size"), (int, list)):
        raise ModelFault("The model's config.json does not say how large its pictures are (sample_size): add it.")
    if config.get("class_embed_type") not in (None, "timestep") or config.get("class_embed_type") and not \
            config.get("num_class_embeds"):
        raise ModelFault(f"This model takes its classes in a form that is not understood here "
                         f"({config['class_embed_type']!r}): choose another model.")
    if config.get("out_channels") != config.get("in_channels"):
        raise ModelFault("This model also predicts a variance, which is not understood here: choose another model.")


def _schedule(scheduler: dict[str, Any]) -> tuple[str, str]:
    """(the schedule's name or "trained", what the network predicts)."""
    levels, predicts = scheduler.get("num_train_timesteps", T), scheduler.get("prediction_type", "epsilon")
    if levels != T:
        raise ModelFault(f"This model knows {levels} noise levels; {T} are understood here: choose another model.")
    if predicts not in PREDICTS:
        raise ModelFault(f"This model predicts {str(predicts)[:40]!r}; {', '.join(PREDICTS)} are understood here: "
                         "choose another model.")
    if scheduler.get("rescale_betas_zero_snr"):
        raise ModelFault("This model was trained down to noise without any picture in it (zero terminal SNR), where no "
                         "clean picture can be read off the noise: choose another model.")
    plain = scheduler.get("beta_start", 1e-4) == 1e-4 and scheduler.get("beta_end", 0.02) == 0.02
    kind = NAMED.get(scheduler.get("beta_schedule", "linear"))
    named = kind is not None and (plain or kind == "cosine") and not scheduler.get("trained_betas")
    return (kind if named else TRAINED), predicts


def _classes(ours: dict[str, Any], config: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    count = int(config.get("num_class_embeds") or 0)
    named = tuple(map(str, ours.get("classes") or ()))
    if count and len(named) == count - 1:
        return named, True                  # the last one that the network knows stands for "no class"
    return (named if len(named) == count else tuple(f"class {number}" for number in range(count))), False


def _decoded(first_stage: Path, state: tuple[int, int, int]) -> tuple[int, int, int]:
    """(H, W, C) of the pictures that a first stage makes of a latent (C, h, w). Raises ModelFault."""
    config = _json(first_stage / "config.json")
    if config.get("_class_name") not in ("VQModel", "AutoencoderKL"):
        raise ModelFault(f"The first stage of this model is {str(config.get('_class_name'))[:40]}; VQModel and "
                         "AutoencoderKL are understood here: choose another model.")
    weights = first_stage / "diffusion_pytorch_model.safetensors"
    if not weights.is_file():
        raise ModelFault(_no_weights(models.shown(first_stage), [path.name for path in first_stage.iterdir()]))
    times = 2 ** (len(config.get("block_out_channels", [0])) - 1)
    return state[1] * times, state[2] * times, int(config.get("out_channels", 3))


def _json(path: Path) -> dict[str, Any]:
    """{} where there is no such file. Raises ModelFault for one that cannot be read."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ModelFault(f"{models.shown(path)} cannot be read: fetch it again.") from fault
    if not isinstance(found, dict):
        raise ModelFault(f"{models.shown(path)} is not what it should be: fetch it again.")
    return found
