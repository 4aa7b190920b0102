"""Caps on the wire: what is reserved, lowered, cut and refused, and when nothing can be counted."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest

from moor.domain.budget import DAY, MONEY, TOKENS, Cap
from moor.domain.call import CUT, OK, REFUSED
from moor.domain.cost import cost_nano
from moor.domain.dialects import OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.models import NANO
from moor.domain.quirks import ANSWERS_CONTENT_AS_LIST
from moor.domain.session import Session
from moor.errors.base import MoorError
from tests.unit.gateway.bank import MemoryBank
from tests.unit.gateway.rig import STREAM_PATHS, make_session, rig, run
from tests.unit.gateway.scripted import PRICE, Handler, Seen, Talk, anthropic_events

CENT = NANO // 100


def tokens_cap(limit: int, **more: str) -> Session:
    return make_session(caps=(Cap(name="daily", per=DAY, unit=TOKENS, limit=limit, **more),))  # type: ignore[arg-type]


async def endless(talk: Talk, seen: Seen) -> None:
    """A stream that never ends by itself: one token an event."""
    head, block, delta, *_ = anthropic_events("word ")
    await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for event in itertools.chain((head, block), itertools.repeat(delta)):
        await talk.raw(b"%x\r\n%s\r\n" % (len(event), event))
        await asyncio.sleep(0)


def test_a_call_that_the_rest_cannot_pay_for_is_refused_in_the_agents_status() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=200_000)) as r:
            answers = [await r.message() for _ in range(3)]
            assert [answer.status for answer in answers] == [200, 403, 403]
            text = answers[1].json["error"]["message"]
            assert "has spent $0.000113 of $0.0002, and this call needs at least $0.000" in text
            assert "moor budget raise session" in text
            assert len(r.server.seen) == 1
            assert [row.outcome for row in await r.rows(3)] == [OK, REFUSED, REFUSED]

    run(scenario())


@pytest.mark.feature("F13.8")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("count", [2, 6])
def test_a_session_under_several_caps_calls_while_all_of_them_have_enough(count: int, *, stream: bool) -> None:
    caps = [Cap(name=f"cap-{number}", per=DAY, unit=TOKENS, limit=900, tag=f"t=x{number}") for number in range(count)]
    tags = {"t": "x"}

    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=NANO, caps=tuple(caps), tags=tags)) as r:
            for _ in range(3):
                assert (await r.message(stream=stream, max_tokens=100)).status == 200
            refused = await r.message(stream=stream, max_tokens=100, messages=["x" * 8_000])
            assert refused.status == 403
            assert "of 900 tokens" in refused.text

    run(scenario())


def test_what_others_spent_or_hold_counts() -> None:
    async def scenario() -> None:
        for bank in (MemoryBank(spent=NANO), MemoryBank(others=NANO)):
            async with rig(session=make_session(budget_nano=NANO), bank=bank) as r:
                assert (await r.message()).status == 403
                assert r.server.seen == []

    run(scenario())


def test_a_cap_that_is_lower_than_what_was_spent_says_what_was_spent() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=NANO), bank=MemoryBank(spent=3 * NANO)) as r:
            assert "has spent $3 of $1" in (await r.message()).text

    run(scenario())


@pytest.mark.feature("F13.8")
@pytest.mark.parametrize("session", [make_session(budget_nano=CENT), tokens_cap(660)], ids=["money", "tokens"])
def test_an_endless_stream_is_cut_with_a_sentence_and_the_next_call_refused(session: Session) -> None:
    async def scenario() -> None:
        async with rig(session=session, handler=endless) as r:
            answer = await r.message(stream=True, max_tokens=30_000)
            last = answer.text.rstrip().rsplit("\n", 1)[1]
            assert json.loads(last[6:])["type"] == "error"
            assert "so this answer was stopped" in last
            assert "has spent $0.01" in last or "have used 6" in last
            assert (await r.message(stream=True)).status == 403
            row = (await r.rows(2))[0]
            assert (row.outcome, row.estimated) == (CUT, True)
            assert row.error.startswith("budget-reached: ")
            if session.budget_nano:
                assert CENT * 0.99 < (row.cost_nano or 0) < CENT * 1.05
            else:
                assert 650 < row.usage.total < 690

    run(scenario())


@pytest.mark.feature("F13.9")
def test_eight_parallel_streams_share_one_cap() -> None:
    async def scenario() -> None:
        bank = MemoryBank()
        async with rig(session=make_session(budget_nano=10 * CENT), handler=endless, bank=bank) as r:
            await asyncio.gather(*(r.message(stream=True, max_tokens=30_000) for _ in range(8)))
            rows = await r.rows(8)
            total = sum(row.cost_nano or 0 for row in rows)
            assert 8 * CENT < total < 10.5 * CENT
            assert {row.outcome for row in rows} <= {CUT, REFUSED}

    run(scenario())


@pytest.mark.feature("F13.9")
def test_a_call_that_is_too_large_for_what_is_left_does_not_end_the_stream_beside_it() -> None:
    refused = asyncio.Event()

    async def waits(talk: Talk, seen: Seen) -> None:
        await refused.wait()
        await endless(talk, seen)

    async def scenario() -> None:
        async with rig(session=tokens_cap(15_000), handler=waits) as r:
            # the first slice is what the call needs to begin and no more: none of it is free
            stream = asyncio.ensure_future(r.message(stream=True, max_tokens=30_000, messages=["x" * 40_000]))
            while not r.server.seen:
                await asyncio.sleep(0.01)
            assert (await r.message(stream=True, messages=["x" * 40_000])).status == 403
            refused.set()
            await stream
            cut = (await r.rows(2))[1]
            assert cut.outcome == CUT
            assert 14_900 < cut.usage.total < 15_100

    run(scenario())


def test_an_answer_in_one_piece_is_reserved_whole_and_its_limit_lowered_to_what_is_left() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=CENT)) as r:
            assert (await r.message(max_tokens=20_000)).status == 200
            asked = r.server.seen[0].json["max_tokens"]
            paid = cost_nano(r.ledger.rows[0].usage, PRICE) or 0
            assert 600 < asked < CENT // 15_000
            assert "budget-limit" in r.ledger.rows[0].rules
            assert (await r.message(max_tokens=20_000)).status == 200
            assert asked - 20 <= r.server.seen[1].json["max_tokens"] + paid // 15_000 <= asked + 20

    run(scenario())


def in_pieces(text: str, *, chat: bool, times: int = 4) -> Handler:
    """One document, in several reads."""
    if chat:
        message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        document: dict[str, Any] = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        document["usage"] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    else:
        document = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
        document["usage"] = {"input_tokens": 10, "output_tokens": 5}

    async def handler(talk: Talk, _: Seen) -> None:
        body = json.dumps(document).encode()
        size = -(-len(body) // times)
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
        for at in range(0, len(body), size):
            await talk.raw(body[at : at + size])
            await asyncio.sleep(0.02)

    return handler


@pytest.mark.parametrize("mended", [False, True])
@pytest.mark.parametrize("size", [100, 50_000])
def test_a_document_in_several_reads_is_counted_by_what_it_says_and_not_by_its_length(
    size: int, *, mended: bool
) -> None:
    """All that the call may ask for is reserved, so that no length of its bytes ends it."""

    async def scenario() -> None:
        quirks = frozenset([ANSWERS_CONTENT_AS_LIST] if mended else ())
        session = make_session(budget_nano=CENT)
        handler = in_pieces("x" * size, chat=mended)
        async with rig(session=session, quirks=quirks, handler=handler) as r:
            body = {"model": "m-1", "max_tokens": 10, "messages": [{"role": "user", "content": "go"}]}
            path = "/openai/v1/chat/completions" if mended else "/anthropic/v1/messages"
            answer = await r.ask(path, body)
            assert (answer.status, answer.broken) == (200, "")
            assert "x" * size in answer.text
            (row,) = await r.rows()
            assert (row.outcome, row.error, row.estimated) == (OK, "", False)
            assert (row.usage.input, row.usage.output) == (10, 5)
            assert row.cost_nano == cost_nano(row.usage, PRICE)
            assert row.draws == ((1, row.cost_nano),)

    run(scenario())


def test_a_document_without_an_end_is_stopped_at_the_cap() -> None:
    async def handler(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        await talk.raw(b'10000\r\n{"content":"' + b"x" * (0x10000 - 12) + b"\r\n")
        while True:
            await talk.raw(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with rig(session=tokens_cap(1_000), handler=handler) as r:
            answer = await r.message()
            assert answer.broken
            (row,) = await r.rows()
            assert (row.outcome, row.error.partition(":")[0]) == (CUT, "budget-reached")

    run(scenario())


def test_a_stream_asks_for_no_more_than_is_left_so_that_hidden_output_is_bounded() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=CENT)) as r:
            await r.message(stream=True)
            assert r.server.seen[0].json["max_tokens"] == 10
            await r.ask(STREAM_PATHS[OPENAI_RESPONSES], {"model": "m-1", "input": "x", "stream": True})
            assert 500 < r.server.seen[1].json["max_output_tokens"] < CENT // 15_000
            await r.ask(STREAM_PATHS[OPENAI_CHAT], {"model": "m-1", "messages": [], "n": 4, "stream": True})
            assert 100 < r.server.seen[2].json["max_completion_tokens"] < CENT // 60_000

    run(scenario())


def test_a_thinking_budget_stays_below_the_lowered_limit_and_too_little_for_it_is_refused() -> None:
    async def scenario() -> None:
        thinking = {"type": "enabled", "budget_tokens": 16_000}
        async with rig(session=make_session(budget_nano=5 * CENT)) as r:
            await r.message(max_tokens=32_000, thinking=thinking)
            sent = r.server.seen[0].json
            assert 1024 <= sent["thinking"]["budget_tokens"] < sent["max_tokens"] < 3_400
        async with rig(session=make_session(budget_nano=CENT)) as r:
            assert (await r.message(max_tokens=32_000, thinking=thinking)).status == 403
            assert r.server.seen == []

    run(scenario())


def test_a_stream_waits_for_the_bank_and_then_goes_on() -> None:
    async def scenario() -> None:
        bank = MemoryBank()
        texts = ["word "] * 3_000
        started = asyncio.Event()

        async def handler(talk: Talk, seen: Seen) -> None:
            events = anthropic_events(*texts)
            await talk.stream(events[:50], end=False)
            started.set()
            for event in events[50:]:
                await talk.raw(b"%x\r\n%s\r\n" % (len(event), event))
            await talk.raw(b"0\r\n\r\n")

        async with rig(session=make_session(budget_nano=10 * CENT), handler=handler, bank=bank) as r:
            asking = asyncio.create_task(r.message(stream=True, max_tokens=20_000))
            await started.wait()
            bank.hold.clear()
            await asyncio.sleep(0.3)
            assert not asking.done()
            bank.hold.set()
            answer = await asking
            assert not answer.broken
            assert answer.body.count(b"text_delta") == len(texts)

    run(scenario())


@pytest.mark.parametrize("problem", [MoorError("the disk is gone"), OverflowError("too large")])
def test_a_bank_that_cannot_be_read_lets_nothing_through_and_says_why(problem: Exception) -> None:
    async def scenario() -> None:
        bank = MemoryBank()
        bank.problem = problem
        async with rig(session=make_session(budget_nano=NANO), bank=bank) as r:
            answer = await r.message()
            assert answer.status == 403
            assert "the budget could not be read" in answer.text
            assert ("the disk is gone" if isinstance(problem, MoorError) else "OverflowError") in answer.text
            assert r.server.seen == []
            bank.problem = None
            assert (await r.message()).status == 200

    run(scenario())


def test_what_an_idle_session_holds_goes_back() -> None:
    async def scenario() -> None:
        bank = MemoryBank()
        async with rig(session=make_session(budget_nano=NANO), bank=bank) as r:
            await r.message()
            assert bank.taken > NANO // 10
            for _ in range(60):
                await asyncio.sleep(0.05)
                if bank.taken < NANO // 50:
                    break
            kept = bank.taken - (r.ledger.rows[0].cost_nano or 0)
            assert kept == NANO // 64

    run(scenario())


def test_a_call_without_a_cap_asks_no_bank() -> None:
    async def scenario() -> None:
        bank = MemoryBank()
        async with rig(bank=bank) as r:
            assert (await r.message()).status == 200
            assert bank.asked == []

    run(scenario())


def test_a_cap_on_another_upstream_or_label_does_not_hold_here() -> None:
    cap = Cap(name="other", per=DAY, unit=MONEY, limit=1, upstream="elsewhere")
    assert not cap.fits("test", "", {})
    assert cap.fits("elsewhere", "", {})
    label = Cap(name="team", per=DAY, unit=MONEY, limit=1, tag="team=x")
    assert label.fits("test", "", {"team": "x"})
    assert not label.fits("test", "", {"team": "y"})


def test_under_a_money_cap_a_model_without_a_price_is_refused() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=NANO)) as r:
            answer = await r.ask("/openai/v1/chat/completions", {"model": "free-model"})
            assert answer.status == 403
            assert "no price is known" in answer.text
        async with rig(session=tokens_cap(10_000)) as r:
            assert (await r.ask("/openai/v1/chat/completions", {"model": "free-model"})).status == 200

    run(scenario())


def test_when_the_ledger_cannot_be_written_nothing_goes_upstream() -> None:
    async def scenario() -> None:
        async with rig() as r:
            r.ledger.healthy = False
            answer = await r.message()
            assert answer.status == 403
            assert "ledger cannot be written" in answer.text
            assert r.server.seen == []

    run(scenario())
