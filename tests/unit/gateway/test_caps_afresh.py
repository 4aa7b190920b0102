"""What a process knows of a cap gets old: before an answer is cut, shortened or refused, the ledger is asked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from moor.clock import ManualClock
from moor.domain.budget import DAY, TOKENS, Cap
from moor.domain.call import Call
from moor.domain.ids import CALL, new_id
from moor.domain.session import Session
from moor.domain.usage import Usage
from moor.gateway.budget import budget_refusal
from moor.gateway.purse import PurseBook
from moor.gateway.spend import Spend
from moor.ledger.bank import LedgerBank
from moor.ledger.leases import standing
from moor.ledger.writer import LedgerWriter
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.unit.gateway.rig import run

CAP = Cap(name="daily", per=DAY, unit=TOKENS, limit=10_000)
SESSION = Session(id="ses_1", agent="opencode", cwd="/", upstream="up", model="m", caps=(CAP,))
NOON = time.mktime((2026, 11, 29, 12, 0, 0, 0, 0, -1))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "moor")


async def begin(book: PurseBook, session: Session = SESSION, *, whole: bool = False) -> Spend:
    """A call that would answer as much as it may."""
    spend = Spend(book.of(session, "up"), None, 10)
    begun = asyncio.Event()
    spend.start(100_000, whole=whole, then=begun.set)
    await begun.wait()
    return spend


async def goes_on(spend: Spend, output: int) -> bool:
    """Whether the stream goes on after so much output, once the bank has said what it says."""
    used = Usage(10, output)
    while spend.dry is None:
        told = asyncio.Event()
        if spend.draw(used, told.set):
            return True
        if spend.dry is None:
            await told.wait()
    return False


async def idle() -> None:
    """Until what nobody needs has gone back."""
    await asyncio.sleep(1.3)


@pytest.mark.feature("F13.8")
def test_a_stream_is_not_cut_by_what_another_process_held_a_moment_ago(home: Home) -> None:
    async def scenario() -> None:
        clock = ManualClock(NOON)
        here, there = (PurseBook(LedgerBank(home, clock), clock) for _ in range(2))
        stream = await begin(here)
        other = await begin(there, whole=True)
        assert standing(home, CAP, NOON).free == 0
        output = 0
        while not stream.purses[0].refused:
            output += 40
            assert await goes_on(stream, output)
            await asyncio.sleep(0.01)
        other.settle(Usage(10, 5), 0)
        clock.advance(2)
        await idle()
        free = standing(home, CAP, NOON).free
        assert free > 8_000
        for _ in range(100):
            output += 40
            assert await goes_on(stream, output), f"cut at {output}, and {free} was free"
        while await goes_on(stream, output) and output < 20_000:
            output += 40
        # what the other process used is not committed here, and it keeps a little for its next call
        assert 9_500 < output < 10_100

    run(scenario())


@pytest.mark.feature("F13.8")
@pytest.mark.parametrize("whole", [False, True])
def test_a_call_after_a_rest_may_answer_as_much_as_is_left_and_not_what_was_kept_here(
    home: Home, *, whole: bool
) -> None:
    large = msgspec.structs.replace(SESSION, caps=(msgspec.structs.replace(CAP, limit=120_000),))

    async def scenario() -> None:
        clock = ManualClock(NOON)
        book = PurseBook(LedgerBank(home, clock), clock)
        first = await begin(book, large, whole=whole)
        assert first.limit is None
        first.settle(Usage(10, 5), 0)
        clock.advance(2)
        await idle()
        assert standing(home, large.caps[0], NOON).held < 2_000
        assert (await begin(book, large, whole=whole)).limit is None

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_stream_over_midnight_is_cut_at_the_cap_of_the_day_on_which_it_began(home: Home) -> None:
    async def scenario() -> None:
        clock = ManualClock(NOON)
        book = PurseBook(LedgerBank(home, clock), clock)
        yesterday = await begin(book)
        assert await goes_on(yesterday, 400)
        clock.jump(86_400)
        today = await begin(book)
        assert today.limit == 9_990
        assert today.purses != yesterday.purses
        writer = LedgerWriter(home)
        now = clock.now()
        writer.put(
            Call(new_id(CALL, now), "ses_1", started_at=now, usage=Usage(10, 5), draws=today.settle(Usage(10, 5), 0))
        )
        assert writer.close()
        output = 400
        while await goes_on(yesterday, output) and output < 20_000:
            output += 200
        assert 9_990 <= output < 10_300
        # not a token of it is of today
        assert standing(home, CAP, clock.now()).spent == 15
        assert (await begin(book)).dry is None

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_clock_that_was_ahead_and_is_set_right_leaves_the_day_to_the_clock(home: Home) -> None:
    async def scenario() -> None:
        clock = ManualClock(NOON)
        book = PurseBook(LedgerBank(home, clock), clock)
        right = book.of(SESSION, "up")
        clock.jump(400 * 86_400)
        wrong = book.of(SESSION, "up")
        assert wrong != right
        clock.jump(-400 * 86_400 - 30)
        assert book.of(SESSION, "up") == right

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_cap_that_a_person_raised_is_the_one_that_is_told_of(home: Home) -> None:
    async def scenario() -> None:
        clock = ManualClock(NOON)
        told: list[tuple[int, int]] = []
        book = PurseBook(
            LedgerBank(home, clock, SESSION.id), clock, lambda _, purse, step: told.append((purse.limit, step))
        )
        for output in (9_000, 7_000):
            call = await begin(book)
            assert await goes_on(call, output)
            call.settle(Usage(10, output), 0)
            book.warn(SESSION, call.purses)
            store.update(SESSION.id, caps=(msgspec.structs.replace(CAP, limit=30_000),))
        assert told == [(10_000, 80), (30_000, 50)]
        last = await begin(book)
        (use,) = book.uses()
        assert use.limit == 30_000
        assert not await goes_on(last, 30_000)
        assert "of 30000 tokens" in budget_refusal(SESSION, last, last.purses[0]).message

    store = SessionStore(home)
    store.add(SESSION)
    run(scenario())
    store.close()
