"""The compiled network: taken up when it is there and right, never waited for, never trusted unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engines.diffusion import compiled, lean, unlocked
from engines.diffusion.model import Denoiser, load
from engines.diffusion.samplers import scheduler
from engines.runtime import device
from engines.runtime.trained import write_sums
from tests.engines.diffusion.conftest import make_unet


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy model in diffusers' layout, a cache of its own, and compiling switched on."""
    monkeypatch.setenv(compiled.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv(compiled.SWITCH, "1")
    monkeypatch.setattr(compiled, "LOOK_S", 0.0)
    monkeypatch.setattr(lean, "ROWS", ())           # what serves meanwhile is the plain network to the bit
    place = tmp_path / "ddpm-toy"
    make_unet().save_pretrained(place / "unet")
    scheduler("ddpm").save_config(place / "scheduler")
    write_sums(place)
    return place


def asked(rows: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(rows)
    return torch.randn(rows, 1, 8, 8), torch.full((rows,), 300.0), torch.arange(rows) % 4


def picky(least: int = 2, most: int = 48) -> Callable[..., Tensor]:
    def function(x: Tensor, t: Tensor) -> Tensor:
        assert least <= len(x) == len(t) <= most
        return x + t[:, None]
    return function


@pytest.mark.parametrize("rows", [1, 2, 47, 48, 49, 96, 130])
def test_any_number_of_rows_is_served(rows: int) -> None:
    x, t = torch.randn(rows, 3), torch.arange(float(rows))
    assert torch.equal(compiled._any_rows(picky())(x, t), x + t[:, None])


def test_switched_off_it_is_never_begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.SWITCH, "0")
    monkeypatch.setattr(subprocess, "Popen", None)
    denoiser = load(folder)
    assert torch.equal(denoiser(*asked(3)), denoiser._plain(*asked(3)))


def test_a_compiler_that_fails_leaves_the_plain_network(folder: Path, monkeypatch: pytest.MonkeyPatch,
                                                        caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(compiled, "possible", lambda: True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    denoiser = load(folder)
    denoiser(*asked(2))
    denoiser.compiled._process.wait(20)
    for _ in range(3):
        assert torch.equal(denoiser(*asked(2)), denoiser._plain(*asked(2)))
    assert denoiser.compiled.given_up == {"2"} and "the plain network serves" in caplog.text


@pytest.mark.parametrize("fault", ["wrong", "broken"])
def test_a_package_that_is_wrong_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(compiled, "possible", lambda: True)
    file = compiled.package(folder, "2")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"not a package")
    if fault == "wrong":
        monkeypatch.setattr(unlocked, "load", lambda path, callers: lambda x, t, labels: x + 1)
    denoiser = load(folder)
    for _ in range(2):
        assert torch.equal(denoiser(*asked(2)), denoiser._plain(*asked(2)))
    assert denoiser.compiled.given_up == {"2"} and file.exists() == (fault == "broken")


def test_other_weights_have_another_place(folder: Path) -> None:
    before = compiled.package(folder)
    make_unet(seed=1).save_pretrained(folder / "unet")
    write_sums(folder)
    assert compiled.package(folder) != before and compiled.package(folder) != compiled.package(folder, "1")


class StillAtWork:
    """A compiler that has not come to the end."""

    def poll(self) -> None:
        return None


def no_library(path: str) -> None:
    raise OSError("no such way here")


def test_where_a_compiled_network_fails_the_plain_one_serves(caplog: pytest.LogCaptureFixture) -> None:
    def fails(*args: Tensor) -> Tensor:
        raise RuntimeError("injected")
    assert compiled._safely(fails, lambda x: x + 1)(torch.zeros(2)).tolist() == [1, 1] and "injected" in caplog.text


def test_a_compiled_network_gives_the_same_and_is_taken_up_by_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For real where there is a C++ compiler; where there is none, the plain network serves and nothing is begun."""
    monkeypatch.setattr(device, "hands", lambda: 1)
    denoiser = load(folder)
    if not compiled.possible():
        denoiser(*asked(2))
        assert denoiser.compiled.given_up == {"2"} and denoiser.compiled._process is None
        return
    monkeypatch.setattr(compiled, "FIXED", {"freezing": True})      # to look for the quickest of all ways takes minutes
    compiled.compile_to(folder)             # here, because its process waits for a quiet moment
    compiled.compile_to(folder, "1")
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **named: StillAtWork())
    with torch.inference_mode():
        for rows in (1, 5, 60, 2):
            found, wanted = denoiser(*asked(rows)), denoiser._plain(*asked(rows))
            assert torch.allclose(found, wanted, atol=1e-4)
        x, t, labels = asked(1)
        assert torch.allclose(denoiser(x, t.long(), labels), denoiser._plain(x, t, labels), atol=1e-4)
        assert set(denoiser.compiled.taken) == {"1", "any"}     # two rows are served by the package for any number
        # side by side
        monkeypatch.setattr(device, "hands", lambda: 3)
        denoiser = load(folder)
        for rows in (4, 5, 7, 60):
            for _ in range(3):
                assert torch.allclose(denoiser(*asked(rows)), denoiser._plain(*asked(rows)), atol=1e-4)
        assert set(denoiser.compiled.taken) == {"any"}
        # a model that is taken up again brings no second library, for the first is never let go; one written anew does
        file = compiled.package(folder)
        first = unlocked.load(file, 2)
        assert unlocked.load(file, 2) is first
        os.utime(file, (1, 1))
        assert unlocked.load(file, 2) is not first
        # by torch's own loader, where there is no other way
        unlocked._loaded.cache_clear()
        monkeypatch.setattr(unlocked.ctypes, "CDLL", no_library)
        assert torch.allclose(compiled._load(compiled.package(folder))(*asked(5)), denoiser._plain(*asked(5)), atol=1e-4)


def test_the_compiling_process_ends_with_its_parent(folder: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "engines.diffusion.compiled", str(folder)],
                               stdin=subprocess.PIPE, env=dict(os.environ))
    process.stdin.close()
    assert process.wait(60) == 1


def test_the_compiling_process_ends_well_when_nothing_is_left_to_do(folder: Path) -> None:
    for shape in compiled.SHAPES:
        file = compiled.package(folder, shape)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    with subprocess.Popen([sys.executable, "-m", "engines.diffusion.compiled", str(folder)], stdin=subprocess.PIPE,
                          env=dict(os.environ)) as process:
        assert process.wait(120) == 0


def test_without_checksums_nothing_is_compiled(folder: Path) -> None:
    (folder / "SHA256SUMS").unlink()
    assert load(folder).compiled is None and Denoiser(make_unet()).compiled is None


def test_what_a_killed_compiler_left_is_swept_away(folder: Path) -> None:
    old, new = compiled.cache() / "tmpold", compiled.cache() / "tmpnew"
    old.mkdir(parents=True), new.mkdir()
    os.utime(old, (1, 1))
    compiled.sweep()
    assert not old.exists() and new.exists()
