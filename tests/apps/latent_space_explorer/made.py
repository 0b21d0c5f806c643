"""Pictures made for tests: files of every awkward kind, and a small real model to read them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from engines import data


def digit(index: int = 0) -> np.ndarray:
    """A bundled MNIST test picture, uint8 (28, 28)."""
    return data.load("mnist", "test").images[index, :, :, 0]


def encoded(image: np.ndarray | Image.Image, kind: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **how)
    return out.getvalue()


def drawing(scale: int = 8, side: int = 400, at: tuple[int, int] = (60, 110), index: int = 0) -> np.ndarray:
    """A digit enlarged to whole squares, anywhere on a dark ground: uint8 (side, side)."""
    whole = np.zeros((side, side), np.uint8)
    large = np.kron(digit(index), np.ones((scale, scale), np.uint8))
    whole[at[0]:at[0] + len(large), at[1]:at[1] + len(large)] = large
    return whole


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size; its pixels were never written."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def small_model(home: Path, name: str, dataset: str, latent: int, kind: str = "vae", pictures: int = 300) -> None:
    """A real model of a few thousand weights, untrained, in the layout of the bundled ones: home/name/..."""
    import torch
    from safetensors.numpy import save_file

    from engines.runtime import trained
    from engines.vae import model as paper

    images = data.load(dataset, "test").images[:pictures]
    torch.manual_seed(0)
    shape = paper.Architecture(images.shape[1:], latent, kind, width=16, encoder_depth=1, decoder_depth=1)
    vae = paper.VAE(shape).eval()
    with torch.inference_mode():
        for part in (vae.encoder[-1], vae.decoder[0]):        # spread the codes, so that neighbours differ
            part.weight.mul_(3)
        mu, logvar = vae.encode(paper.to_float(torch.tensor(images)))
    folder = home / name
    folder.mkdir(parents=True)
    paper.save(vae, folder, name=name, dataset=dataset, beta=1.0)
    codes = {"mu": mu.numpy().astype(np.float16), "logvar": logvar.numpy().astype(np.float16)}
    save_file(codes, folder / "codes.safetensors")
    trained.write_sums(folder)
