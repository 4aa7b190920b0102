"""`moor calls` as a user types it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from moor.domain.call import CUT, OK, Call, Try
from moor.domain.ids import CALL, new_id
from moor.domain.usage import Usage
from moor.gateway.payloads import Payload, folder_of
from moor.ledger.writer import LedgerWriter
from moor.store.files import write_private
from moor.store.home import Home
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]
FIRST, SECOND = new_id(CALL, 1_790_000_000), new_id(CALL, 1_790_000_100)
ASKED = '{"model":"m","messages":[{"role":"user","content":"look \\u001b[31mred"}],"store":true}'
SENT = '{"model":"m","messages":[{"role":"user","content":"look \\u001b[31mred"}]}'


@pytest.fixture
def home(moor_home: MoorHome) -> Home:
    home = Home(moor_home.root)
    writer = LedgerWriter(home)
    common = {"agent": "opencode", "upstream": "ws", "dialect": "openai-chat", "model": "m-2"}
    tries = (Try("m-1", "ws", 503, 40, "upstream-503"),)
    writer.put(
        Call(FIRST, "ses_1", started_at=1_790_000_000.0, outcome=CUT, error="cut: it broke", attempts=0, **common)
    )
    writer.put(
        Call(
            SECOND,
            "ses_2",
            started_at=1_790_000_100.0,
            outcome=OK,
            usage=Usage(1, 2, 3, 4, 0),
            rules=("store-and-strict",),
            asked="m-1",
            tries=tries,
            attempts=2,
            cost_nano=5_000,
            **common,
        )
    )
    assert writer.close()
    payload = Payload(id=SECOND, dialect="openai-chat", asked=ASKED, sent=SENT, answered='{"choices":[]}')
    write_private(home.folder(folder_of(home)) / f"{SECOND}.json", msgspec.json.encode(payload))
    return home


@pytest.mark.feature("F11.7")
def test_calls_are_listed_newest_first_with_who_answered(run_moor: Run, home: Home) -> None:
    assert home.db_path.exists()
    lines = run_moor("calls", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", SECOND, FIRST]
    assert "m-2 (asked: m-1)" in lines[1]
    assert [line.split()[-2] for line in lines] == ["TRIES", "2", "0"], "what was not sent was not tried"
    (failed,) = run_moor("calls", "list", "--failed", "--json").last_json
    assert (failed["id"], failed["error"]) == (FIRST, "cut: it broke")
    (only,) = run_moor("calls", "list", "--session", "ses_2", "--json").last_json
    assert only["tries"] == [{"model": "m-1", "upstream": "ws", "status": 503, "ms": 40, "why": "upstream-503"}]


def test_a_call_is_shown_as_conversation_bytes_and_changes(run_moor: Run, home: Home) -> None:
    assert home.db_path.exists()
    shown = run_moor("calls", "show", SECOND[-8:]).stdout
    assert "[user]" in shown
    assert "upstream-503" in shown
    assert "\x1b" not in shown
    assert '"store":true' in run_moor("calls", "show", SECOND, "--as", "bytes").stdout
    changed = run_moor("calls", "show", SECOND, "--as", "changes").stdout
    assert '-  "store": true' in changed.replace("-   ", "-  ")
    assert run_moor("calls", "show", SECOND, "--json").last_json["payload"]["sent"] == SENT


def test_a_call_without_a_payload_says_how_to_keep_one(run_moor: Run, home: Home) -> None:
    assert home.db_path.exists()
    done = run_moor("calls", "show", FIRST)
    assert "cut: it broke" in done.stdout
    assert "moor config set log.payload_mb" in done.stderr


def test_an_unknown_call_and_an_empty_ledger_are_told(run_moor: Run) -> None:
    assert run_moor("calls", "list").stderr.strip() == "no calls"
    done = run_moor("calls", "show", "call_none")
    assert (done.code, "moor calls list" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("guard.action", "maybe", "is none of off, warn, mask, refuse"),
        ("guard.patterns", "a(", "is no regular expression"),
        ("guard.patterns", "x*", "matches everywhere"),
        ("log.payload_mb", "-1", "number of MB"),
    ],
)
def test_settings_that_mean_nothing_are_refused(run_moor: Run, key: str, value: str, words: str) -> None:
    done = run_moor("config", "set", key, value)
    assert done.code == 2
    assert words in done.stderr
