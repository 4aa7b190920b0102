"""`moor gateway rules|refusals` as a user types them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moor.cli.rules import field_of
from moor.domain.call import ERROR, Call
from moor.domain.ids import CALL, new_id
from moor.gateway.filters import FILTERS
from moor.ledger.writer import LedgerWriter
from moor.store.home import Home
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]
SAID = "upstream 400: tools.0.custom.new_thing: Extra inputs are not permitted"


@pytest.fixture
def home(moor_home: MoorHome) -> Home:
    home = Home(moor_home.root)
    writer = LedgerWriter(home)
    common = {"agent": "a", "upstream": "ws", "dialect": "anthropic-messages", "model": "m", "status": 400}
    rules = ("stream-options", "guard-masked")
    for place, error in enumerate((SAID, SAID, "upstream 500: trouble", "model-not-allowed: no")):
        made = new_id(CALL, 1_790_000_000 + place)
        writer.put(Call(made, "s", outcome=ERROR, error=error, rules=rules, **common))  # type: ignore[arg-type]
    assert writer.close()
    return home


@pytest.mark.feature("F3.8")
def test_every_rule_is_listed_with_how_often_it_was_needed(run_moor: Run, home: Home) -> None:
    assert home.db_path.exists()
    rows = {row["name"]: row for row in run_moor("gateway", "rules", "--json").last_json}
    assert set(rows) == set(FILTERS)
    assert (rows["stream-options"]["fired"], rows["stream-options"]["on"]) == (4, True)
    assert all(row["why"] and row["fields"] for row in rows.values())
    assert run_moor("config", "set", "gateway.rules_off", "stream-options").code == 0
    line = next(
        line for line in run_moor("gateway", "rules").stdout.splitlines() if line.startswith("stream-options")
    )
    assert line.split()[1:3] == ["off", "4"]


def test_a_rule_that_there_is_not_cannot_be_switched_off(run_moor: Run) -> None:
    done = run_moor("config", "set", "gateway.rules_off", "stream-option")
    assert (done.code, "moor gateway rules" in done.stderr) == (2, True)


def test_refusals_that_no_rule_knows_are_told_as_an_issue(run_moor: Run, home: Home) -> None:
    assert home.db_path.exists()
    (found,) = run_moor("gateway", "refusals", "--json").last_json
    assert (found["field"], found["times"], found["status"]) == ("tools.0.custom.new_thing", 2, 400)
    text = run_moor("gateway", "refusals").stdout
    assert "anthropic-messages: tools.0.custom.new_thing is refused" in text
    assert "Extra inputs are not permitted" in text


@pytest.mark.parametrize(
    ("sentence", "field"),
    [
        ('Invalid JSON payload: Unknown name "$schema" at tools', "$schema"),
        ("messages.3.content.0.cache_control: Extra inputs are not permitted", "messages.3.content.0.cache_control"),
        ("Unexpected value(s) `x-beta-1` for the `anthropic-beta` header.", "x-beta-1"),
        ("something is wrong", ""),
    ],
)
def test_the_field_is_read_from_the_words(sentence: str, field: str) -> None:
    assert field_of(sentence) == field


def test_serving_needs_a_port(run_moor: Run) -> None:
    done = run_moor("gateway")
    assert (done.code, "--port 4000" in done.stderr) == (2, True)
