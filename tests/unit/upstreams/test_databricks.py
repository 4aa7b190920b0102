"""A workspace as an upstream: where calls go, what they carry, what is refused at once."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.domain import dialects as d
from moor.domain import quirks
from moor.domain.models import Catalogue, Model
from moor.domain.session import AgentTraits, Session
from moor.domain.settings import UpstreamSettings
from moor.errors.net import BadUrl, PlaintextRefused
from moor.errors.upstream import CatalogueMissingError, NoRouteError, UpstreamInvalid
from moor.store.catalogues import save_catalogue
from moor.store.home import Home
from moor.upstreams.databricks import KIND, DatabricksUpstream
from moor.workspace.routes import GATEWAY, GATEWAY_HOST, SERVING

HOST = "https://dbc-1.cloud.databricks.com"
ALL = (d.ANTHROPIC_MESSAGES, d.OPENAI_CHAT, d.OPENAI_RESPONSES, d.GEMINI_GENERATE)
MODEL = Model(id="system.ai.claude-x", family="claude", dialects=ALL, source="model-services")


def upstream(folder: Path, **settings: object) -> DatabricksUpstream:
    fields = {"kind": KIND, "host": HOST, **settings}
    return DatabricksUpstream("ws", UpstreamSettings(**fields), Home(folder / "home"), {}, ManualClock())  # type: ignore[arg-type]


def session(**fields: object) -> Session:
    base = {"id": "ses_1", "agent": "opencode", "cwd": "/", "upstream": "ws", "model": "m"}
    return Session(**{**base, **fields})  # type: ignore[arg-type]


CASES = [
    (GATEWAY, d.ANTHROPIC_MESSAGES, d.STREAM, "/ai-gateway/anthropic/v1/messages"),
    (GATEWAY, d.ANTHROPIC_MESSAGES, d.COUNT_TOKENS, "/ai-gateway/anthropic/v1/messages/count_tokens"),
    (GATEWAY, d.OPENAI_RESPONSES, d.GENERATE, "/ai-gateway/codex/v1/responses"),
    (GATEWAY, d.OPENAI_CHAT, d.STREAM, "/ai-gateway/mlflow/v1/chat/completions"),
    (GATEWAY, d.GEMINI_GENERATE, d.GENERATE, "/ai-gateway/gemini/v1beta/models/system.ai.claude-x:generateContent"),
    (
        *(GATEWAY, d.GEMINI_GENERATE, d.STREAM),
        "/ai-gateway/gemini/v1beta/models/system.ai.claude-x:streamGenerateContent?alt=sse",
    ),
    (GATEWAY, d.GEMINI_GENERATE, d.COUNT_TOKENS, "/ai-gateway/gemini/v1beta/models/system.ai.claude-x:countTokens"),
    (GATEWAY_HOST, d.ANTHROPIC_MESSAGES, d.STREAM, "/anthropic/v1/messages"),
    (GATEWAY_HOST, d.OPENAI_RESPONSES, d.STREAM, "/openai/v1/responses"),
    (GATEWAY_HOST, d.OPENAI_CHAT, d.STREAM, "/mlflow/v1/chat/completions"),
    (GATEWAY_HOST, d.GEMINI_GENERATE, d.GENERATE, "/gemini/v1beta/models/system.ai.claude-x:generateContent"),
    (SERVING, d.ANTHROPIC_MESSAGES, d.STREAM, "/serving-endpoints/anthropic/v1/messages"),
    (SERVING, d.OPENAI_CHAT, d.STREAM, "/serving-endpoints/chat/completions"),
]


@pytest.mark.feature("F3.5")
@pytest.mark.parametrize(("route", "dialect", "action", "path"), CASES)
def test_each_route_and_dialect_has_its_path(
    tmp_path: Path, route: str, dialect: str, action: str, path: str
) -> None:
    target = upstream(tmp_path, route=route, workspace_id="77").target(dialect, MODEL, action)
    assert target.path == path
    host = "77.ai-gateway.cloud.databricks.com" if route == GATEWAY_HOST else "dbc-1.cloud.databricks.com"
    assert (target.scheme, target.host, target.port, target.auth) == ("https", host, 443, "bearer")
    assert target.headers == (("X-Databricks-Workspace-Id", "77"),)


def test_the_current_gateway_is_the_route_until_another_was_probed(tmp_path: Path) -> None:
    ws = upstream(tmp_path)
    assert ws.route == GATEWAY
    assert ws.target(d.OPENAI_CHAT, MODEL, d.STREAM).headers == ()
    save_catalogue(ws.home, Catalogue(upstream="ws", models=(MODEL,), route=SERVING, workspace_id="5"))
    probed = upstream(tmp_path)
    assert probed.route == SERVING
    assert probed.target(d.OPENAI_CHAT, MODEL, d.STREAM).headers == (("X-Databricks-Workspace-Id", "5"),)
    assert upstream(tmp_path, route=GATEWAY).route == GATEWAY


def test_a_workspace_s_own_endpoint_goes_to_classic_serving(tmp_path: Path) -> None:
    own = Model(id="team-model", family="x", dialects=(d.OPENAI_CHAT,), source="serving-endpoints")
    assert upstream(tmp_path).target(d.OPENAI_CHAT, own, d.STREAM).path == "/serving-endpoints/chat/completions"


def test_a_dialect_that_the_model_lacks_has_no_route(tmp_path: Path) -> None:
    model = Model(id="m", family="x", dialects=(d.OPENAI_CHAT,))
    with pytest.raises(NoRouteError) as caught:
        upstream(tmp_path).target(d.GEMINI_GENERATE, model, d.STREAM)
    assert caught.value.hint == "it serves it as openai-chat"


def test_a_model_id_cannot_leave_its_place_in_the_path(tmp_path: Path) -> None:
    model = Model(id="../../x?y#z:w/é", family="x", dialects=ALL)
    path = upstream(tmp_path).target(d.GEMINI_GENERATE, model, d.GENERATE).path
    assert path == "/ai-gateway/gemini/v1beta/models/..%2F..%2Fx%3Fy%23z%3Aw%2F%C3%A9:generateContent"


def test_scheme_port_and_prefix_of_the_host_are_kept(tmp_path: Path) -> None:
    target = upstream(tmp_path, host="http://127.0.0.1:81/pre").target(d.OPENAI_CHAT, MODEL, d.STREAM)
    assert (target.scheme, target.port) == ("http", 81)
    assert target.path.startswith("/pre/ai-gateway/")


@pytest.mark.feature("F3.20")
def test_calls_say_who_calls_and_for_which_session(tmp_path: Path) -> None:
    traits = AgentTraits(user_agent="opencode/1.18.33")
    headers = dict(upstream(tmp_path).call_headers(session(traits=traits, tags={"team": "é\r\nX: y", "none": ""})))
    assert headers["User-Agent"].startswith("moor/")
    assert headers["User-Agent"].endswith(" opencode/1.18.33")
    tags = headers["Databricks-Ai-Gateway-Request-Tags"]
    assert tags.isascii()
    assert tags.isprintable()
    assert json.loads(tags) == {"agent": "opencode", "session": "ses_1", "team": "é\r\nX: y"}


def test_an_agent_s_own_words_cannot_break_the_header(tmp_path: Path) -> None:
    traits = AgentTraits(user_agent="evil/1\r\nX-Injected: yes")
    agent = dict(upstream(tmp_path).call_headers(session(traits=traits)))["User-Agent"]
    assert "\r" not in agent
    assert "\n" not in agent


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"host": ""}, UpstreamInvalid),
        ({"host": "ftp://x"}, BadUrl),
        ({"host": "http://x.example"}, PlaintextRefused),
        ({"route": "fast"}, UpstreamInvalid),
        ({"auth": "magic"}, UpstreamInvalid),
        ({"route": GATEWAY_HOST}, UpstreamInvalid),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(
    tmp_path: Path, settings: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        upstream(tmp_path, **settings)


def test_models_that_were_never_fetched_are_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogueMissingError) as caught:
        upstream(tmp_path).catalogue()
    assert caught.value.hint == "moor login --upstream ws"


def test_every_known_quirk_is_expected_of_a_workspace() -> None:
    named = {value for name, value in vars(quirks).items() if name.isupper() and isinstance(value, str)}
    assert named == DatabricksUpstream.quirks
    assert len(named) > 20


def test_tls_is_checked_and_plain_http_has_none(tmp_path: Path) -> None:
    context = upstream(tmp_path).ssl_context()
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert upstream(tmp_path, host="http://127.0.0.1:81").ssl_context() is None
