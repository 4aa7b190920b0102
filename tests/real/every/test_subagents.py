"""A sub-agent's calls pass the wire like any other, for every agent that has some: in the ledger, to the token."""

from __future__ import annotations

import pytest

from moor.domain.result import COMPLETED
from tests.real.every.station import Station

pytestmark = pytest.mark.real


@pytest.mark.feature("F12.25", "F8.9")
def test_its_calls_are_in_the_ledger_under_its_own_name(station: Station) -> None:
    used = station.place.used() if station.place.sessions() else ({}, {})
    result = station.must_run("sim:spawn")
    assert result["status"] == COMPLETED
    assert "The sub-agent reported" in result["text"]
    assert "Hello from the simulated model" in result["text"]
    station.place.assert_ledger_equals_sim(since=used)
    rows = station.rows(result["session"])
    assert [row["status"] for row in rows if row["status"] != 200] == []
    own, theirs = (
        [row for row in rows if not row["parent_session"]],
        [row for row in rows if row["parent_session"]],
    )
    assert len(own) >= 2
    assert theirs, f"no row names a sub-agent: {[(row['agent_session'], row['parent_session']) for row in rows]}"
    assert {row["agent_session"] for row in theirs}.isdisjoint({row["agent_session"] for row in own})
