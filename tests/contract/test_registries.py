"""One suite over every registry entry: what is named can be loaded, and has what its room asks of it."""

from __future__ import annotations

import argparse
import importlib
import inspect

import pytest

from moor.agents import AGENTS, load_agent
from moor.agents.base import SEES
from moor.cli.parser import command_parser
from moor.cli.registry import COMMANDS
from moor.domain import quirks
from moor.domain.dialects import DIALECTS
from moor.domain.session import AgentTraits
from moor.gateway.filters import FILTERS, all_filters
from moor.upstreams import UPSTREAMS
from moor.upstreams.base import Upstream
from tests.arch.tree import ROOT

CAUSES = {"sign-in", "forbidden-model", "budget", "unreachable", "bad-upstream", "bad-request"}
"""what a gateway must be able to tell an agent; see AgentTraits.fatal_status"""


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_arguments_a_run_and_a_summary(name: str) -> None:
    module = importlib.import_module(COMMANDS[name][0])
    assert list(inspect.signature(module.add_arguments).parameters) == ["parser"]
    assert list(inspect.signature(module.run).parameters)[:2] == ["args", "ctx"]
    assert COMMANDS[name][1]
    assert isinstance(command_parser(name), argparse.ArgumentParser)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_no_agents_name(name: str) -> None:
    assert name not in AGENTS


@pytest.mark.parametrize("agent_id", AGENTS)
def test_agent_states_what_the_wire_and_the_user_need(agent_id: str) -> None:
    agent = load_agent(agent_id)
    traits = agent.traits(agent.pinned_version)
    assert agent.id == agent_id
    assert agent.display_name
    assert isinstance(traits, AgentTraits)
    assert agent.pinned_version in traits.user_agent
    assert set(traits.fatal_status) == CAUSES
    assert all(400 <= status < 500 for status in traits.fatal_status.values())
    assert all(agent.refused_commands.values())


@pytest.mark.parametrize("agent_id", AGENTS)
def test_agent_says_what_it_sees_of_the_users_own(agent_id: str) -> None:
    sees = load_agent(agent_id).sees
    assert list(sees) == list(SEES)
    assert all(sees.values())


@pytest.mark.parametrize("agent_id", AGENTS)
def test_agent_has_tests_and_golden_files_of_its_own(agent_id: str) -> None:
    assert (ROOT / "tests" / "golden" / agent_id).is_dir()
    assert list((ROOT / "tests" / "real").glob(f"test_{agent_id}*.py"))


@pytest.mark.parametrize("kind", UPSTREAMS)
def test_upstream_answers_what_the_gateway_asks(kind: str) -> None:
    module, _, attribute = UPSTREAMS[kind].target.partition(":")
    cls = getattr(importlib.import_module(module), attribute)
    asked = [name for name, value in vars(Upstream).items() if inspect.isfunction(value) and name[0] != "_"]
    assert not [name for name in asked if not callable(getattr(cls, name, None))]
    for name in asked:
        wanted = list(inspect.signature(getattr(Upstream, name)).parameters)
        assert list(inspect.signature(getattr(cls, name)).parameters)[: len(wanted)] == wanted


def test_filters_do_not_touch_the_same_field() -> None:
    assert [rule.name for rule in all_filters()] != []  # loading checks for conflicts


@pytest.mark.parametrize("name", FILTERS)
def test_filter_says_why_for_which_quirk_and_dialect(name: str) -> None:
    rule = next(rule for rule in all_filters() if rule.name == name)
    known = {value for key, value in vars(quirks).items() if key.isupper() and isinstance(value, str)}
    assert rule.quirk in known
    assert set(rule.dialects) <= set(DIALECTS)
    assert rule.why
    assert rule.since
    assert rule.fields


REPAIRS = [rule.name for rule in all_filters() if rule.quirk.startswith("refuses-")]
"""the others ask for something more, and nothing is refused without them"""


@pytest.mark.parametrize("name", REPAIRS)
def test_repair_has_a_recorded_request_that_proves_it(name: str) -> None:
    assert any((ROOT / "tests" / "golden" / "filters" / name).iterdir())
