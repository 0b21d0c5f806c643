"""The hub: its page, its health, its doors, and that a broken demo harms nobody else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib
import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gallery import limits
from gallery.server import create_app
from gallery.static import Packed
from tests.gallery.rooms import PNG, THUMBNAIL, apps_folder, sound

CANARY = '"><script>window.canary=1</script>'


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    place = tmp_path_factory.mktemp("hub")
    name = "apps_of_a_test_"
    apps = apps_folder(place, {
        "sound": sound(),
        "raises_on_import": {"__init__.py": "raise RuntimeError('<b>no</b>')", "app.py": ""},
        "no_manifest": {"__init__.py": "DEMO = 3", "app.py": ""},
        "no_title": sound(title=" "),
        "raises_on_build": {**sound(), "app.py": "def build():\n    raise OSError('no paint')\n"},
        "_private": sound(),
    })
    assert apps.name.startswith(name)
    (apps / "sound" / "thumbnail.py").write_text(THUMBNAIL)
    (apps / "sound" / "__init__.py").write_text(sound(thumbnail=f"{apps.name}.sound.thumbnail:make")["__init__.py"])
    return apps


@pytest.fixture(scope="module")
def client(apps) -> Iterator[TestClient]:
    with TestClient(create_app(engine="thread", apps=apps)) as client:
        yield client


def test_the_hub_lists_every_door_and_ten_milestones(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    for name in ("VAE", "GAN", "Seq2Seq", "Transformer", "BERT", "GPT-2", "DDPM", "GPT-3", "CLIP", "InstructGPT"):
        assert name in page.text
    assert "in preparation" in page.text


def test_what_is_searched_for_is_in_the_page_and_escaped(client: TestClient) -> None:
    page = client.get("/", params={"q": "mode collapse"})
    assert "mode collapse" in page.text
    assert CANARY not in client.get("/", params={"q": CANARY}).text


def test_health_says_what_is_promised(client: TestClient) -> None:
    health = client.get("/health").json()
    assert {"ready", "device", "engine", "models", "runs", "version"} <= health.keys()
    assert health["engine"]["mode"] == "thread"
    assert health["demos"]["raises-on-import"] == "closed" and "private" not in health["demos"]


@pytest.mark.parametrize("slug", ["raises-on-import", "no-manifest", "no-title", "raises-on-build"])
def test_a_broken_demo_shows_its_error_card_and_the_others_open(client: TestClient, slug: str) -> None:
    card = client.get(f"/demo/{slug}/")
    assert card.status_code == 503 and "Traceback" not in card.text and "<b>no</b>" not in card.text
    assert client.get("/demo/sound/").status_code == 200
    assert client.get("/").status_code == 200


def test_an_address_without_its_slash_is_led_on_with_its_query(client: TestClient) -> None:
    answer = client.get("/demo/sound?n=2", follow_redirects=False)
    assert answer.status_code == 307 and answer.headers["location"] == "/demo/sound/?n=2"


@pytest.mark.parametrize("path", ["/nowhere", "/demo/nowhere/", "/demo/nowhere", "/demo/", "/assets/web/none.js"])
def test_a_lost_visitor_reads_a_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("path", ["/assets/web/../../requirements.txt", "/assets/web/%2e%2e/%2e%2e/requirements.txt",
                                  "/assets/web//etc/passwd", "/assets/web/%00"])
def test_files_outside_the_folder_cannot_be_named(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_assets_are_compressed_and_asked_about_once(client: TestClient) -> None:
    first = client.get("/assets/web/tokens.css", headers={"accept-encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip" and "--paper" in first.text
    again = client.get("/assets/web/tokens.css", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


def test_a_frameworks_scripts_are_compressed_for_who_can_read_it() -> None:
    asked = []

    async def inner(scope, receive, send) -> None:
        asked.append(scope["path"])
        kind = b"text/javascript" if scope["path"].endswith(".js") else b"image/png"
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"content-type", kind), (b"etag", b'"1"'), (b"content-length", b"8000")]})
        await send({"type": "http.response.body", "body": b"let a=1;" * 500, "more_body": True})
        await send({"type": "http.response.body", "body": b"let a=1;" * 500})

    web = TestClient(Packed(inner))
    for _ in range(2):
        packed = web.get("/demo/a/static/x.js", headers={"accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip" and int(packed.headers["content-length"]) < 200
        assert packed.text == "let a=1;" * 1000 and packed.headers["etag"] == 'W/"1"'
    for path, encoding in (("/demo/a/static/x.js", "identity"), ("/demo/a/static/x.png", "gzip"), ("/demo/a/data/x.js", "gzip")):
        plain = web.get(path, headers={"accept-encoding": encoding})
        assert "content-encoding" not in plain.headers and len(plain.content) == 8000


def test_the_hub_page_is_compressed_only_for_who_can_read_it(client: TestClient) -> None:
    plain = client.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as packed:
        body = b"".join(packed.iter_raw())
    assert len(gzip.decompress(body)) > 2 * len(body)


@pytest.mark.parametrize("path", ["/", "/demo/sound/", "/demo/no-title/", "/nowhere"])
def test_pages_may_reach_this_host_only(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_the_one_script_in_the_gallerys_own_pages_is_known_by_its_hash(client: TestClient) -> None:
    answer = client.get("/")
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, flags=re.S)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(hashes) == 1 and f"script-src 'self' 'sha256-{hashes[0]}';" in answer.headers["content-security-policy"]


def test_a_demos_own_routes_answer_in_sentences(client: TestClient) -> None:
    assert client.get("/demo/sound/data/fine.json").json() == {"fine": True}
    bad = client.get("/demo/sound/data/bad")
    assert bad.status_code == 400 and bad.json()["error"] == "n is 9; it may be 1 to 3: choose one of these."
    assert client.get("/demo/sound/data/busy").status_code == 429


def test_a_defect_is_told_without_its_secret(apps) -> None:
    with TestClient(create_app(engine="thread", apps=apps), raise_server_exceptions=False) as client:
        broken = client.get("/demo/sound/data/broken")
    assert broken.status_code == 500 and "secret" not in broken.text and "error" in broken.json()


def test_what_is_too_large_is_refused_with_the_limit(client: TestClient) -> None:
    long = client.get("/?q=" + "x" * limits.QUERY_CHARACTERS)
    assert long.status_code == 414 and str(limits.QUERY_CHARACTERS) in long.json()["error"]
    heavy = client.post("/demo/sound/data/take", content=b"", headers={"content-length": str(limits.BODY_BYTES + 1)})
    assert heavy.status_code == 413 and "MB" in heavy.json()["error"]


def test_gradio_answers_under_its_mount(client: TestClient) -> None:
    started = client.post("/demo/sound/gradio_api/call/turn", json={"data": ["abc"]}).json()
    answer = client.get(f"/demo/sound/gradio_api/call/turn/{started['event_id']}")
    assert "cba" in answer.text


def test_a_thumbnail_is_made_once_and_kept(client: TestClient, apps) -> None:
    for _ in range(3):
        answer = client.get("/demo/sound/thumbnail.webp?still=1")
    assert answer.content == PNG and answer.headers["content-type"] == "image/png"
    assert importlib.import_module(f"{apps.name}.sound.thumbnail").CALLS == [True]
    etag = {"if-none-match": answer.headers["etag"]}
    assert client.get("/demo/sound/thumbnail.webp?still=1", headers=etag).status_code == 304


def test_a_demo_without_a_thumbnail_says_so(client: TestClient) -> None:
    answer = client.get("/demo/raises-on-build/thumbnail.webp")
    assert answer.status_code == 503 and answer.headers["cache-control"] == "no-store"


def test_one_demo_alone_is_where_the_root_leads(apps) -> None:
    client = TestClient(create_app(only="sound", engine="thread", apps=apps))
    assert client.get("/", follow_redirects=False).headers["location"] == "/demo/sound/"
    assert client.get("/demo/no-title/").status_code == 404
    with pytest.raises(ValueError, match="gallery list"):
        create_app(only="nowhere", apps=apps)


def test_behind_a_prefix_every_link_keeps_it(apps) -> None:
    app = create_app(engine="thread", base="/gallery", apps=apps)
    with TestClient(app, root_path="/gallery") as client:
        page = client.get("/gallery/").text
        assert 'href="/gallery/' in page and 'href="/demo' not in page and 'src="/assets' not in page
        assert client.get("/gallery/demo/sound?n=2", follow_redirects=False).headers["location"] == "/gallery/demo/sound/?n=2"
        demo = client.get("/gallery/demo/sound/")
        assert demo.status_code == 200 and "/gallery/assets/web/" in demo.text
        assert client.get("/gallery/demo/sound/data/fine.json").json() == {"fine": True}
        assert client.get("/gallery/assets/web/tokens.css").status_code == 200
