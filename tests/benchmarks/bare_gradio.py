"""The baseline page: Gradio as it comes, one slider, one picture. `python -m tests.benchmarks.bare_gradio PORT`."""

from __future__ import annotations

import os
import sys

import numpy as np


def picture(level: float) -> np.ndarray:
    """A grey square of 280 x 280, as dark as the slider says."""
    return np.full((280, 280, 3), int(level), np.uint8)


def main(port: int) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr
    with gr.Blocks() as page:
        slider = gr.Slider(0, 255, 0, step=1, elem_id="slider")
        image = gr.Image(elem_id="image", format="png")
        slider.input(picture, slider, image, show_progress="hidden")
    page.launch(server_port=port, quiet=True, ssr_mode=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))
