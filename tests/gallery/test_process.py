"""The hub as a process: how it starts, what it does not load, and that nothing of it outlives a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.browser.conftest import ROOT, free_port, wait_until

STARTED = 90                 # seconds; a loaded machine imports torch slowly
ENDED = 15
HUB_WITHOUT_TORCH = """
import json, sys
from pathlib import Path
from starlette.testclient import TestClient
sys.path.insert(0, sys.argv[1])
from gallery.server import create_app
early = [name for name in ("torch", "gradio", "streamlit", "pandas") if name in sys.modules]
with TestClient(create_app(engine="process", apps=Path(sys.argv[2]))) as client:
    statuses = [client.get(path).status_code for path in ("/", "/health", "/demo/sound/", "/demo/lab-of-a-test/")]
    print(json.dumps({"early": early, "torch": "torch" in sys.modules, "statuses": statuses}))
"""


@contextmanager
def gallery(*arguments: str) -> Iterator[tuple[subprocess.Popen, int]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "gallery", "run", "--port", str(port), *arguments], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(ENDED)
        process.stdout.close()
        process.stderr.close()


def health(port: int) -> dict:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return {}


def engine_of(port: int) -> int:
    wait_until(lambda: health(port).get("engine", {}).get("ready"), STARTED, "the engine did not start")
    return health(port)["engine"]["pid"]


@pytest.mark.parametrize("sign, whom", [(signal.SIGTERM, "hub"), (signal.SIGINT, "group"), (signal.SIGTERM, "group")])
def test_a_signal_ends_the_hub_and_its_engine(sign: signal.Signals, whom: str) -> None:
    with gallery("--only", "lab-book") as (process, port):
        engine = engine_of(port)
        family = [engine, *[child.pid for child in psutil.Process(process.pid).children(recursive=True)]]
        assert engine != process.pid and psutil.pid_exists(engine)
        (os.killpg if whom == "group" else os.kill)(process.pid, sign)       # Ctrl-C reaches the whole group
        process.wait(ENDED)
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in family), ENDED, "an orphan is left")
        said, complained = process.communicate()
    assert said == f"The gallery is open at http://127.0.0.1:{port}\n"
    assert "Traceback" not in complained, complained


def test_the_hub_answers_at_once_and_never_loads_torch(tmp_path) -> None:
    from tests.gallery.rooms import apps_folder, manifest, sound
    streamlit = {**sound(), "__init__.py": manifest(framework="streamlit"),
                 "app.py": "import streamlit as st\n\ndef main():\n    st.write('fine')\n"}
    apps = apps_folder(tmp_path, {"sound": sound(), "lab_of_a_test": streamlit})
    answer = subprocess.run([sys.executable, "-c", HUB_WITHOUT_TORCH, str(tmp_path), str(apps)], cwd=ROOT, text=True,
                            capture_output=True, timeout=240)
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout.splitlines()[-1])
    assert told == {"early": [], "torch": False, "statuses": [200, 200, 200, 200]}


def test_a_hub_that_is_asked_while_it_warms_answers() -> None:
    with gallery() as (process, port):
        wait_until(lambda: health(port), STARTED, "the hub did not answer")
        began = time.monotonic()
        assert health(port)["version"]
        assert time.monotonic() - began < 10
