"""The tree of a search as an SVG: a column for each round, in it the likeliest hypothesis on top."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape

from apps.temperature_slider.view import minus, piece, shown
from engines.language import Node, Searched

COLUMN, ROW, BOX, TALL = 118, 30, 74, 24     # pixels: a round, a hypothesis, the box of a token, its height
ROOT, TOP, EDGE = 34, 24, 8                  # the dot of the prompt, the line of numbers above, the margin
LETTERS = 8                                  # of a token in its box; the rest is in its title


def place(nodes: Sequence[Node]) -> list[tuple[float, float]]:
    """The left end and the middle line of each node's box: by round, and within it by log p."""
    rounds: dict[int, list[int]] = defaultdict(list)
    for at, node in enumerate(nodes):
        rounds[node.depth].append(at)
    spots: list[tuple[float, float]] = [(0.0, 0.0)] * len(nodes)
    for depth, these in rounds.items():
        for row, at in enumerate(sorted(these, key=lambda each: (-nodes[each].logp, each))):
            spots[at] = (ROOT + (depth - 1) * COLUMN + COLUMN - BOX, TOP + ROW * (row + 0.5))
    return spots


def svg(found: Searched, pieces: Sequence[bytes]) -> str:
    """The whole tree; kept hypotheses in ink, rejected ones pale, the way to what was found bold."""
    spots = place(found.nodes)
    deepest = max((node.depth for node in found.nodes), default=1)
    width, height = ROOT + deepest * COLUMN + EDGE, max((y for _, y in spots), default=TOP) + ROW
    root = spots[next((at for at, node in enumerate(found.nodes) if node.best), 0)][1] if spots else TOP + ROW / 2
    order = sorted(range(len(found.nodes)), key=lambda at: (found.nodes[at].best, found.nodes[at].kept))
    edges = "".join(_edge(found.nodes, at, spots, root) for at in order)
    boxes = "".join(_box(found.nodes, at, spots[at], pieces) for at in order)
    heads = "".join(f'<text class="nat-round" x="{ROOT + depth * COLUMN - BOX / 2:.0f}" y="14">{depth}</text>' for depth in range(1, deepest + 1))
    return (f'<svg class="nat-tree" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
            f'aria-label="{escape(alt(found))}">{heads}<circle class="nat-root" cx="14" cy="{root:.0f}" r="8"><title>the prompt</title></circle>'
            f"{edges}{boxes}</svg>")


def _kind(node: Node) -> str:
    return " ".join(name for name, holds in (("best", node.best), ("kept", node.kept), ("ended", node.ended),
                                            ("cut", not (node.kept or node.ended or node.best))) if holds)


def _edge(nodes: Sequence[Node], at: int, spots: Sequence[tuple[float, float]], root: float) -> str:
    node, (x, y) = nodes[at], spots[at]
    x0, y0 = (spots[node.parent][0] + BOX, spots[node.parent][1]) if node.parent >= 0 else (22.0, root)
    own = node.logp - (nodes[node.parent].logp if node.parent >= 0 else 0.0)
    bend = (x - x0) / 2
    return (f'<path class="nat-edge" data-kind="{_kind(node)}" d="M{x0:.1f} {y0:.1f}C{x0 + bend:.1f} {y0:.1f} {x - bend:.1f} {y:.1f} {x:.1f} {y:.1f}"/>'
            f'<text class="nat-own" data-kind="{_kind(node)}" x="{x - 4:.1f}" y="{y - 5:.1f}">{minus(own)}</text>')


def _box(nodes: Sequence[Node], at: int, spot: tuple[float, float], pieces: Sequence[bytes]) -> str:
    node, (x, y) = nodes[at], spot
    token = shown(piece(pieces, node.id))
    own = node.logp - (nodes[node.parent].logp if node.parent >= 0 else 0.0)
    state = "ends here" if node.ended else "kept" if node.kept else "rejected"
    title = f"{token} (token {node.id}): log p {minus(own)} by itself, {minus(node.logp)} with all before it; {state}"
    short = token if len(token) <= LETTERS else token[:LETTERS - 1] + "…"
    return (f'<g class="nat-node" data-kind="{_kind(node)}"><title>{escape(title)}</title>'
            f'<rect x="{x:.1f}" y="{y - TALL / 2:.1f}" width="{BOX}" height="{TALL}" rx="6"/>'
            f'<text x="{x + BOX / 2:.1f}" y="{y + 4.5:.1f}">{escape(short)}</text></g>')


def alt(found: Searched) -> str:
    kept = sum(node.kept or node.ended for node in found.nodes)
    best = f", the best at log p {found.found[0][1]:.2f}" if found.found else ""
    return f"Tree of {found.method} search: {len(found.nodes)} hypotheses, {kept} kept, {found.done} rounds{best}"
