"""The gallery: what all demos share."""

from __future__ import annotations

VERSION = "0.1.0"
