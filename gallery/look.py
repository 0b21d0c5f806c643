"""tokens.css read once, and what each framework wants made of it: one source for every page.

Gradio gets the variables themselves, so it follows the page's theme by the browser; Streamlit and Plotly take colours
only, so they get them from here. Imports nothing heavy until it is asked for a theme.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import gradio as gr
    import plotly.graph_objects as go

WEB = Path(__file__).resolve().parents[1] / "assets" / "web"
Theme = Literal["light", "dark"]
CLASSES = tuple(f"class-{number}" for number in range(10))


@functools.lru_cache(maxsize=1)
def tokens() -> dict[Theme, dict[str, str]]:
    """Name (without dashes) to value, for "light" and for "dark"; dark holds what it does not change, too."""
    text = re.sub(r"/\*.*?\*/", "", (WEB / "tokens.css").read_text(encoding="utf-8"), flags=re.S)
    light = _declarations(_block(text, r":root"))
    return {"light": light, "dark": light | _declarations(_block(text, r':root\[data-theme="dark"\]'))}


def without_script() -> str:
    """The dark tokens for a page on which no script has set data-theme: they then follow the system."""
    text = (WEB / "tokens.css").read_text(encoding="utf-8")
    dark = _block(text, r':root\[data-theme="dark"\]')
    return "@media (prefers-color-scheme: dark) { :root:not([data-theme]) {" + dark + "} }"


@functools.lru_cache(maxsize=1)
def head_script() -> str:
    """theme.js and first.js to stand in the hub's page itself: no first paint waits for their way. It is the one script that
    may: see guard.py."""
    text = "".join((WEB / name).read_text(encoding="utf-8") for name in ("theme.js", "first.js"))
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"(^|\s)//[^\n]*|/\*.*?\*/", "", text, flags=re.S)).strip()


def _block(text: str, selector: str) -> str:
    match = re.search(rf"^{selector}\s*\{{(.*?)\}}", text, flags=re.S | re.M)
    if match is None:
        raise ValueError(f"tokens.css has no block for {selector}")
    return match[1]


def _declarations(block: str) -> dict[str, str]:
    return {name: value.strip() for name, value in re.findall(r"--([\w-]+)\s*:\s*([^;]+);", block)}


def family(name: Literal["display", "text", "mono"]) -> str:
    return tokens()["light"][name]


# --- Gradio ------------------------------------------------------------------------------------------------------

# Gradio's variable -> ours. `a` is the page's accent, set on <body> by the frame.
GRADIO = {
    "paper": ("body_background_fill", "table_odd_background_fill"),
    "wall": ("background_fill_primary", "block_background_fill", "input_background_fill", "input_background_fill_focus",
             "panel_background_fill", "checkbox_background_color", "checkbox_label_background_fill",
             "button_secondary_background_fill", "table_even_background_fill", "code_background_fill"),
    "soft": ("background_fill_secondary", "button_secondary_background_fill_hover", "checkbox_label_background_fill_hover",
             "stat_background_fill", "button_cancel_background_fill", "block_label_background_fill"),
    "ink": ("body_text_color", "block_title_text_color", "button_secondary_text_color", "table_text_color",
            "accordion_text_color", "checkbox_label_text_color", "button_cancel_text_color"),
    "ink-2": ("body_text_color_subdued", "block_info_text_color", "block_label_text_color", "input_placeholder_color"),
    "line": ("border_color_primary", "block_border_color", "panel_border_color", "table_border_color",
             "button_secondary_border_color", "block_label_border_color", "checkbox_label_border_color"),
    "edge": ("input_border_color", "checkbox_border_color", "input_border_color_hover"),
    "a": ("color_accent", "border_color_accent", "slider_color", "loader_color", "link_text_color", "link_text_color_hover",
          "link_text_color_active", "link_text_color_visited", "input_border_color_focus", "checkbox_border_color_focus",
          "checkbox_background_color_selected", "checkbox_border_color_selected", "checkbox_label_text_color_selected",
          "button_primary_background_fill", "button_primary_background_fill_hover", "button_primary_border_color"),
    "a-soft": ("color_accent_soft", "checkbox_label_background_fill_selected", "table_row_focus"),
    "on-a": ("button_primary_text_color",),
    "bad": ("error_text_color", "error_border_color", "error_icon_color"),
}


def gradio_theme() -> gr.themes.Base:
    """The gallery's look as a Gradio theme. Fonts are the bundled ones, by name: nothing is fetched from elsewhere."""
    import gradio as gr
    named = {kind: [gr.themes.Font(part.strip().strip('"')) for part in family(kind).split(",")] for kind in ("text", "mono")}
    theme = gr.themes.Base(font=named["text"], font_mono=named["mono"], radius_size=gr.themes.sizes.radius_md,
                           spacing_size=gr.themes.sizes.spacing_md, text_size=gr.themes.sizes.text_md)
    values: dict[str, str] = {}
    for token, variables in GRADIO.items():
        for variable in variables:
            values[variable] = f"var(--{token})"
            if hasattr(theme, f"{variable}_dark"):
                values[f"{variable}_dark"] = f"var(--{token})"       # the token itself changes with the theme
    values |= {"block_shadow": "none", "button_primary_shadow": "none", "button_secondary_shadow": "none",
               "error_background_fill": "var(--wall)", "error_background_fill_dark": "var(--wall)", "layout_gap": "var(--s4)",
               "input_border_width": "1px", "input_border_width_dark": "1px", "button_border_width": "1px",
               "button_border_width_dark": "1px", "checkbox_border_width": "1px", "checkbox_border_width_dark": "1px"}
    return theme.set(**values)


def gradio_css() -> str:
    """Nothing yet beyond page.css, which the frame links: rules given here would be prefixed and come late."""
    return ""


# --- Streamlit ---------------------------------------------------------------------------------------------------

def streamlit_theme(accent: str = "house") -> dict[str, object]:
    """Streamlit's configuration options for both themes: option -> value, for `streamlit.config.set_option`."""
    options: dict[str, object] = {
        "theme.font": family("text").split(",")[0].strip('"') + ", sans-serif",
        "theme.headingFont": family("display").split(",")[0].strip('"') + ", serif",
        "theme.codeFont": family("mono").split(",")[0].strip('"') + ", monospace",
        "theme.baseRadius": tokens()["light"]["r2"], "theme.baseFontSize": 16, "theme.showWidgetBorder": True,
        "theme.headingFontSizes": ["28px", "22px", "19px", "16px", "16px", "16px"],
        "theme.headingFontWeights": [600] * 6,
    }
    for theme in ("light", "dark"):
        t, at = tokens()[theme], f"theme.{theme}"
        options |= {
            f"{at}.primaryColor": t[accent], f"{at}.backgroundColor": t["paper"], f"{at}.secondaryBackgroundColor": t["soft"],
            f"{at}.textColor": t["ink"], f"{at}.linkColor": t[accent], f"{at}.borderColor": t["line"],
            f"{at}.codeTextColor": t["ink"], f"{at}.codeBackgroundColor": t["soft"],
            f"{at}.dataframeBorderColor": t["line"], f"{at}.dataframeHeaderBackgroundColor": t["soft"],
            f"{at}.chartCategoricalColors": [t[name] for name in CLASSES],
            f"{at}.redColor": t["bad"], f"{at}.redTextColor": t["bad"], f"{at}.greenColor": t["good"],
            f"{at}.greenTextColor": t["good"], f"{at}.orangeColor": t["wait"], f"{at}.orangeTextColor": t["wait"],
            f"{at}.blueColor": t["attn"], f"{at}.blueTextColor": t["attn"],
            f"{at}.violetColor": t["vae"], f"{at}.violetTextColor": t["vae"], f"{at}.grayTextColor": t["ink-2"],
        }
    return options


# --- Plotly ------------------------------------------------------------------------------------------------------

def plotly_layout(dark: bool = False) -> dict[str, Any]:
    """The layout of a chart, as plain data: for Plotly here and for a chart that a page draws itself."""
    t = tokens()["dark" if dark else "light"]
    axis = {"gridcolor": t["line"], "linecolor": t["edge"], "zerolinecolor": t["line"], "ticks": "outside",
            "tickcolor": t["line"], "title": {"font": {"size": 13}}, "automargin": True}
    return {
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": t["wall"], "colorway": [t[name] for name in CLASSES],
        "font": {"family": t["text"], "size": 13, "color": t["ink"]},
        "title": {"font": {"family": t["display"], "size": 18}, "x": 0, "xanchor": "left"},
        "xaxis": axis, "yaxis": axis, "margin": {"l": 48, "r": 12, "t": 24, "b": 40},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        "hoverlabel": {"bgcolor": t["wall"], "bordercolor": t["edge"], "font": {"family": t["mono"], "color": t["ink"]}},
        "hovermode": "x unified",
        "colorscale": {"sequential": SEQUENTIAL, "sequentialminus": SEQUENTIAL[::-1], "diverging": DIVERGING},
    }


# cividis-like: lightness rises evenly, and blue to yellow is seen alike without red or green cones
SEQUENTIAL = [[0.0, "#0b2a63"], [0.25, "#45527c"], [0.5, "#7c7b7d"], [0.75, "#b6a66c"], [1.0, "#fbe45c"]]
DIVERGING = [[0.0, "#1b46b3"], [0.25, "#8aa7e0"], [0.5, "#f4f2ee"], [0.75, "#dfa46c"], [1.0, "#945101"]]


def plotly_template(dark: bool = False) -> go.layout.Template:
    import plotly.graph_objects as go
    return go.layout.Template(layout=plotly_layout(dark))


# --- contrast, for the test and for whoever picks a colour ----------------------------------------------------------

def rgb(colour: str) -> tuple[float, float, float]:
    """"#rrggbb" to three numbers in 0..1."""
    if not re.fullmatch(r"#[0-9a-f]{6}", colour):
        raise ValueError(f"{colour!r} is no colour of the form #rrggbb")
    red, green, blue = (int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(rgb(one)), _luminance(rgb(other))))
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """color-mix(in srgb, one share, other)."""
    parts = (round(255 * (share * a + (1 - share) * b)) for a, b in zip(rgb(one), rgb(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _luminance(colour: tuple[float, float, float]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
