"""The suite over every agent knows each of them, and its covering set names tests that are there."""

from __future__ import annotations

import ast

import pytest

from moor.agents import AGENTS
from tests.arch.tree import ROOT
from tests.real.every.conftest import COVERING, COVERING_DEFAULT, COVERING_DESCRIBED, HERE
from tests.real.every.station import probe_of


def suite() -> set[str]:
    """Names of all tests of the suite."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in HERE.glob("test_*.py"))
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_covering_set_names_tests_that_are_there() -> None:
    assert (COVERING | COVERING_DEFAULT | COVERING_DESCRIBED) - suite() == set()


@pytest.mark.parametrize("agent_id", AGENTS)
def test_agent_has_a_probe_whose_gaps_name_tests(agent_id: str) -> None:
    probe = probe_of(agent_id)
    assert set(probe.gaps) - suite() == set()
    assert all(probe.gaps.values())
    assert probe.bypasses


def test_every_probe_is_of_an_agent() -> None:
    known = {agent_id.replace("-", "_") for agent_id in AGENTS}
    assert {path.stem for path in (ROOT / "tests/real/every/probes").glob("*.py")} <= known
