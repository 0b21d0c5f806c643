"""A demo's live thumbnail: made once by its real model, then kept."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import logging
from dataclasses import dataclass

from gallery import limits
from gallery.catalog import Entry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Picture:
    body: bytes
    type: str
    etag: str


class Unavailable(Exception):
    """No thumbnail now; the hub shows the door without one."""


def picture_type(body: bytes) -> str:
    """Media type by the first bytes: WebP or PNG. Raises ValueError for anything else."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    raise ValueError("the thumbnail is neither WebP nor PNG")


class Thumbnails:
    """Asks each demo for its thumbnail at most once at a time, and keeps what it got."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], Picture] = {}
        self._locks: dict[tuple[str, bool], asyncio.Lock] = {}

    async def get(self, entry: Entry, still: bool) -> Picture:
        """Raises Unavailable when the demo has none or could not make one; the next visitor asks again."""
        key = (entry.slug, still)
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._made:
                self._made[key] = await self._make(entry, still)
            return self._made[key]

    async def _make(self, entry: Entry, still: bool) -> Picture:
        if entry.demo is None or not entry.demo.thumbnail:
            raise Unavailable("this demo has no thumbnail")
        module, _, name = entry.demo.thumbnail.partition(":")
        try:
            function = getattr(await asyncio.to_thread(importlib.import_module, module), name)
            body = await asyncio.wait_for(function(still), limits.THUMBNAIL_SECONDS)
            if len(body) > limits.THUMBNAIL_BYTES:
                raise ValueError(f"the thumbnail has {len(body)} bytes; the limit is {limits.THUMBNAIL_BYTES}")
            return Picture(body, picture_type(body), f'"{hashlib.sha256(body).hexdigest()[:20]}"')
        except Exception as error:      # a missing picture is no reason to lose the hub
            log.warning("no thumbnail of %s: %s: %s", entry.slug, type(error).__name__, error)
            raise Unavailable(f"the thumbnail could not be made: {error}") from error
