"""The ELBO curve of a training, as an empty Plotly figure that the page fills while the model learns."""

from __future__ import annotations

import json
from typing import Any

from gallery import look

HEIGHT = 180                     # pixels, until the page says how much room there is below the samples
TICKS = (60, 80, 100, 120, 150, 200, 300, 400, 600, 800)


def elbo_curve(dark: bool = False) -> dict[str, Any]:
    """{"data", "layout"}: -ELBO held out and in training, its reconstruction term, and the KL term below.

    Trace order: held-out -ELBO, training -ELBO, held-out reconstruction, held-out KL; x is the step, y is nats.
    The upper axis is logarithmic, because the first seconds gain hundreds of nats and the last ones single nats.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    colours = look.tokens()["dark" if dark else "light"]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.05)
    lines = (("−ELBO", colours["vae"], 2.4, "solid", 1), ("training", colours["ink-2"], 1.2, "dot", 1),
             ("reconstruction", colours["gpt2"], 1.4, "solid", 1), ("KL", colours["attn"], 2.0, "solid", 2))
    for name, colour, width, dash, row in lines:
        line = {"color": colour, "width": width, "dash": dash}
        trace = go.Scatter(x=[], y=[], name=name, mode="lines", line=line, hovertemplate="%{y:.1f} nats")
        figure.add_trace(trace, row, 1)
    figure.update_layout(template=look.plotly_template(dark))
    figure.update_layout(height=HEIGHT, margin={"l": 46, "r": 6, "t": 6, "b": 40}, font={"size": 13}, uirevision="elbo",
                         showlegend=False)                              # the page names the lines, in its own type
    figure.update_yaxes(type="log", tickvals=TICKS, ticktext=[str(tick) for tick in TICKS], title_text="nats",
                        row=1, col=1)
    figure.update_yaxes(title_text="KL", rangemode="tozero", nticks=3, row=2, col=1)
    figure.update_yaxes(title_font_size=13, title_standoff=2, fixedrange=True)
    figure.update_xaxes(fixedrange=True, nticks=5)
    figure.update_xaxes(title_text="step", title_font_size=13, title_standoff=2, row=2, col=1)
    return json.loads(figure.to_json())
