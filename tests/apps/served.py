"""What the tests of rooms share: a server with a room's routes, a Hub of toys, and how both are asked."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from engines import runtime
from engines.runtime import hub
from tests.engines.runtime.toy_hub import ToyHub, toy_hub


@contextlib.contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Address of a server in a thread, and an engine in another."""
    runtime.configure(mode="thread")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    runtime.stop()


@contextlib.contextmanager
def lent(monkeypatch: pytest.MonkeyPatch, home: Path, name: str, checkpoint: Path) -> Iterator[ToyHub]:
    """A Hub that has one model; what is fetched lies under `home`/cache, and the host's own models under `home`/own."""
    from huggingface_hub import constants
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "cache"))
    monkeypatch.setenv(hub.FOLDERS, str(home / "own"))
    monkeypatch.delenv(hub.POLICY, raising=False)
    with toy_hub() as server:
        server.repositories[name] = {path.relative_to(checkpoint).as_posix(): path.read_bytes()
                                     for path in checkpoint.rglob("*") if path.is_file()}
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def post(place: str, path: str, **body: Any) -> bytes:
    request = urllib.request.Request(f"{place}/{path}", json.dumps(body).encode())
    try:
        return urllib.request.urlopen(request, timeout=60).read()
    except urllib.error.HTTPError as answer:
        return answer.read()


def lines(answer: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.splitlines()]
