"""Caps under whatever happens: calls, sub-agents, several processes, kills, pauses and raises in any order.

The purses, their calls and the leases in the database are the real ones; the wire between them is played by hand.
"""

from __future__ import annotations

import asyncio
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
from moor.domain.ids import CALL, new_id
from moor.domain.session import Session
from moor.domain.usage import Usage
from moor.gateway.purse import Purse
from moor.gateway.spend import Spend
from moor.ledger import leases
from moor.ledger.writer import insert_calls
from moor.store.db import opened, transaction
from moor.store.home import Home
from moor.store.sessions import SessionStore
from moor.wire.meter.base import BYTES_PER_TOKEN
from tests.support.fuzz import examples
from tests.unit.gateway.caps_rig import (
    BEYOND,
    CEILINGS,
    DEAD,
    ENDLESS,
    FORMS,
    INPUTS,
    LIMITS,
    NANO_A_TOKEN,
    PATIENCE,
    PIECES,
    WHOLE,
    Loop,
    Process,
    Running,
    amount,
)
from tests.unit.gateway.scripted import PRICE


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
        self.unpaid = 0
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
                for done in (await asyncio.wait(others))[0]:
                    done.result()

        self.loop.run_until_complete(quiet())
        assert self.loop.problems == []

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
        process.waiting.append(spend)
        began = self.loop.time()

        def then() -> None:
            process.waiting.remove(spend)
            if not process.dead:
                self.admitted(process, session, spend, used, ceiling, form, now, self.loop.time() - began)

        spend.start(ceiling, whole=form == WHOLE, then=then)

    def admitted(
        self,
        process: Process,
        session: Session,
        spend: Spend,
        used: Usage,
        ceiling: int,
        form: str,
        at: float,
        waited: float,
    ) -> None:
        """It may go out, or is refused."""
        if spend.dry is not None:
            free = self.there(spend.dry)
            assert free < spend.needed, f"refused, and {free} was there of {spend.needed}"
            assert waited >= PATIENCE or free + spend.dry.whole < spend.needed, "others would have given back"
            spend.settle(Usage(), 0)
            return
        if spend.limit is not None:
            assert spend.limit <= ceiling
            there = [self.there(purse) for purse in spend.purses]
            least = [amount(purse.cap.unit, Usage(output=spend.limit + 1)) for purse in spend.purses]
            assert any(map(int.__le__, there, least)), f"lowered to {spend.limit}, and {there} was there"
        limit = ceiling if spend.limit is None else spend.limit
        call = Running(session, spend, used, limit if form != ENDLESS else 1 << 40, at, form)
        process.calls.append(call)
        self.note(call, Usage())

    def there(self, purse: Purse) -> int:
        """What a process could have of a cap."""
        return leases.standing(self.home, purse.cap, purse.at).free + purse.free

    @rule(place=st.integers(0, 1), which=st.integers(0, 9), tokens=st.sampled_from(PIECES))
    def go_on(self, place: int, which: int, tokens: int) -> None:
        """Some of an answer comes; a stream is cut where a cap is used up, and nowhere else."""
        process = self.processes[place]
        calls = [call for call in process.calls if not call.comes and not call.unpaid]
        if calls:
            self.run(self.answered(process, calls[which % len(calls)], tokens))

    async def answered(self, process: Process, call: Running, tokens: int) -> None:
        """What comes of an answer."""
        if call.form == WHOLE:
            self.use(call, min(tokens, call.limit))
            self.end(process, call)
        else:
            call.comes = min(tokens, call.limit - call.used.output)
            self.passed_on(process, call)

    def passed_on(self, process: Process, call: Running) -> None:
        """What an exchange does with it: pass on what is paid for, count, wait, cut."""
        if call.over or process.dead:
            return
        while call.comes or call.unpaid:
            if not call.unpaid:
                size = min(call.comes, max(call.spend.clear // BYTES_PER_TOKEN, BEYOND))
                call.comes -= size
                self.use(call, size)
                call.unpaid = True
            if not call.spend.draw(call.used, lambda: self.passed_on(process, call)):
                break
            call.unpaid = False
        if call.spend.dry is not None:
            free = self.there(call.spend.dry)
            self.cut += 1
            assert free <= 0, f"cut, and {free} was there of {call.spend.dry.cap}"
            self.end(process, call)
        elif call.used.output == call.limit and not call.comes:
            self.unpaid += call.unpaid  # all of it has come: nothing is left to be cut
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
        call.over = True
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

    @rule()
    def long_pause(self) -> None:
        """A minute: whoever waited for others has been told."""
        early = [spend for process in self.processes for spend in process.waiting]
        streams = [(call, call.used) for process in self.processes for call in process.calls if call.unpaid]
        self.loop.ahead += PATIENCE + 1
        self.run(asyncio.sleep(0))
        assert not [spend for process in self.processes for spend in process.waiting if spend in early]
        assert not [call for call, used in streams if call.used == used and call.unpaid and not call.over]

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
        process.dead = process.bank.dead = True
        names = [(DEAD, lease) for lease in process.bank.leases]
        with opened(self.home) as connection, transaction(connection):
            connection.executemany("UPDATE leases SET owner_pid = ? WHERE id = ?", names)
        self.processes[place] = Process(self.home, self.clock)

    def restart(self, place: int) -> None:
        """A gateway ends as it should, when it has no calls."""
        process = self.processes[place]
        if not process.calls and not process.waiting:
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
        streams = self.cut + self.unpaid + sum(len(process.calls) for process in self.processes)
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


@pytest.mark.feature("F13.8", "F13.9")
@pytest.mark.fuzz
def test_caps_hold_and_stop_nothing_that_they_could_pay_for() -> None:
    how = settings(
        max_examples=examples(40), stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Caps, settings=how)
