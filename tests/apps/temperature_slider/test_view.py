"""What the script draws: nothing of a token reaches the page as markup, and the sentences say what the numbers say."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from apps.temperature_slider import beam_tree, charts, view
from engines.language import Layers, Measured, Node, Scored, Searched, Settings

CANARY = '<img src=x onerror="window.canary=1">'
PIECES = (b"<end>", b" a", CANARY.encode(), b"\xd0", b"\xb6", b"\n", "עב".encode(), b"\x00", b"\"'&", b"<script>")
ALLOWED = {"div", "span", "bdi", "b", "i", "p", "h3", "article", "small", "table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def row(temperature: float, texts: tuple[str, ...] = ("one", CANARY), **more: float) -> Measured:
    return Measured(temperature, texts, tuple((1, 2, 3) for _ in texts),
                    **({"distinct_2": 0.5, "self_bleu": 0.25, "repetition": 0.1, "perplexity": 9.0} | more))


def layers(ranks: tuple[int, ...] = (40, 3, 1, 2, 1, 1), places: int = 2) -> Layers:
    rows, rng = len(ranks), np.random.default_rng(0)
    ids = np.resize(np.arange(len(PIECES), dtype=np.int32), places)
    return Layers(ids, rng.integers(0, len(PIECES), (rows, places, 3)).astype(np.int32), np.full((rows, places, 3), 0.2, np.float32),
                  np.full(places, 2, np.int32), np.linspace(0, 1, rows * places, dtype=np.float32).reshape(rows, places),
                  np.repeat(np.asarray(ranks, np.int32)[:, None], places, 1), np.ones((rows, places), np.float32))


def scored() -> Scored:
    count = len(PIECES)
    surprise = np.linspace(0, 9, count, dtype=np.float32)
    surprise[0] = np.nan
    return Scored(np.arange(count, dtype=np.int32), surprise, np.arange(count, dtype=np.int32), np.full(count, 2, np.int32), 90.0, 1.5)


def searched() -> Searched:
    nodes = (Node(2, -1, 1, -0.5, True, False, True), Node(1, -1, 1, -1.5, True, False, False), Node(9, 0, 2, -0.75, True, True, True),
             Node(8, 0, 2, -3.0, False, False, False), Node(7, 1, 2, -1.75, True, False, False))
    return Searched("beam", nodes, (((2, 9), -0.75, -0.375),), 2, 2)


@pytest.mark.parametrize("markup", [
    view.columns([row(0.1), row(2.0)], 1),
    view.columns([row(0.1, ())], 0, going=True),
    view.chips(range(len(PIECES)), PIECES, (0,)),
    view.lens(layers(), PIECES, 1),
    view.surprise(scored(), PIECES),
    view.finds([("Greedy", CANARY, 3, -1.0, -0.3), ("Sampling", "", 0, 0.0, 0.0)], "Greedy"),
])
def test_tokens_are_text(markup: str) -> None:
    assert set(Tags(markup).tags) <= ALLOWED


def test_a_token_shows_what_cannot_be_seen() -> None:
    assert [view.shown(piece) for piece in (b" a", b"\n", b"\xd0", b"\x00", "\u202e".encode(), b"")] == [
        "·a", "↵", "<d0>", "<U+0000>", "<U+202E>", "<>"]


def test_a_letter_of_two_bytes_is_one_group() -> None:
    assert view.groups([1, 3, 4, 1], PIECES) == [(0, 1), (1, 3), (3, 4)]
    assert view.groups([1, 3], PIECES) == [(0, 1), (1, 2)]               # the rest of the letter never came
    assert view.groups([4, 1], PIECES) == [(0, 1), (1, 2)]               # a byte that begins no letter
    assert view.groups([], PIECES) == []
    chips = view.chips([3, 4], PIECES)
    assert "ж" in chips and "&lt;d0&gt;" in chips
    assert "ж fell to bytes" in view.counted("ж", [3, 4], PIECES, ())


@pytest.mark.parametrize("ranks, row_of_it", [((1, 1, 1), 0), ((5, 1, 1), 1), ((1, 2, 1), 2), ((40, 3, 1, 2, 1, 1), 4)])
def test_the_answer_appears_where_it_stays(ranks: tuple[int, ...], row_of_it: int) -> None:
    assert view.appears(np.asarray(ranks)) == row_of_it


def test_the_lens_says_the_layer() -> None:
    said = view.lens_sentence(layers(), 1, PIECES)
    assert "appears in layer 4 of 5" in said and "at rank 2 one layer before" in said
    assert "the embedding" in view.lens_sentence(layers((1, 1)), 0, PIECES)


def test_the_token_before_every_text_is_named_and_no_word_of_it() -> None:
    assert ">start<" in view.lens(layers(), PIECES, 1, (0,)) and ">start<" not in view.lens(layers(), PIECES, 1)
    assert "&lt;end&gt;" in view.surprise(scored(), PIECES) and "&lt;end&gt;" not in view.surprise(scored(), PIECES, (0,))
    assert "0, start" in view.chips([0, 1], PIECES, (0,)) and "start" not in view.chips([1, 0], PIECES, (0,))
    assert charts.bars(scored(), PIECES, False, (0,)).layout.xaxis.ticktext[0] == "start"


def test_a_long_prompt_keeps_the_chosen_place_in_sight() -> None:
    long = layers(places=300)
    for chosen in (0, 150, 299):
        first = view.window(300, chosen)
        assert first <= chosen < first + view.LENS_PLACES and view.lens(long, PIECES, chosen).count('scope="col"') == view.LENS_PLACES


def test_the_tree_is_sound_and_escaped() -> None:
    tree = ET.fromstring(beam_tree.svg(searched(), PIECES))
    assert {each.tag for each in tree.iter()} <= {"svg", "g", "title", "rect", "text", "path", "circle"}
    titles = [each.text for each in tree.iter("title")]
    assert any(view.shown(PIECES[2]) in title and "−0.50" in title for title in titles)
    assert len(list(tree.iter("rect"))) == 5 and sum("best" in each.get("data-kind") for each in tree.iter("path")) == 2
    assert ET.fromstring(beam_tree.svg(Searched("greedy", (), (), 0, 5), PIECES)).get("role") == "img"


def test_edges_tell_what_each_token_adds() -> None:
    found = searched()
    own = {each.text for each in ET.fromstring(beam_tree.svg(found, PIECES)).iter("text") if each.get("class") == "nat-own"}
    assert own == {"−0.50", "−1.50", "−0.25", "−2.50"}


def test_likelier_hypotheses_stand_higher() -> None:
    nodes = searched().nodes
    spots = beam_tree.place(nodes)
    assert spots[2][1] < spots[4][1] < spots[3][1] and spots[0][0] < spots[2][0]


@pytest.mark.parametrize("key", [each[0] for each in charts.CURVES])
def test_a_curve_is_in_order_and_has_gaps(key: str) -> None:
    figure = charts.curve([row(2.0), row(0.1, **{key: float("nan")})], key, dark=False)
    assert list(figure.data[0].x) == [0.1, 2.0] and figure.data[0].y[0] is None
    assert "at T = 2" in charts.curve_alt([row(2.0)], key)


def test_charts_hold_no_markup_of_tokens() -> None:
    figure = charts.bars(scored(), PIECES, dark=True)
    assert CANARY not in figure.to_json() and len(figure.data[0].x) == len(PIECES)
    assert list(charts.answer(layers(), 1, dark=False).data[1].y) == [40, 3, 1, 2, 1, 1]


def test_ends_say_what_was_measured() -> None:
    said = view.ends([row(2.0, repetition=0.0, distinct_2=0.9, perplexity=900.0), row(0.0, repetition=0.75, distinct_2=0.2, perplexity=3.0)])
    assert "At T = 0, 20 % of all pairs" in said and "75 % is repetition" in said and "3 against 900" in said
    assert "One temperature" in view.ends([row(1.0)]) and "Nothing" in view.ends([])
    assert "no measurable" in view.ends([row(1.0, perplexity=float("nan")), row(2.0)])


def test_a_score_without_a_judgement_is_said() -> None:
    none = Scored(np.asarray([1], np.int32), np.asarray([np.nan], np.float32), np.zeros(1, np.int32), np.full(1, -1, np.int32), float("nan"), 0.0)
    assert "longer text" in view.scored_sentence(none, "a", PIECES) and view.surprise(none, PIECES)
    assert "9.0 nats" in view.scored_sentence(scored(), "abc", PIECES)
    assert charts.bars(none, PIECES, dark=False) and "nothing" in charts.bars_alt(none)


@pytest.mark.parametrize(("settings", "temperature", "expected"), [
    (Settings(), True, ""),
    (Settings(1.6), False, ""),
    (Settings(1.6), True, " with T = 1.6, as set under Distribution"),
    (Settings(1.6, 0, 0.9, 0, 1, 1.3), False, " with top-p 0.9 and repetition penalty 1.3, as set under Distribution"),
    (Settings(0.5, 40, 0.9, 0.05, 0.8, 1.3), True,
     " with T = 0.5, top-k 40, top-p 0.9, min-p 0.05, typical-p 0.8 and repetition penalty 1.3, as set under Distribution")])
def test_what_else_is_set_is_named(settings: Settings, temperature: bool, expected: str) -> None:
    assert view.reshaped(settings, temperature) == expected


def test_a_space_belongs_to_a_word_only_where_tokens_have_both() -> None:
    assert "belongs to the word" in view.chips_caption(False, (b" the", b"a"))
    assert "belongs to the word" not in view.chips_caption(False, (b" ", b"a"))


def test_the_axis_of_ranks_names_the_worst_where_that_is_small() -> None:
    assert charts._ranks(np.array([7, 1, 1])) == [1, 7]
    assert charts._ranks(np.array([1, 1])) == [1]
    assert charts._ranks(np.array([2305, 40, 1])) == [1, 10, 100, 1000]
