"""This demo alone: python -m apps.gan_trainer"""

from __future__ import annotations

import argparse

import uvicorn

from gallery.server import create_app


def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m apps.gan_trainer", description=__doc__)
    reader.add_argument("--host", default="127.0.0.1")
    reader.add_argument("--port", type=int, default=7860)
    given = reader.parse_args()
    print(f"GAN trainer: http://{given.host}:{given.port}/demo/gan-trainer/")
    uvicorn.run(create_app(only="gan-trainer", engine="thread"), host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
