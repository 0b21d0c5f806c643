"""This page alone: python -m apps.latent_space_explorer [--port ...]"""

from __future__ import annotations

import sys

from gallery.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["run", "--only", "latent-space-explorer", "--engine", "thread", *sys.argv[1:]]))
