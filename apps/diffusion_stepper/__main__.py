"""This page alone: python -m apps.diffusion_stepper [--port ...]"""

from __future__ import annotations

import sys

from gallery.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["run", "--only", "diffusion-stepper", "--engine", "thread", *sys.argv[1:]]))
