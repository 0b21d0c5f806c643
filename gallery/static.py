"""Files for the browser: compressed once, checked by ETag, fonts and pictures kept for a year."""

from __future__ import annotations

import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

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
