"""`moor top`: one look, and what makes it."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable

import msgspec
import pytest

from moor.cli.top import Line, View, _cells, _drawn, _notes, _rates
from moor.domain.call import Call
from moor.domain.ids import CALL, new_id
from moor.domain.session import WORKING, Session
from moor.domain.usage import Usage
from moor.gateway.live import CapUse, Live, Running, read_live
from moor.ledger.writer import LedgerWriter
from moor.run import proc
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]
CALLING = Running("ses_1", "claude", "m", "explorer", 3.0, 250, 2, False)


@pytest.fixture
def home(moor_home: MoorHome) -> Home:
    home = Home(moor_home.root)
    me, start = os.getpid(), proc.start_time(os.getpid()) or 0.0
    store = SessionStore(home)
    store.add(
        Session(
            id="ses_1", agent="claude", cwd="/x", upstream="ws", model="m", status=WORKING, repository="git@host:app",
            pid=me, pid_start=start, gateway_pid=me, gateway_start=start, created_at=time.time(),
        )
    )  # fmt: skip
    store.close()
    writer = LedgerWriter(home)
    for wait in (10, 30, 900):
        writer.put(Call(new_id(CALL), "ses_1", usage=Usage(input=100), cost_nano=2_000_000, first_byte_ms=wait))
    assert writer.close()
    folder = home.folder(home.root / "live")
    live = Live(
        pid=me, start=start, at=time.time(), running=(CALLING,), caps=(CapUse("session", "usd", 80, 100),),
        resting=("ws/m-2",),
    )  # fmt: skip
    (folder / f"{me}.json").write_bytes(msgspec.json.encode(live))
    dead = msgspec.structs.replace(live, pid=2**22 + 7)
    (folder / "dead.json").write_bytes(msgspec.json.encode(dead))
    (folder / "broken.json").write_bytes(b"{")
    return home


def test_one_look_shows_sessions_calls_caps_waits_and_resting_models(run_moor: Run, home: Home) -> None:
    done = run_moor("top", "--once")
    assert done.code == 0
    row = next(line for line in done.stdout.splitlines() if line.startswith("ses_1"))
    assert row.split()[1:] == ["claude", "working", "3+1", "550", "$0.006", "80", "%", "30", "ms", "git@host:app"]
    assert "claude / explorer: m, 3 s, 250 tokens so far, attempt 2" in done.stdout
    assert "left alone for a while: ws/m-2" in done.stdout
    found = run_moor("top", "--json").last_json
    assert found["lines"][0]["caps"] == [["session", 80]]
    assert [one.pid for one in read_live(home)] == [os.getpid()]
    assert not (home.root / "live" / "dead.json").exists()


def test_with_nothing_running_it_says_so(run_moor: Run) -> None:
    assert "no call under way" in run_moor("top", "--once").stdout


def line(tokens: int, **more: object) -> Line:
    plain = Line(
        session="s",
        agent="a",
        state="idle",
        calls=1,
        tokens=tokens,
        cost_nano=None,
        caps=(),
        first_byte_ms=None,
        where="/x",
        running=(),
    )
    return msgspec.structs.replace(plain, **more)


def test_tokens_a_second_are_those_since_the_look_before() -> None:
    before = View(at=10.0, lines=(line(100),), resting=())
    after = View(at=12.0, lines=(line(500), line(9, session="new")), resting=())
    assert _rates(after, before) == {"s": 200.0}
    assert _rates(before, None) == {}
    assert _cells(after.lines[0], 200.0)[4] == "200"
    assert _drawn(after, before) is not None


def test_what_an_agent_writes_into_its_names_is_no_markup() -> None:
    view = View(at=1.0, lines=(line(1, agent="[red]x", running=(CALLING,)),), resting=("[bold]m",))
    from rich.console import Console

    console = Console(width=200, record=True, file=io.StringIO())
    console.print(_drawn(view, None))
    assert "[red]x" in console.export_text()
    assert "[bold]m" in _notes(view)[-1]
