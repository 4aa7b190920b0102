"""All at once, by chance: upstreams that do what they like, agents that leave, small caps. Nothing is left over."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from moor.domain.budget import DAY, MONEY, TOKENS, Cap
from moor.domain.call import CUT, OUTCOMES, REFUSED
from moor.gateway.limits import Limits, Patience
from tests.support.fuzz import examples
from tests.unit.gateway.bank import MemoryBank
from tests.unit.gateway.rig import Answer, Rig, make_session, rig, run
from tests.unit.gateway.scripted import Handler, Seen, Talk, answer_anthropic, anthropic_events
from tests.unit.gateway.test_breaker import AGENT, TRIALS

CALLS = 60
LIMITS = Limits(
    tick_s=0.02,
    first_byte_s=0.3,
    between_s=0.3,
    keepalive_s=0.1,
    patience=Patience(attempts=3, trips_after=4, rest_s=0.05, first_pause_s=0.01, total_s=1.0),
)


def unruly(rng: random.Random) -> Handler:
    """An upstream that answers well half of the time; streams come in pieces of any size."""

    async def handler(talk: Talk, seen: Seen) -> None:
        await asyncio.sleep(rng.choice((0, 0, 0.01, 0.05)))
        chance = rng.random()
        if chance < 0.2:
            await TRIALS[rng.choice(sorted(TRIALS))](talk, seen)
        elif b'"stream":true' in seen.body:
            await in_pieces(talk, rng)
        else:
            await answer_anthropic(talk, seen)

    return handler


async def in_pieces(talk: Talk, rng: random.Random) -> None:
    """A stream of some hundred words, cut anywhere, and sometimes off."""
    whole = b"".join(anthropic_events(*["word " * rng.randint(1, 40)] * rng.randint(1, 80)))
    await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    until = len(whole) if rng.random() < 0.9 else rng.randint(0, len(whole))
    at = 0
    while at < until:
        size = rng.randint(1, 3_000)
        piece = whole[at : min(at + size, until)]
        await talk.raw(b"%x\r\n%s\r\n" % (len(piece), piece))
        at += size
        await asyncio.sleep(rng.choice((0, 0, 0.002)))
    if until == len(whole):
        await talk.raw(b"0\r\n\r\n")
    else:
        talk.drop()


async def call(r: Rig, rng: random.Random) -> Answer | None:
    """One agent's call; None where it left before the end."""
    await asyncio.sleep(rng.random() * 0.5)
    asked = r.message(
        stream=rng.random() < 0.6,
        max_tokens=rng.choice((10, 500, 4_000, 30_000)),
        messages=["x" * rng.choice((0, 100, 20_000))],
    )
    if rng.random() < 0.8:
        return await asked
    task = asyncio.ensure_future(asked)
    await asyncio.sleep(rng.random() * 0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


@pytest.mark.fuzz
@pytest.mark.feature("F13.8", "F3.10")
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(examples(4)))
def test_whatever_happens_each_call_ends_and_nothing_is_left(seed: int) -> None:
    rng = random.Random(seed)
    tokens = rng.choice((2_000, 60_000, 2_000_000))
    caps = (
        Cap(name="daily", per=DAY, unit=TOKENS, limit=tokens),
        Cap(name="money", per=DAY, unit=MONEY, limit=tokens * 15_000),
    )
    bank = MemoryBank()
    session = make_session(traits=AGENT, caps=caps, fallback=rng.choice(((), ("m-2",))))

    async def scenario() -> None:
        async with rig(session=session, limits=LIMITS, bank=bank, handler=unruly(rng)) as r:
            answers = await asyncio.wait_for(asyncio.gather(*(call(r, rng) for _ in range(CALLS))), 25)
            await r.settled()
            rows = await r.rows(CALLS - 12)
            assert Counter(row.outcome for row in rows).keys() <= set(OUTCOMES)
            assert len({row.id for row in rows}) == len(rows)
            whole = [answer for answer in answers if answer is not None]
            assert {answer.status for answer in whole} <= {200, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 529}
            assert r.gateway.running == 0
            for purse in r.gateway.purses.of(session, "test"):
                assert (purse.calls, purse.reserved, purse.whole, purse.asking) == (0, 0, 0, False)
                spent = sum(amount for row in rows for lease, amount in row.draws if lease == purse.lease)
                streams = sum(row.outcome == CUT or row.stream for row in rows)
                assert spent <= purse.limit * 1.05 + streams * 700 * (15_000 if purse.cap.unit == MONEY else 1)
                assert purse.free == bank.taken_of(purse.cap) - spent
            r.server.handler = answer_anthropic
            assert any([(await later(r)).status == 200 for _ in range(4)]) or any(
                row.outcome == REFUSED and "budget" in row.error for row in rows
            )

    run(scenario())


async def later(r: Rig) -> Answer:
    """A small call once the upstream is well and models have rested."""
    await asyncio.sleep(0.3)
    return await r.message(max_tokens=10)
