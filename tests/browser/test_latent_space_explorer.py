"""The explorer in a real browser: the map by keys, pins, scenes without a reload, and the address as the page's memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from apps.latent_space_explorer import DEMO
from tests.browser.conftest import Watched

PAGE = "/demo/latent-space-explorer/"
READY = '#instrument[data-ready="true"]'
PATIENCE = 60_000


@pytest.fixture
def explorer(open_page: Callable[..., Watched]) -> Callable[..., Watched]:
    def open_(query: str = "", **how: str) -> Watched:
        watched = open_page(PAGE + query, **how)
        watched.page.wait_for_selector(READY, timeout=PATIENCE)
        return watched
    return open_


def state(page: Page, key: str) -> object:
    return page.evaluate(f"window.__latent.app.store.get('{key}')")


def z(page: Page) -> list[float]:
    return page.evaluate("window.__latent.app.z()")


def picture(page: Page) -> str:
    return page.evaluate("document.querySelector('.lx-big').toDataURL()")


def until(page: Page, condition: str) -> None:
    page.wait_for_function(condition, timeout=PATIENCE)


def exact(page: Page) -> None:
    until(page, "document.querySelector('.lx-how').textContent === 'exact'")


def test_arrow_keys_move_the_point_and_home_brings_it_back(explorer: Callable[..., Watched]) -> None:
    watched = explorer()
    page = watched.page
    exact(page)
    before = picture(page)
    page.focus("#primary")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    x, y = z(page)
    assert x > 0 and y > x, "shift goes farther"
    until(page, f"document.querySelector('.lx-big').toDataURL() !== '{before}'")
    exact(page)
    until(page, "document.getElementById('primary').getAttribute('aria-valuetext').includes('nearest')")
    page.keyboard.press("Home")
    assert z(page) == [0, 0]
    until(page, f"document.querySelector('.lx-big').toDataURL() === '{before}'")
    watched.check()


def test_exact_picture_is_the_decoders_own(explorer: Callable[..., Watched]) -> None:
    page = explorer("?z=0.5,-1").page
    exact(page)
    answer = page.evaluate("window.__latent.app.server.decode({model: 'vae-mnist-2d', z: [0.5, -1]}).then(a => Array.from(window.__latent.app.unpack(a.image).data))")
    shown = page.evaluate("""() => { const c = document.querySelector('.lx-big');
        return Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0); }""")
    assert shown == answer


def test_pointer_paints_from_the_atlas_and_rest_makes_it_exact(explorer: Callable[..., Watched]) -> None:
    watched = explorer()
    page = watched.page
    until(page, "window.__latent.app.map.atlas !== null")
    exact(page)
    box = page.locator(".lx-plot").first.bounding_box()
    page.evaluate("""() => { window.seen = new Set(); const how = document.querySelector('.lx-how');
        new MutationObserver(() => window.seen.add(how.textContent)).observe(how, {childList: true, characterData: true, subtree: true}); }""")
    for step in range(40):
        page.mouse.move(box["x"] + 120 + 5 * step, box["y"] + 120 + 3 * step)
    until(page, "window.seen.has('from the atlas')")
    exact(page)
    assert page.evaluate("window.__latent.timings.length") > 0
    watched.check()


def test_atlas_and_model_agree_at_a_tile(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    until(page, "window.__latent.app.map.atlas !== null")
    worst = page.evaluate("""async () => {
        const {app} = window.__latent, {atlas} = app.map, [x0, x1, y0, y1] = atlas.extent;
        const x = x0 + (x1 - x0) * 20 / (atlas.columns - 1), y = y1 - (y1 - y0) * 15 / (atlas.rows - 1);
        const near = Array.from(atlas.sample(x, y).data);
        const said = app.unpack((await app.server.decode({model: app.space.name, z: [x, y]})).image).data;
        return Math.max(...near.map((v, i) => Math.abs(v - said[i]))); }""")
    assert worst <= 2


def test_click_pins_and_says_what_the_loss_says(explorer: Callable[..., Watched]) -> None:
    watched = explorer()
    page = watched.page
    spot = page.evaluate("window.__latent.app.map.toPixel(window.__latent.app.space.project(window.__latent.app.space.code(4)))")
    box = page.locator(".lx-plot").first.bounding_box()
    page.mouse.click(box["x"] + spot[0], box["y"] + spot[1])
    pins = state(page, "pins")
    assert len(pins) == 1 and pins[0]["kind"] == "test"
    page.wait_for_selector(".lx-bars", timeout=PATIENCE)
    assert "−ELBO" in page.locator(".lx-loss").inner_text()
    until(page, "window.__latent.app.map.extra.has('spread')")
    until(page, "document.querySelectorAll('.lx-near button').length === 8")
    page.focus("#primary")
    page.keyboard.press("Delete")
    assert state(page, "pins") == []
    watched.check()


def test_wheel_zooms_drag_pans_double_click_resets(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    box = page.locator(".lx-plot").first.bounding_box()
    x, y = box["x"] + 300, box["y"] + 200
    width = page.evaluate("window.__latent.app.map.view.width")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    until(page, f"window.__latent.app.map.view.width < {0.6 * width}")
    middle = page.evaluate("window.__latent.app.map.view.x")
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    assert page.evaluate("window.__latent.app.map.view.x") < middle
    assert state(page, "pins") == [], "a drag is no click"
    page.mouse.dblclick(x, y)
    until(page, f"Math.abs(window.__latent.app.map.view.width - {width}) < 1e-6")
    assert state(page, "pins") == [], "a double click pins nothing"


def test_address_keeps_everything_and_brings_it_back(explorer: Callable[..., Watched]) -> None:
    page = explorer("?z=0.5,-1&pins=t4~p1,0.25&layers=density&only=4,9&view=0.5,0,4").page
    page.focus("#primary")
    page.keyboard.press("ArrowLeft")
    until(page, "!location.search.includes('z=0.5,-1&')")
    address, before = page.url, {key: state(page, key) for key in ("z", "pins", "layers", "only", "view")}
    page.goto(address)
    page.wait_for_selector(READY, timeout=PATIENCE)
    for key, value in before.items():
        if key != "z":
            assert state(page, key) == value, key
    assert z(page) == pytest.approx(before["z"], abs=1e-3)


def test_class_in_the_legend_shows_it_alone(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    page.locator(".lx-legend button", has_text="4").click()
    assert state(page, "only") == [4]
    page.locator(".lx-legend button", has_text="9").click()
    assert state(page, "only") == [4, 9]
    until(page, "location.search.includes('only=4,9')")


@pytest.mark.parametrize("scene", DEMO.scenes, ids=lambda scene: scene.title)
def test_scene_is_applied_without_a_reload(explorer: Callable[..., Watched], scene) -> None:
    watched = explorer()
    page = watched.page
    page.evaluate("window.stayed = true")
    page.locator(".g-scene", has_text=scene.title).click()
    until(page, f"window.__latent.app.store.get('model') === '{scene.query['model']}'")
    until(page, f"window.__latent.app.space.name === '{scene.query['model']}'")
    assert page.evaluate("window.stayed") is True
    assert page.locator('#status[data-kind="error"]').count() == 0
    watched.check()


@pytest.mark.parametrize("query, words", [
    ("?z=nan", "nan"), ("?z=1e9,0", "1000"), ("?model=nobody", "nobody"), ("?pins=t99999", "99999"), ("?tool=hammer", "hammer"),
])
def test_bad_address_is_told_and_the_page_goes_on(explorer: Callable[..., Watched], query: str, words: str) -> None:
    watched = explorer(query)
    page = watched.page
    until(page, "document.getElementById('status').dataset.kind === 'error'")
    assert words in page.locator("#status").inner_text()
    page.focus("#primary")
    page.keyboard.press("ArrowRight")
    assert z(page)[0] > 0
    watched.check()


def test_tabs_are_one_stop_and_arrows_go_between_them(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    page.locator("#tab-explore").focus()
    page.keyboard.press("ArrowRight")
    assert state(page, "tool") == "own"
    assert page.evaluate("document.activeElement.id") == "tab-own"
    assert page.locator('[role=tab][tabindex="0"]').count() == 1
    page.keyboard.press("End")
    assert state(page, "tool") == "train"


def test_a_finger_looks_and_a_tap_pins(explorer: Callable[..., Watched]) -> None:
    watched = explorer(size="phone")
    page = watched.page
    until(page, "window.__latent.app.map.atlas !== null")
    box = page.locator(".lx-plot").first.bounding_box()
    page.touchscreen.tap(box["x"] + 180, box["y"] + 150)
    until(page, "window.__latent.app.store.get('pins').length === 1")
    watched.check()


def width(page: Page) -> float:
    return page.evaluate("window.__latent.app.map.view.width")


def test_buttons_on_the_map_zoom(explorer: Callable[..., Watched]) -> None:
    page = explorer().page
    whole = width(page)
    page.get_by_role("button", name="Zoom in").click()
    until(page, f"window.__latent.app.map.view.width < {0.8 * whole}")
    page.get_by_role("button", name="Show the whole map").click()
    until(page, f"Math.abs(window.__latent.app.map.view.width - {whole}) < 1e-6")
    assert state(page, "pins") == [], "a press of a button is no click on the map"


def test_pins_stay_while_one_goes_from_tool_to_tool(explorer: Callable[..., Watched]) -> None:
    watched = explorer("?pins=t4~p1,0.25")
    page, pins = watched.page, [{"kind": "test", "index": 4}, {"kind": "point", "z": [1, 0.25]}]
    for tool in ("path", "own", "dimensions", "train", "path", "explore"):
        page.click(f"#tab-{tool}")
        page.wait_for_timeout(500)
        assert state(page, "pins") == pins, tool
    assert page.locator(".lx-pins li").count() == 2
    page.get_by_role("group", name="Dimensions").get_by_role("button", name="16").click()
    until(page, "window.__latent.app.space.d === 16")
    assert state(page, "pins") == pins[:1], "a picture has a code in every model of its data, a place has not"
    watched.check()


def test_emoji_begin_with_a_face_and_stand_on_the_map_themselves(explorer: Callable[..., Watched]) -> None:
    watched = explorer("?model=vae-emoji")
    page = watched.page
    until(page, "window.__latent.app.map.tiles !== null")
    assert "smiling" in page.evaluate("window.__latent.app.space.title(window.__latent.app.space.first)")
    assert page.evaluate("JSON.stringify(window.__latent.app.z()) === JSON.stringify(window.__latent.app.space.code(window.__latent.app.space.first))")
    chosen, touching = page.evaluate("""() => {
        const {map} = window.__latent.app, {xy} = map.space, {size} = map.tiles;
        const places = map.tiles.choose(map).map((i) => map.toPixel([xy[2 * i], xy[2 * i + 1]]));
        const close = (a, b) => Math.abs(a[0] - b[0]) < size && Math.abs(a[1] - b[1]) < size;
        return [places.length, places.some((a, i) => places.some((b, j) => j < i && close(a, b)))]; }""")
    assert chosen > 20 and not touching
    index, x, y = page.evaluate("""() => { const {map} = window.__latent.app, {xy} = map.space;
        const inside = map.tiles.choose(map).filter((i) => map.inside(map.toPixel([xy[2 * i], xy[2 * i + 1]])));
        return [inside[7], ...map.toPixel([xy[2 * inside[7]], xy[2 * inside[7] + 1]])]; }""")
    box = page.locator(".lx-plot").first.bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    until(page, f"JSON.stringify(window.__latent.app.looking.target) === JSON.stringify(window.__latent.app.space.code({index}))")
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert state(page, "pins") == [{"kind": "test", "index": index}]
    page.evaluate("window.__latent.app.pinTest(1600)")
    assert page.evaluate("window.__latent.app.map.tiles.choose(window.__latent.app.map)[1]") == 1600, "what is pinned stands on the map"
    watched.check()


def test_two_fingers_zoom_and_pin_nothing(explorer: Callable[..., Watched]) -> None:
    watched = explorer(size="phone")
    page = watched.page
    whole = page.evaluate("window.__latent.app.map.view.width")
    box = page.locator(".lx-plot").first.bounding_box()
    x, y = box["x"] + 180, box["y"] + 170
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": place, "y": y, "id": i} for i, place in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x - 20)
    touch("touchStart", x - 20, x + 20)
    for far in range(25, 85, 10):
        touch("touchMove", x - far, x + far)
    touch("touchEnd")
    until(page, f"window.__latent.app.map.view.width < {0.5 * whole}")
    assert state(page, "pins") == []
    assert page.evaluate("visualViewport.scale") == 1, "the map is enlarged, not the page"
    watched.check()


def test_a_phone_shows_the_picture_on_the_map_while_a_finger_looks(explorer: Callable[..., Watched]) -> None:
    page = explorer(size="phone").page
    until(page, "window.__latent.app.map.atlas !== null")
    copy = "document.querySelector('.lx-inset').toDataURL()"
    exact(page)
    before = page.evaluate(copy)
    box, inset = page.locator(".lx-plot").first.bounding_box(), page.locator(".lx-inset")
    page.touchscreen.tap(box["x"] + 120, box["y"] + 100)
    until(page, f"{copy} !== '{before}'")
    assert inset.is_visible() and inset.bounding_box()["y"] + inset.bounding_box()["height"] < 700
    page.touchscreen.tap(box["x"] + 300, box["y"] + 280)
    until(page, "document.querySelector('.lx-inset').classList.contains('left')")


@pytest.mark.parametrize("query", ["?pins=t4", "?tool=own&own=t.1&again=1", "?tool=path&pins=t4~t9", "?model=vae-fashion-16d&tool=dimensions",
                                   "?tool=dimensions&dims=sum", "?tool=train", "?compare=ae-mnist-2d"])
def test_no_words_are_smaller_than_the_back_row_can_read(explorer: Callable[..., Watched], query: str) -> None:
    page = explorer(query).page
    page.wait_for_timeout(1_500)
    small = page.evaluate("""() => [...document.querySelectorAll('.lx *')]
        .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
        .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 13).map((e) => e.className + ' ' + e.textContent.slice(0, 30))""")
    assert small == []


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_every_complaint_is_shown_whole(explorer: Callable[..., Watched], size: str) -> None:
    page = explorer(f"?model={'m' * 60}&z=nan,1&pins=t99999&tool=hammer&layers=ink&compare=nobody&steps=many", size=size).page
    page.wait_for_timeout(1_500)
    status = page.locator("#status")
    assert status.get_attribute("data-kind") == "error"
    for word in ("mmm", "nan", "99999", "hammer", "ink", "nobody", "many"):
        assert word in status.inner_text()
    assert status.evaluate("(e) => e.scrollHeight - e.clientHeight") <= 0
    assert page.locator(".lx-plot").bounding_box()["height"] > 150
    status_box, side = status.bounding_box(), page.locator(".lx-here").bounding_box()
    assert size == "laptop" or status_box["y"] + status_box["height"] <= side["y"]


@pytest.mark.parametrize("model", ["vae-mnist-2d", "vae-fashion-2d", "vae-emoji"])
def test_a_phone_names_every_class(explorer: Callable[..., Watched], model: str) -> None:
    page = explorer(f"?model={model}", size="phone").page
    legend = page.locator(".lx-legend")
    assert legend.locator("button").count() == page.evaluate("new Set(window.__latent.app.space.labels).size")
    assert legend.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    box = legend.bounding_box()
    for button in legend.locator("button").all():
        own = button.bounding_box()
        assert own["x"] + own["width"] <= box["x"] + box["width"] and own["y"] + own["height"] <= box["y"] + box["height"]


@pytest.mark.parametrize("query", ["", "?tool=own&own=t.1&again=1&seed=7", "?tool=path&pins=t1078~t1532", "?compare=ae-mnist-2d"])
def test_on_a_phone_nothing_lies_on_the_status(explorer: Callable[..., Watched], query: str) -> None:
    page = explorer(query, size="phone").page
    if query:
        page.wait_for_selector(".lx-shelf:not([hidden])", timeout=PATIENCE)
    page.wait_for_timeout(1_500)
    parts = [page.locator(name).first.bounding_box() for name in (".lx-map", "#status", ".lx-here", ".lx-side")]
    for above, below in zip(parts, parts[1:]):
        assert above["y"] + above["height"] <= below["y"] + 1
