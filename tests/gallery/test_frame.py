"""The frame around a demo's page, and the gallery's own pages: what they hold, and that words from outside stay words."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest

from gallery import look, milestones
from gallery.catalog import Entry
from gallery.demo import Demo, Scene
from gallery.pages import error_card_page, hub, not_found, reading
from gallery.catalog import onward
from gallery.pages.frame import ROOT, Framed, Place, compose, imported, nav_html

CANARY = '"><img src=x onerror=alert(1)>&amp;\''
DEMO = Demo(title="Two dots", milestone="gan", sentence="One dot and another.", framework="gradio",
            scenes=(Scene("Far apart", "How far?", {"d": "9"}),), engine="gallery/demo.py", tags=("dots",))
DOCUMENT = ('<!doctype html><html lang="en"><head><title>Gradio</title><meta property="og:image" content="https://elsewhere/x.jpg" />'
            '<link rel="manifest" href="/manifest.json" /></head><body style="margin:0"><gradio-app></gradio-app></body></html>')
STATE = {"ready": True, "device": "cpu", "device_name": "Two cores", "models": [{"name": "m", "bytes": 2**20}],
         "engine": {"budget_bytes": 2**30}, "runs": {"running": 1, "queued": 2}}


def entry(demo: Demo | None = DEMO, slug: str = "two-dots", faults: tuple[str, ...] = ()) -> Entry:
    return Entry(slug, Path("apps/two_dots"), demo, faults)


# --- the frame -------------------------------------------------------------------------------------------------------

def test_fonts_that_a_framework_asks_for_ahead_are_not_fetched():
    document = DOCUMENT.replace("</head>", '<link\n  rel="preload"\n href="./a.woff2"\n as="font" crossorigin\n/></head>')
    page = compose(document, Place("two-dots", DEMO))
    assert "a.woff2" not in page and 'as="font"' in page


def test_a_framework_document_is_completed_in_the_order_that_every_page_has():
    page = compose(DOCUMENT, Place("two-dots", DEMO, "/base"))
    order = ['class="g-nav"', "<h1>Two dots</h1>", 'id="g-app"', "<gradio-app>", 'class="g-scenes"', 'class="g-foot"']
    assert [page.index(part) for part in order] == sorted(page.index(part) for part in order)
    assert 'data-base="/base"' in page and 'data-slug="two-dots"' in page
    assert page.count("<title>") == 1 and "<title>Two dots" in page
    assert "elsewhere" not in page and "manifest.json" not in page
    assert page.index("theme.js") < page.index("</head>")          # before the first paint
    assert "--a:var(--gan)" in page and "2014" in page


def test_the_next_open_room_is_named_and_linked():
    assert 'href="/base/demo/machine/">next: Seq2Seq' in nav_html(Place("two-dots", DEMO, "/base", ("machine", "Seq2Seq")))
    assert "next:" not in nav_html(Place("two-dots", DEMO))


def room(slug: str, milestone: str, *faults: str) -> Entry:
    return Entry(slug, ROOT, Demo(slug, milestone, "A room.", "gradio"), faults)


def test_onward_leads_past_rooms_that_are_not_open():
    found = [room("a", "vae"), room("b", "gan", "it is broken"), room("c", "ddpm"), room("book", "")]
    assert onward(found, "a").slug == onward(found, "b").slug == "c"
    assert onward(found, "c") is None and onward(found, "book") is None and onward(found, "nobody") is None


def test_a_page_of_streamlit_says_that_it_is_opening():
    page = compose(DOCUMENT, Place("book", Demo("Lab book", "", "A room.", "streamlit")))
    assert "Opening the lab book" in page and "Opening the" not in compose(DOCUMENT, Place("two-dots", DEMO))


def test_a_scene_is_a_link_that_works_without_a_script():
    page = compose(DOCUMENT, Place("two-dots", DEMO))
    assert 'href="?d=9"' in page and "How far?" in page


def test_words_of_a_demo_stay_words():
    odd = Demo(CANARY, "gan", CANARY, "gradio", scenes=(Scene(CANARY, CANARY, {"q": CANARY}),), engine=CANARY)
    assert "<img src=x" not in compose(DOCUMENT, Place("odd", odd))


def respond(app, path: str, accept: bytes = b"text/html") -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept", accept), (b"accept-encoding", b"gzip")]}
    asyncio.run(app(scope, receive, send))
    headers, body = dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])
    if b"content-length" in headers:
        assert int(headers[b"content-length"]) == len(body)
    return sent[0]["status"], headers, gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body


def inner(body: bytes, kind: bytes):
    """An application that answers in two pieces and notes what it was asked."""
    async def app(scope, receive, send):
        app.asked = dict(scope["headers"])
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-type", kind), (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body[:40], "more_body": True})
        await send({"type": "http.response.body", "body": body[40:]})
    return app


def test_a_document_in_pieces_is_completed_and_its_length_is_right():
    app = inner(DOCUMENT.encode(), b"text/html; charset=utf-8")
    status, headers, body = respond(Framed(app, lambda scope: Place("two-dots", DEMO)), "/demo/two-dots/")
    assert status == 200 and headers[b"content-encoding"] == b"gzip" and b"g-nav" in body
    assert b"accept-encoding" not in app.asked          # a packed document could not be completed


def test_a_demos_modules_are_named_ahead_of_being_asked_for():
    for path in (ROOT / "assets" / "web").rglob("page.js"):
        ahead = imported(path.relative_to(ROOT / "assets" / "web").as_posix())
        assert len(set(ahead)) == len(ahead) and all((ROOT / "assets" / "web" / name).is_file() for name in ahead)
    assert imported("no/such.js") == ()


def test_what_is_no_page_passes_untouched():
    app = inner(b"x" * 100, b"text/javascript")
    status, headers, body = respond(Framed(app, lambda scope: Place("two-dots", DEMO)), "/demo/two-dots/assets/a.js", b"*/*")
    assert body == b"x" * 100 and b"accept-encoding" in app.asked
    status, headers, body = respond(Framed(app, lambda scope: None), "/demo/two-dots/")
    assert body == b"x" * 100


def test_the_engines_code_is_one_click_away():
    status, _, body = respond(Framed(inner(b"", b""), lambda scope: Place("two-dots", DEMO)), "/demo/two-dots/code")
    assert status == 200 and b"class</span>" in body and b'id="L1"' in body and b"gallery/demo.py" in body


def test_only_cards_of_its_own_models_are_shown():
    assert reading.page_below("card/../../README", DEMO) is None
    assert reading.page_below("card/m", DEMO) is None


# --- lessons -----------------------------------------------------------------------------------------------------------

def test_a_lesson_has_formulas_and_obeys_no_html():
    html = reading.markdown("## How it works\n\nThe mean $\\mu$ costs $5$ or\n\n$$\\frac{1}{2} \\sigma^2$$\n\n<script>alert(1)</script>\n\n"
                            "| a | b |\n|---|---|\n| 1 | 2 |\n\n[paper](https://arxiv.org/abs/1312.6114)")
    assert '<h2 id="how-it-works">' in html and "<math" in html and "<mfrac>" in html and "g-formula" in html
    assert "<script>" not in html and "<table>" in html and 'rel="noreferrer"' in html
    assert "\ue000" not in html


def test_a_brace_under_a_term_becomes_a_line_of_its_width():
    html = reading.formula(r"\underbrace{\log p(x|z)}_{\text{copy}} + \underbrace{y}_{b}", block=True)
    assert html.count('class="g-term"') == 2 and "\u23df" not in html and html.startswith("<math") and "copy" in html


# --- the hub ------------------------------------------------------------------------------------------------------------

def test_the_hub_hangs_ten_and_greys_what_is_not_there():
    page = hub(milestones.MILESTONES, [entry()], STATE)
    assert page.count('class="door open"') == 1 and page.count('class="door soon"') == 9
    assert 'href="/demo/two-dots/"' in page and page.count("in preparation") >= 9
    for milestone in milestones.MILESTONES:
        assert f'id="{milestone.key}"' in page and f'id="label-{milestone.key}"' in page and milestone.url in page


def test_a_broken_demo_is_a_card_and_the_rest_hangs_on():
    page = hub(milestones.MILESTONES, [entry(faults=("it raised ValueError",)), entry(None, "no-name", (CANARY,))], STATE)
    assert 'class="door closed"' in page and "it raised ValueError" in page and "No name" in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(("query", "keys"), [
    ("noise", {"ddpm"}), ("temp", {"gpt2"}), ("dots", {"gan"}), ("far apart", {"gan"}), ("nothing at all", set()), ("", None)])
def test_search_finds_by_the_beginnings_of_words(query, keys):
    page = hub(milestones.MILESTONES, [entry()], STATE, query=query)
    shown = {m.key for m in milestones.MILESTONES
             if not page.partition(f'id="{m.key}"')[2].partition('<a class="go"')[0].rstrip().endswith("hidden>")}
    if keys is None:
        assert len(shown) == len(milestones.MILESTONES)
    else:
        assert keys <= shown and len(shown) <= max(2, len(keys) + 1) if keys else not shown


def test_what_is_searched_for_comes_back_escaped():
    for page in (hub(milestones.MILESTONES, [entry()], STATE, query=CANARY), not_found("/" + CANARY, entries=[entry()])):
        assert "<img src=x" not in page


def test_the_hub_is_one_small_document_with_no_script_in_it_but_the_themes():
    page = hub(milestones.MILESTONES, [entry()], STATE, base="/base")
    assert page.count("<script>") == 1 and f"<script>{look.head_script()}</script>" in page
    assert len(page.encode()) < 80_000
    assert "/base/assets/web/hub.js" in page and "/base/assets/web/fonts/" in page and '="/demo/' not in page


def test_the_badge_says_what_is_loaded():
    page = hub(milestones.MILESTONES, [], STATE)
    assert "CPU · 1 model loaded" in page and "1.0 MB of 1,024 MB allowed" in page and "1 running, 2 waiting" in page
    assert "engine starting" in hub(milestones.MILESTONES, [], {"ready": False})


def test_messages_say_what_is_wrong_and_where_to_go():
    page = error_card_page(entry(faults=("it could not be built",)), base="/base")
    assert "closed for repair" in page and "it could not be built" in page and 'href="/base/"' in page
    assert "/somewhere" in not_found("/somewhere", entries=[entry()])
