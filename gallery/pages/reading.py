"""What a page gives to read: a lesson in Markdown with formulas, an engine's code, a model's card and figures.

Formulas become MathML on the server, so the page needs no script for them.
"""

from __future__ import annotations

import functools
import json
import re
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from gallery.demo import Demo

ROOT = Path(__file__).resolve().parents[2]
MATHML, BRACE = "http://www.w3.org/1998/Math/MathML", "\u23df"
FORMULA = re.compile(r"\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$\n]+?)\$(?!\d)", re.S)

# Where the converter's spacing differs from what a reader of papers is used to: "log p", "z ~ N", and "z|x" without gaps.
TIDY = (
    (r"(<mi>(?:log|ln|exp|max|min|sin|cos)</mi>)(?=<m[irs])", r'\1<mspace width="0.17em"/>'),
    (r"<mi>&#x0*7E;</mi>", "<mo>&#x223C;</mo>"),
    (r'<mo stretchy="false">&#x0*7C;</mo>', '<mo stretchy="false" lspace="0.08em" rspace="0.08em">&#x7C;</mo>'),
)


@functools.lru_cache(maxsize=64)
def markdown(text: str) -> str:
    """HTML of a Markdown text of ours; `$...$` and `$$...$$` hold LaTeX. HTML in the text is shown, not obeyed."""
    from markdown_it import MarkdownIt          # here, not above: the hub's first page needs neither
    formulas: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        block = match["block"] is not None
        formulas.append(formula(match["block"] if block else match["inline"], block=block))
        return f"\n\n\ue000{len(formulas) - 1}\ue001\n\n" if block else f"\ue000{len(formulas) - 1}\ue001"

    page = MarkdownIt("commonmark", {"html": False, "typographer": True}).enable(["table", "replacements", "smartquotes"])
    html = page.render(FORMULA.sub(put_aside, text))
    html = re.sub(r"<p>\ue000(\d+)\ue001</p>", lambda m: f'<div class="g-formula" tabindex="0">{formulas[int(m[1])]}</div>', html)
    html = re.sub(r"\ue000(\d+)\ue001", lambda m: formulas[int(m[1])], html)
    html = re.sub(r"<h([23])>(.*?)</h\1>", _anchored, html)
    html = html.replace("<table>", '<div class="g-table" tabindex="0"><table>').replace("</table>", "</table></div>")
    return re.sub(r'<a href="(https?://)', r'<a rel="noreferrer" href="\1', html)


def _anchored(match: re.Match[str]) -> str:
    anchor = re.sub(r"[^a-z0-9]+", "-", re.sub(r"<[^>]*>", "", match[2]).lower()).strip("-")
    return f'<h{match[1]} id="{anchor}">{match[2]}</h{match[1]}>'


def formula(latex: str, *, block: bool) -> str:
    """MathML of a LaTeX formula."""
    from latex2mathml.converter import convert
    mathml = convert(latex.strip(), display="block" if block else "inline")
    for pattern, tidy in TIDY:
        mathml = re.sub(pattern, tidy, mathml)
    return _underlined(mathml)


def _underlined(mathml: str) -> str:
    """Braces under a term become a line of exactly its width: Chromium draws a stretched brace too short."""
    ElementTree.register_namespace("", MATHML)
    tree = ElementTree.fromstring(mathml)
    for labelled in tree.iter(f"{{{MATHML}}}munder"):
        braced = labelled[0]
        if braced.tag == labelled.tag and (braced[1].text or "") == BRACE:
            row = ElementTree.Element(f"{{{MATHML}}}mrow", {"class": "g-term"})
            row.append(braced[0])
            labelled[0] = row
    return ElementTree.tostring(tree, encoding="unicode")


CREDITS = "CREDITS.md"           # beside a model's card, where the authors of what it read are to be named

# What the figures of a kind of model mean, said once above its table.
MEANT = {
    "vae": "Nats are for one picture, and fewer is better.",
    "diffusion": ("Recognised: how many of the pictures that it made our small classifier reads as the class that was asked "
                  "for. Fréchet distance (fewer is better), precision and recall are in that classifier’s features, beside "
                  "the same figure between two halves of the real pictures."),
    "gan": ("Recognised, Fréchet distance, precision and recall as for diffusion: in the features of our small classifier, beside "
            "the same figure between real pictures. Emoji have no classifier: they are compared with the training pictures by "
            "their colours."),
    "language": ("Bits per character are of text that the model never read, and fewer is better: so much must still be told "
                 "of each character to someone who knows the model’s guess."),
}
TEXTS = {"tinystories": "TinyStories", "simple": "stories under CC BY", "books": "children’s books", "shakespeare": "Shakespeare"}


def models_html(models: tuple[str, ...], address: str) -> str:
    """A table of the bundled models a page shows: what each is, what it was trained on, its measured quality."""
    configs = [config for name in models if (config := _config(ROOT / "assets" / "models" / name)) is not None]
    if not configs:
        return ""
    meant = " ".join(words for family, words in MEANT.items() if any(_family(config) == family for config in configs))
    return ('<section class="g-models"><h2 id="model-and-data">Models and data</h2>'
            f'<p>{meant} Each name opens the card of the model: recipe, seed, time, machine, data and licence.</p>'
            '<div class="g-table" tabindex="0"><table><thead><tr><th>model</th><th>data</th><th>form</th><th>measured</th>'
            '</tr></thead><tbody>' + "".join(_model_row(config, address) for config in configs)
            + "</tbody></table></div></section>")


def _family(config: dict) -> str:
    return str(config.get("family", "vae"))         # the autoencoders came first and say nothing


def _model_row(config: dict, address: str) -> str:
    name = escape(config["name"])
    kind = {"vae": "plain autoencoder" if config.get("kind") == "ae" else "VAE",
            "diffusion": "diffusion model", "gan": "GAN", "language": "language model"}.get(_family(config), _family(config))
    data = _config(ROOT / "assets" / "data" / str(config.get("dataset"))) or {}
    title = escape(str(data.get("title", config.get("dataset", ""))))
    if _family(config) == "language":
        title = ", ".join(escape(TEXTS.get(each, each)) for each in config.get("measured", {}).get("bits_per_character", {}))
    if (ROOT / "assets" / "models" / config["name"] / CREDITS).is_file():
        title += f'<br><small><a href="{address}/credits/{name}">by these authors</a></small>'
    return (f'<tr><th scope="row"><a href="{address}/card/{name}">{name}</a><br><small>{escape(kind)}</small></th>'
            f'<td>{title}</td>'
            f'<td>{_form(config)}</td><td>{_measured(config)}</td></tr>')


def _form(config: dict) -> str:
    """Size and shape in a few words."""
    said = []
    if "latent" in config:
        said.append(f"{config['latent']} dimensions")
        if config.get("kind") != "ae":
            said.append(f"β {_number(config.get('beta', 1))}")
    elif "image" in config:
        said.append(f"{config['image'][1]} × {config['image'][0]}")
    elif "vocab_size" in config:
        said.append(f"{config['vocab_size']:,} tokens, reads {config.get('n_positions', 0):,}")
    if config.get("classes"):
        said.append(f"{len(config['classes'])} classes")
    if config.get("parameters"):
        said.append(f"{config['parameters'] / 1e6:.2f} million weights")
    return escape(", ".join(said))


def _measured(config: dict) -> str:
    """The held-out figures in words, with their units; those that are not known here come by their own name."""
    if _family(config) == "language":
        return _of_texts(config.get("measured", {}))
    figures = {key: value for key, value in config.get("measured", {}).items() if isinstance(value, int | float)}
    told = _of_samples if _family(config) in ("diffusion", "gan") else _of_test_pictures
    said, where = told(figures, config)
    said += [f"{escape(key.replace('_', ' '))} {_number(value)}" for key, value in figures.items()]
    return ", ".join(said) + (f"<br><small>{where}</small>" if where else "")


def _of_texts(figures: dict) -> str:
    said = [f"{bits:.3f} {escape(TEXTS.get(name, name))}" for name, bits in figures.get("bits_per_character", {}).items()]
    if said:
        said[0] = f"<b>{said[0]}</b>"
    where = (f"bits per character; longest run of tokens that stands in what it read: {_number(figures['longest_copy'])}, "
             f"in {_number(figures.get('samples', 0))} samples" if "longest_copy" in figures else "bits per character")
    return ", ".join(said) + f"<br><small>{where}</small>"


def _of_test_pictures(figures: dict[str, float], config: dict) -> tuple[list[str], str]:
    """Takes out of `figures` what it puts into words: (the words, on what it was measured)."""
    count, said = figures.pop("pictures", None), []
    if "negative_elbo" in figures:
        said.append(f"<b>−ELBO {_number(figures.pop('negative_elbo'))} nats</b>")
    if "reconstruction_nats" in figures:
        kl = figures.pop("kl_nats", 0)
        said.append(f"reconstruction {_number(figures.pop('reconstruction_nats'))}" + (f" + KL {_number(kl)}" if kl else " nats"))
    if "mse" in figures:
        said.append(f"mean squared error {_number(figures.pop('mse'))}")
    return said, f"{_number(count)} pictures, {escape(str(config.get('measured_on', 'held out')))}" if count else ""


def _of_samples(figures: dict[str, float], config: dict) -> tuple[list[str], str]:
    """Takes out of `figures` what it puts into words: (the words, on what it was measured)."""
    count, steps, guidance, said = figures.pop("samples", None), figures.pop("steps", 0), figures.pop("guidance", 0), []
    if "recognised" in figures:
        said.append(f"<b>{figures.pop('recognised'):.1%} recognised</b>" + (f" at guidance {_number(guidance)}" if guidance else ""))
    for key, words in (("frechet", "Fréchet distance"), ("precision", "precision"), ("recall", "recall")):
        if key in figures:
            floor = figures.pop(f"{key}_floor", None)
            said.append(f"{words} {figures.pop(key):.2f}" + (f" ({floor:.2f})" if floor is not None else ""))
    figures.pop("compared", None)            # with how many training pictures, where no others are
    return said, f"{_number(count)} samples" + (f" of {_number(steps)} DDIM steps" if steps else "") if count else ""


def _config(folder: Path) -> dict | None:
    path = folder / "config.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def page_below(below: str, demo: Demo) -> tuple[str, str] | None:
    """Title and body of a page of reading at `code`, `card/<model>` or `credits/<model>` under a demo's address, or None."""
    if below == "code" and demo.engine:
        return f"Code of {demo.engine}", code_html(demo.engine)
    if below.startswith("card/") and below[5:] in demo.models:
        card = ROOT / "assets" / "models" / below[5:] / "MODEL_CARD.md"
        if card.is_file():
            text = re.sub(r"\A---\n.*?\n---\n", "", card.read_text(encoding="utf-8"), flags=re.S)
            return f"Card of {below[5:]}", markdown(text)
    if below.startswith("credits/") and below[8:] in demo.models:
        credits = ROOT / "assets" / "models" / below[8:] / CREDITS
        if credits.is_file():
            return f"Whose texts {below[8:]} read", markdown(credits.read_text(encoding="utf-8"))
    return None


@functools.lru_cache(maxsize=16)
def code_html(path: str) -> str:
    """An engine's source, coloured by kind of word and with a link to each line (#L120)."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer
    source = (ROOT / path).read_text(encoding="utf-8")
    formatter = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, cssclass="g-code")
    return (f"<h1>{escape(path)}</h1><p>The whole engine of this page: {source.count(chr(10))} lines, as they run here.</p>"
            + highlight(source, PythonLexer(), formatter).replace('name="L-', 'id="L').replace('href="#L-', 'href="#L'))
