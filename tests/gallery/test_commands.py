"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket

import pytest

from engines.runtime import hub
from gallery import catalog, commands, doctor
from gallery.__main__ import main, parser
from tests.browser.conftest import free_port
from tests.gallery.rooms import apps_folder, sound


def test_help_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    text = capsys.readouterr().out
    assert end.value.code == 0
    for command in ("run", "list", "check", "doctor", "python -m gallery"):
        assert command in text


def test_run_is_what_happens_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(commands, "run", lambda options: seen.append(options) or 0)
    assert main([]) == 0 and main(["--port", "8123"]) == 0
    assert (seen[0].host, seen[0].port, seen[1].port) == ("127.0.0.1", 7860, 8123)


def test_list_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "latent-space-explorer" in capsys.readouterr().out
    assert main(["list", "--json"]) == 0
    listed = {each["slug"]: each for each in json.loads(capsys.readouterr().out)}
    assert listed["lab-book"]["framework"] == "streamlit"
    assert listed["latent-space-explorer"]["address"] == "/demo/latent-space-explorer/"


def test_check_puts_each_fault_on_a_line(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    apps = apps_folder(tmp_path, {"good": sound(), "bad": {"__init__.py": "DEMO = 3"}})
    entries, check = catalog.entries, catalog.check
    monkeypatch.setattr(catalog, "entries", lambda place=apps: entries(place))
    monkeypatch.setattr(catalog, "check", lambda slug: check(slug, apps))
    assert main(["check", "good"]) == 0
    assert main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("bad: DEMO is a int") for line in lines)
    assert lines[-1] == "2 demos checked, 1 fault."


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["run", "--port", str(port)]) == 2
    told = capsys.readouterr().err
    assert str(port) in told and "--port" in told and "make run PORT=" in told and told.count("\n") == 1


@pytest.mark.parametrize("port, told", [(0, "is no port"), (70000, "is no port"), (-1, "is no port")])
def test_a_port_that_is_none_is_one_sentence(port: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--port", str(port)]) == 2
    assert told in capsys.readouterr().err


def test_small_answers_are_sent_at_once() -> None:
    """Without TCP_NODELAY the body of an answer waits until the browser has acknowledged its head: 40 ms on Linux."""
    async def at_once() -> int:
        seen = asyncio.get_running_loop().create_future()

        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()
        with commands.listen("127.0.0.1", free_port()) as listening:
            async with await asyncio.start_server(greet, sock=listening):
                _, visitor = await asyncio.open_connection(*listening.getsockname())
                visitor.close()
                return await asyncio.wait_for(seen, 10)
    assert asyncio.run(at_once())


def test_why_an_address_cannot_be_opened() -> None:
    assert "above 1023" in commands.why_not("127.0.0.1", 80, OSError(errno.EACCES, "denied"))
    assert "--host" in commands.why_not("256.0.0.1", 7860, OSError(errno.EINVAL, "bad address"))


def test_an_unknown_demo_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--only", "nowhere", "--port", str(free_port())]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("host, policy", [("127.0.0.1", ""), ("0.0.0.0", "curated")])
def test_strangers_are_offered_chosen_models_unless_the_host_says_otherwise(
        monkeypatch: pytest.MonkeyPatch, host: str, policy: str) -> None:
    monkeypatch.setitem(os.environ, hub.POLICY, "")
    monkeypatch.delenv(hub.POLICY)
    monkeypatch.setattr("gallery.serving.serve", lambda app, listening, *more: listening.close())
    assert main(["run", "--host", host, "--port", str(free_port())]) == 0
    assert os.environ.get(hub.POLICY, "") == policy


def test_a_word_that_is_no_policy_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(hub.POLICY, "all")
    assert main(["run", "--port", str(free_port())]) == 2
    assert "it may be bundled, curated, any" in capsys.readouterr().err


def test_the_address_shown_can_be_typed_into_a_browser() -> None:
    assert commands.shown("0.0.0.0") == "127.0.0.1" and commands.shown("::1") == "[::1]"


def test_doctor_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "reachable", lambda host: False)
    status = main(["doctor"])
    text = capsys.readouterr().out
    for what in ("Python", "torch", "device", "memory", "disk", "models", "model Hub"):
        assert what in text
    assert status == ("NO  " in text)


def test_doctor_survives_what_it_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken():
        raise RuntimeError("a disk on fire")
        yield
    monkeypatch.setattr(doctor, "_disk", broken)
    monkeypatch.setattr(doctor, "reachable", lambda host: True)
    assert any("disk on fire" in finding.found and finding.mark == "NO" for finding in doctor.examine())


def test_every_pin_is_exact_and_installed() -> None:
    pins = doctor.pins()
    assert {"torch", "gradio", "streamlit", "pytest"} <= pins.keys()
    assert not [finding for finding in doctor._packages() if finding.mark == "NO"]


def test_nobody_answers_on_a_host_that_is_none() -> None:
    def refused(address: tuple[str, int], timeout: float):
        raise ConnectionRefusedError
    assert doctor.reachable("example.org", 0.1, refused) is False


def test_options_are_those_of_the_readme() -> None:
    options = parser().parse_args(["run", "--host", "0.0.0.0", "--port", "1", "--base", "/g", "--only", "x", "--engine", "thread"])
    assert (options.base, options.only, options.engine) == ("/g", "x", "thread")
