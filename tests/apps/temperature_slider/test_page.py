"""The script without a browser, and the ways in which it is started."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest
from streamlit.web.server.app_discovery import discover_asgi_app

from apps.temperature_slider import app
from gallery.server import create_app

SCRIPT = "from apps.temperature_slider import app\napp.main()"


def page(**query: str) -> AppTest:
    found = AppTest.from_string(SCRIPT, default_timeout=60)
    for key, value in query.items():
        found.query_params[key] = value
    return found.run()


@pytest.mark.parametrize("tool", ["distribution", "write"])
def test_what_the_shell_draws_the_script_leaves_alone(tool: str) -> None:
    found = page(tool=tool)
    assert not found.exception and not found.get("html") and not found.get("plotly_chart")


@pytest.mark.parametrize("query", [{"t": "nan"}, {"prompt": "<script>alert(1)</script>"}, {"model": "../../etc"}])
def test_no_address_breaks_the_script(query: dict[str, str]) -> None:
    assert not page(**query).exception


def test_streamlit_run_finds_an_application_in_the_file() -> None:
    path = Path(app.__file__)
    found = discover_asgi_app(path)
    assert found.is_asgi_app and found.import_string == "app:application"
    assert isinstance(app.application, FastAPI)
    with pytest.raises(AttributeError, match="nothing"):
        app.nothing  # noqa: B018
    assert "main" in {each.name for each in ast.parse(path.read_text("utf-8")).body if isinstance(each, ast.FunctionDef)}


def test_the_hub_serves_the_rooms_own_data_before_streamlits() -> None:
    with TestClient(create_app(only="temperature-slider", engine="thread")) as client:
        opening = client.get("/demo/temperature-slider/data/opening?t=9")
        assert opening.status_code == 200 and "0 to 5" in opening.json()["faults"][0]
        assert client.post("/demo/temperature-slider/data/read", json={"text": ""}).json() == {
            "error": "The prompt is empty: type the beginning of a text."}
        answer = client.get("/demo/temperature-slider/", headers={"accept": "text/html"})
        assert 'data-framework="streamlit"' in answer.text and "language/page.js" in answer.text
        assert client.get("/demo/temperature-slider/_stcore/health").text == "ok"
        assert "African Storybook" in client.get("/demo/temperature-slider/credits/gpt2-stories", headers={"accept": "text/html"}).text
