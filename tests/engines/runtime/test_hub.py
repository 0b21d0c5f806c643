"""Models of the Hub and of the host's own folders: names, permission, asking, refusing in time, fetching, stopping."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.runtime import BadInput, Cancelled, ModelFault, hub, models
from tests.engines.runtime.toy_hub import ToyHub, toy_hub

NAME = "someone/some-model"
FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 400, "model.bin": b"pickle"}


def everything_safe(files: dict[str, int]) -> tuple[str, ...]:
    return tuple(path for path in files if not path.endswith(".bin"))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ToyHub]:
    """A Hub with one model, and an empty cache."""
    from huggingface_hub import constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(hub.POLICY, raising=False)
    with toy_hub() as server:
        server.repositories[NAME] = dict(FILES)
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


# --- names and permission ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, is_id, is_own", [
    ("google/ddpm-cifar10-32", True, False), ("a/b", True, False), ("folder:mine", False, True),
    ("trained/0123456789abcdef", False, False), ("ddpm-mnist", False, False), ("a/b/c", False, False),
    ("../a", False, False), ("a/..", False, False), ("/etc", False, False), ("folder:../x", False, False),
    ("folder:", False, False), ("a/b\n", False, False), ("http://a/b", False, False), ("a/" + "b" * 97, False, False),
])
def test_names_are_told_apart(name: str, is_id: bool, is_own: bool) -> None:
    assert (hub.is_id(name), hub.is_own(name)) == (is_id, is_own)


@pytest.mark.parametrize("policy, name, allowed", [
    ("any", NAME, True), ("", NAME, True), ("curated", NAME, False), ("curated", "the/chosen", True),
    ("bundled", "the/chosen", False),
])
def test_the_host_decides_what_may_be_used(monkeypatch: pytest.MonkeyPatch, policy: str, name: str, allowed: bool) -> None:
    monkeypatch.setenv(hub.POLICY, policy)
    if allowed:
        return hub.permit(name, ("the/chosen",))
    with pytest.raises(BadInput, match="of your own"):
        hub.permit(name, ("the/chosen",))


def test_a_word_that_is_no_policy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hub.POLICY, "everything")
    with pytest.raises(BadInput, match="it may be bundled, curated, any"):
        hub.policy()


def test_the_hosts_own_folders_are_found_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(hub.FOLDERS, str(tmp_path))
    assert hub.own() == ("folder:faces",)
    assert models.folder("folder:faces") == tmp_path / "faces"
    with pytest.raises(BadInput, match="choose one of folder:faces"):
        models.folder("folder:other")
    monkeypatch.setenv(hub.FOLDERS, str(tmp_path / "nowhere"))
    assert hub.own() == ()
    with pytest.raises(BadInput, match="put one into models/ first"):
        models.folder("folder:faces")


# --- asking and fetching -----------------------------------------------------------------------------------------

def test_a_model_is_looked_at_and_then_fetched(there: ToyHub) -> None:
    offer = hub.ask(NAME, everything_safe)
    assert dict(offer.files) == {"config.json": 2, "model.safetensors": 102_400}
    assert (offer.bytes, offer.weights, offer.licence) == (102_402, 102_400, "apache-2.0")
    with pytest.raises(ModelFault, match="not on this machine yet"):
        models.folder(NAME)
    seen: list[int] = []
    place = hub.fetch(offer, seen.append)
    assert seen[-1] == offer.bytes and seen == sorted(seen)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == \
        {path: content for path, content in FILES.items() if path != "model.bin"}
    assert models.folder(NAME) == place == hub.fetched(NAME)


def test_what_was_fetched_works_without_the_hub(there: ToyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    place = hub.fetch(hub.ask(NAME, everything_safe))
    asked = len(there.asked)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert models.folder(NAME) == place and len(there.asked) == asked


def test_a_host_with_bundled_models_only_does_not_show_what_the_cache_holds(there: ToyHub,
                                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    hub.fetch(hub.ask(NAME, everything_safe))
    monkeypatch.setenv(hub.POLICY, "bundled")
    with pytest.raises(BadInput, match="bundled models only"):
        models.folder(NAME)


def test_a_download_can_be_stopped_and_taken_up_again(there: ToyHub) -> None:
    offer, stop = hub.ask(NAME, everything_safe), threading.Event()

    def told(done: int) -> None:
        if done:
            stop.set()
    with pytest.raises(Cancelled, match="stopped"):
        hub.fetch(offer, told, stop)
    assert hub.fetch(offer).is_dir()


@pytest.mark.parametrize("name, error, words", [
    ("someone/nothing", BadInput, "has no model someone/nothing"),
    ("no id", BadInput, "written owner/model"),
    ("someone/gated", ModelFault, "members who accepted its terms"),
])
def test_what_the_hub_does_not_give_is_told(there: ToyHub, name: str, error: type[Exception], words: str) -> None:
    there.gates.add("someone/gated")
    with pytest.raises(error, match=words):
        hub.ask(name, everything_safe)


def test_offline_is_one_sentence(there: ToyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelFault, match="cannot be reached from here.*work offline") as caught:
        hub.ask(NAME, everything_safe)
    assert "127.0.0.1" not in str(caught.value)


def test_a_line_that_breaks_leaves_nothing_half(there: ToyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)         # the library waits between its attempts
    offer = hub.ask(NAME, everything_safe)
    there.broken.add("model.safetensors")
    with pytest.raises(ModelFault, match="cannot be reached"):
        hub.fetch(offer)
    place = hub.fetched(NAME)
    assert place is None or not (place / "model.safetensors").exists()


def test_what_is_too_large_is_refused_before_a_byte_is_fetched(there: ToyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    there.sizes["model.safetensors"] = 5 * 10**9
    offer = hub.ask(NAME, everything_safe)
    with pytest.raises(BadInput, match=r"weights of 5,000 MB, and the gallery may use 2,000 MB"):
        hub.room(offer, 2 * 10**9)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=3 * 10**9))
    with pytest.raises(BadInput, match=r"is 5,000 MB, and the disk has 3,000 MB free"):
        hub.room(offer, 0)
    assert not any("/resolve/" in each for each in there.asked)
