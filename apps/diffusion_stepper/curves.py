"""The schedules as curves: beta, alpha_bar and the signal-to-noise ratio, three small charts side by side."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from apps.diffusion_stepper import catalogue
from engines import diffusion, runtime
from gallery import look

HEIGHT = 112                     # pixels: under the controls and above the fold at 1280 x 720
EVERY = 8                        # of 1000 levels one in eight is drawn: a chart is 90 pixels wide
TITLES = ("β", "ᾱ", "SNR, dB")


def figure(found: diffusion.Schedules, dark: bool) -> dict[str, Any]:
    """{"data", "layout"}: a trace for each schedule, chart by chart; x is t. The page colours the chosen schedule."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    colours = look.tokens()["dark" if dark else "light"]
    levels = np.unique(np.append(np.arange(0, found.beta.shape[1], EVERY), found.beta.shape[1] - 1))
    snr = 10 * np.log10(found.alpha_bar / np.maximum(1 - found.alpha_bar, 1e-12))
    made = make_subplots(rows=1, cols=3, subplot_titles=TITLES, horizontal_spacing=0.11)
    for column, values in enumerate((found.beta, found.alpha_bar, snr), 1):
        for which, name in enumerate(found.names):
            y = np.round(values[which][levels].astype(float), 5)
            hover = f"{name}: %{{y:.3g}} at t = %{{x}}<extra></extra>"
            made.add_trace(go.Scatter(x=levels, y=y, name=name, mode="lines", opacity=0.45, hovertemplate=hover,
                                      line={"color": colours["ink-2"], "width": 1}), 1, column)
    made.update_layout(template=look.plotly_template(dark))
    made.update_layout(height=HEIGHT, margin={"l": 26, "r": 6, "t": 18, "b": 20}, font={"size": 10}, showlegend=False,
                       hovermode="closest")
    made.update_annotations(font={"size": 11, "color": colours["ink"]}, yshift=-3)
    made.update_xaxes(fixedrange=True, range=[999, 0], tickvals=[999, 0], ticktext=["999", "0"], tickangle=0)
    made.update_yaxes(fixedrange=True, nticks=3)
    made.update_yaxes(range=[0, 0.03], tickvals=[0, 0.02], row=1, col=1)   # cosine leaps to 0.999 at its end
    made.update_yaxes(range=[-0.03, 1.03], tickvals=[0, 1], row=1, col=2)
    made.update_yaxes(range=[-48, 44], tickvals=[-40, 0, 40], row=1, col=3)
    return json.loads(made.to_json())


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/schedules")
    async def _schedules(dark: bool = False, model: str = "") -> JSONResponse:
        """model: also the schedule that this one came with."""
        if model:
            catalogue.config(model)
        found = await runtime.start(diffusion.schedules, diffusion.Curves(model=model), session="schedules").aresult()
        return JSONResponse(figure(found, dark), headers={"Cache-Control": "public, max-age=3600"})

    return router
