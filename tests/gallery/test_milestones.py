"""The timeline: ten milestones in order, each with its paper, none leaning on a later one."""

from __future__ import annotations

from gallery import look
from gallery.milestones import MILESTONES


def test_ten_in_the_order_of_their_years() -> None:
    years = [milestone.year for milestone in MILESTONES]
    assert len(MILESTONES) == 10 and years == sorted(years) and years[0] == 2013 and years[-1] == 2022
    assert len({milestone.key for milestone in MILESTONES}) == 10


def test_every_text_is_there_and_short_enough_to_be_read() -> None:
    for milestone in MILESTONES:
        for name in ("name", "title", "sentence", "paper_title", "authors", "venue", "answers", "limitation", "led_to"):
            text = getattr(milestone, name)
            assert 2 <= len(text) <= 220 and text == text.strip(), (milestone.key, name)
        assert milestone.url.startswith("https://")


def test_each_answers_only_what_came_before() -> None:
    keys = [milestone.key for milestone in MILESTONES]
    for at, milestone in enumerate(MILESTONES):
        assert set(milestone.before) <= set(keys[:at]), milestone.key


def test_each_has_its_colour() -> None:
    for theme in ("light", "dark"):
        assert {milestone.accent for milestone in MILESTONES} <= look.tokens()[theme].keys()
