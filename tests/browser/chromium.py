"""Find a Chromium for the browser tests, or fetch one: `python -m tests.browser.chromium`.

In this order: the program named by GALLERY_CHROMIUM, one on the PATH, Playwright's own, Playwright's own
after its download, the system's package where this user may install packages. If none of them works,
one sentence says what to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The shell first: it is the same engine without a window, whose own parts cost more than our pages do.
NAMES = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
DOWNLOAD_SECONDS = 600       # 170 MB on a slow line
PACKAGE_SECONDS = 600
REMEDY = ("No Chromium was found and none could be fetched: install Chromium or Chrome, "
          "or name one with GALLERY_CHROMIUM=/path/to/chromium.")


def executable() -> str:
    """Path of a Chromium that is there already. Raises FileNotFoundError with the remedy."""
    found = _named() or _on_path() or _playwrights_own()
    if found is None:
        raise FileNotFoundError(REMEDY)
    return found


def _named() -> str | None:
    name = os.environ.get("GALLERY_CHROMIUM", "")
    if not name:
        return None
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"GALLERY_CHROMIUM is {name}, and there is no such program: correct it or unset it.")
    return found


def _on_path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _playwrights_own() -> str | None:
    # Asked in a process of its own, so that this works while another Playwright is running here.
    code = ("from playwright.sync_api import sync_playwright\n"
            "with sync_playwright() as p: print(p.chromium.executable_path)")
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    path = Path(answer.stdout.strip() or "/nowhere")
    return str(path) if path.is_file() else None


def _fetch(command: list[str], seconds: float) -> bool:
    try:
        return subprocess.run(command, timeout=seconds, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def obtain() -> str:
    """Path of a Chromium, fetched if need be. Raises FileNotFoundError with the remedy."""
    try:
        return executable()
    except FileNotFoundError:
        if os.environ.get("GALLERY_CHROMIUM"):
            raise
    print("Fetching a Chromium for the browser tests ...", flush=True)
    if _fetch([sys.executable, "-m", "playwright", "install", "chromium"], DOWNLOAD_SECONDS):
        return executable()
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        _fetch(["apt-get", "update", "-qq"], PACKAGE_SECONDS)
        any(_fetch(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], PACKAGE_SECONDS)
            for package in ("chromium-headless-shell", "chromium"))
    return executable()


def main() -> int:
    try:
        print(f"Browser tests use {obtain()}.")
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
