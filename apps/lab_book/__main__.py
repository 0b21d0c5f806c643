"""This page alone: python -m apps.lab_book [--port ...]"""

from __future__ import annotations

import sys

from gallery.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["run", "--only", "lab-book", "--engine", "thread", *sys.argv[1:]]))
