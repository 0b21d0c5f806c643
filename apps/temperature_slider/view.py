"""What the script draws beneath the shell: pure functions from frames to HTML. Whatever a token holds is shown as text."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from html import escape

import numpy as np

from engines.language import Layers, Measured, Scored, Settings

MARKS = {" ": "·", "\n": "↵", "\r": "␍", "\t": "⇥"}
LENS_PLACES = 48                 # columns of the lens: more would be a table that nobody reads
HIGH_NATS = 8.0                  # the surprise of the deepest tint: one in three thousand

# --- tokens as text ----------------------------------------------------------------------------------------------


def shown(piece: bytes) -> str:
    """A token for the eye: spaces and line breaks visible, what is no letter as its bytes, what turns a line by its number."""
    try:
        text = piece.decode("utf-8")
    except UnicodeDecodeError:
        return f"<{piece.hex(' ')}>"
    return "".join(MARKS.get(letter) or _ruled(letter) for letter in text) or "<>"


def _ruled(letter: str) -> str:
    return f"<U+{ord(letter):04X}>" if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter


def safe(piece: bytes) -> str:
    """The same for HTML; its direction stays its own."""
    return f"<bdi>{escape(shown(piece))}</bdi>"


def piece(pieces: Sequence[bytes], token: int) -> bytes:
    """The bytes of a token; none where the vocabulary does not reach so far."""
    return pieces[token] if 0 <= token < len(pieces) else b""


START = "start"                  # what stands for a token that begins every text, where its own name would be taken for words


def begins(place: int, token: int, special: Sequence[int]) -> bool:
    """Whether this is the token that was put before a text."""
    return place == 0 and token in special


def written(tokens: Sequence[int], pieces: Sequence[bytes], special: Sequence[int] = ()) -> str:
    """Tokens as one text; those with a name of their own add nothing."""
    return b"".join(piece(pieces, token) for token in tokens if token not in special).decode("utf-8", "replace")


def prose(text: str) -> str:
    """A text for HTML, with its line breaks; what has no shape by its number."""
    kept = "".join(letter if letter in "\n\t" else _ruled(letter) for letter in text)
    return f'<span dir="auto">{escape(kept)}</span>'


def percent(p: float) -> str:
    """A probability for the eye."""
    if p == 0:
        return "0 %"
    if p < 0.0001:
        return "< 0.01 %"
    return f"{100 * p:.{2 if p < 0.01 else 0 if p >= 0.0995 else 1}f} %"


def number(value: float) -> str:
    """Three figures that mean something; "none" where there is no number."""
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def minus(value: float) -> str:
    """Two decimals, with a true minus sign."""
    return f"{value:.2f}".replace("-", "−")


def reshaped(settings: Settings, temperature: bool = True) -> str:
    """What else shapes a text, in the tools that do not show it: " with top-p 0.9 and repetition penalty 1.3, as set …"."""
    said = [f"T = {settings.temperature:g}"] * (temperature and settings.temperature != 1)
    said += [f"{name} {value:g}" for name, value, off in (
        ("top-k", settings.top_k, 0), ("top-p", settings.top_p, 1), ("min-p", settings.min_p, 0), ("typical-p", settings.typical_p, 1),
        ("repetition penalty", settings.repetition_penalty, 1)) if value != off]
    words = " and ".join(filter(None, (", ".join(said[:-1]), said[-1] if said else "")))
    return f" with {words}, as set under Distribution" if words else ""


# --- side by side ------------------------------------------------------------------------------------------------

def columns(rows: Sequence[Measured], chosen: int, going: bool = False) -> str:
    """Text `chosen` of every temperature, a column each, in the order asked for."""
    cells, busy = [], ' aria-busy="true"' if going else ""
    for row in rows:
        texts = row.texts
        text = prose(texts[chosen].lstrip(" ")) if chosen < len(texts) and texts[chosen] else '<i class="nat-none">nothing yet</i>'
        cells.append(f'<article class="nat-column" tabindex="0" aria-label="Written at temperature {row.temperature:g}">'
                     f"<h3>T = {row.temperature:g}</h3><p{busy}>{text}</p></article>")
    return f'<div class="nat-columns" style="--n:{max(1, len(rows))}">{"".join(cells)}</div>'


def ends(rows: Sequence[Measured]) -> str:
    """What the two ends of the curves say, from the measured rows."""
    ordered = sorted((row for row in rows if row.tokens and any(row.tokens)), key=lambda row: row.temperature)
    if not ordered:
        return "Nothing was written: every text ended at once. Try another prompt."
    cold, hot = ordered[0], ordered[-1]
    if cold is hot:
        return f"One temperature, T = {cold.temperature:g}: give a second one to see curves."
    return (f"At T = {cold.temperature:g}, {percent(cold.distinct_2)} of all pairs of tokens differ and {percent(cold.repetition)} is repetition; "
            f"at T = {hot.temperature:g} it is {percent(hot.distinct_2)} and {percent(hot.repetition)}. {_perplexities(cold.perplexity, hot.perplexity)}")


def _perplexities(cold: float, hot: float) -> str:
    if not (math.isfinite(hot) and math.isfinite(cold)):
        return "Of one of them there is no measurable perplexity."
    return f"Perplexity: {number(cold)} against {number(hot)}."


# --- decoding ----------------------------------------------------------------------------------------------------

def finds(rows: Sequence[tuple[str, str, int, float, float]], chosen: str) -> str:
    """What each method found. rows: (name, text, tokens, log p in nats, score)."""
    best = max((row[3] for row in rows if row[2]), default=math.nan)
    body = "".join(
        f'<tr{" aria-current=true" if name == chosen else ""}><th scope="row">{escape(name)}</th><td class="nat-found">{prose(text.lstrip(" "))}</td>'
        f'<td>{count}</td><td>{minus(logp)}{" ★" if count and logp == best else ""}</td>'
        f"<td>{minus(logp / count if count else 0.0)}</td></tr>"
        for name, text, count, logp, _ in rows)
    return ('<div class="nat-scroll" tabindex="0" role="region" aria-label="What each method found"><table class="nat-table"><thead><tr><th>Method</th>'
            "<th>What it found</th><th>Tokens</th><th>log p, nats</th><th>per token</th></tr></thead>"
            f"<tbody>{body}</tbody></table></div>")


CONTRASTIVE = ("★ the likeliest text. Contrastive search (Su et al. 2022) is not among them: transformers 5 fetches its code from the Hub "
               "to run it, and no code from elsewhere runs here.")
TREE = ("A column for each token, the likeliest hypothesis on top. On each line: ln p of its token. Filled: what was found; solid: kept; "
        "dashed: rejected. · is a space.")
LENS = ("From the bottom up: what each layer, asked for its answer, would say next after the token above the column. The deeper the tint, "
        "the surer; bold: what the last layer says. · is a space.")
SURPRISE = ("The deeper the tint, the more surprising the token to the model: ln 1/p, in nats. Point at one for its numbers.")


# --- under the bonnet: tokens ------------------------------------------------------------------------------------

def groups(ids: Sequence[int], pieces: Sequence[bytes]) -> list[tuple[int, int]]:
    """(start, stop) of the smallest runs of tokens that hold whole letters; one token each where it does by itself."""
    found, start, held = [], 0, b""
    for place, token in enumerate(ids):
        held += piece(pieces, token)
        try:
            held.decode("utf-8")
        except UnicodeDecodeError as fault:
            if fault.reason == "unexpected end of data" and place - start < 8:
                continue
        found.append((start, place + 1))
        start, held = place + 1, b""
    return found + ([(start, len(ids))] if start < len(ids) else [])


def chips(ids: Sequence[int], pieces: Sequence[bytes], special: Sequence[int] = ()) -> str:
    """Every token with its number; tokens that only together are a letter stand in one frame, the letter above them."""
    parts = []
    for start, stop in groups(ids, pieces):
        inner = "".join(_chip(token, pieces, token in special, begins(start, token, special)) for token in ids[start:stop])
        if stop - start > 1:
            whole = b"".join(piece(pieces, token) for token in ids[start:stop]).decode("utf-8", "replace")
            inner = f'<span class="nat-letter"><b>{prose(whole)}</b><span class="nat-bytes">{inner}</span></span>'
        parts.append(inner)
    return f'<div class="nat-chips" role="list" aria-label="The prompt as tokens">{"".join(parts)}</div>'


def _chip(token: int, pieces: Sequence[bytes], special: bool, first: bool) -> str:
    held = piece(pieces, token)
    count = f"{len(held)} byte{'s' * (len(held) != 1)}: {held.hex(' ')}" if not special else "a token with a name of its own"
    return (f'<span class="nat-chip{" nat-special" * special}" role="listitem" title="{escape(count)}">'
            f"<span>{safe(held)}</span><small>{token}{f', {START}' * first}</small></span>")


def chips_caption(start: bool, pieces: Sequence[bytes]) -> str:
    """How to read the chips."""
    words = any(len(each) > 1 and each.startswith(b" ") for each in pieces)
    first = " The dashed one is put before every text, so that the first of your tokens, too, comes after something." if start else ""
    belongs = ": it belongs to the word after it" if words else ""
    return caption(f"The number is the token’s id. · is a space{belongs}.{first}")


def caption(text: str) -> str:
    """A line that says how to read what stands above it."""
    return f'<p class="nat-caption">{escape(text)}</p>'


def counted(text: str, ids: Sequence[int], pieces: Sequence[bytes], special: Sequence[int]) -> str:
    """How the prompt was cut, in a sentence."""
    own = [token for token in ids if token not in special]
    broken = [b"".join(piece(pieces, token) for token in ids[start:stop]).decode("utf-8", "replace")
              for start, stop in groups(ids, pieces) if stop - start > 1]
    said = (f"{len(text):,} characters, {len(text.encode('utf-8', 'replace')):,} bytes, {len(own):,} tokens of a vocabulary of "
            f"{len(pieces):,}: {len(text) / max(1, len(own)):.1f} characters a token.")
    if broken:
        few = " ".join(dict.fromkeys(broken[:4]))
        said += (f" {few} fell to bytes, since no merge of the vocabulary holds {'it' if len(set(broken)) == 1 else 'them'} whole "
                 f"({len(broken)} place{'s' * (len(broken) != 1)}).")
    return said


# --- under the bonnet: the lens ----------------------------------------------------------------------------------

def appears(ranks: np.ndarray) -> int:
    """The first row from which on the answer is the likeliest token. ranks: (L + 1,), from 1; the last is 1."""
    after = np.flatnonzero(ranks != 1)
    return int(after[-1]) + 1 if len(after) else 0


def layer(row: int) -> str:
    return f"layer {row}" if row else "the embedding, before any layer"


def lens_sentence(layers: Layers, place: int, pieces: Sequence[bytes]) -> str:
    """Where the answer appears, from the data."""
    ranks, p = layers.answer_rank[:, place], layers.answer_p[:, place]
    last = len(ranks) - 1
    row = min(appears(ranks), last)
    answer = shown(piece(pieces, int(layers.answer[place])))
    before = f", at rank {int(ranks[row - 1]):,} one layer before" if row else ""
    return (f"The answer “{answer}” appears in {layer(row)}{f' of {last}' if row else ''}: from there on it is the likeliest token "
            f"({percent(float(p[row]))} there{before}, {percent(float(p[last]))} at the end).")


def lens(layers: Layers, pieces: Sequence[bytes], chosen: int, special: Sequence[int] = ()) -> str:
    """Layer by place: in each cell the token that this layer would say next, tinted by its probability. Last layer on top."""
    rows, places = layers.top_ids.shape[:2]
    first = window(places, chosen)
    span = range(first, min(places, first + LENS_PLACES))
    names = {place: START if begins(place, int(layers.ids[place]), special) else safe(piece(pieces, int(layers.ids[place]))) for place in span}
    head = "".join(f'<th scope="col"{_mark(place == chosen)}>{name}</th>' for place, name in names.items())
    body = []
    for row in reversed(range(rows)):
        cells = "".join(_cell(layers, row, place, pieces, chosen, special) for place in span)
        body.append(f'<tr><th scope="row">{row or "emb."}</th>{cells}</tr>')
    return f'<table><thead><tr><th>layer</th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def window(places: int, chosen: int) -> int:
    """The first place shown, so that the chosen one is in sight."""
    return max(0, min(places - LENS_PLACES, chosen - LENS_PLACES // 2)) if places > LENS_PLACES else 0


def _mark(chosen: bool) -> str:
    return ' class="nat-here"' if chosen else ""


def _cell(layers: Layers, row: int, place: int, pieces: Sequence[bytes], chosen: int, special: Sequence[int]) -> str:
    token, p = int(layers.top_ids[row, place, 0]), float(layers.top_p[row, place, 0])
    hit = token == int(layers.answer[place])
    others = ", ".join(f"{shown(piece(pieces, int(each)))} {percent(float(share))}"
                       for each, share in zip(layers.top_ids[row, place], layers.top_p[row, place], strict=True))
    classes = " ".join(name for name, holds in (("nat-here", place == chosen), ("nat-hit", hit)) if holds)
    name = START if begins(place, token, special) else safe(piece(pieces, token))
    return f'<td style="--p:{p:.3f}" class="{classes}" title="{escape(others)}">{name}</td>'


# --- under the bonnet: surprise ----------------------------------------------------------------------------------

def surprise(scored: Scored, pieces: Sequence[bytes], special: Sequence[int] = ()) -> str:
    """The text, every token tinted by its surprise."""
    parts = []
    for start, stop in groups([int(token) for token in scored.ids], pieces):
        if begins(start, int(scored.ids[start]), special):
            continue                                        # no word of the text
        held = b"".join(piece(pieces, int(token)) for token in scored.ids[start:stop])
        nats = scored.surprise[start:stop]
        total = float(np.sum(nats)) if not np.isnan(nats).all() else math.nan
        parts.append(_tinted(held, total, scored, start, pieces))
    return f'<div class="nat-surprise" dir="auto" tabindex="0" role="region" aria-label="The text, tinted by surprise">{"".join(parts)}</div>'


def _tinted(held: bytes, nats: float, scored: Scored, place: int, pieces: Sequence[bytes]) -> str:
    text = held.decode("utf-8", "replace")
    if math.isnan(nats):
        return f'<span class="nat-first" title="Nothing stands before it">{prose(text)}</span>'
    expected = int(scored.likeliest[place])
    about = f"{shown(held)}: {nats:.2f} nats (p {percent(math.exp(-nats))}), rank {int(scored.rank[place]):,}"
    if expected >= 0:
        about += f"; expected {shown(piece(pieces, expected))}"
    space = " " if text.startswith(" ") and text.strip() else ""       # at a line's end its tint would look like a token
    body = prose(text[len(space):]).replace("\n", '<span class="nat-break">↵</span>\n')
    return f'{space}<span class="nat-said" style="--p:{min(1.0, nats / HIGH_NATS):.3f}" title="{escape(about)}">{body}</span>'


def scored_sentence(scored: Scored, text: str, pieces: Sequence[bytes]) -> str:
    """Perplexity, bits per character and the greatest surprise, from the data."""
    judged = np.isfinite(scored.surprise)
    if not judged.any():
        return "One token and nothing before it: there is nothing to be surprised at. Paste a longer text."
    place = int(np.nanargmax(scored.surprise))
    return (f"Perplexity {number(scored.perplexity)}, {scored.bits_per_character:.2f} bits a character over {len(text):,} characters. "
            f"The greatest surprise is “{shown(piece(pieces, int(scored.ids[place])))}”, {float(scored.surprise[place]):.1f} nats, "
            f"rank {int(scored.rank[place]):,}, where “{shown(piece(pieces, int(scored.likeliest[place])))}” was expected.")
