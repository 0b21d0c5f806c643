"""One source of colour: every text colour can be read, every framework is given the same tokens, nothing calls out."""

from __future__ import annotations

import re

import pytest

from gallery import look
from gallery.milestones import MILESTONES

THEMES = ("light", "dark")
GROUNDS = ("paper", "wall", "soft")
ACCENTS = tuple(milestone.accent for milestone in MILESTONES) + ("house",)
READ = 4.5           # WCAG 2.2, 1.4.3: text
SEEN = 3.0           # WCAG 2.2, 1.4.11: the edge of a control, a mark in a chart
FONTS = look.WEB / "fonts"
OUTSIDE = re.compile(r"https?://(?!www\.w3\.org/)|//(?:cdn|fonts|unpkg|ajax)\.")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ("ink", "ink-2", "good", "wait", "bad", *ACCENTS))
@pytest.mark.parametrize("ground", GROUNDS)
def test_text_can_be_read_on_every_ground(theme, text, ground):
    tokens = look.tokens()[theme]
    assert look.contrast(tokens[text], tokens[ground]) >= READ


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("accent", ACCENTS)
def test_text_on_an_accent_and_on_its_soft_ground_can_be_read(theme, accent):
    tokens = look.tokens()[theme]
    soft = look.mixed(tokens[accent], tokens["wall"], 0.12)            # --a-soft
    hovered = look.mixed(tokens[accent], tokens["ink"], 0.88)          # a filled button under the pointer
    assert look.contrast(tokens["on-a"], tokens[accent]) >= READ
    assert look.contrast(tokens["on-a"], hovered) >= READ
    assert look.contrast(tokens[accent], soft) >= READ
    assert look.contrast(tokens["ink"], soft) >= READ


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mark", ("edge", *look.CLASSES))
def test_edges_and_marks_can_be_seen_on_the_wall(theme, mark):
    tokens = look.tokens()[theme]
    assert look.contrast(tokens[mark], tokens["wall"]) >= SEEN


def test_contrast_agrees_with_the_known_ends():
    assert look.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert look.contrast("#777777", "#777777") == pytest.approx(1)
    assert look.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)      # the grey that WCAG's texts name


def test_soft_mix_is_what_the_page_computes():
    css = (look.WEB / "tokens.css").read_text(encoding="utf-8")
    assert "--a-soft: color-mix(in srgb, var(--a) 12%, var(--wall))" in css


def test_dark_changes_every_colour_and_nothing_else():
    light, dark = look.tokens()["light"], look.tokens()["dark"]
    assert set(light) == set(dark)
    colours = {name for name, value in light.items() if value.startswith("#")}
    assert {name for name in light if light[name] != dark[name]} == colours | {"shade"}


def test_every_milestone_has_an_accent_of_its_own():
    for theme in THEMES:
        assert len({look.tokens()[theme][accent] for accent in ACCENTS}) == len(ACCENTS)


def test_without_a_script_the_system_chooses():
    css = look.without_script()
    assert css.startswith("@media (prefers-color-scheme: dark)")
    assert f"--paper: {look.tokens()['dark']['paper']}" in css


def test_every_variable_that_a_stylesheet_uses_is_a_token_or_its_own():
    for path in sorted(look.WEB.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        known = set(look.tokens()["light"]) | {"a", "a-soft", "ring"} | set(re.findall(r"--([\w-]+)\s*:", text))
        shared = set(re.findall(r"--([\w-]+)\s*:", (look.WEB / "page.css").read_text(encoding="utf-8")))
        used = set(re.findall(r"var\(--([\w-]+)\)", text))                # one with a fallback may be set from a script
        assert used <= known | shared, f"{path.name} uses {sorted(used - known - shared)}"


# --- fonts ---------------------------------------------------------------------------------------------------------

def test_fonts_are_here_named_licensed_and_small():
    css = (look.WEB / "fonts.css").read_text(encoding="utf-8")
    files = {path.name for path in FONTS.glob("*.woff2")}
    assert {name.split("/")[1] for name in re.findall(r'url\("([^"]+)"\)', css)} == files
    assert css.count("font-display: swap") == css.count("@font-face")
    assert sum(path.stat().st_size for path in FONTS.glob("*.woff2")) <= 400_000
    for name in files:
        family = name.removesuffix(".woff2").replace("-latin", "").replace("-greek", "").replace("-italic", "")
        licence = (FONTS / f"LICENSE-{family}.txt").read_text(encoding="utf-8")
        assert "SIL Open Font License, Version 1.1" in licence and "opyright" in licence or "©" in licence
        assert (FONTS / name).read_bytes()[:4] == b"wOF2"


def test_every_family_of_the_tokens_is_bundled():
    css = (look.WEB / "fonts.css").read_text(encoding="utf-8")
    for name in ("display", "text", "mono", "maths"):
        first = look.tokens()["light"][name].split(",")[0]
        assert f"font-family: {first};" in css


def test_nothing_of_ours_names_another_host():
    for path in look.WEB.rglob("*"):
        if path.suffix in (".css", ".js", ".svg", ".html"):
            found = OUTSIDE.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path} names {found.group()}"


# --- the frameworks --------------------------------------------------------------------------------------------------

def test_gradio_follows_the_tokens_and_fetches_no_font():
    theme = look.gradio_theme()
    css = theme._get_theme_css()
    assert "var(--paper)" in css and "var(--ink)" in css
    assert not OUTSIDE.search(css) and "@font-face" not in css
    assert not theme._stylesheets


def test_streamlit_takes_every_option_it_is_given():
    from streamlit import config
    known = config.get_config_options()
    options = look.streamlit_theme()
    assert set(options) <= set(known)
    for theme in THEMES:
        assert options[f"theme.{theme}.backgroundColor"] == look.tokens()[theme]["paper"]
        assert options[f"theme.{theme}.textColor"] == look.tokens()[theme]["ink"]


@pytest.mark.parametrize("dark", (False, True))
def test_plotly_template_is_valid_and_of_the_tokens(dark):
    import plotly.graph_objects as go
    figure = go.Figure(go.Scatter(y=[1, 2]), layout={"template": look.plotly_template(dark)})
    tokens = look.tokens()["dark" if dark else "light"]
    assert figure.layout.template.layout.font.color == tokens["ink"]
    assert list(figure.layout.template.layout.colorway) == [tokens[name] for name in look.CLASSES]


def test_sequential_scale_rises_evenly_in_lightness():
    steps = [look._luminance(look.rgb(colour)) for _, colour in look.SEQUENTIAL]
    assert all(low < high for low, high in zip(steps, steps[1:], strict=False))


def test_a_colour_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no colour"):
        look.rgb("red")
