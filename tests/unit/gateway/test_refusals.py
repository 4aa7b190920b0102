"""What the gateway does not let through, and how it says so to each agent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moor.clock import ManualClock
from moor.domain.call import OK, REFUSED
from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, GEMINI_GENERATE
from moor.domain.policy import Policy, PolicyLayer
from moor.domain.session import AgentTraits
from moor.wire.numbers import as_meant
from tests.unit.gateway.rig import KEY, PATHS, make_session, rig, run
from tests.unit.gateway.scripted import ANSWER, Seen, Talk

ONLY_M1 = Policy((PolicyLayer("administrator", allow=("m-*",)),))


def body_for(dialect: str, model: str = "m-1") -> dict[str, Any]:
    """The least that names a model."""
    return {} if dialect == GEMINI_GENERATE else {"model": model}


@pytest.mark.feature("F4.5")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_off_the_allowlist_is_refused_in_words_of_the_dialect(dialect: str) -> None:
    async def scenario() -> None:
        async with rig(session=make_session(policy=ONLY_M1)) as r:
            path = PATHS[dialect].replace("m-1", "secret-model")
            answer = await r.ask(path, body_for(dialect, "secret-model"))
            assert answer.status == 403
            message = answer.json["error"]["message"]
            assert message.startswith("moor: model secret-model is not on the allow list of the administrator policy")
            assert "moor models" in message
            assert r.server.seen == []
            row = (await r.rows())[0]
            assert (row.outcome, row.model, row.cost_nano) == (REFUSED, "secret-model", 0)

    run(scenario())


def test_the_agents_own_fatal_status_is_used() -> None:
    async def scenario() -> None:
        traits = AgentTraits(fatal_status={"forbidden-model": 400})
        async with rig(session=make_session(policy=ONLY_M1, traits=traits)) as r:
            assert (await r.message(model="secret-model")).status == 400

    run(scenario())


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m-1","model":"secret-model"}',
        b'{"model":"m-1","Model":"secret-model"}',
        b'{"model":"m-1","mod\\u0065l":"secret-model"}',
        b'{"model":"secret-model","messages":[],"model":"m-1"}',
        b'{ "model" : "m-1", "messages":[], "model": "m-1" }',
        b'[{"model":"m-1"}]',
        b'{"model":"m-1"} {"model":"secret-model"}',
        b'{"model":"m-1"',
        b'{"model":["m-1"]}',
        b'{"model":null}',
        b'{"messages":[{"model":"m-1"}]}',
        b"",
        b"null",
        b"\xef\xbb\xbf" + b'{"model":"m-1"}',
        b'{"model":"m-1","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"model":"m-1","fallbacks":["secret-model"]}',
        b'{"model":"m-1","stream":"yes"}',
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_a_body_that_two_readers_could_read_differently_is_refused(body: bytes) -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.ask("/anthropic/v1/messages", body)
            assert answer.status == 400
            assert answer.json["type"] == "error"
            assert r.server.seen == []

    run(scenario())


def test_a_gemini_body_cannot_name_another_model_than_its_path() -> None:
    async def scenario() -> None:
        async with rig() as r:
            path = PATHS[GEMINI_GENERATE]
            assert (await r.ask(path, {"model": "models/secret-model"})).status == 400
            assert (await r.ask(path, {"model": "models/m-1"})).status == 200

    run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "/gemini/v1beta/models/..%2F..%2Fsecret:generateContent",
        "/gemini/v1beta/models/m-1%3FgenerateContent:generateContent",
        "/gemini/v1beta/models/M-1:generateContent",
    ],
)
def test_a_model_id_in_a_path_is_only_compared_with_the_list(path: str) -> None:
    async def scenario() -> None:
        async with rig() as r:
            assert (await r.ask(path, {})).status == 403
            assert r.server.seen == []

    run(scenario())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/messages", 404),
        ("POST", "/anthropic/v1/messages/", 404),
        ("POST", "/anthropic/v1/messages/batches", 404),
        ("POST", "/anthropic//v1/messages", 404),
        ("POST", "/anthropic/../anthropic/v1/messages", 404),
        ("POST", "/anthropic/v1/%6dessages", 404),
        ("POST", "/api/2.0/token/create", 404),
        ("GET", "/anthropic/v1/messages", 405),
        ("DELETE", "/openai/v1/models", 405),
        ("OPTIONS", "/openai/v1/models", 405),
        ("GET", "/api/tags", 404),
        ("GET", "/", 405),
        ("HEAD", "/anthropic", 200),
        ("HEAD", "/", 200),
        ("GET", "/health", 200),
    ],
)
def test_only_the_closed_table_is_served(method: str, path: str, status: int) -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.ask(path, None, method, authorization=None)
            assert answer.status == status
            assert r.server.seen == []
            if status == 405:
                assert answer.headers["allow"]

    run(scenario())


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"authorization": KEY},
        {"authorization": None, "x_api_key": KEY},
        {"authorization": None, "x_goog_api_key": KEY},
        {"authorization": "Bearer wrong", "x_api_key": KEY},
    ],
)
def test_a_key_is_taken_from_every_place_where_agents_put_it_and_never_travels_on(headers: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.ask("/anthropic/v1/messages", {"model": "m-1"}, **headers)
            assert answer.status == 200
            assert KEY not in str(r.server.seen[0].headers)
            assert KEY not in r.server.seen[0].line

    run(scenario())


def test_a_key_in_the_query_is_taken_and_never_travels_on() -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.ask(PATHS[GEMINI_GENERATE] + f"?key={KEY}", {}, authorization=None)
            assert answer.status == 200
            assert KEY not in r.server.seen[0].line

    run(scenario())


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Bearer", "Basic eDp5", "Bearer " + KEY[:-1]])
def test_without_the_sessions_key_nothing_goes_upstream(key: str | None) -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.ask("/anthropic/v1/messages", {"model": "m-1"}, authorization=key)
            assert answer.status == 401
            assert answer.json["error"]["type"] == "authentication_error"
            assert r.server.seen == []
            assert r.ledger.rows == []

    run(scenario())


def test_a_key_dies_with_its_session() -> None:
    async def scenario() -> None:
        async with rig() as r:
            client = await r.client()
            assert (await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1"})).status == 200
            r.keys.remove(r.session)
            assert (await client.ask("POST", "/anthropic/v1/messages", body={"model": "m-1"})).status == 401
            client.close()

    run(scenario())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1:1"}, 403),
        ({"host": "127.0.0.1"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_a_page_in_a_browser_is_refused(headers: dict[str, str], status: int) -> None:
    async def scenario() -> None:
        async with rig() as r:
            assert (await r.ask("/anthropic/v1/messages", {"model": "m-1"}, **headers)).status == status
            assert (await r.ask("/health", None, "GET", **headers)).status == status
            assert r.server.seen == []

    run(scenario())


@pytest.mark.parametrize(
    "header",
    [
        "databricks-model-provider-service",
        "x-databricks-ai-gateway-token",
        "x-databricks-workspace-id",
        "x-forwarded-for",
        "x-forwarded-access-token",
        "forwarded",
        "cookie",
        "proxy-authorization",
        "te",
        "x-session-id",
        "x-api-key",
        "x-goog-user-project",
        "accept-language",
        "user-agent",
    ],
)
def test_headers_of_a_client_that_are_not_named_stay_here(header: str) -> None:
    async def scenario() -> None:
        async with rig() as r:
            await r.ask("/anthropic/v1/messages", {"model": "m-1"}, **{header: "injected"})
            assert "injected" not in str(r.server.seen[0].headers)

    run(scenario())


def test_the_headers_a_dialect_needs_pass() -> None:
    async def scenario() -> None:
        async with rig() as r:
            await r.ask(
                "/anthropic/v1/messages", {"model": "m-1"}, anthropic_version="2023-06-01", anthropic_beta="a-1"
            )
            seen = r.server.seen[0].headers
            assert (seen["anthropic-version"], seen["anthropic-beta"]) == ("2023-06-01", "a-1")

    run(scenario())


def test_of_an_upstreams_headers_only_the_named_ones_come_back() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        extra = "set-cookie: a=b\r\nlocation: x\r\nserver: s\r\nx-databricks-org-id: 1\r\n"
        await talk.json(ANSWER, extra=extra + "x-ratelimit-remaining: 9\r\nrequest-id: req_1\r\n")

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            headers = (await r.message()).headers
            assert {"set-cookie", "location", "server", "x-databricks-org-id"} & set(headers) == set()
            assert (headers["x-ratelimit-remaining"], headers["request-id"]) == ("9", "req_1")
            assert headers["x-moor-call"] == (await r.rows())[0].id

    run(scenario())


@pytest.mark.parametrize("repeats", [True, False])
def test_an_agent_that_repeats_at_numbers_finds_none_in_an_upstreams_error(repeats: bool) -> None:
    told = {"error": {"type": "invalid_request_error", "message": "at most 50000 of them"}, "request_id": "a502"}

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json(told, status=400)

    async def scenario() -> None:
        async with rig(session=make_session(traits=AgentTraits(repeats_at_numbers=repeats)), handler=handler) as r:
            answer = await r.message()
            assert answer.status == 400
            assert ("50000" in answer.body.decode()) == ("502" in answer.body.decode()) == (not repeats)
            assert json.loads(as_meant(answer.body.decode())) == told
            assert (await r.rows())[0].error == "upstream 400: at most 50000 of them"

    run(scenario())


@pytest.mark.feature("F4.1")
@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/anthropic/v1/models?limit=1000", lambda body: [item["id"] for item in body["data"]]),
        ("/openai/v1/models", lambda body: [item["id"] for item in body["data"]]),
        ("/gemini/v1beta/models", lambda body: [item["name"].removeprefix("models/") for item in body["models"]]),
    ],
)
def test_listings_show_what_the_policy_allows(path: str, names: Any) -> None:
    async def scenario() -> None:
        async with rig(session=make_session(policy=ONLY_M1)) as r:
            answer = await r.ask(path, None, "GET")
            assert answer.status == 200
            assert names(answer.json) == ["m-1", "m-2"]
            assert (await r.ask(path, None, "GET", authorization=None)).status == 401
            assert r.server.seen == []

    run(scenario())


def test_health_tells_nothing_but_that_it_lives() -> None:
    async def scenario() -> None:
        async with rig() as r:
            assert (await r.ask("/health", None, "GET", authorization=None)).body == b'{"status":"ok"}'

    run(scenario())


def test_a_model_in_a_dialect_it_is_not_served_in_is_refused_with_what_it_is_served_in() -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.message(model="free-model")
            assert answer.status == 403
            assert "openai-chat" in answer.text

    run(scenario())


@pytest.mark.parametrize("served", ["upstream", "404 there", "no route"])
def test_tokens_are_counted_upstream_or_here(served: str) -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        if served == "upstream":
            await talk.json({"input_tokens": 77})
        else:
            await talk.json({"error_code": "ENDPOINT_NOT_FOUND", "message": "Path must be of form …"}, 404)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            r.upstream.no_count = served == "no route"
            body = {"model": "m-1", "messages": ["x" * 400]}
            for _ in range(2):
                answer = await r.ask("/anthropic/v1/messages/count_tokens", body)
            assert answer.status == 200
            assert len(r.server.seen) == {"upstream": 2, "404 there": 1, "no route": 0}[served]
            tokens = answer.json["input_tokens"]
            assert tokens == 77 if served == "upstream" else 100 <= tokens <= 120
            assert r.ledger.rows == []

    run(scenario())


def test_a_dialects_error_without_a_known_agent_still_says_the_path() -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.ask("/nowhere", None, "GET")
            assert answer.json["error"]["message"] == "moor: the gateway serves no such path."

    run(scenario())


def test_an_unknown_model_names_the_command_that_shows_the_known_ones() -> None:
    async def scenario() -> None:
        async with rig() as r:
            answer = await r.message(model="claude-99")
            assert answer.status == 403
            assert "moor models" in answer.json["error"]["message"]
            row = (await r.rows())[0]
            assert (row.dialect, row.outcome) == (ANTHROPIC_MESSAGES, REFUSED)

    run(scenario())


def test_a_model_that_appears_in_the_list_later_is_found() -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with rig(clock=clock) as r:
            everything = r.upstream.models
            r.upstream.models = everything[1:]
            clock.advance(5)
            assert (await r.message(model="m-9")).status == 403  # the list is read anew and m-1 is gone
            assert (await r.message()).status == 403
            r.upstream.models = everything
            clock.advance(5)
            assert (await r.message()).status == 200
            assert (await r.rows(3))[2].outcome == OK

    run(scenario())
