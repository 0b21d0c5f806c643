"""The baseline of a start: FastAPI and uvicorn with one page. `python -m tests.benchmarks.bare_fastapi PORT`."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

PAGE = ("<!doctype html><html lang=en><meta charset=utf-8><title>bare</title><h1>Generative AI, hands on</h1>"
        + "".join(f"<h2>{year}</h2><p>One sentence about a milestone of that year.</p>" for year in range(2013, 2023)))


def main(port: int) -> None:
    app = FastAPI()

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE

    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
