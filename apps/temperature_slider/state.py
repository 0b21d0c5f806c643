"""The page's query string, read once and strictly.

`parse` returns what the page should start with and a sentence for each thing that it could not take; the page then
goes on with the default of that thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apps.temperature_slider import catalogue
from engines import language
from engines.runtime import BadInput
from gallery.bundled import chosen
from gallery.fields import Field, choice, flag, integer, number, numbers, read_all, text

TOOLS = ("distribution", "write", "sides", "decoding", "bonnet")
NATIVE = ("sides", "decoding", "bonnet")            # drawn by the script, beneath the shell
PROMPT = "Once upon a time, there was a little"
TEXT = "Once upon a time, there was a little girl named Lily. She loved to play outside with her quantum computer."
WORDS = 6000                         # characters of a text in an address; the address itself holds no more than 8,192
BRANCH = 64                          # tokens chosen by hand in one text
MAX_K = 1_000_000


def _above_zero(what: str, high: float = 1.0) -> Callable[[str], float]:
    inner = number(what, 0, high)

    def read(value: str) -> float:
        found = inner(value)
        if found == 0:
            raise BadInput(f"{what} is 0, which leaves no token to choose: give more than 0, up to {high:g}.")
        return found
    return read


def words(what: str) -> Callable[[str], str]:
    """A text that a model can be asked about."""
    inner = text(what, WORDS)

    def read(value: str) -> str:
        language.check_text(inner(value), what)
        return value
    return read


def branch(value: str) -> str:
    """Tokens chosen by hand, "place:token" with "~" between, in the order in which they were chosen."""
    pairs = value.split("~")
    if len(pairs) > BRANCH:
        raise BadInput(f"the branch has {len(pairs)} chosen tokens; the limit is {BRANCH}: choose fewer.")
    for pair in pairs:
        place, colon, token = pair.partition(":")
        if not (colon and place.isascii() and place.isdigit() and token.isascii() and token.isdigit()
                and len(place) < 5 and len(token) < 8):
            raise BadInput(f"the branch has {pair[:40]!r}; it is written place:token, two whole numbers, with ~ between pairs.")
    return value


def _temperatures(value: str) -> list[float]:
    return numbers("a temperature", 0, 5, language.MAX_TEMPERATURES)(value)


FIELDS: dict[str, Field] = {
    "prompt": Field(words("the prompt"), PROMPT),
    "tool": Field(choice("the tool", *TOOLS), "distribution"),
    "t": Field(number("the temperature", 0, 5), 1.0),
    "k": Field(integer("top-k", 0, MAX_K), 0),
    "p": Field(_above_zero("top-p"), 1.0),
    "minp": Field(number("min-p", 0, 1), 0.0),
    "typ": Field(_above_zero("typical-p"), 1.0),
    "rep": Field(number("the repetition penalty", 0.5, 5), 1.0),
    "seed": Field(integer("the seed", 0, language.SEEDS), 1),
    "n": Field(integer("the number of tokens", 1, language.MAX_TOKENS), 60),
    "branch": Field(branch, ""),
    "scale": Field(choice("the scale", "prob", "log"), "prob"),
    "find": Field(text("the token searched for", 80), ""),
    "play": Field(flag("play"), False),
    "temps": Field(_temperatures, [0.1, 0.7, 1.0, 1.5, 2.0]),
    "samples": Field(integer("the number of samples", 1, 40), 4),
    "len": Field(integer("the tokens of a sample", 1, 200), 60),
    "method": Field(choice("the method", *language.METHODS), "beam"),
    "beams": Field(integer("the number of beams", 1, language.MAX_BEAMS), 4),
    "lp": Field(number("the length penalty", -5, 5), 1.0),
    "read": Field(choice("what is read", "tokens", "lens", "surprise"), "lens"),
    "text": Field(words("the text"), TEXT),
}


def defaults() -> dict[str, Any]:
    return {"model": catalogue.DEFAULT, **{key: field.default for key, field in FIELDS.items()}}


def parse(query: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Query string -> (state, sentences about what could not be read). Never raises."""
    faults: list[str] = []
    return {"model": chosen(query, catalogue.DEFAULT, catalogue.told, faults), **read_all(FIELDS, query, faults)}, faults
