"""A model that is left alone comes back, whatever became of the one call that tried it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from moor.domain.session import AgentTraits
from moor.errors.auth import SignInNeeded
from moor.gateway.limits import Limits, Patience
from tests.unit.gateway.rig import Rig, make_session, rig, run
from tests.unit.gateway.scripted import Handler, Seen, Talk, Tokens, answer_anthropic, anthropic_events

REST_S = 0.05
LIMITS = Limits(
    tick_s=0.02,
    first_byte_s=0.2,
    between_s=0.2,
    patience=Patience(attempts=2, trips_after=2, rest_s=REST_S, first_pause_s=0.01),
)
AGENT = AgentTraits(user_agent="tester/1", fatal_status={"unreachable": 400}, keepalive="ping")


def status(number: int, body: Any = None, extra: str = "") -> Handler:
    """An upstream that answers with an error."""

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json(body or {"error": {"type": "x", "message": "no"}}, number, extra)

    return handler


def events(*kinds: dict[str, Any], end: bool = True) -> Handler:
    """A stream of these events."""

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream([b"data: %s\n\n" % msgspec.json.encode(kind) for kind in kinds], end=end)
        if not end:
            talk.drop()

    return handler


async def drop(talk: Talk, _: Seen) -> None:
    """No answer at all."""
    talk.drop()


async def silence(_: Talk, __: Seen) -> None:
    """The same, slowly."""
    await asyncio.sleep(5)


async def page(talk: Talk, _: Seen) -> None:
    """A proxy between."""
    await talk.raw(b"HTTP/1.1 403 X\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>")


async def stalls(talk: Talk, _: Seen) -> None:
    """An answer that begins and never ends."""
    await talk.stream(anthropic_events("hi")[:3], end=False)
    await asyncio.sleep(5)


def error(kind: str) -> dict[str, Any]:
    """An error inside a stream."""
    return {"type": "error", "error": {"type": kind, "message": "no"}}


TRIALS: dict[str, Handler] = {
    "good": answer_anthropic,
    **{str(number): status(number) for number in (400, 401, 403, 404, 408, 413, 429, 500, 503, 529)},
    "429 for an hour": status(429, extra="retry-after: 3600\r\n"),
    "dead credential": status(401, {"error_code": 401, "message": "Invalid access token."}),
    "page": page,
    "drop": drop,
    "silence": silence,
    "stalls": stalls,
    "final error": events(error("invalid_request_error")),
    "passing error": events(error("overloaded_error")),
    "nothing": events(),
    "broken": events({"type": "message_start"}, end=False),
}


async def trip(r: Rig) -> None:
    """Let the model fail until it is left alone."""
    r.server.handler = status(500)
    assert (await r.message(stream=True)).status == 400
    asked = len(r.server.seen)
    assert "is left alone" in (await r.message(stream=True)).text
    assert len(r.server.seen) == asked


async def comes_back(r: Rig) -> None:
    """Once the upstream is well, a call gets through, and then all do."""
    r.server.handler = answer_anthropic
    for _ in range(100):
        if (await r.message(stream=True)).status == 200:
            break
        await asyncio.sleep(0.02)
    assert [(await r.message(stream=True)).status for _ in range(4)] == [200] * 4


@pytest.mark.feature("F3.10")
@pytest.mark.parametrize("trial", sorted(TRIALS))
def test_a_model_comes_back_whatever_became_of_the_call_that_tried_it(trial: str) -> None:
    async def scenario() -> None:
        async with rig(session=make_session(traits=AGENT), limits=LIMITS) as r:
            await trip(r)
            r.server.handler = TRIALS[trial]
            await asyncio.sleep(REST_S * 1.5)
            asked = len(r.server.seen)
            await r.message(stream=True)
            assert len(r.server.seen) > asked
            await comes_back(r)

    run(scenario())


@pytest.mark.feature("F3.10")
@pytest.mark.parametrize("fallback", [(), ("m-2",)])
def test_a_trial_that_was_limited_and_went_on_to_another_model_lets_go(
    fallback: tuple[str, ...],
) -> None:
    async def scenario() -> None:
        async with rig(session=make_session(traits=AGENT), limits=LIMITS) as r:
            await trip(r)
            await asyncio.sleep(REST_S * 1.5)
            r.keys.add(msgspec.structs.replace(r.session, fallback=fallback))

            async def limited(talk: Talk, seen: Seen) -> None:
                await (status(429) if seen.json["model"] == "m-1" else answer_anthropic)(talk, seen)

            r.server.handler = limited
            assert (await r.message(stream=True)).status == (200 if fallback else 400)
            await comes_back(r)

    run(scenario())


@pytest.mark.feature("F3.10")
def test_a_trial_for_which_there_was_no_sign_in_lets_go() -> None:
    async def scenario() -> None:
        tokens = Tokens()
        async with rig(session=make_session(traits=AGENT), limits=LIMITS, tokens=tokens) as r:
            await trip(r)
            await asyncio.sleep(REST_S * 1.5)
            tokens.ready, tokens.error = False, SignInNeeded("test", "the session has ended")
            await r.message(stream=True)
            tokens.error = None
            await comes_back(r)

    run(scenario())


@pytest.mark.feature("F3.10")
def test_a_trial_that_the_agent_leaves_lets_go() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(traits=AGENT), limits=LIMITS) as r:
            await trip(r)
            await asyncio.sleep(REST_S * 1.5)
            r.server.handler = silence
            call = asyncio.ensure_future(r.message(stream=True))
            await asyncio.sleep(0.05)
            call.cancel()
            await comes_back(r)

    run(scenario())


@pytest.mark.feature("F3.10")
def test_a_model_that_is_silent_is_left_alone_and_another_answers() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(traits=AGENT, fallback=("m-2",)), limits=LIMITS) as r:

            async def one_is_silent(talk: Talk, seen: Seen) -> None:
                await (silence if seen.json["model"] == "m-1" else answer_anthropic)(talk, seen)

            r.server.handler = one_is_silent
            assert (await r.message(stream=True)).status == 200
            (row,) = await r.rows()
            assert [(one.model, one.why) for one in row.tries] == [("m-1", "no-answer")] * 2
            assert (row.outcome, row.model) == ("ok", "m-2")
            before = len(r.server.seen)
            assert (await r.message(stream=True)).status == 200
            assert [seen.json["model"] for seen in r.server.seen[before:]] == ["m-2"], "it is left alone"

    run(scenario())


@pytest.mark.feature("F3.10")
@pytest.mark.parametrize("counted", [status(400), status(200, {"input_tokens": 3})])
def test_a_count_of_tokens_says_nothing_about_a_model_that_is_left_alone(counted: Handler) -> None:
    async def scenario() -> None:
        limits = msgspec.structs.replace(LIMITS, patience=msgspec.structs.replace(LIMITS.patience, rest_s=30.0))
        async with rig(session=make_session(traits=AGENT), limits=limits) as r:
            await trip(r)
            r.server.handler = counted
            await r.ask("/anthropic/v1/messages/count_tokens", {"model": "m-1", "messages": []})
            r.server.handler = answer_anthropic
            assert "is left alone" in (await r.message(stream=True)).text

    run(scenario())
