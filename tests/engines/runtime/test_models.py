"""Model folders, their checks, and the models resident in memory."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engines import runtime
from engines.runtime import BadInput, ModelFault, ModelRef, OutOfMemory, models, trained
from tests.engines.runtime import toy_jobs as toys
from tests.engines.runtime.conftest import make_model, until

LOADER = f"{toys.HERE}:load"
Ask = toys.Ask


def refs(*names: str) -> tuple[ModelRef, ...]:
    return tuple(ModelRef(name, LOADER) for name in names)


def residents(kilobytes: int) -> models.Residents:
    import torch
    return models.Residents(torch.device("cpu"), kilobytes * 1024)


# --- folders -----------------------------------------------------------------------------------------------------

def test_names_resolve_and_nothing_else_does(home: Path) -> None:
    assert models.names() == ("toy-a", "toy-b", "toy-c")
    assert models.folder("toy-a") == home / "toy-a"
    for name in ("", "toy-z", "../toy-a", "/etc", "toy-a/../toy-b", "trained/../../etc", "Toy-A", "x" * 5000):
        with pytest.raises(BadInput) as caught:
            models.folder(name)
        assert "choose one of toy-a, toy-b, toy-c" in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("harm, sentence", [
    (lambda file: file.write_bytes(file.read_bytes()[:-20]), "truncated: it has"),
    (lambda file: file.write_bytes(file.read_bytes()[:4]), "truncated: it has 4 bytes"),
    (lambda file: file.write_bytes(b""), "truncated: it has 0 bytes"),
    (lambda file: file.write_bytes(file.read_bytes()[:-1] + b"x"), "is not the file that was published"),
    (lambda file: file.write_bytes(b"\x10" + bytes(7) + b"no json at all.." + bytes(50)), "is no safetensors file"),
    (lambda file: file.unlink(), "is missing"),
    (lambda file: (file.parent / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
    (lambda file: (file.parent / "config.json").write_text("{ }"), "config.json is not the file"),
    (lambda file: (file.parent / "model.pt").write_bytes(b"x"), "format that can run code"),
])
def test_a_harmed_folder_gives_one_sentence_that_names_the_file(thread: None, home: Path, harm, sentence: str) -> None:
    harm(home / "toy-a" / "model.safetensors")
    for _ in range(2):
        with pytest.raises(ModelFault, match=sentence) as caught:
            runtime.start(toys.ask, Ask("toy-a")).result(timeout=10)
        assert "toy-a/" in str(caught.value) and str(home) not in str(caught.value) and "\n" not in str(caught.value)
    assert runtime.start(toys.ask, Ask("toy-b")).result(timeout=10).pixels[0, 0] == 2.5


def test_weights_that_do_not_fit_give_a_sentence_too(thread: None, home: Path) -> None:
    from safetensors.numpy import save_file
    import numpy as np
    save_file({"other": np.ones(3, np.float16)}, home / "toy-a" / "model.safetensors")
    trained.write_sums(home / "toy-a")
    with pytest.raises(ModelFault, match="toy-a could not be read"):
        runtime.start(toys.ask, Ask("toy-a")).result(timeout=10)


def test_a_trained_model_is_kept_checked_and_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(trained.FOLDER, str(tmp_path / "kept"))
    monkeypatch.setattr(trained, "MAX_MODELS", 3)
    names = []
    for k in range(5):
        names.append(trained.keep(lambda folder: (folder / "config.json").write_text("{}")))
        stamp = time.time() - 100 + k
        os.utime(models.folder(names[-1]), (stamp, stamp))
    assert len(list((tmp_path / "kept").iterdir())) == 3
    models.check(models.folder(names[-1]))
    with pytest.raises(ModelFault, match="cleared away"):
        models.folder(names[0])

    def fails(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError("disk full")
    with pytest.raises(OSError):
        trained.keep(fails)
    assert len(list((tmp_path / "kept").iterdir())) == 3


# --- memory ------------------------------------------------------------------------------------------------------

def test_idle_models_leave_least_recently_used_first(home: Path) -> None:
    held = residents(kilobytes=1)                       # a toy is 256 bytes in memory
    for name in ("toy-a", "toy-b", "toy-c", "toy-a"):
        assert held.lease(refs(name)) is not None
        held.release(refs(name))
        time.sleep(0.002)
    make_model(home, "toy-large", size=14)              # 784 bytes: one of the three may stay
    assert held.lease(refs("toy-large")) is not None
    assert [name for name, _ in held.listed()] == ["toy-large"] or held.listed()[-1][0] == "toy-a"
    assert "toy-b" not in dict(held.listed())


def test_leased_models_stay_and_the_next_waits(home: Path) -> None:
    held = residents(kilobytes=1)
    modules = held.lease(refs("toy-a"), 512)
    again = held.lease(refs("toy-a"))
    assert modules[0] is again[0] and held.leases() == 2
    assert held.lease(refs("toy-b"), 512) is None       # 256 + 512 + 256 + 512 > 1024, and a lease will end
    held.release(refs("toy-a"), 512)
    held.release(refs("toy-a"))
    assert held.lease(refs("toy-b"), 512) is not None
    held.release(refs("toy-b"), 512)
    with pytest.raises(OutOfMemory, match="needs 1 MB, and the gallery may use 0 MB"):
        held.lease(refs("toy-c"), 1024 * 1024)
    assert held.leases() == 0 and held.reserved == 0


def test_a_fault_among_several_models_gives_all_leases_back(home: Path) -> None:
    held = residents(kilobytes=4)
    (home / "toy-b" / "model.safetensors").unlink()
    with pytest.raises(ModelFault):
        held.lease(refs("toy-a", "toy-b"))
    assert held.leases() == 0


def test_runs_wait_in_line_for_memory(thread: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_MEMORY_MB", "100")      # one run of 64 MB at a time
    runtime.configure(mode="thread", device="cpu")
    runtime.warm(timeout=30)
    runs = [runtime.start(toys.hold, Ask(name, rounds=5), session=name) for name in ("toy-a", "toy-b", "toy-c")]
    until(lambda: [run.status.state for run in runs][1:] == ["queued", "queued"])
    assert [run.result(timeout=10).note for run in runs] == ["torch.float32"] * 3


def test_a_paused_run_at_the_head_of_the_line_holds_nobody_up(thread: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLERY_MEMORY_MB", "100")
    runtime.configure(mode="thread", device="cpu")
    first = runtime.start(toys.count, toys.Count(40, seconds=0.01), session="a")
    paused = runtime.start(toys.count, toys.Count(3), session="b")
    third = runtime.start(toys.count, toys.Count(3), session="c")
    paused.pause()
    assert first.result(timeout=10).n == 39 and third.result(timeout=10).n == 2
    paused.resume()
    assert paused.result(timeout=10).n == 2


def test_warming_loads_ahead_and_tells(thread: None, home: Path) -> None:
    runtime.warm(refs("toy-a", "toy-nowhere"))
    until(lambda: dict(runtime.state().models) == {"toy-a": 256})
