"""A small Hub on this machine: what the Hub's own library asks for when it looks at a model and fetches its files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class ToyHub(ThreadingHTTPServer):
    """repositories: id -> {path: content}. gates: ids that are for members only. broken: paths cut off half-way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.gates: set[str] = set()
        self.broken: set[str] = set()
        self.sizes: dict[str, int] = {}             # what is said of a file, where it is not the truth
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: ToyHub

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def _answer(self, body: bool) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(f"{self.command} {path}")
        if path.startswith("/api/models/"):
            name = "/".join(path.split("/")[3:5])
            return self._told(name, body)
        name, _, rest = path.lstrip("/").partition("/resolve/")
        content = self.server.repositories.get(name, {}).get(rest.partition("/")[2])
        if content is None:
            return self._fault(404, "EntryNotFound" if name in self.server.repositories else "RepoNotFound")
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if body:
            cut = rest.partition("/")[2] in self.server.broken
            self.wfile.write(content[:len(content) // 2] if cut else content)

    def _told(self, name: str, body: bool) -> None:
        if name in self.server.gates:
            return self._fault(403, "GatedRepo")
        files = self.server.repositories.get(name)
        if files is None:
            return self._fault(404, "RepoNotFound")
        told = {"id": name, "modelId": name, "sha": COMMIT, "private": False, "cardData": {"license": "apache-2.0"},
                "siblings": [{"rfilename": path, "size": self.server.sizes.get(path, len(content))}
                             for path, content in files.items()]}
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if body:
            self.wfile.write(text)

    def _fault(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def toy_hub() -> Iterator[ToyHub]:
    server = ToyHub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
