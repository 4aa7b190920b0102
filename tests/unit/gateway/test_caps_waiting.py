"""Near a cap: a call whose answer comes whole holds all of its limit, and mostly costs far less. Others wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moor.domain.budget import DAY, MONEY, TOKENS, Cap
from moor.domain.call import OK, REFUSED
from moor.domain.models import NANO
from moor.gateway.spend import PAID_PIECE
from moor.wire.meter.base import BYTES_PER_TOKEN
from tests.unit.gateway.rig import Rig, make_session, rig, run
from tests.unit.gateway.scripted import Handler, Seen, Talk, answer_anthropic, anthropic_events

COST = {MONEY: 15_000, TOKENS: 1}
"""of an output token, in nano-dollars or tokens"""


def capped(unit: str, output_tokens: int) -> Any:
    """A session under a cap that pays for so much output."""
    cap = Cap(name="daily", per=DAY, unit=unit, limit=output_tokens * COST[unit])
    return make_session(caps=(cap,))


class Gate:
    """An upstream that answers in one piece when it is told to, and streams at once."""

    def __init__(self, stream: Handler = answer_anthropic) -> None:
        self.open = asyncio.Event()
        self._stream = stream
        self.most = 0
        self._now = 0

    async def __call__(self, talk: Talk, seen: Seen) -> None:
        """Part of `Handler`."""
        if b'"stream":true' in seen.body:
            await self._stream(talk, seen)
            return
        self._now += 1
        self.most = max(self.most, self._now)
        await self.open.wait()
        self._now -= 1
        await answer_anthropic(talk, seen)


async def asked(r: Rig, count: int) -> None:
    """Wait until so many calls have reached the upstream."""
    for _ in range(300):
        if len(r.server.seen) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{len(r.server.seen)} calls came")


@pytest.mark.feature("F13.8", "F13.9")
@pytest.mark.parametrize("unit", [MONEY, TOKENS])
def test_calls_at_once_are_answered_one_after_the_other_where_the_cap_can_pay_for_them(unit: str) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with rig(session=capped(unit, 8_500), handler=gate) as r:
            calls = [asyncio.ensure_future(r.message(max_tokens=4_000)) for _ in range(8)]
            await asked(r, 2)
            await asyncio.sleep(0.2)
            gate.open.set()
            assert [answer.status for answer in await asyncio.gather(*calls)] == [200] * 8
            assert gate.most == 2
            assert {seen.json["max_tokens"] for seen in r.server.seen} == {4_000}, "none was shortened"
            assert [(row.outcome, row.rules) for row in await r.rows(8)] == [(OK, ())] * 8

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_stream_is_not_cut_while_a_call_beside_it_holds_what_it_will_give_back() -> None:
    events = anthropic_events(*["word "] * 3_000)

    async def stream(talk: Talk, _: Seen) -> None:
        await talk.stream(events)

    async def scenario() -> None:
        gate = Gate(stream)
        async with rig(session=capped(TOKENS, 8_000), handler=gate) as r:
            whole = asyncio.ensure_future(r.message(max_tokens=7_000))
            await asked(r, 1)
            streamed = asyncio.ensure_future(r.message(stream=True, max_tokens=5_000))
            await asyncio.sleep(0.5)
            assert not streamed.done(), "it has spent what was left, and waits"
            gate.open.set()
            assert (await whole).status == 200
            assert (await streamed).text.endswith('message_stop"}\n\n')

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_call_that_all_of_the_cap_cannot_pay_for_is_refused_at_once() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with rig(session=capped(TOKENS, 1_000), handler=gate) as r:
            whole = asyncio.ensure_future(r.message(max_tokens=900))
            await asked(r, 1)
            assert (await r.message(messages=["x" * 8_000])).status == 403
            gate.open.set()
            assert (await whole).status == 200

    run(scenario())


@pytest.mark.feature("F13.8")
def test_one_who_waited_for_nothing_is_told_and_one_who_left_takes_nothing() -> None:
    async def costly(talk: Talk, seen: Seen) -> None:
        used = {"input_tokens": 10, "output_tokens": seen.json["max_tokens"]}
        await talk.json({"type": "message", "content": [], "stop_reason": "max_tokens", "usage": used})

    async def scenario() -> None:
        gate = Gate()
        async with rig(session=capped(TOKENS, 4_020), handler=gate) as r:
            whole = asyncio.ensure_future(r.message(max_tokens=4_000))
            await asked(r, 1)
            left, waits = (asyncio.ensure_future(r.message(max_tokens=4_000)) for _ in range(2))
            await asyncio.sleep(0.1)
            left.cancel()
            await asyncio.sleep(0.1)
            r.server.handler = costly
            gate.open.set()
            assert (await whole).status == 200
            assert (await waits).status == 200
            after = await r.message(max_tokens=4_000)
            assert (after.status, len(r.server.seen)) == (403, 2)
            assert sorted(row.outcome for row in await r.rows(4)) == sorted([OK, OK, "cancelled", REFUSED])

    run(scenario())


@pytest.mark.feature("F13.8")
def test_no_more_than_one_piece_of_a_stream_passes_a_cap() -> None:
    async def torrent(talk: Talk, _: Seen) -> None:
        head, block, delta, *_rest = anthropic_events("x" * 100)
        await talk.stream([head, block, delta * 20_000], end=False)

    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=NANO // 100), handler=torrent) as r:
            answer = await r.message(stream=True, max_tokens=30_000)
            passed = answer.text.count("x") // BYTES_PER_TOKEN
            # a cent pays for 656 tokens beside the request
            assert 650 <= passed <= 666 + PAID_PIECE // BYTES_PER_TOKEN // 2

    run(scenario())
