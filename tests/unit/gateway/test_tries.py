"""Upstreams that fail: how often they are asked, who answers instead, what the agent is told, and signs of life."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from moor.domain.call import CANCELLED, ERROR, OK, UNREACHABLE
from moor.domain.dialects import ANTHROPIC_MESSAGES, DIALECTS, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.session import AgentTraits
from moor.gateway.limits import Limits, Patience
from moor.gateway.tries import Breaker, Failure, asked_wait_s, calm, pause_s
from tests.unit.gateway.rig import PATHS, STREAM_PATHS, make_session, rig, run
from tests.unit.gateway.scripted import Handler, Seen, Talk, answer_anthropic, anthropic_events

AGENT = AgentTraits(user_agent="tester/1", fatal_status={"unreachable": 400}, keepalive="ping")
PATIENCE = Patience(first_pause_s=0.01)
LIMITS = Limits(tick_s=0.02, patience=PATIENCE)


def failing(times: int, status: int = 500, body: Any = None, extra: str = "") -> tuple[Handler, list[str]]:
    """A handler that fails so often for each model, then answers; the models it was asked for."""
    asked: list[str] = []

    async def handler(talk: Talk, seen: Seen) -> None:
        model = seen.json["model"]
        asked.append(model)
        if asked.count(model) <= times:
            await talk.json(body or {"error": {"message": "internal trouble"}}, status, extra)
        else:
            await answer_anthropic(talk, seen)

    return handler, asked


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
def test_trouble_that_passes_is_not_seen_by_the_agent_but_in_the_row(status: int) -> None:
    async def scenario() -> None:
        handler, _ = failing(2, status)
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            assert (await r.message()).status == 200
            row = (await r.rows())[0]
            assert (row.outcome, row.attempts) == (OK, 3)
            assert [(one.model, one.status) for one in row.tries] == [("m-1", status)] * 2

    run(scenario())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_endless_errors_end_in_the_status_at_which_the_agent_stops(dialect: str) -> None:
    async def scenario() -> None:
        body = {"error": {"message": "Rate limit: overloaded, 503, try again later"}}
        count = 0

        async def handler(talk: Talk, _: Seen) -> None:
            nonlocal count
            count += 1
            await talk.json(body, 503)

        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            answer = await r.ask(PATHS[dialect], {"model": "m-1"} if dialect != GEMINI_GENERATE else {})
            assert (answer.status, count) == (400, 4)
            text = answer.json["error"]["message"]
            assert "4 tries" in text
            for word in ("ate limit", "overloaded", "503", "try again"):
                assert word not in text.replace("Hint", "")

    run(scenario())


def test_errors_of_the_request_are_not_tried_again() -> None:
    async def scenario() -> None:
        for status in (400, 401, 403, 404, 413, 422):
            handler, asked = failing(9, status)
            async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
                assert (await r.message()).status == status
                assert len(asked) == 1

    run(scenario())


def test_a_wait_that_the_upstream_asks_for_is_kept_and_one_that_is_too_long_is_told() -> None:
    async def scenario() -> None:
        handler, asked = failing(1, 429, extra="Retry-After: 0.3\r\n")
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            before = asyncio.get_running_loop().time()
            assert (await r.message()).status == 200
            assert asyncio.get_running_loop().time() - before >= 0.3
        handler, asked = failing(9, 429, extra="Retry-After: 3600\r\n")
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            answer = await r.message()
            assert (answer.status, len(asked)) == (400, 1)
            assert "asks to wait 60 min" in answer.text

    run(scenario())


@pytest.mark.feature("F3.10")
def test_fallback_models_answer_in_their_order_and_the_row_says_who() -> None:
    async def scenario() -> None:
        session = make_session(traits=AGENT, fallback=("m-1", "denied", "m-2"), model="m-1")

        async def handler(talk: Talk, seen: Seen) -> None:
            if seen.json["model"] == "m-1":
                await talk.json({"error": "no"}, 500)
            else:
                await answer_anthropic(talk, seen)

        async with rig(handler=handler, session=session, limits=LIMITS) as r:
            assert (await r.message()).status == 200
            row = (await r.rows())[0]
            assert (row.outcome, row.model, row.asked, len(row.tries)) == (OK, "m-2", "m-1", 4)
            assert [seen.json["model"] for seen in r.server.seen] == ["m-1"] * 4 + ["m-2"]

    run(scenario())


def test_without_fallbacks_of_the_users_no_other_model_answers() -> None:
    async def scenario() -> None:
        handler, asked = failing(9)
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            assert (await r.message()).status == 400
            assert set(asked) == {"m-1"}

    run(scenario())


@pytest.mark.parametrize("first", ["error", "empty", "gone"])
def test_an_answer_that_fails_before_it_begins_is_tried_again(first: str) -> None:
    async def scenario() -> None:
        count = 0

        async def handler(talk: Talk, _: Seen) -> None:
            nonlocal count
            count += 1
            if count > 1:
                await talk.stream(anthropic_events("hi"))
            elif first == "error":
                await talk.stream([b'event: error\ndata: {"type":"error","error":{"message":"busy"}}\n\n'])
            elif first == "empty":
                await talk.stream([])
            else:
                await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                talk.drop()

        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            answer = await r.message(stream=True)
            assert (answer.status, answer.broken) == (200, "")
            assert b"message_stop" in answer.body
            assert b"busy" not in answer.body
            assert (await r.rows())[0].attempts == 2

    run(scenario())


def test_an_error_about_the_request_inside_an_answer_is_not_tried_again_and_no_other_model_asked() -> None:
    async def scenario() -> None:
        async def handler(talk: Talk, _: Seen) -> None:
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no such tool"}}
            await talk.stream([f"event: error\ndata: {json.dumps(error)}\n\n".encode()])

        session = make_session(traits=AGENT, fallback=("m-2",))
        async with rig(handler=handler, session=session, limits=LIMITS) as r:
            answer = await r.message(stream=True)
            assert answer.status == 400
            assert "no such tool" in answer.text
            assert len(r.server.seen) == 1

    run(scenario())


def test_nothing_is_tried_again_once_the_agent_has_something() -> None:
    async def scenario() -> None:
        async def handler(talk: Talk, _: Seen) -> None:
            await talk.stream(anthropic_events("hi")[:3], end=False)
            await asyncio.sleep(0.05)
            talk.drop()

        async with rig(handler=handler, session=make_session(traits=AGENT), limits=LIMITS) as r:
            await r.message(stream=True)
            assert len(r.server.seen) == 1

    run(scenario())


def test_a_model_that_fails_on_is_left_alone_and_one_call_tries_it_later() -> None:
    async def scenario() -> None:
        patience = Patience(first_pause_s=0.01, rest_s=0.4)
        handler, asked = failing(5)
        limits = Limits(tick_s=0.02, patience=patience)
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=limits) as r:
            assert (await r.message()).status == 400
            assert (await r.message()).status == 400
            assert len(asked) == 5
            answer = await r.message()
            assert (answer.status, len(asked)) == (400, 5)
            assert "is left alone" in answer.text
            await asyncio.sleep(0.5)
            answers = await asyncio.gather(*(r.message() for _ in range(3)))
            assert sorted(answer.status for answer in answers) == [200, 400, 400]
            assert (await r.message()).status == 200

    run(scenario())


def test_a_model_whose_streams_break_off_again_and_again_is_left_alone() -> None:
    async def scenario() -> None:
        whole = [False]

        async def handler(talk: Talk, seen: Seen) -> None:
            if whole[0]:
                await answer_anthropic(talk, seen)
                return
            await talk.stream(anthropic_events("hi")[:3], end=False)
            await asyncio.sleep(0.02)
            talk.drop()

        limits = Limits(tick_s=0.02, patience=Patience(first_pause_s=0.01, rest_s=0.4))
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=limits) as r:
            for _ in range(5):  # an agent repeats by itself what broke off
                assert (await r.message(stream=True)).status == 200
            answer = await r.message(stream=True)
            assert (answer.status, len(r.server.seen)) == (400, 5)
            assert "has failed 5 times in a row and is left alone" in answer.text
            await asyncio.sleep(0.5)
            assert (await r.message(stream=True)).status == 200
            assert (await r.message(stream=True)).status == 400
            whole[0] = True
            await asyncio.sleep(0.9)
            for _ in range(6):
                assert (await r.message(stream=True)).status == 200

    run(scenario())


def test_an_answer_that_begins_lets_others_pass_before_it_ends() -> None:
    breaker = Breaker(Patience(trips_after=2, rest_s=1.0))
    breaker.failed(0.0)
    breaker.failed(0.0)
    assert breaker.wait_s(1.5) == 0.0
    assert breaker.wait_s(1.5) == 1.0
    breaker.began()
    assert breaker.wait_s(1.5) == 0.0
    breaker.failed(1.5)
    assert breaker.wait_s(1.6) > 0.0


def test_a_trial_that_the_agent_gives_up_frees_the_next() -> None:
    breaker = Breaker(Patience(trips_after=1, rest_s=1.0))
    breaker.failed(0.0)
    assert breaker.wait_s(0.5) == 0.5
    assert breaker.wait_s(1.0) == 0.0
    assert breaker.wait_s(1.0) == 1.0
    breaker.trying = False
    assert breaker.wait_s(1.0) == 0.0
    breaker.worked()
    assert breaker.wait_s(1.0) == 0.0


def test_an_agent_that_leaves_between_two_tries_ends_the_call() -> None:
    async def scenario() -> None:
        handler, asked = failing(9)
        limits = Limits(tick_s=0.02, patience=Patience(first_pause_s=0.3))
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=limits) as r:
            client = await r.client()
            await client.send("POST", PATHS[ANTHROPIC_MESSAGES], body={"model": "m-1", "messages": []})
            while not asked:
                await asyncio.sleep(0.01)
            client.close()
            assert (await r.rows())[0].outcome == CANCELLED
            await asyncio.sleep(0.5)
            assert len(asked) == 1

    run(scenario())


@pytest.mark.parametrize("ends", ["well", "badly"])
@pytest.mark.parametrize("form", ["ping", "sse-comment", "blank-line", "none"])
def test_a_stream_that_waits_shows_life_in_the_agents_form(form: str, ends: str) -> None:
    async def scenario() -> None:
        async def handler(talk: Talk, seen: Seen) -> None:
            await asyncio.sleep(0.5)
            if ends == "well":
                await talk.stream(anthropic_events("hi"))
            else:
                await talk.json({"error": {"message": "bad field"}}, 400)

        traits = AgentTraits(fatal_status={"unreachable": 400}, keepalive=form)
        limits = Limits(tick_s=0.02, keepalive_s=0.1, patience=PATIENCE)
        async with rig(handler=handler, session=make_session(traits=traits), limits=limits) as r:
            answer = await r.message(stream=True)
            signs = answer.body.count(b"event: ping") + answer.body.count(b": waiting")
            signs += len(answer.body) - len(answer.body.lstrip(b"\n"))
            assert (signs >= 2) == (form != "none")
            if ends == "well":
                assert answer.body.endswith(b"".join(anthropic_events("hi")))
            elif form == "none":
                assert answer.status == 400
            else:
                last = json.loads(answer.text.rstrip().rsplit("data: ", 1)[1])
                assert (answer.status, last["type"]) == (200, "error")
                assert "bad field" in last["error"]["message"]
            assert (await r.rows())[0].outcome == (OK if ends == "well" else ERROR)

    run(scenario())


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_RESPONSES, GEMINI_GENERATE])
def test_an_answer_in_one_piece_gets_no_signs_of_life(dialect: str) -> None:
    async def scenario() -> None:
        async def handler(talk: Talk, _: Seen) -> None:
            await asyncio.sleep(0.3)
            await talk.json({"choices": [], "output": [], "candidates": []})

        limits = Limits(tick_s=0.02, keepalive_s=0.1, patience=PATIENCE)
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=limits) as r:
            body = {"model": "m-1"} if dialect != GEMINI_GENERATE else {}
            assert (await r.ask(PATHS[dialect], body)).json["choices"] == []
            assert STREAM_PATHS[dialect]

    run(scenario())


def test_what_is_no_stream_cannot_follow_signs_of_life() -> None:
    async def scenario() -> None:
        async def handler(talk: Talk, _: Seen) -> None:
            await asyncio.sleep(0.3)
            await talk.json({"content": []})

        limits = Limits(tick_s=0.02, keepalive_s=0.1, patience=PATIENCE)
        async with rig(handler=handler, session=make_session(traits=AGENT), limits=limits) as r:
            answer = await r.message(stream=True)
            last = json.loads(answer.text.rstrip().rsplit("data: ", 1)[1])
            assert "something else" in last["error"]["message"]
            assert answer.body.count(b"HTTP/1.1") == 0

    run(scenario())


def test_no_connection_at_all_is_told_after_the_tries() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(traits=AGENT), limits=LIMITS) as r:
            await r.server.close()
            answer = await r.message()
            assert answer.status == 400
            row = (await r.rows())[0]
            assert (row.outcome, row.attempts) == (UNREACHABLE, 4)

    run(scenario())


def test_pauses_grow_and_stay_within_the_budget() -> None:
    failure = Failure(cause="unreachable", ref="x", message="x")
    pauses = [pause_s(failure, attempt, 0.0, Patience(), lambda: 0.5) for attempt in (1, 2, 3, 4)]
    assert pauses == [0.5, 1.0, 2.0, None]
    assert pause_s(failure, 1, 74.9, Patience(), lambda: 0.5) is None
    limited = Failure(cause="unreachable", ref="x", message="x", status=429, wait_s=20.0)
    assert pause_s(limited, 1, 0.0, Patience(), lambda: 0.5) == 20.0
    assert pause_s(limited, 1, 60.0, Patience(), lambda: 0.5) is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ([(b"retry-after", b"7")], 7.0),
        ([(b"retry-after-ms", b"250"), (b"retry-after", b"9")], 0.25),
        ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT")], 60.0),
        ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT"), (b"date", b"Wed, 21 Oct 2026 07:27:53 GMT")], 7.0),
        ([(b"retry-after", b"Wed, 21 Oct 2020 07:28:00 GMT")], 0.0),
        ([(b"retry-after", b"Wed, 99 Oct 2026 07:28:00 GMT")], None),
        ([(b"retry-after", b"soon")], None),
        ([(b"retry-after", b"-1")], None),
        ([(b"retry-after", b"99999999999999")], None),
        ([], None),
    ],
)
def test_what_an_upstream_asks_for_is_read_with_suspicion(headers: list[tuple[bytes, bytes]], wait: float) -> None:
    assert asked_wait_s(headers, datetime(2026, 10, 21, 7, 27, tzinfo=UTC).timestamp()) == wait


def test_words_at_which_agents_ask_again_are_left_out() -> None:
    said = "Rate limit exceeded (429): model overloaded, request timed out, retry in 500 ms; quota RESOURCE_EXHAUSTED"
    calmed = calm(said)
    for word in ("ate limit", "429", "overload", "timed out", "retry", "EXHAUSTED"):
        assert word not in calmed
    assert "quota" in calmed
