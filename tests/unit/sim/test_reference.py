"""The reference page of the simulator is what its tables say."""

from __future__ import annotations

from pathlib import Path

from moor.sim.reference import markdown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "simulator.md"


def test_the_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == markdown(), "write moor.sim.reference.markdown() to the page again"


def test_every_call_of_the_control_api_says_what_it_does():
    rows = [line for line in markdown().split("\n") if "/_sim/" in line and line.startswith("|")]
    assert len(rows) > 10
    assert not [row for row in rows if row.endswith("|  |")]
