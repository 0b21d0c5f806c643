"""What strangers send: each awkward file is either read rightly or answered with one plain sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engines.runtime import BadInput
from gallery import limits, upload
from gallery.upload import open_picture, short_name
from tests.apps.latent_space_explorer.made import drawing, encoded, png_claiming

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def refusal(data: bytes, name: str = "photo.png") -> str:
    with pytest.raises(BadInput) as caught:
        open_picture(data, name)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "Traceback" not in sentence and len(sentence) < 300
    return sentence


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(open_picture(data, "photo").image)


@pytest.mark.parametrize("width, height, told", [(8000, 5000, "40 megapixels"), (30000, 30000, "megapixels"),
                                                 (2**31 - 1, 2, "megapixels")])
def test_a_picture_of_40_megapixels_is_refused_by_its_header(width: int, height: int, told: str) -> None:
    data = png_claiming(width, height)
    assert len(data) < 200
    sentence = refusal(data)
    assert told in sentence and f"{limits.UPLOAD_PIXELS / 1e6:.0f} megapixels" in sentence and "smaller" in sentence


def test_a_real_picture_of_40_megapixels_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("L", (8000, 5000), 255))

    def never(self: Image.Image) -> None:
        raise AssertionError("it was decoded")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", never)
    assert "40 megapixels" in refusal(data)


def test_a_file_that_is_too_heavy_is_refused_by_its_weight() -> None:
    assert f"{limits.UPLOAD_BYTES / 1e6:.0f} MB" in refusal(b"\0" * (limits.UPLOAD_BYTES + 1))


@pytest.mark.parametrize("data, told", [
    (b"", "0 bytes"),
    (SVG, "SVG"),
    (b"\xef\xbb\xbf  <svg viewBox='0 0 1 1'/>", "SVG"),
    (b"dear gallery, this is a text file named .png", "not a picture"),
    (b"<html><body>no</body></html>", "not a picture"),
    (b"\x89PNG\r\n\x1a\n", "not a picture"),
    (b"%PDF-1.7", "not a picture"),
    (b"PK\x03\x04", "not a picture"),
    (b"GIF89a", "not a picture"),
])
def test_what_is_no_picture_is_told_in_one_sentence(data: bytes, told: str) -> None:
    assert told in refusal(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_picture_cut_short_is_told(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(noise, kind)
    for share in (0.3, 0.6, 0.9):
        assert re.search("damaged|cut short|not a picture", refusal(data[:int(len(data) * share)]))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400),
       st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF\x40\0\0\0WEBP"]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    try:
        open_picture(start + data, "file")
    except BadInput as fault:
        assert str(fault).endswith(".")


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 600), st.integers(0, 255), st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP"]))
def test_a_picture_with_a_wrong_byte_is_read_or_refused(at: int, byte: int, kind: str) -> None:
    data = bytearray(encoded(drawing(side=240, at=(4, 4)), kind))
    data[at % len(data)] = byte
    try:
        open_picture(bytes(data), "file")
    except BadInput as fault:
        assert str(fault).endswith(".")


def test_an_animated_gif_gives_its_first_frame() -> None:
    frames = [Image.new("L", (20, 20), level) for level in (250, 120, 10)]
    opened = open_picture(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "a.gif")
    assert abs(int(np.asarray(opened.image)[5, 5, 0]) - 250) < 4
    assert "first of 3 frames taken" in opened.notes


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    red = Image.new("RGB", (40, 40), (200, 30, 40)).convert("CMYK")
    assert np.abs(pixels(encoded(red, "JPEG", quality=95))[20, 20, :3].astype(int) - (200, 30, 40)).max() < 12


def test_a_16_bit_png_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(64, 0)
    found = pixels(encoded(Image.fromarray(ramp)))[0, :, 0].astype(int)
    assert np.abs(found - np.linspace(0, 255, 64)).max() <= 1


def test_the_camera_s_orientation_is_undone() -> None:
    image = Image.new("RGB", (60, 40), "white")
    image.paste("black", (0, 0, 20, 40))                    # the left third is dark
    exif = Image.Exif()
    exif[0x0112] = 6                                        # turn by 90° clockwise to view
    opened = open_picture(encoded(image, "JPEG", exif=exif, quality=95), "phone.jpg")
    assert opened.image.size == (40, 60) and "turned upright" in opened.notes
    upright = np.asarray(opened.image)[..., 0]
    assert upright[:15].max() < 80 and upright[30:].min() > 180


def test_a_palette_with_a_transparent_entry_is_transparent() -> None:
    image = Image.new("P", (20, 20), 0)
    image.putpalette([255, 0, 255, 10, 20, 30])
    image.paste(1, (5, 5, 15, 15))
    found = pixels(encoded(image, transparency=0))
    assert found[0, 0, 3] == 0 and tuple(found[10, 10]) == (10, 20, 30, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_png_is_read(mode: str) -> None:
    assert pixels(encoded(Image.new("RGBA", (9, 9), "white").convert(mode))).shape == (9, 9, 4)


def test_a_large_picture_is_reduced_at_once() -> None:
    assert max(open_picture(encoded(Image.new("L", (3000, 2000), 200)), "large").image.size) == upload.WORKING_SIDE


def test_a_picture_of_a_few_pixels_is_refused() -> None:
    assert "3 × 2" in refusal(encoded(np.zeros((2, 3), np.uint8)))


@given(st.text(max_size=300))
def test_a_file_name_stays_one_short_line(name: str) -> None:
    short = short_name(name)
    assert 0 < len(short) <= 40 and short.isprintable()


def test_markup_in_a_file_name_is_passed_on_as_text_for_the_page_to_escape() -> None:
    assert refusal(b"no", "<b id=canary>.png").startswith("<b id=canary>.png is not a picture")
    assert "\u202e" not in short_name("evil\u202egnp.exe")
