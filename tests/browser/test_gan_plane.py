"""The game in two dimensions, in a real browser: played, broken, rewound, compared; by pointer and by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Hub, Watched

PAGE = "/demo/gan-trainer/"
READY = '#instrument[data-ready="true"]'
PATIENCE = 120_000
PLANE = "window.__gan.app.plane"
GAME = f"{PLANE}.games.a"
SMALL = "g_layers=16&d_layers=16&batch=32"


@pytest.fixture
def plane(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(f"{PAGE}?{SMALL}&{query}", **how)
        watched.page.wait_for_selector(READY, timeout=PATIENCE)
        return watched
    return open_


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE)


def stopped(page: Page, step: int) -> None:
    until(page, f"{GAME}.step === {step} && {GAME}.state === 'stopped' && {PLANE}.shown === {step}")


def status(page: Page) -> str:
    return page.locator("#status").inner_text()


def painted(page: Page) -> str:
    page.evaluate(f"{PLANE}.paint(); {PLANE}.boards.a.paint()")
    return page.evaluate(f"{PLANE}.boards.a.canvas.toDataURL()")


def test_it_begins_untrained_and_plays_until_the_step_it_was_asked_for(plane: Callable[..., Watched]) -> None:
    watched = plane("until=300")
    page = watched.page
    until(page, f"{GAME}.looks.length === 1")
    before = painted(page)
    page.get_by_role("button", name="Play", exact=True).click()
    stopped(page, 300)
    assert painted(page) != before
    assert "Stopped at step 300" in status(page)
    until(page, "location.search.includes('film=') && location.search.includes('at=300')")
    assert re.search(r"\d/8\smodes\s*\d+\s%\sgood\s*JSD", page.locator(".gx-numbers").inner_text())
    page.get_by_role("button", name="Replay the film").click()
    until(page, f"{PLANE}.shown < 300")
    assert "type a later one" in status(page)
    until(page, f"{PLANE}.shown === 300 && !{PLANE}.running")
    watched.check()


def test_a_scene_of_the_other_tool_begins_there_and_coming_back_begins_here(plane: Callable[..., Watched]) -> None:
    watched = plane("until=100&play=1")
    page = watched.page
    stopped(page, 100)
    page.locator(".g-scene", has_text="Emoji, stage by stage").click()
    until(page, "document.querySelector('#status').textContent.includes('trained beforehand')")
    page.locator(".g-scene", has_text="Mode collapse").click()
    until(page, f"{GAME}.step > 200 && {PLANE}.visible")
    assert page.evaluate("window.__gan.app.store.get('beta1')") == 0.9
    page.locator(".g-scene", has_text="Digits from noise").click()
    until(page, "window.__gan.pictures.game.step >= 2")
    watched.check()


def test_the_film_is_gone_through_by_the_keys_and_a_branch_leaves_a_shadow(plane: Callable[..., Watched]) -> None:
    watched = plane("until=400&play=1")
    page = watched.page
    stopped(page, 400)
    first, whole = page.evaluate(f"{GAME}.film"), page.evaluate(f"{GAME}.newest.loss_d")
    page.focus("#primary")
    page.keyboard.press("Home")
    until(page, f"{PLANE}.shown === 0")
    begin = painted(page)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(f"{PLANE}.shown") == 1
    page.evaluate(f"{PLANE}.seek(200)")
    assert painted(page) != begin
    page.get_by_role("button", name="Play on from here, as another future").click()
    until(page, f"{GAME}.ghost")
    stopped(page, 400)
    assert page.evaluate(f"{GAME}.film") != first
    assert page.evaluate(f"{GAME}.ghost.looks.at(-1).step") == 400
    assert page.evaluate(f"{GAME}.newest.loss_d") == whole, "nothing was changed, so it is the same future"
    watched.check()


def test_a_rule_changed_under_way_takes_effect_and_is_marked(plane: Callable[..., Watched]) -> None:
    watched = plane("until=1000000&play=1")
    page = watched.page
    until(page, f"{GAME}.step > 100")
    page.select_option("select[aria-label=Loss]", "wgan-gp")
    until(page, f"{GAME}.marks.length === 1")
    assert page.evaluate(f"{GAME}.marks[0].changed") == ["loss"]
    assert page.locator("input[aria-label='gradient penalty λ']").is_visible()
    page.get_by_role("button", name="Pause").click()
    until(page, f"{GAME}.state === 'stopped'")
    assert "Paused at step" in status(page)
    assert page.evaluate(f"{GAME}.newest.loss") == "wgan-gp"
    watched.check()


def test_each_player_learns_alone_by_its_button(plane: Callable[..., Watched]) -> None:
    watched = plane()
    page = watched.page
    until(page, f"{GAME}.looks.length === 1")
    samples = page.evaluate(f"[...{GAME}.newest.samples]")
    page.get_by_role("button", name="One update of the discriminator").click()
    until(page, f"{GAME}.step === 1")
    assert page.evaluate(f"[...{GAME}.newest.samples]") == samples, "G has learned nothing"
    assert "discriminator learned once" in status(page)
    surface = page.evaluate(f"[...{GAME}.newest.surface]")
    page.get_by_role("button", name="One update of the generator").click()
    until(page, f"{GAME}.step === 2")
    assert page.evaluate(f"[...{GAME}.newest.samples]") != samples
    assert page.evaluate(f"[...{GAME}.newest.surface]") == surface, "D has learned nothing"
    watched.check()


def test_slow_motion_goes_through_the_phases_of_a_step(plane: Callable[..., Watched]) -> None:
    watched = plane("speed=slow")
    page = watched.page
    until(page, f"{GAME}.looks.length === 1")
    page.evaluate(f"""(() => {{ window.__phases = []; const was = {PLANE}.graph.phase.bind({PLANE}.graph);
        {PLANE}.graph.phase = (name, round) => {{ if (window.__phases.at(-1) !== name) window.__phases.push(name); was(name, round); }}; }})()""")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, f"{GAME}.step === 1")
    seen = [name for name in page.evaluate("window.__phases") if name]
    assert seen[:8] == ["noise", "generate", "judge", "d_loss", "d_learn", "g_judge", "g_loss", "g_learn"]
    page.get_by_role("button", name="Pause").click()
    until(page, f"{PLANE}.slow.held")
    following = page.get_by_role("button", name="To the next phase of this step")
    at = page.evaluate("window.__phases.at(-1)")
    for _ in range(9):
        following.click()
        until(page, f"{PLANE}.slow.running && window.__phases.at(-1) !== {json.dumps(at)}")
        at = page.evaluate("window.__phases.at(-1)")
    until(page, f"{GAME}.step === 2 && {PLANE}.slow.held")
    watched.check()


def test_the_space_bar_plays_and_pauses_from_anywhere(plane: Callable[..., Watched]) -> None:
    watched = plane("until=1000000")
    page = watched.page
    until(page, f"{GAME}.looks.length === 1 && !{GAME}.playing")
    page.locator("h1").click()
    page.keyboard.press("Space")
    until(page, f"{GAME}.step > 20")
    page.keyboard.press("Space")
    until(page, f"{GAME}.state === 'stopped'")
    assert page.evaluate("scrollY") == 0
    watched.check()


def test_the_diagnosis_is_that_of_the_moment_on_screen(plane: Callable[..., Watched]) -> None:
    watched = plane("lr_g=0.01&lr_d=0.002&beta1=0.9&until=1500&play=1")
    page = watched.page
    stopped(page, 1500)
    said = page.locator(".gx-beside > .gx-diagnosis")
    until(page, "document.querySelector('.gx-beside > .gx-diagnosis').textContent.includes('Mode collapse')")
    page.evaluate(f"{PLANE}.seek(0)")
    until(page, "document.querySelector('.gx-beside > .gx-diagnosis').dataset.kind === 'none'")
    assert "soon after step 600" in said.inner_text()
    page.evaluate(f"{PLANE}.live()")
    until(page, "document.querySelector('.gx-beside > .gx-diagnosis').dataset.kind === 'collapse'")
    said.get_by_role("button", name="Try it").click()
    assert page.evaluate("window.__gan.app.store.get('loss')") == "wgan-gp"
    stopped(page, 3000)                     # it is played at once, as many steps again
    until(page, f"{GAME}.marks.length === 1 && {GAME}.marks[0].step === 1500")
    # by its link it is found as it was left, with what was said of it
    page.evaluate(f"{PLANE}.seek(1480)")
    until(page, "location.search.includes('at=1480')")
    looks = page.evaluate(f"{GAME}.looks.length")
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, "document.querySelector('.gx-beside > .gx-diagnosis').dataset.kind === 'collapse'")
    assert page.evaluate(f"{GAME}.looks.length") > looks / 3
    watched.check()


def test_a_rule_that_turns_midway_leaves_the_address_as_it_was(plane: Callable[..., Watched]) -> None:
    watched = plane("until=900&midway=loss:wgan-gp&play=1")
    page = watched.page
    stopped(page, 900)
    loss = "window.__gan.app.store.get('loss')"
    assert page.evaluate(loss) == "wgan-gp"
    until(page, "location.search.includes('film=') && location.search.includes('at=900')")
    assert not re.search("[?&]loss=", page.url)
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, f"{GAME}.step === 900 && {loss} === 'wgan-gp'")
    page.get_by_role("button", name="Back to the start of the game").click()
    until(page, f"{GAME}.step === 0 && {GAME}.looks.length === 1")
    assert page.evaluate(loss) == "non-saturating"
    # another game begins by the rules that the address names, and what a visitor sets himself stands there
    page.evaluate("window.__gan.app.store.lend({loss: 'wgan-gp'}); window.__gan.app.store.set({seed: 5})")
    until(page, f"{loss} === 'non-saturating' && {GAME}.looks.length === 1")
    page.evaluate("window.__gan.app.store.lend({loss: 'hinge'}); window.__gan.app.store.set({loss: 'hinge'})")
    until(page, "/[?&]loss=hinge/.test(location.search)")
    watched.check()


def test_a_game_that_is_left_while_it_is_played_is_found_by_its_address(plane: Callable[..., Watched]) -> None:
    watched = plane("until=100000&speed=60&play=1")
    page = watched.page
    until(page, f"{GAME}.step > 60 && /film=/.test(location.search)")
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, f"{GAME}.step > 40 && {GAME}.state === 'stopped'")
    assert "as it was left" in status(page)
    watched.check()


def test_two_games_play_one_rule_apart(plane: Callable[..., Watched]) -> None:
    watched = plane("until=200&versus=lr_d:0.02&play=1")
    page = watched.page
    stopped(page, 200)
    until(page, f"{PLANE}.games.b.step === 200 && {PLANE}.games.b.state === 'stopped'")
    assert page.locator(".gx-board-canvas:visible").count() == 2
    a, b = (page.evaluate(f"{PLANE}.games.{which}.looks[0].loss_d") for which in "ab")
    assert a == b, "the same seed begins alike"
    a, b = (page.evaluate(f"{PLANE}.games.{which}.newest.loss_d") for which in "ab")
    assert a != b
    assert "Learning rate of D 0.02" in page.locator(".gx-board-apart").last.inner_text()
    until(page, "/film=/.test(location.search) && /filmb=/.test(location.search)")
    page.reload()                           # who comes back by the link finds both
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, f"{GAME}.step === 200 && {PLANE}.games.b.step === 200")
    assert page.evaluate(f"{PLANE}.games.b.newest.loss_d") == b
    watched.check()


def test_ones_own_data_is_drawn_or_uploaded_and_learned(plane: Callable[..., Watched]) -> None:
    watched = plane("data=own&until=60")
    page = watched.page
    assert "Draw the data on the plane" in status(page)
    page.get_by_role("button", name="Play", exact=True).click()
    assert "There is no data yet" in status(page)
    assert page.locator(".gx-numbers").inner_text().strip() == "", "nothing is told of a game that is not there"
    box = page.locator(".g-sketch").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6, steps=8)
    page.mouse.up()
    until(page, f"{GAME}.looks.length === 1 && location.search.includes('drawn=')")
    page.get_by_role("button", name="Play", exact=True).click()
    stopped(page, 60)
    table = "x,y\n" + "\n".join(f"{k},{k % 4}" for k in range(40))
    page.locator("input[type=file]").set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": table.encode()})
    until(page, f"{PLANE}.points?.length === 40 && {GAME}.looks.length === 1 && {GAME}.step === 0")
    page.wait_for_function("document.querySelector('#status').textContent.includes('40 points read')", timeout=PATIENCE)
    page.locator("input[type=file]").set_input_files({"name": "no.csv", "mimeType": "text/csv", "buffer": b"one\ntwo\n"})
    until(page, "document.querySelector('#status').dataset.kind === 'error'")
    assert "Line 2 of the file" in status(page) and page.evaluate(f"{PLANE}.points.length") == 40, "what was there stays"
    assert [error for error in watched.errors if "400" not in error] == [] and watched.outside == []


@pytest.mark.parametrize("label, typed, said", [
    ("learning rate of G, typed", "-1", "it may be 0 to 10"), ("learning rate of D, typed", "1e9", "it may be 0 to 10"),
    ("Widths of the hidden layers of G", "0", "whole number from 1 to 128"),
    ("Widths of the hidden layers of D", "1,2,3,4,5,6", "it may be 1 to 5"), ("Stop at step", "0", "from 1 to 1,000,000"),
])
def test_what_cannot_be_a_rule_is_said_and_the_rule_stays(plane: Callable[..., Watched], label: str, typed: str, said: str) -> None:
    watched = plane()
    page = watched.page
    field = page.get_by_label(label, exact=True)
    before = field.input_value()
    field.fill(typed)
    field.press("Tab")
    assert said in status(page) and field.input_value() == before
    watched.check()


def test_a_game_that_blows_up_says_where_and_can_be_gone_back_in(plane: Callable[..., Watched]) -> None:
    watched = plane("loss=least-squares&optimiser=sgd&lr_g=10&lr_d=10&beta1=0.99&play=1")
    page = watched.page
    until(page, f"{GAME}.newest?.broken")
    assert "was no number any more" in status(page) and "lower a learning rate" in status(page)
    page.evaluate("window.__gan.app.store.set({optimiser: 'adam', lr_g: 0.001, lr_d: 0.001, beta1: 0.5, until: 50})")
    page.evaluate(f"{PLANE}.seek(0)")
    page.get_by_role("button", name="Play on from here, as another future").click()
    stopped(page, 50)
    watched.check()


def test_a_killed_engine_leaves_the_film_and_play_goes_on(plane: Callable[..., Watched], hub: Hub) -> None:
    watched = plane("until=1000000&play=1")
    page = watched.page
    until(page, f"{GAME}.looks.some((look) => look.kept && look.step > 50)")
    hub.kill_the_engine()
    until(page, f"{GAME}.state === 'failed'")
    assert "press play to go on" in status(page)
    reached = page.evaluate(f"{GAME}.step")
    assert reached > 50
    page.get_by_role("button", name=re.compile("Play")).first.click()
    until(page, f"{GAME}.state === 'playing' && {GAME}.step > {reached}")
    page.get_by_role("button", name="Pause").click()
    until(page, f"{GAME}.state === 'stopped'")
    assert watched.outside == []


def test_a_link_finds_the_game_again(plane: Callable[..., Watched]) -> None:
    watched = plane("until=120&play=1")
    page = watched.page
    stopped(page, 120)
    until(page, "location.search.includes('at=120')")
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE)
    until(page, f"{GAME}.step === 120 && {PLANE}.shown === 120")
    assert "as it was left at step 120" in status(page)
    assert page.evaluate(f"{GAME}.looks.length") >= 2
    page.get_by_label("Stop at step").fill("150")
    page.get_by_label("Stop at step").press("Tab")
    page.get_by_role("button", name="Play", exact=True).click()
    stopped(page, 150)
    watched.check()


def test_curves_networks_and_film_are_saved(plane: Callable[..., Watched]) -> None:
    watched = plane("until=100&play=1")
    page = watched.page
    stopped(page, 100)
    with page.expect_download() as got:
        page.get_by_role("button", name="Curves, CSV").click()
    rows = open(got.value.path()).read().splitlines()
    assert rows[0].startswith("step,seconds,loss_d") and rows[-1].startswith("100,")
    with page.expect_download() as got:
        page.get_by_role("button", name="Networks, safetensors").click()
    content = open(got.value.path(), "rb").read()
    head = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
    assert head["g.0.weight"]["shape"] == [2, 16] and head["__metadata__"]["step"] == "100"
    with page.expect_download() as got:
        page.locator("button.g-keep", has_text="GIF").click()
    assert open(got.value.path(), "rb").read(6) == b"GIF89a"
    watched.check()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(plane: Callable[..., Watched], theme: str) -> None:
    watched = plane("until=50&play=1", theme=theme)
    stopped(watched.page, 50)
    watched.page.locator("summary").first.click()
    found = Axe().run(watched.page, context=".gx").response["violations"]
    assert found == [], [fault["id"] for fault in found]
    watched.check()
