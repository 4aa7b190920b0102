"""Caps under whatever happens: calls, sub-agents, several processes, kills, pauses and raises in any order.

The purses, their calls and the leases in the database are the real ones; the wire between them is played by hand.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from moor.clock import ManualClock
from moor.domain.budget import DAY, MONEY, SESSION, TOTAL, UNITS, Cap
from moor.domain.call import Call
from moor.domain.cost import cost_nano
from moor.domain.ids import CALL, new_id
from moor.domain.session import Session
from moor.domain.usage import Usage
from moor.gateway.purse import Purse, PurseBook
from moor.gateway.spend import PAID_PIECE, Spend
from moor.ledger import leases
from moor.ledger.leases import Ask, Grant, Owner
from moor.ledger.writer import insert_calls
from moor.run import proc
from moor.store.db import opened, transaction
from moor.store.home import Home
from moor.store.sessions import SessionStore
from moor.wire.meter.base import BYTES_PER_TOKEN
from tests.support.fuzz import examples
from tests.unit.gateway.scripted import PRICE

BEYOND = PAID_PIECE // BYTES_PER_TOKEN
"""output tokens that a stream may pass a cap by"""
DEAD = 1 << 22
"""a pid above the largest"""
WHOLE, STREAM, ENDLESS = FORMS = ("whole", "stream", "endless")
"""in one piece, in pieces, and from an upstream that keeps to no limit"""
LIMITS = (600, 5_000, 40_000, 300_000)
INPUTS = (0, 50, 3_000)
CEILINGS = (1, 1_000, 32_000, 128_000)
PIECES = (1, 100, 3_000, 30_000, 300_000)
NANO_A_TOKEN = PRICE.output // 1_000_000


class Loop(asyncio.SelectorEventLoop):
    """A loop whose timers come when the test says so."""

    ahead = 0.0

    def time(self) -> float:
        """Part of the loop."""
        return super().time() + self.ahead


class Bank:
    """The leases of one process, as `LedgerBank` takes them."""

    def __init__(self, home: Home, clock: ManualClock) -> None:
        self.home = home
        self.clock = clock
        self.owner = Owner(os.getpid(), proc.start_time(os.getpid()) or 0.0)
        self.leases: set[int] = set()

    def take(self, cap: Cap, ask: Ask, lease: int, at: float) -> Grant:
        """Part of `moor.gateway.purse.Bank`."""
        grant = leases.take(self.home, cap, self.owner, ask, at, lease)
        self.leases.add(grant.lease)
        return grant

    def give_back(self, lease: int, amount: int) -> None:
        """Part of the same."""
        leases.give_back(self.home, lease, amount)

    def settle(self, leases_: list[int]) -> None:
        """Part of the same."""
        leases.settle(self.home, leases_, self.clock.now())


class Process:
    """A gateway: its purses, the calls that run in it, and the rows that wait to be committed."""

    def __init__(self, home: Home, clock: ManualClock) -> None:
        self.bank = Bank(home, clock)
        self.book = PurseBook(self.bank, clock)
        self.calls: list[Running] = []
        self.rows: list[Call] = []


class Running:
    """A call that began at that time. `limit`: output tokens of its answer."""

    def __init__(self, session: Session, spend: Spend, used: Usage, limit: int, at: float, form: str) -> None:
        self.session = session
        self.at = at
        self.spend = spend
        self.used = used
        self.limit = limit
        self.form = form


class Caps(RuleBasedStateMachine):
    """What may happen to caps."""

    @initialize(
        limits=st.lists(st.tuples(st.sampled_from(UNITS), st.sampled_from(LIMITS)), min_size=2, max_size=5),
        which=st.lists(st.sets(st.integers(0, 4), min_size=1), min_size=3, max_size=3),
    )
    def begin(self, limits: list[tuple[str, int]], which: list[set[int]]) -> None:
        """A database, two gateways, a session, its child and a stranger, each under some of the caps."""
        self.folder = tempfile.TemporaryDirectory()
        self.home = Home(Path(self.folder.name) / "moor")
        self.clock = ManualClock()
        self.loop = Loop()
        self.caps = [self.cap(number, *limit) for number, limit in enumerate(limits)]
        self.spent: dict[tuple[str, str], int] = {}
        self.cut = 0
        self.which = [sorted({number % len(limits) for number in some}) for some in which]
        store = SessionStore(self.home)
        for name, parent in (("ses_1", ""), ("ses_2", "ses_1"), ("ses_3", "")):
            store.add(Session(id=name, agent="opencode", cwd="/", upstream="up", model="m", parent=parent))
        store.close()
        self.make_sessions()
        self.processes = [Process(self.home, self.clock) for _ in range(2)]

    def cap(self, number: int, unit: str, tokens: int) -> Cap:
        """The first one is of a session, the others of all that carry their tag."""
        limit = tokens * NANO_A_TOKEN if unit == MONEY else tokens
        if number == 0:
            return Cap(name="session", per=SESSION, unit=unit, limit=limit, session="ses_1")
        return Cap(name=f"c{number}", per=(DAY, TOTAL)[number % 2], unit=unit, limit=limit, tag=f"c{number}=x")

    def make_sessions(self) -> None:
        """Sessions with the caps as they are now; the first two are one family."""
        self.sessions = []
        for place, some in enumerate(self.which):
            numbers = sorted({0, *some} if place < 2 else {number for number in some if number} or {1})
            self.sessions.append(
                Session(
                    id=f"ses_{place + 1}",
                    agent="opencode",
                    cwd="/",
                    upstream="up",
                    model="m",
                    caps=tuple(self.caps[number] for number in numbers),
                )
            )

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it on the loop, and let all questions to the bank be answered."""

        async def quiet() -> None:
            await asyncio.wait_for(work, 20)
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others)

        self.loop.run_until_complete(quiet())

    @rule(
        place=st.integers(0, 1),
        who=st.integers(0, 2),
        inputs=st.sampled_from(INPUTS),
        ceiling=st.sampled_from(CEILINGS),
        form=st.sampled_from(FORMS),
    )
    def start(self, place: int, who: int, inputs: int, ceiling: int, form: str) -> None:
        """A call begins, or is refused because a cap cannot pay for it."""
        self.run(self.started(self.processes[place], self.sessions[who], Usage(input=inputs), ceiling, form))

    async def started(self, process: Process, session: Session, used: Usage, ceiling: int, form: str) -> None:
        """Ask for it as an exchange does."""
        now = self.clock.now()
        spend = Spend(process.book.of(session, "up"), PRICE, used.input)
        begun = asyncio.Event()
        spend.start(ceiling, whole=form == WHOLE, then=begun.set)
        await begun.wait()
        if spend.dry is not None:
            free = self.there(spend.dry)
            assert free < spend.needed, f"refused, and {free} was there of {spend.needed}"
            spend.settle(Usage(), 0)
            return
        if spend.limit is not None:
            assert spend.limit <= ceiling
            there = [self.there(purse) for purse in spend.purses]
            least = [amount(purse.cap.unit, Usage(output=spend.limit + 1)) for purse in spend.purses]
            assert any(map(int.__le__, there, least)), f"lowered to {spend.limit}, and {there} was there"
        limit = ceiling if spend.limit is None else spend.limit
        call = Running(session, spend, used, limit if form != ENDLESS else 1 << 40, now, form)
        process.calls.append(call)
        self.note(call, Usage())

    def there(self, purse: Purse) -> int:
        """What a process could have of a cap."""
        return leases.standing(self.home, purse.cap, purse.at).free + purse.free

    @rule(place=st.integers(0, 1), which=st.integers(0, 9), tokens=st.sampled_from(PIECES))
    def go_on(self, place: int, which: int, tokens: int) -> None:
        """Some of an answer comes; a stream is cut where a cap is used up, and nowhere else."""
        process = self.processes[place]
        if process.calls:
            self.run(self.answered(process, process.calls[which % len(process.calls)], tokens))

    async def answered(self, process: Process, call: Running, tokens: int) -> None:
        """What an exchange does with an answer: pass on what is paid for, count, wait for the bank, cut."""
        if call.form == WHOLE:
            self.use(call, min(tokens, call.limit))
            self.end(process, call)
            return
        left = min(tokens, call.limit - call.used.output)
        while left > 0 and call.spend.dry is None:
            size = min(left, max(call.spend.clear // BYTES_PER_TOKEN, BEYOND))
            left -= size
            self.use(call, size)
            told = asyncio.Event()
            while not call.spend.draw(call.used, told.set) and call.spend.dry is None:
                await told.wait()
                told = asyncio.Event()
        if call.spend.dry is not None:
            free = self.there(call.spend.dry)
            self.cut += 1
            assert free <= 0, f"cut, and {free} was there of {call.spend.dry.cap}"
        if call.spend.dry is not None or call.used.output == call.limit:
            self.end(process, call)

    def use(self, call: Running, tokens: int) -> None:
        """The call has used so much more output."""
        before = call.used
        call.used = Usage(input=before.input, output=before.output + tokens)
        self.note(call, before)

    def note(self, call: Running, before: Usage) -> None:
        """What it has used since, of its caps."""
        for cap in self.caps:
            if cap.name in [one.name for one in call.session.caps]:
                place = cap.scope(call.at), cap.unit
                self.spent[place] = self.spent.get(place, 0) + amount(cap.unit, call.used) - amount(cap.unit, before)

    @rule(place=st.integers(0, 1), which=st.integers(0, 9))
    def finish(self, place: int, which: int) -> None:
        """A call ends by itself."""
        process = self.processes[place]
        if process.calls:
            self.run(self.finished(process, process.calls[which % len(process.calls)]))

    async def finished(self, process: Process, call: Running) -> None:
        """The last piece has come."""
        self.end(process, call)

    def end(self, process: Process, call: Running) -> None:
        """Settle it; its row waits for the next commit."""
        process.calls.remove(call)
        cost = amount(MONEY, call.used)
        row = Call(
            new_id(CALL, call.at),
            call.session.id,
            upstream="up",
            started_at=call.at,
            tags={cap.tag.partition("=")[0]: "x" for cap in call.session.caps if cap.tag},
            usage=call.used,
            cost_nano=cost,
            draws=call.spend.settle(call.used, cost),
        )
        process.rows.append(row)

    @rule(place=st.integers(0, 1))
    def commit(self, place: int) -> None:
        """The ledger's thread comes round."""
        process = self.processes[place]
        rows, process.rows = process.rows, []
        if rows:
            with opened(self.home) as connection, transaction(connection):
                insert_calls(connection, rows)

    @rule()
    def pause(self) -> None:
        """Nobody calls for a while: what is not needed goes back."""
        self.clock.advance(2)
        self.loop.ahead += 2
        self.run(asyncio.sleep(0))

    @rule(place=st.integers(0, 1), what=st.sampled_from(("kill", "restart", "midnight")))
    def now_and_then(self, place: int, what: str) -> None:
        """What happens more rarely."""
        if what == "midnight":
            self.midnight()
        elif what == "kill":
            self.kill(place)
        else:
            self.restart(place)

    def midnight(self) -> None:
        """A day goes by; calls that run go on."""
        self.clock.jump(86_400)

    def kill(self, place: int) -> None:
        """A gateway is killed: its calls and the rows that waited are gone, what it had taken counts."""
        process = self.processes[place]
        names = [(DEAD, lease) for lease in process.bank.leases]
        with opened(self.home) as connection, transaction(connection):
            connection.executemany("UPDATE leases SET owner_pid = ? WHERE id = ?", names)
        self.processes[place] = Process(self.home, self.clock)

    def restart(self, place: int) -> None:
        """A gateway ends as it should, when it has no calls."""
        process = self.processes[place]
        if not process.calls:
            self.commit(place)
            process.book.settle()
            self.processes[place] = Process(self.home, self.clock)

    @rule(number=st.integers(0, 4), share=st.integers(1, 4))
    def raise_cap(self, number: int, share: int) -> None:
        """A person raises a cap."""
        number %= len(self.caps)
        before = self.caps[number]
        raised = self.cap(number, before.unit, 1)
        limit = before.limit * (4 + share) // 4 + 100
        self.caps[number] = Cap(
            name=raised.name, per=raised.per, unit=raised.unit, limit=limit, session=raised.session, tag=raised.tag
        )
        self.make_sessions()

    @invariant()
    def holds(self) -> None:
        """No cap is passed by more than each call may pass it by."""
        if not hasattr(self, "caps"):
            return
        streams = self.cut + sum(len(process.calls) for process in self.processes)
        for cap in self.caps:
            beyond = amount(cap.unit, Usage(output=BEYOND)) * streams
            for (scope, unit), spent in self.spent.items():
                mine = scope == cap.scope(self.clock.now()) or (cap.per == DAY and scope.endswith(cap.tag))
                assert not mine or unit != cap.unit or spent <= cap.limit + beyond, f"{scope}: {spent} of {cap}"

    def teardown(self) -> None:
        """Close what is open."""
        if hasattr(self, "loop"):
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
            self.folder.cleanup()


def amount(unit: str, used: Usage) -> int:
    """In nano-dollars or tokens."""
    return (cost_nano(used, PRICE) or 0) if unit == MONEY else used.total


@pytest.mark.feature("F13.8", "F13.9")
@pytest.mark.fuzz
def test_caps_hold_and_stop_nothing_that_they_could_pay_for() -> None:
    how = settings(
        max_examples=examples(40), stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Caps, settings=how)
