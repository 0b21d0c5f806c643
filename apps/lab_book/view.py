"""What the lab book draws: pure functions from figures to charts and HTML."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from apps.lab_book.shelf import USED, Book
from engines.runtime import EngineState, RunRecord
from gallery import look

MOST_POINTS = 4000           # of 10,000 codes: more cannot be told apart at this size


def quality(books: Sequence[Book], chosen: Book, dark: bool) -> go.Figure:
    """−ELBO of the models of one data set as reconstruction + KL; the chosen one in full colour."""
    ink = look.tokens()["dark" if dark else "light"]
    rows = [book for book in books if (book.family, book.config.get("dataset")) == (chosen.family, chosen.config.get("dataset"))]
    figure = go.Figure()
    for key, name, colour in (("reconstruction_nats", "reconstruction", ink["attn"]), ("kl_nats", "KL divergence", ink["gpt2"])):
        values = [book.figures[key] for book in rows]
        figure.add_bar(y=[_row(book) for book in rows], x=values, name=name, orientation="h", width=0.62,
                       marker={"color": colour, "opacity": [1.0 if book is chosen else 0.35 for book in rows]},
                       hovertemplate="%{y}<br>" + name + " %{x:.2f} nats<extra></extra>")
    for book in rows:
        total = book.figures["reconstruction_nats"] + book.figures["kl_nats"]
        figure.add_annotation(x=total, y=_row(book), text=f"<b>{total:.1f}</b>" if book is chosen else f"{total:.1f}",
                              showarrow=False, xanchor="left", xshift=5, font={"family": look.family("mono")})
    figure.update_layout(template=look.plotly_template(dark), barmode="stack", hovermode="closest", height=62 + 34 * len(rows),
                         margin={"l": 8, "r": 54, "t": 26, "b": 34}, bargap=0.3,
                         legend={"traceorder": "normal"})
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    figure.update_xaxes(title="nats per picture, lower is better", rangemode="tozero")
    return figure


def _row(book: Book) -> str:
    """What fits beside a bar on a phone: "2-d", "2-d, β 4", "2-d, no KL"."""
    config = book.config
    beta = "" if config.get("beta", 1) == 1 else f", β {config['beta']:g}"
    return f"{config['latent']}-d" + (", no KL" if config.get("kind") == "ae" else beta)


def dimensions(book: Book, dark: bool) -> go.Figure:
    """Mean KL divergence of each dimension, largest first; those that carry nothing in grey."""
    ink = look.tokens()["dark" if dark else "light"]
    values = np.asarray(book.config["kl_per_dim"])
    order = np.argsort(-values)
    colours = [ink["gpt2"] if values[index] > USED else ink["edge"] for index in order]
    figure = go.Figure(go.Bar(x=[f"z{index + 1}" for index in order], y=values[order], marker={"color": colours},
                              hovertemplate="%{x}: %{y:.3f} nats<extra></extra>"))
    figure.update_layout(template=look.plotly_template(dark), height=170, margin={"l": 8, "r": 8, "t": 8, "b": 30},
                         hovermode="closest", showlegend=False)
    figure.update_yaxes(title="nats", rangemode="tozero")
    figure.update_xaxes(showgrid=False, type="category")
    return figure


def map_of(points: np.ndarray, labels: np.ndarray, names: Sequence[str], extent: Sequence[float], dark: bool) -> go.Figure:
    """The codes (N, 2) of the test pictures, coloured by class, on a plane of equal units."""
    ink = look.tokens()["dark" if dark else "light"]
    step = max(1, -(-len(points) // MOST_POINTS))
    points, labels = points[::step], labels[::step]
    figure = go.Figure()
    for index, name in enumerate(names):
        these = points[labels == index]
        figure.add_scattergl(x=these[:, 0], y=these[:, 1], name=name, mode="markers", hoverinfo="name",
                             marker={"size": 4, "opacity": 0.7, "color": ink[f"class-{index % 10}"]})
    figure.update_layout(template=look.plotly_template(dark), height=400, hovermode="closest",
                         margin={"l": 8, "r": 8, "t": 30, "b": 30},
                         legend={"itemsizing": "constant", "font": {"size": 11}})
    figure.update_xaxes(range=extent[:2], zeroline=False)
    figure.update_yaxes(range=extent[2:], zeroline=False, scaleanchor="x")
    return figure


def picture(image: np.ndarray) -> str:
    """uint8 (H, W, 1 or 3) as a data address of a PNG: lossless, so that the page shows what the model gave."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def before_and_after(given: np.ndarray, back: np.ndarray, names: Sequence[str], nats: np.ndarray) -> str:
    """Pictures (N, H, W, C), what came back, their classes, and −log p(x|z) of each in nats (N,)."""
    cells = "".join(
        f'<figure><img alt="{escape(name)}, as it is" src="{picture(x)}"><img alt="{escape(name)}, as it came back" '
        f'src="{picture(y)}"><figcaption>{escape(name)}<b>{loss:.0f} nats</b></figcaption></figure>'
        for x, y, name, loss in zip(given, back, names, nats, strict=True))
    return f'<div class="lab-pictures">{cells}</div>'


def reading(book: Book, dark: bool) -> go.Figure:
    """Bits per character of held-out text while the model learned."""
    ink = look.tokens()["dark" if dark else "light"]
    steps, bits = zip(*book.config["curve"], strict=True)
    figure = go.Figure(go.Scatter(x=steps, y=bits, mode="lines+markers", line={"color": ink["gpt2"]},
                                  hovertemplate="step %{x:,}: %{y:.3f}<extra></extra>"))
    figure.update_layout(template=look.plotly_template(dark), height=200, margin={"l": 8, "r": 8, "t": 8, "b": 34},
                         hovermode="closest", showlegend=False)
    figure.update_yaxes(title="bits per character", rangemode="tozero")
    figure.update_xaxes(title="step of the training", showgrid=False)
    return figure


def foreseen(book: Book) -> str:
    """How well a language model foresees held-out text, and how much it only remembers."""
    found = book.figures
    rows = "".join(f"<tr><td>{escape(name)}, held out</td><td><b>{bits:.3f}</b> bits per character</td></tr>"
                   for name, bits in found["bits_per_character"].items())
    for key, what in (("longest_copy", f"longest run copied from the training text, in {found.get('samples', 0):,} samples"),
                      ("longest_copy_held_out", "the same in held-out text, which cannot have copied")):
        if key in found:
            rows += f"<tr><td>{what}</td><td><b>{found[key]:,}</b> tokens</td></tr>"
    config = book.config
    rows += (f"<tr><td>weights</td><td><b>{config.get('parameters', 0):,}</b></td></tr>"
             f"<tr><td>reads at most</td><td><b>{config['n_positions']:,}</b> tokens</td></tr>")
    return f'<div class="lab-runs lab-figures" tabindex="0"><table><tbody>{rows}</tbody></table></div>'


MEASURES = (("accuracy", "recognised", "{:.2%}"), ("recognised", "asked class recognised, guidance 1.5", "{:.2%}"),
            ("frechet", "Fréchet distance, guidance 1", "{:.2f}"), ("precision", "precision, guidance 1", "{:.3f}"),
            ("recall", "recall, guidance 1", "{:.3f}"))


def figures(book: Book) -> str:
    """What a model was measured at, beside what real pictures reach where that is known."""
    found = book.figures
    rows = "".join(
        f"<tr><td>{name if book.config.get('family') == 'diffusion' else name.partition(',')[0]}</td>"
        f"<td><b>{form.format(found[key])}</b></td>"
        f"<td>{form.format(found[key + '_floor']) if key + '_floor' in found else ''}</td></tr>"
        for key, name, form in MEASURES if key in found)
    if (near := found.get("nearest")) is not None:
        real = f"{near.get('test_median', near.get('others_median', 0)):.1f}"    # or training pictures, from each other
        rows += ("<tr><td>distance to the nearest training picture, median, grey levels</td>"
                 f"<td><b>{near['samples_median']:.1f}</b></td><td>{real}</td></tr>")
    return ('<div class="lab-runs lab-figures" tabindex="0"><table><thead><tr><th>figure</th><th>model</th>'
            f"<th>real pictures</th></tr></thead><tbody>{rows}</tbody></table></div>")


def by_class(names: Sequence[str], shares: Sequence[float], dark: bool) -> go.Figure:
    """The share of each class that was recognised, 0 to 1; the worst in full colour."""
    ink = look.tokens()["dark" if dark else "light"]
    worst = int(np.argmin(shares))
    figure = go.Figure(go.Bar(
        y=list(names), x=list(shares), orientation="h", width=0.62, text=[f"{share:.1%}" for share in shares],
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        marker={"color": ink["attn"], "opacity": [1.0 if place == worst else 0.45 for place in range(len(names))]}))
    figure.update_layout(template=look.plotly_template(dark), height=40 + 26 * len(names), showlegend=False,
                         margin={"l": 8, "r": 54, "t": 8, "b": 30}, hovermode="closest")
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", type="category")
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    return figure


def verdicts(images: np.ndarray, labels: np.ndarray, names: Sequence[str], probabilities: np.ndarray) -> str:
    """Pictures (N, H, W, C), their classes (N,), and what a classifier takes them for (N, classes)."""
    cells = "".join(
        f'<figure><img alt="{escape(names[label])}" src="{picture(image)}"><figcaption>{escape(names[row.argmax()])}'
        f'{"" if row.argmax() == label else f" (is {escape(names[label])})"}<b>{row.max():.0%}</b></figcaption></figure>'
        for image, label, row in zip(images, labels, probabilities, strict=True))
    return f'<div class="lab-pictures">{cells}</div>'


def engine(state: EngineState, hub_bytes: int, engine_bytes: int, history: Sequence[int]) -> str:
    """The engine at this moment: device, memory against its budget, resident models."""
    kind = "bad" if state.fault else "good" if state.ready else "wait"
    word = escape(state.fault) if state.fault else "ready" if state.ready else "starting"
    place = f"process {state.pid}" if state.mode == "process" and state.pid else "a thread of the hub"
    held = sum(size for _, size in state.models)
    rows = [("device", escape(state.device_name or state.device or "not known yet")), ("lives in", place),
            ("torch", escape(state.torch or "–")), ("memory", f"{_mb(engine_bytes)} <small>engine</small> · {_mb(hub_bytes)} <small>hub</small>"),
            ("runs", f"{state.running} running · {state.queued} waiting"),
            ("restarts", str(state.restarts))]
    table = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    models = "".join(f"<li><span>{escape(name)}</span><b>{_mb(size)}</b></li>" for name, size in state.models)
    resident = f"<ul>{models}</ul>" if models else "<p>None yet: a model is loaded when somebody first asks it something.</p>"
    share = min(100.0, 100 * held / state.budget_bytes) if state.budget_bytes else 0.0
    return (f'<div class="lab-engine"><h3>Engine <span data-kind="{kind}">{word}</span></h3><dl>{table}</dl>{_spark(history)}'
            f"<h3>Models in memory</h3>{resident}"
            f'<p class="lab-budget" title="{_mb(held)} of {_mb(state.budget_bytes)}"><i style="width:{max(share, 0.6):.2f}%"></i></p>'
            f"<p>{_mb(held)} of {_mb(state.budget_bytes)} allowed</p></div>")


def _spark(history: Sequence[int]) -> str:
    """The engine's memory over the last looks, one thin bar each, heights from zero (st.html takes no SVG)."""
    if len(history) < 2 or not max(history):
        return ""
    bars = "".join(f'<i style="height:{90 * value / max(history):.0f}%"></i>' for value in history)
    return f'<p class="lab-spark" title="memory of the engine while this page was open">{bars}</p>'


def runs(recent: Sequence[RunRecord], now: float | None = None) -> str:
    """The last runs, newest first."""
    if not recent:
        return "<p class='lab-none'>No run has ended yet. Open the latent-space explorer and move, or choose “Pictures” above.</p>"
    moment = time.time() if now is None else now
    rows = "".join(
        f"<tr><td>{escape(run.job.rpartition(':')[2])}</td><td>{escape(run.session)}</td><td>{_took(run.seconds)}</td>"
        f'<td>{run.frames}</td><td data-outcome="{escape(run.outcome)}">{escape(run.outcome)}</td><td>{_ago(moment - run.at)}</td></tr>'
        for run in recent)
    heads = "".join(f"<th>{name}</th>" for name in ("job", "visitor", "took", "frames", "ended", "when"))
    return f'<div class="lab-runs" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _mb(size: int) -> str:
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.1f} MB" if size < 10 * 2**20 else f"{size / 2**20:.0f} MB"


def _took(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _ago(seconds: float) -> str:
    return "now" if seconds < 3 else f"{seconds:.0f} s ago" if seconds < 90 else f"{seconds / 60:.0f} min ago"
