"""Vendors' own APIs: where the key goes, what their lists say, where calls go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.domain import dialects as d
from moor.domain.models import Model
from moor.domain.settings import UpstreamSettings
from moor.errors.auth import SignInNeeded
from moor.errors.upstream import NoRouteError
from moor.store.home import Home
from moor.upstreams import UPSTREAMS, open_upstream
from moor.upstreams.base import Upstream
from tests.support.web import Asked, Said, serve_web

ENVIRON = {"KEY": "k-secret"}


def opened(folder: Path, kind: str, url: str, **more: object) -> Upstream:
    settings = UpstreamSettings(kind=kind, base_url=url, api_key_env="KEY", **more)  # type: ignore[arg-type]
    return open_upstream("v", settings, Home(folder / "home"), ENVIRON, ManualClock())


def model(model_id: str, *dialects: str) -> Model:
    return Model(id=model_id, family="x", dialects=dialects)


@pytest.mark.feature("F4.12")
def test_anthropics_list_is_asked_in_its_own_form(tmp_path: Path) -> None:
    listing = {"data": [{"type": "model", "id": "claude-sonnet-5"}, {"id": "claude-haiku-4-5"}], "has_more": False}
    with serve_web(lambda _: Said(200, json.dumps(listing).encode())) as web:
        up = opened(tmp_path, "anthropic", web.url)
        found = up.refresh_catalogue().models
    (asked,) = web.asked
    assert asked.target == "/v1/models?limit=1000"
    assert (asked.headers["x-api-key"], asked.headers["anthropic-version"]) == ("k-secret", "2023-06-01")
    assert "authorization" not in asked.headers
    assert [(one.id, one.dialects, one.family) for one in found] == [
        ("claude-sonnet-5", (d.ANTHROPIC_MESSAGES,), "claude"),
        ("claude-haiku-4-5", (d.ANTHROPIC_MESSAGES,), "claude"),
    ]
    target = up.target(d.ANTHROPIC_MESSAGES, found[0], d.STREAM)
    assert (target.path, target.auth) == ("/v1/messages", "x-api-key")
    assert up.target(d.ANTHROPIC_MESSAGES, found[0], d.COUNT_TOKENS).path == "/v1/messages/count_tokens"
    with pytest.raises(NoRouteError):
        up.target(d.OPENAI_CHAT, found[0], d.STREAM)


@pytest.mark.feature("F4.12")
def test_geminis_list_states_limits_and_leaves_out_what_does_not_generate(tmp_path: Path) -> None:
    methods = ["generateContent", "countTokens"]
    one = {"name": "models/gemini-3-flash", "inputTokenLimit": 1048576, "outputTokenLimit": 65536}
    listing = {
        "models": [
            {**one, "supportedGenerationMethods": methods},
            {"name": "models/text-embedding-4", "supportedGenerationMethods": ["embedContent"]},
            {"name": "models/odd", "inputTokenLimit": "many", "outputTokenLimit": -1},
        ]
    }
    with serve_web(lambda _: Said(200, json.dumps(listing).encode())) as web:
        up = opened(tmp_path, "gemini", web.url)
        found = up.refresh_catalogue().models
    assert web.asked[0].headers["x-goog-api-key"] == "k-secret"
    assert [(one.id, one.context, one.max_output) for one in found] == [
        ("gemini-3-flash", 1048576, 65536),
        ("odd", None, None),
    ]
    paths = [up.target(d.GEMINI_GENERATE, found[0], action).path for action in (d.STREAM, d.GENERATE, d.COUNT_TOKENS)]
    assert paths == [
        "/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse",
        "/v1beta/models/gemini-3-flash:generateContent",
        "/v1beta/models/gemini-3-flash:countTokens",
    ]
    odd = up.target(d.GEMINI_GENERATE, model("a/../b?x", d.GEMINI_GENERATE), d.GENERATE)
    assert odd.path == "/v1beta/models/a%2F..%2Fb%3Fx:generateContent"


@pytest.mark.parametrize(
    ("status", "responses"), [(400, True), (422, True), (404, False), (405, False), (500, False)]
)
def test_responses_are_offered_where_the_path_is_there(tmp_path: Path, status: int, responses: bool) -> None:
    def answer(asked: Asked) -> Said:
        return Said(200, b'{"data":[{"id":"m"}]}') if asked.method == "GET" else Said(status, b"{}")

    with serve_web(answer) as web:
        found = opened(tmp_path, "openai", f"{web.url}/v1").refresh_catalogue().models
    assert (d.OPENAI_RESPONSES in found[0].dialects) == responses
    assert [one.path for one in web.asked] == ["/v1/models", "/v1/responses"]
    assert web.asked[1].body == b"{}"


def test_what_was_found_out_counts_for_configured_models_too(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Said:
        return Said(404) if asked.method == "GET" else Said(400, b"{}")

    with serve_web(answer) as web:
        up = opened(tmp_path, "openai", f"{web.url}/v1", models=("mine",))
        assert up.catalogue().models[0].dialects == (d.OPENAI_CHAT,)
        up.refresh_catalogue()
        assert up.catalogue().models[0].id == "mine"


@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
def test_a_proxy_may_want_the_key_as_a_bearer(tmp_path: Path, kind: str) -> None:
    with serve_web(lambda _: Said(200, b'{"data":[{"id":"m"}],"models":[{"name":"models/m"}]}')) as web:
        up = opened(tmp_path, kind, web.url, auth="bearer")
        found = up.refresh_catalogue().models
    assert web.asked[0].headers["authorization"] == "Bearer k-secret"
    assert up.target(found[0].dialects[0], found[0], d.GENERATE).auth == "bearer"


@pytest.mark.parametrize("kind", ["anthropic", "gemini"])
def test_vendors_have_an_address_of_their_own_and_need_a_key(tmp_path: Path, kind: str) -> None:
    assert kind in UPSTREAMS
    settings = UpstreamSettings(kind=kind, api_key_env="KEY")
    up = open_upstream("v", settings, Home(tmp_path), {}, ManualClock())
    assert up.needs_sign_in()
    with pytest.raises(SignInNeeded, match="KEY"):
        up.refresh_catalogue()
