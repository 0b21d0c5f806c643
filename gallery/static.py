"""Files for the browser: compressed once, checked by ETag, fonts and pictures kept for a year."""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# Written out, because Windows looks types up in its registry, where .js may be text/plain.
TYPES = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml",
         ".woff2": "font/woff2", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".ico": "image/x-icon",
         ".json": "application/json", ".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8",
         ".html": "text/html; charset=utf-8", ".bin": "application/octet-stream"}
TEXT = {".css", ".js", ".mjs", ".svg", ".json", ".txt", ".md", ".html"}
LASTING = {".woff2", ".png", ".webp", ".gif"}     # their names change when they do; scripts refer to each other by name
YEAR = "public, max-age=31536000, immutable"
ASK = "no-cache"                                  # keep it, but ask whether it is still the same: 304 costs no bytes


def compressed(body: bytes, headers: Headers) -> tuple[bytes, dict[str, str]]:
    """`body` as this browser takes it, and the headers that say so."""
    if len(body) < 600 or "gzip" not in headers.get("accept-encoding", ""):
        return body, {"vary": "accept-encoding"}
    return _packed(body), {"content-encoding": "gzip", "vary": "accept-encoding"}


@functools.lru_cache(maxsize=16)        # the hub's page hardly changes, and packing it takes longer than making it
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


@dataclass(frozen=True)
class _Held:
    modified: int
    etag: str
    plain: bytes
    packed: bytes | None


class Assets:
    """Serves one folder. A changed file is noticed; nothing outside the folder can be named."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._held: dict[Path, _Held] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise HTTPException(404)
        relative = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        await self.answer(relative, Headers(scope=scope))(scope, receive, send)

    def answer(self, relative: str, headers: Headers) -> Response:
        path = (self.folder / relative).resolve() if "\0" not in relative else self.folder
        if not path.is_relative_to(self.folder) or not path.is_file():
            raise HTTPException(404)
        held = self._read(path)
        out = {"etag": held.etag, "cache-control": YEAR if path.suffix in LASTING else ASK, "vary": "accept-encoding"}
        if headers.get("if-none-match") == held.etag:
            return Response(status_code=304, headers=out)
        body = held.plain
        if held.packed is not None and "gzip" in headers.get("accept-encoding", ""):
            body, out["content-encoding"] = held.packed, "gzip"
        return Response(body, media_type=TYPES.get(path.suffix, "application/octet-stream"), headers=out)

    def _read(self, path: Path) -> _Held:
        modified = path.stat().st_mtime_ns
        held = self._held.get(path)
        if held is None or held.modified != modified:
            plain = path.read_bytes()
            packed = gzip.compress(plain, 9, mtime=0) if path.suffix in TEXT and len(plain) >= 600 else None
            held = _Held(modified, f'"{hashlib.sha256(plain).hexdigest()[:20]}"', plain, packed)
            self._held[path] = held
        return held


class Packed:
    """ASGI: a framework's own scripts and styles, compressed on their first way out and kept so.

    Neither Gradio nor Streamlit compresses what it serves: a page of either is a megabyte or two lighter for it.
    """

    KINDS = ("text/javascript", "application/javascript", "text/css", "image/svg+xml", "application/json")
    FOLDERS = ("/static/", "/assets/")

    def __init__(self, app: ASGIApp, kept: int = 512) -> None:
        self.app, self.kept = app, kept
        self._bodies: dict[tuple[str, str], bytes] = {}         # (path, what its version is known by) -> packed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fitting = (scope["type"] == "http" and scope["method"] == "GET" and any(name in scope["path"] for name in self.FOLDERS))
        headers = Headers(scope=scope) if fitting else None
        if headers is None or "gzip" not in headers.get("accept-encoding", "") or "range" in headers:
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, self._packing(send, scope["path"]))

    def _packing(self, send: Send, path: str) -> Send:
        start: dict = {}
        parts: list[bytes] = []

        async def forward(message: dict) -> None:
            if message["type"] == "http.response.start":
                head = MutableHeaders(raw=list(message["headers"]))
                kind = head.get("content-type", "").partition(";")[0]
                if message["status"] == 200 and kind in self.KINDS and "content-encoding" not in head:
                    start.update(message, headers=head)
                else:
                    await send(message)
            elif message["type"] != "http.response.body" or not start:
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send(send, start, path, b"".join(parts))
        return forward

    async def _send(self, send: Send, start: dict, path: str, plain: bytes) -> None:
        head = start["headers"]
        version = head.get("etag") or head.get("last-modified") or hashlib.sha256(plain).hexdigest()
        body = self._bodies.get((path, version))
        if body is None:
            body = await anyio.to_thread.run_sync(gzip.compress, plain, 6)
            if len(self._bodies) >= self.kept:
                self._bodies.pop(next(iter(self._bodies)))
            self._bodies[path, version] = body
        head["content-encoding"] = "gzip"
        head["content-length"] = str(len(body))
        head.add_vary_header("accept-encoding")
        if "etag" in head and not head["etag"].startswith("W/"):
            head["etag"] = f'W/{head["etag"]}'
        if "accept-ranges" in head:
            del head["accept-ranges"]
        await send({**start, "headers": head.raw})
        await send({"type": "http.response.body", "body": body})
