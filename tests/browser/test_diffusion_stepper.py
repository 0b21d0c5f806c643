"""The stepper in a real browser: play, scrub, branch, dissolve; a tab that closes and an engine that dies."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

from gallery.catalog import find
from tests.browser.conftest import Hub, Watched, running_hub, wait_until

ROOM = find("diffusion-stepper")
SCENES = ROOM.demo.scenes if ROOM and ROOM.demo else ()
PAGE = "/demo/diffusion-stepper/"
READY = '#instrument[data-ready="true"]'
PATIENCE = 90_000
REVERSE = "window.__diffusion.reverse"
DONE = "window.__diffusion.app.main.take?.state === 'done'"


@pytest.fixture
def stepper(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(PAGE + query, **how)
        watched.page.wait_for_selector(READY, timeout=PATIENCE)
        return watched
    return open_


def state(page: Page, key: str) -> object:
    return page.evaluate(f"window.__diffusion.app.store.get('{key}')")


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE)


def shown(page: Page) -> int:
    return page.evaluate(f"{REVERSE}.player.shown")


def pane(page: Page, name: str) -> str:
    return page.evaluate(f"{REVERSE}.panes['{name}'].toDataURL()")


def running(hub: Hub) -> int:
    return json.loads(hub.get("/health"))["runs"]["running"]


def test_it_plays_by_itself_and_comes_to_rest_at_the_picture(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?steps=20")
    page = watched.page
    until(page, f"{REVERSE}.player.playing")
    until(page, f"{REVERSE}.player.shown === 20 && !{REVERSE}.player.playing")
    assert "20 / 20" in page.locator(".dx-readout").inner_text()
    until(page, "location.search.includes('at=20')")
    assert pane(page, "x_t") == pane(page, "x_0"), "at the end what is there is what is believed"
    watched.check()


def test_the_keys_go_from_step_to_step(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?at=10")
    page = watched.page
    until(page, DONE)
    page.focus("#primary")
    page.keyboard.press("ArrowRight")
    assert shown(page) == 11
    page.keyboard.press("End")
    assert shown(page) == 50
    picture = pane(page, "x_0")
    page.keyboard.press("Home")
    assert shown(page) == 0 and pane(page, "x_0") != picture
    assert "step 0 of 50, noise level 999" == page.locator("#primary").get_attribute("aria-valuetext")
    page.keyboard.press(" ")
    until(page, f"{REVERSE}.player.playing")
    page.keyboard.press(" ")
    assert page.evaluate(f"{REVERSE}.player.playing") is False
    watched.check()


def test_what_is_here_is_scrubbed_without_asking_anybody(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=0&count=16").page
    until(page, DONE)
    page.wait_for_timeout(500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    painted = page.evaluate(f"""() => [0, 10, 25, 50].map((index) => {{
        {REVERSE}.seek(index);
        return {REVERSE}.panes.x_t.toDataURL(); }})""")
    assert len(set(painted)) == 4, "each step is painted at once, within the same turn of the page"
    page.wait_for_timeout(300)
    assert not [url for url in asked if "/data/run" in url]


def test_a_new_setting_runs_anew_and_keeps_the_place(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?at=50")
    page = watched.page
    until(page, f"{DONE} && {REVERSE}.player.shown === 50")
    before = pane(page, "x_0")
    stayed = page.evaluate(f"""() => {{
        document.querySelector('[aria-label="Class"] [data-value="3"]').click();
        return {REVERSE}.panes.x_0.toDataURL(); }}""")
    assert stayed == before, "the old picture stays until the new run has begun"
    until(page, f"{DONE} && {REVERSE}.take.about.labels[0] === 3")
    until(page, f"{REVERSE}.player.shown === 50")
    assert pane(page, "x_0") != before
    until(page, "location.search.includes('label=3')")
    watched.check()


def test_both_branches_are_shown_when_guided(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=20&guidance=3&both=1").page
    until(page, DONE)
    assert page.locator(".dx-pair").is_visible() and "× 3.0" in page.locator(".dx-pair").inner_text()
    assert pane(page, "with_label") != pane(page, "without_label")
    page.evaluate("window.__diffusion.app.store.set({label: -1})")
    until(page, f"{DONE} && {REVERSE}.take.about.labels[0] === -1")
    assert page.locator(".dx-pair").is_hidden() and page.locator(".dx-switch").is_hidden()


def test_of_several_pictures_the_film_shows_the_one_pointed_at(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=20&count=4&label=each").page
    until(page, DONE)
    box = page.locator('.dx-pane[data-pane="x_0"] .dx-frame').bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.75 * box["height"])
    assert page.evaluate(f"{REVERSE}.strip.picked") == 3
    page.focus("#primary")
    page.keyboard.press("n")
    assert page.evaluate(f"{REVERSE}.strip.picked") == 0


@pytest.mark.parametrize("typed, words", [("0", "1 to 1000"), ("-1", "1 to 1000"), ("1001", "1 to 1000"), ("", "empty")])
def test_steps_that_cannot_be_are_told(stepper: Callable[..., Watched], typed: str, words: str) -> None:
    page = stepper("?at=1").page
    until(page, DONE)
    before = pane(page, "x_0")
    field = page.get_by_label("Number of steps, typed")
    field.fill(typed)
    field.press("Enter")
    told = page.locator("#status").inner_text()
    assert words in told and told.startswith("The number of steps") and page.locator("#status").get_attribute("data-kind") == "error"
    assert state(page, "steps") == 50 and field.input_value() == "50"
    assert pane(page, "x_0") == before, "the run on screen stays"


def test_a_seed_that_cannot_be_is_told_and_the_run_stays(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=1").page
    until(page, DONE)
    before = pane(page, "x_0")
    field = page.get_by_label("Seed of the noise")
    field.fill("1" + "0" * 30)
    field.press("Enter")
    assert page.locator("#status").inner_text().startswith("The seed is 1000000") and field.input_value() == "12"
    assert pane(page, "x_0") == before and state(page, "seed") == 12


def kept(page: Page, name: str) -> bytes:
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator("button.g-keep", has_text=name).click()
    assert download.value.suggested_filename.endswith(f".{name.lower()}")
    return Path(download.value.path()).read_bytes()


PLAY = """async ([data, type]) => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], {type}));
    await new Promise((ok, no) => { video.onloadedmetadata = ok; video.onerror = () => no(new Error(video.error.message)); });
    await video.play();
    await new Promise((resolve) => { video.onended = resolve; });
    return [video.videoWidth, video.videoHeight, video.duration, video.currentTime]; }"""


@pytest.mark.parametrize("query", ["?at=1&steps=6", "?tool=branch&steps=6&fork=3", "?tool=forward&t=300", "?tool=plane"])
def test_what_is_on_screen_is_saved_large_and_the_film_plays(stepper: Callable[..., Watched], query: str) -> None:
    watched = stepper(query)
    page = watched.page
    until(page, "document.querySelectorAll('.g-keep:not([hidden])').length === 3")
    if "tool" not in query:
        until(page, DONE)
    if "branch" in query:
        until(page, "window.__diffusion.branch?.branch?.state === 'done'")
    with Image.open(io.BytesIO(kept(page, "GIF"))) as gif:
        assert gif.format == "GIF" and gif.n_frames >= 7 and max(gif.size) >= 440
    with Image.open(io.BytesIO(kept(page, "PNG"))) as png:
        assert png.format == "PNG" and max(png.size) >= 800
    film = kept(page, "MP4")
    assert film[4:8] == b"ftyp"
    width, height, duration, played = page.evaluate(PLAY, [base64.b64encode(film).decode(), "video/mp4"])
    assert max(width, height) >= 640 and duration > 1 and played == pytest.approx(duration, abs=0.2)
    watched.check()


@pytest.mark.parametrize("has, name, magic", [
    ("MediaRecorder.isTypeSupported = (type) => type.startsWith('video/mp4')", "MP4", b"ftyp"),
    ("MediaRecorder.isTypeSupported = (type) => type.startsWith('video/webm')", "WebM", b"\x1a\x45\xdf\xa3"),
])
def test_without_an_encoder_the_film_is_recorded_as_it_plays(stepper: Callable[..., Watched], has: str, name: str, magic: bytes) -> None:
    page = stepper().page
    page.add_init_script(f"delete window.VideoEncoder; {has}")
    page.goto(page.url.split("?")[0] + "?at=1&steps=3")
    until(page, f"window.__diffusion && {DONE}")
    film = kept(page, name)
    assert magic in film[:12]
    width, _, duration, _ = page.evaluate(PLAY, [base64.b64encode(film).decode(), f"video/{name.lower()}"])
    assert width >= 1024 and duration > 0


def test_where_no_film_can_be_made_there_is_no_button_and_the_reason_is_told(stepper: Callable[..., Watched]) -> None:
    page = stepper().page
    page.add_init_script("delete window.VideoEncoder; delete window.MediaRecorder")
    page.reload()
    until(page, "document.querySelector('.g-keep')?.title.includes('no video') && document.querySelector('.g-keep:not([hidden])')")
    assert page.locator("button.g-keep:visible").all_inner_texts() == ["GIF", "PNG"]


def test_saving_can_be_cancelled(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=1&steps=200&count=16").page
    until(page, DONE)
    page.evaluate("""async () => {       // within the page: a quick machine is done before a test has clicked twice
        const button = [...document.querySelectorAll('button.g-keep')].find((each) => each.textContent === 'GIF');
        button.click();
        while (!button.textContent.includes('%')) await new Promise((done) => setTimeout(done));
        button.click(); }""")
    until(page, "document.getElementById('status').textContent === 'The GIF was cancelled.'")
    assert page.locator("button.g-keep", has_text="GIF").inner_text() == "GIF"


def test_a_branch_parts_at_its_fork_and_shows_what_comes_of_it_elsewhere(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?tool=branch&steps=16&fork=8&then=label:2")
    page = watched.page
    until(page, "window.__diffusion.branch?.branch?.state === 'done'")
    same, different = page.evaluate("""() => { const b = window.__diffusion.branch;
        const equal = (i) => b.take.frames[i].x_t.every((v, k) => v === b.future(i).x_t[k]);
        return [equal(8), equal(16)]; }""")
    assert same and not different
    until(page, "document.querySelectorAll('.dx-tile b').length === 9 && ![...document.querySelectorAll('.dx-tile b')].some(b => b.textContent === '…')")
    page.locator(".dx-tile").nth(2).click()
    until(page, "window.__diffusion.app.store.get('fork') === 4")
    until(page, "window.__diffusion.branch.branch.about.begin === 4 && window.__diffusion.branch.branch.state === 'done'")
    watched.check()


def test_a_picture_dissolves_in_the_page_and_is_brought_back(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?tool=forward&t=0&steps=10")
    page = watched.page
    until(page, "window.__diffusion.forward.known !== null")
    page.wait_for_timeout(300)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.focus("#primary")
    first = page.evaluate("window.__diffusion.forward.panes.x_t.toDataURL()")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert state(page, "t") == 50 and page.evaluate("window.__diffusion.forward.panes.x_t.toDataURL()") != first
    assert [url for url in asked if "/data/" in url] == [], "the page mixes picture and noise by itself"
    page.get_by_role("button", name="Bring it back").click()
    until(page, "document.getElementById('status').textContent.startsWith('Brought back')")
    watched.check()


def test_a_part_is_painted_and_an_empty_mask_is_told(stepper: Callable[..., Watched]) -> None:
    page = stepper("?tool=forward&way=paint&steps=8").page
    until(page, "window.__diffusion.forward.known !== null")
    page.get_by_role("button", name="Paint it anew").click()
    until(page, "document.getElementById('status').textContent.includes('mask is empty')")
    page.get_by_role("button", name="lower half").click()
    page.get_by_role("button", name="Paint it anew").click()
    until(page, "document.getElementById('status').textContent.startsWith('Painted')")
    kept = page.evaluate("""() => { const f = window.__diffusion.forward, {w} = f.blend.shape;
        const end = f.painted.frames[f.painted.steps].x_t, half = end.length / 2;
        return f.blend.bytes.slice(0, half).every((v, i) => v === end[i]); }""")
    assert kept, "what is not marked stays to the pixel"


def test_a_text_file_that_calls_itself_a_picture_is_told(stepper: Callable[..., Watched], tmp_path: Path) -> None:
    page = stepper("?tool=forward").page
    until(page, "window.__diffusion.forward.known !== null")
    fake = tmp_path / "holiday.png"
    fake.write_text("not a picture")
    page.get_by_label("Choose a picture file").set_input_files(fake)
    until(page, "document.getElementById('status').dataset.kind === 'error'")
    assert "holiday.png is not a picture" in page.locator("#status").inner_text()


def test_a_picture_of_forty_megapixels_is_refused_and_the_one_before_stays(stepper: Callable[..., Watched], tmp_path: Path) -> None:
    page = stepper("?tool=forward").page
    until(page, "window.__diffusion.forward.known !== null")
    before = page.evaluate("window.__diffusion.forward.panes.x_0.toDataURL()")
    Image.new("1", (8000, 5000)).save(tmp_path / "poster.png")
    page.get_by_label("Choose a picture file").set_input_files(tmp_path / "poster.png")
    until(page, "document.getElementById('status').dataset.kind === 'error'")
    assert re.search(r"poster\.png .*40.*16", page.locator("#status").inner_text())
    assert page.evaluate("window.__diffusion.forward.panes.x_0.toDataURL()") == before


def test_four_step_counts_from_the_same_noise(stepper: Callable[..., Watched]) -> None:
    page = stepper("?tool=fewer").page
    until(page, "window.__diffusion.fewer.columns.slice(1).every(({take, steps}) => take?.newest === steps)")
    equal = page.evaluate("""() => { const [a, b, c] = window.__diffusion.fewer.columns.slice(1).map(({take}) => take.frames[0].x_t);
        return a.every((v, i) => v === b[i] && v === c[i]); }""")
    assert equal
    assert page.locator(".dx-time b").nth(3).inner_text().endswith("s")


def test_the_long_run_says_how_long_it_takes_and_can_be_stopped(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?tool=fewer&count=4")
    page = watched.page
    until(page, "document.querySelector('.dx-verdict').textContent.includes('to go')")
    assert re.search(r"step \d+, about \d+ (s|minutes) to go", page.locator(".dx-verdict").first.inner_text())
    page.get_by_role("button", name="Stop").click()
    assert page.locator("#status").inner_text() == "Stopped; what has come so far stays."
    assert 0 < page.evaluate("window.__diffusion.fewer.columns[0].take.newest") < 1000
    assert page.get_by_role("button", name="Run all four again").is_visible()
    watched.check()


def test_one_of_each_has_room_for_all_or_says_who_is_missing(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=1&steps=4").page
    until(page, DONE)
    page.get_by_role("button", name="one of each").click()
    until(page, f"{DONE} && {REVERSE}.take.about.labels.join() === '0,1,2,3,4,5,6,7,8,9'")
    page.get_by_label("Number of pictures").select_option("9")
    until(page, f"{DONE} && {REVERSE}.take.about.labels.length === 9")
    until(page, "document.getElementById('status').textContent.includes('one of each class but “9”')")


def test_a_step_that_has_not_come_yet_is_told_beside_the_one_that_has(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=990&steps=1000").page
    until(page, f"{REVERSE}.player.shown > 2")
    told, goal = page.evaluate("[document.querySelector('.dx-readout span:last-child b').textContent, document.getElementById('primary').value]")
    assert re.fullmatch(r"\d+ → 990 / 1000", told) and goal == "990"


@pytest.mark.parametrize("query", ["?tool=forward&t=600", "?tool=forward&way=paint"])
def test_no_words_are_cut_off_on_the_phone(stepper: Callable[..., Watched], query: str) -> None:
    page = stepper(query, size="phone").page
    until(page, "window.__diffusion.forward.known !== null")
    cut = page.evaluate("""() => [...document.querySelectorAll('.dx-cap span, .dx-none, .dx-name, .dx-hint')]
        .filter((each) => each.offsetParent && (each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right > innerWidth)
            && getComputedStyle(each).display !== 'inline').map((each) => each.textContent)""")
    assert cut == []


def test_a_closed_tab_ends_its_run(hub: Hub, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(hub.url + PAGE + "?steps=1000&count=16&sampler=ddpm&at=0")
    page.wait_for_selector(READY, timeout=PATIENCE)
    assert running(hub) >= 1
    context.close()
    began = time.monotonic()
    wait_until(lambda: running(hub) == 0, 5, "the run goes on for nobody")
    assert time.monotonic() - began < 2.5


def test_an_engine_that_dies_leaves_the_steps_and_go_on_goes_on(browser: Browser) -> None:
    with running_hub() as hub:
        wait_until(lambda: json.loads(hub.get("/health"))["ready"], 90, "the hub is not ready")
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        page = context.new_page()
        page.goto(hub.url + PAGE + "?steps=400&sampler=ddpm&seed=5&at=0")
        page.wait_for_selector(READY, timeout=PATIENCE)
        until(page, f"{REVERSE}.take.newest >= 20")
        hub.kill_the_engine()
        page.wait_for_selector(".dx-trouble:not([hidden])", timeout=PATIENCE)
        kept = page.evaluate(f"{REVERSE}.take.newest")
        assert 20 <= kept < 400, "the engine died in the middle"
        page.focus("#primary")
        page.keyboard.press("ArrowRight")
        assert shown(page) == 1, "the steps so far can be looked at"
        page.get_by_role("button", name="Go on").click()
        until(page, f"{DONE} && {REVERSE}.take.newest === 400")
        assert page.locator(".dx-trouble").is_hidden()
        assert page.evaluate(f"{REVERSE}.take.frames.filter(Boolean).length") == 401
        context.close()


def test_a_run_that_is_forgotten_is_run_again(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=3&steps=8").page
    until(page, DONE)
    page.evaluate("() => { const {main} = window.__diffusion.app; main.take.about.token = 'forgotten'; main.goOn(); }")
    page.wait_for_selector(".dx-trouble:not([hidden])", timeout=PATIENCE)
    assert "no longer kept" in page.locator(".dx-trouble").inner_text()
    page.get_by_role("button", name="Play from the start").click()
    until(page, f"{DONE} && {REVERSE}.take.token !== 'forgotten'")
    page.evaluate("window.__diffusion.app.main.take.about.token = 'forgotten'")
    page.locator("#tab-branch").click()
    until(page, "window.__diffusion.branch?.branch?.state === 'done'")


@pytest.mark.parametrize("tool", ["branch", "forward", "fewer"])
def test_axe_finds_nothing_grave_in_the_other_tools(stepper: Callable[..., Watched], tool: str) -> None:
    page = stepper(f"?tool={tool}").page
    page.wait_for_timeout(1_500)
    found = [fault for fault in Axe().run(page).response["violations"] if fault["impact"] in ("serious", "critical")]
    assert [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]] == []


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_scene_is_applied_without_a_reload(stepper: Callable[..., Watched], scene) -> None:
    watched = stepper("?at=3")
    page = watched.page
    page.evaluate("window.stayed = true")
    page.locator(".g-scene", has_text=scene.title).click()
    until(page, f"window.__diffusion.app.store.get('tool') === '{scene.query.get('tool', 'reverse')}'")
    page.wait_for_timeout(800)
    assert page.evaluate("window.stayed") is True
    assert page.locator('#status[data-kind="error"]').count() == 0
    watched.check()


@pytest.mark.parametrize("tool", ["branch", "forward", "plane"])
def test_a_scene_from_another_tool_stands_where_it_says_or_plays(stepper: Callable[..., Watched], tool: str) -> None:
    watched = stepper("?at=33")
    page = watched.page
    until(page, DONE)
    page.locator(f"#tab-{tool}").click()
    until(page, f"document.querySelector('#tab-{tool}').ariaSelected === 'true' && !{REVERSE}.visible")
    page.locator(".g-scene", has_text="What it believes at t = 900").click()
    until(page, f"{REVERSE}.visible && {REVERSE}.player.shown === 5 && {REVERSE}.take.about.count === 10")
    until(page, DONE)
    assert "990" not in page.locator(".dx-readout").inner_text() and "guidance" in page.locator("#status").inner_text().lower()
    page.locator(f"#tab-{tool}").click()
    until(page, f"!{REVERSE}.visible")
    page.locator(".g-scene", has_text="From static to a seven").click()
    until(page, f"{REVERSE}.visible && {REVERSE}.player.playing")
    until(page, f"{REVERSE}.player.shown === 50 && !{REVERSE}.player.playing && {REVERSE}.take.about.count === 1")
    watched.check()


def test_another_model_has_a_test_picture_of_its_own(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?tool=forward&pic=t.9202&t=300")
    page = watched.page
    until(page, "window.__diffusion.forward.known?.index === 9202")
    page.evaluate("window.__diffusion.app.store.set({ model: 'ddpm-emoji' })")
    until(page, "window.__diffusion.forward.known?.index !== 9202")
    assert page.locator("#status").get_attribute("data-kind") != "error"
    watched.check()


def test_the_curves_stay_in_their_boxes_when_the_address_changes(stepper: Callable[..., Watched]) -> None:
    page = stepper("?at=10").page
    until(page, "document.querySelector('.dx-curves .scatterlayer') !== null")
    page.locator("#tab-branch").click()
    page.locator("#tab-reverse").click()
    until(page, "location.search.includes('at=10')")
    found = page.evaluate("[...document.querySelectorAll('.dx-curves [clip-path]')].map((each) => each.getAttribute('clip-path'))")
    assert found and all(each.startswith("url('#") for each in found)


def test_back_takes_back_a_tool_and_a_scene_and_the_card_goes_out(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?at=3")
    page = watched.page
    page.evaluate("window.stayed = true")
    lit = page.locator('.g-scene[aria-current="true"] b')
    page.locator("#tab-fewer").click()
    page.locator(".g-scene", has_text="Change its mind").click()
    until(page, "location.search.includes('then=label')")
    assert lit.all_inner_texts() == ["Change its mind at half-way"]
    until(page, "window.__diffusion.branch?.branch?.state === 'done'")
    page.get_by_label("Step of the fork").press("ArrowRight")
    until(page, "!document.querySelector('.g-scene[aria-current]')")
    page.go_back()
    until(page, "window.__diffusion.app.store.get('tool') === 'fewer'")
    page.go_back()
    until(page, "window.__diffusion.app.store.get('tool') === 'reverse'")
    assert state(page, "seed") == 12
    page.go_forward()
    page.go_forward()
    until(page, "window.__diffusion.app.store.get('tool') === 'branch'")
    assert state(page, "fork") == 26 and state(page, "then") == {"label": 2}
    assert page.evaluate("window.stayed") is True
    watched.check()


def test_a_tool_that_opens_slowly_does_not_lose_the_run_that_goes_on(stepper: Callable[..., Watched]) -> None:
    watched = stepper("?at=3&steps=1000")
    page = watched.page
    page.route("**/branch.css", lambda route: (time.sleep(0.5), route.continue_()))
    page.evaluate("window.errors = 0; new MutationObserver(() => { window.errors += document.getElementById('status').dataset.kind === 'error'; })"
                  ".observe(document.getElementById('status'), {attributes: true, childList: true})")
    page.locator(".g-scene", has_text="Change its mind").click()
    until(page, "window.__diffusion.branch?.branch?.state === 'done'")
    assert page.evaluate("window.errors") == 0
    watched.check()


@pytest.mark.parametrize("query, words", [("?steps=0", "1 to 1000"), ("?seed=" + "1" + "0" * 30, "1e+30"), ("?guidance=nan", "nan"),
                                          ("?model=nobody", "nobody"), ("?tool=hammer", "hammer"), ("?then=steps:3", "Then is")])
def test_bad_address_is_told_and_the_page_goes_on(stepper: Callable[..., Watched], query: str, words: str) -> None:
    watched = stepper(query)
    page = watched.page
    until(page, "document.getElementById('status').dataset.kind === 'error'")
    assert words in page.locator("#status").inner_text()
    until(page, DONE)
    assert words in page.locator("#status").inner_text(), "the complaint stands until something is changed"
    watched.check()
