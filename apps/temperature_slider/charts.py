"""The charts that the script draws: pure functions from frames to Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from apps.temperature_slider.view import HIGH_NATS, START, begins, piece, shown
from engines.language import Layers, Measured, Scored
from gallery import look

if TYPE_CHECKING:
    import plotly.graph_objects as go

CURVES = (("distinct_2", "Distinct-2", "pairs of tokens that differ, of all", "gpt2"),
          ("self_bleu", "Self-BLEU", "how alike the texts of one T are", "attn"),
          ("repetition", "Repetition", "runs of four that stood before", "ddpm"),
          ("perplexity", "Perplexity", "how strange its own words are to it", "bert"))
HEIGHT = 120                     # pixels of a small chart
MOST_BARS = 400                  # of a text's tokens: more cannot be told apart


def _figure(dark: bool, height: int) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(template=look.plotly_template(dark), height=height, margin={"l": 6, "r": 10, "t": 30, "b": 6},
                         hovermode="closest", showlegend=False, title={"font": {"size": 15}, "y": 0.97, "yanchor": "top", "x": 0.02})
    return figure


def curve(rows: Sequence[Measured], key: str, dark: bool) -> go.Figure:
    """One measure over temperature; gaps where it cannot be measured."""
    name, colour = next((each[1], each[3]) for each in CURVES if each[0] == key)
    ink = look.tokens()["dark" if dark else "light"]
    ordered = sorted(rows, key=lambda row: row.temperature)
    values = [value if np.isfinite(value := getattr(row, key)) else None for row in ordered]
    figure = _figure(dark, HEIGHT)
    figure.add_scatter(x=[row.temperature for row in ordered], y=values, mode="lines+markers", name=name,
                       line={"color": ink[colour], "width": 3}, marker={"size": 9, "color": ink[colour]},
                       hovertemplate="T = %{x:g}<br>" + name + " %{y:.3~g}<extra></extra>")
    figure.update_layout(margin={"t": 8})
    figure.update_xaxes(showgrid=False, nticks=6, tickprefix="T ", showtickprefix="first", tickfont={"size": 12})
    if key == "perplexity":
        figure.update_yaxes(type="log", nticks=4, tickformat="~s")
    else:
        most = max((value for value in values if value is not None), default=0.0)
        top = next((each for each in (0.05, 0.1, 0.25, 0.5) if most <= each), 1.0)
        figure.update_yaxes(range=[-0.04 * top, 1.04 * top], tickvals=[0, top / 2, top], tickformat=".3~p")
    if all(value is None for value in values):
        figure.add_annotation(text="needs two texts" if key == "self_bleu" else "nothing to measure", showarrow=False,
                              x=0.5, y=0.5, xref="paper", yref="paper")
    return figure


def curve_head(key: str) -> str:
    """What stands above a curve: its name and what it measures."""
    name, about = next((each[1], each[2]) for each in CURVES if each[0] == key)
    return f'<p class="nat-curve"><b>{name}</b> {about}</p>'


def curve_alt(rows: Sequence[Measured], key: str) -> str:
    """The same curve in words."""
    name, about = next((each[1], each[2]) for each in CURVES if each[0] == key)
    told = ", ".join(f"{getattr(row, key):.3g} at T = {row.temperature:g}" for row in sorted(rows, key=lambda row: row.temperature)
                     if np.isfinite(getattr(row, key)))
    return f"{name} ({about}) over temperature: {told or 'nothing to measure'}"


def answer(layers: Layers, place: int, dark: bool) -> go.Figure:
    """Probability and rank of the final answer after every layer, at one place."""
    ink = look.tokens()["dark" if dark else "light"]
    rows = list(range(layers.answer_p.shape[0]))
    figure = _figure(dark, 300)
    figure.add_scatter(x=rows, y=layers.answer_p[:, place], name="probability", mode="lines+markers",
                       line={"color": ink["gpt2"], "width": 3}, marker={"size": 8}, hovertemplate="layer %{x}: p = %{y:.3g}<extra></extra>")
    figure.add_scatter(x=rows, y=layers.answer_rank[:, place], name="rank", mode="lines+markers", yaxis="y2",
                       line={"color": ink["attn"], "width": 2, "dash": "dot"}, marker={"size": 7, "symbol": "diamond"},
                       hovertemplate="layer %{x}: rank %{y:,}<extra></extra>")
    highest = float(np.log10(max(2, layers.answer_rank[:, place].max()))) * 1.08
    figure.update_layout(showlegend=True, margin={"t": 34, "r": 60},
                         yaxis={"range": [0, 1.04], "tickformat": ".0%", "tickvals": [0, 0.5, 1]},
                         yaxis2={"overlaying": "y", "side": "right", "type": "log", "range": [highest, -0.08], "showgrid": False,
                                 "tickvals": _ranks(layers.answer_rank[:, place]), "tickformat": "~s",
                                 "title": {"text": "rank", "font": {"color": ink["attn"]}}, "tickcolor": ink["line"], "tickfont": {"color": ink["attn"]}})
    figure.update_xaxes(title="after layer", tickvals=rows, ticktext=["emb.", *map(str, rows[1:])], showgrid=False)
    return figure


def _ranks(ranks: np.ndarray) -> list[int]:
    """Where the axis of the ranks has numbers: 1, 10, 100 and so on, and the worst of them where that is below 10."""
    most = int(ranks.max())
    return [1, *([most] if 1 < most < 10 else [10**power for power in range(1, len(str(most)))])]


def answer_alt(layers: Layers, place: int) -> str:
    told = ", ".join(f"{'embedding' if row == 0 else f'layer {row}'} p {p:.3g} rank {rank:,}"
                     for row, (p, rank) in enumerate(zip(layers.answer_p[:, place], layers.answer_rank[:, place], strict=True)))
    return f"Probability and rank of the final answer after every layer: {told}"


def bars(scored: Scored, pieces: Sequence[bytes], dark: bool, special: Sequence[int] = ()) -> go.Figure:
    """The surprise of every token as a bar, the first MOST_BARS of them; the mean as a line."""
    import plotly.graph_objects as go

    ink = look.tokens()["dark" if dark else "light"]
    nats = scored.surprise[:MOST_BARS]
    names = [START if begins(place, int(token), special) else escape(shown(piece(pieces, int(token))))
             for place, token in enumerate(scored.ids[:MOST_BARS])]
    shares = np.clip(np.nan_to_num(nats) / HIGH_NATS, 0, 1)
    figure = _figure(dark, 230)
    figure.add_trace(go.Bar(x=list(range(len(nats))), y=nats, customdata=names,
                            marker={"color": [look.mixed(ink["gpt2"], ink["edge"], float(share)) for share in shares]},
                            hovertemplate="%{customdata}: %{y:.2f} nats<extra></extra>"))
    if np.isfinite(scored.surprise).any():
        mean = float(np.nanmean(scored.surprise))
        figure.add_hline(y=mean, line={"color": ink["attn"], "dash": "dot", "width": 2}, annotation={
            "text": f"mean {mean:.2f}", "font": {"color": ink["attn"]}, "bgcolor": ink["wall"], "xanchor": "left", "x": 0.01,
            "yanchor": "bottom"})
    few = len(nats) <= 40
    figure.update_layout(bargap=0.15, margin={"t": 12})
    figure.update_yaxes(title="nats", rangemode="tozero")
    figure.update_xaxes(showgrid=False, tickvals=list(range(len(nats))) if few else None, ticktext=names if few else None, tickangle=-60 if few else 0)
    return figure


def bars_alt(scored: Scored) -> str:
    judged = scored.surprise[np.isfinite(scored.surprise)]
    if not len(judged):
        return "Surprise of each token: nothing to measure"
    return f"Surprise of each of {len(judged):,} tokens, in nats: mean {judged.mean():.2f}, highest {judged.max():.2f}, lowest {judged.min():.2f}"
