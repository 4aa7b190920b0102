"""The descriptions that ship with moor: what a launch of each would start, set and write (tests/golden/<agent>)."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from moor.agents import AGENTS, load_agent
from moor.agents.base import SEES, Installed
from moor.agents.described import FOLDER, shipped_agent
from moor.agents.described.adapter import DescribedAgent
from moor.agents.platform import Machine
from moor.domain.dialects import DIALECTS
from moor.domain.models import Model
from moor.domain.plan import LaunchPlan
from moor.domain.settings import AgentSettings
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown, AgentNeedsTrust
from tests.support.opencode_context import KEY, make_context

GOLDEN = Path(__file__).resolve().parents[3] / "golden"
SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))
MAIN = Model(
    id="sonnet", family="claude", dialects=("anthropic-messages", "openai-chat"), context=200_000, max_output=64_000
)
SMALL = Model(id="kimi", family="kimi", dialects=("openai-chat",))


def agent_of(name: str) -> DescribedAgent:
    """The agent as it is on the machine that the golden files were written for."""
    return DescribedAgent(name, shipped_agent(name).group, FOLDER, Machine("linux", "x64"))


def installed(agent: DescribedAgent) -> Installed:
    recipe = agent.recipe()
    return Installed(f"/agents/{agent.id}/{recipe.version}/{recipe.binary}", recipe.version, "moor")


def planned(agent: DescribedAgent, folder: Path, **changes: Any) -> LaunchPlan:
    fields = {"installed": installed(agent), "model": MAIN, "small_model": SMALL, "models": (MAIN, SMALL)}
    return agent.plan(make_context(folder, **{**fields, **changes}))


def shown(plan: LaunchPlan, folder: Path) -> dict[str, Any]:
    whole = {
        "argv": plan.argv,
        "env": {name: value for name, value in sorted(plan.env.items()) if name not in ("PATH", "PWD", "HOME")},
        "files": {file.path: [f"{file.mode:o}", *file.content.decode().splitlines()] for file in plan.files},
    }
    text = json.dumps(whole, indent=1).replace(str(folder), "FOLDER").replace(KEY, "KEY")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.feature("F7.1")
@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("mode", ["terminal", "server"])
def test_the_plan_is_the_golden_one(name: str, mode: str, tmp_path: Path) -> None:
    golden = GOLDEN / name / "launch" / f"{mode}.json"
    seen = shown(planned(agent_of(name), tmp_path, mode=mode), tmp_path)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
    assert seen == json.loads(golden.read_text("utf-8"))


@pytest.mark.feature("F17.5")
@pytest.mark.parametrize("name", SHIPPED)
def test_the_key_is_in_no_argument_and_every_file_is_private(name: str, tmp_path: Path) -> None:
    plan = planned(agent_of(name), tmp_path)
    assert KEY not in " ".join(plan.argv)
    assert all(file.mode & 0o077 == 0 for file in plan.files)
    private = (f"{tmp_path}/session/", f"{tmp_path}/home/")
    assert all(file.path.startswith(private) for file in plan.files)
    for file in plan.files:
        if file.path.endswith(".json"):
            json.loads(file.content)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_dialect_can_be_spoken(name: str, tmp_path: Path) -> None:
    agent = agent_of(name)
    for dialect in set(agent.dialects) & set(DIALECTS):
        model = Model(id=f"of-{dialect}", family="x", dialects=(dialect,))
        plan = planned(agent, tmp_path, model=model, small_model=model, models=(model,))
        told = " ".join([*plan.argv, *plan.env.values(), *(file.content.decode() for file in plan.files)])
        assert model.id in told
        assert "http://127.0.0.1:4000" in told


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_registered_and_says_what_it_sees(name: str) -> None:
    agent = shipped_agent(name)
    assert load_agent(name) is agent
    assert name in AGENTS
    assert set(agent.group.sees) == set(SEES)
    assert agent.group.repository
    assert agent.version_note(agent.pinned_version) == ""
    assert "not tested" in agent.version_note("0.0.1")


@pytest.mark.parametrize("name", SHIPPED)
def test_exactly_the_locked_packages_are_installed(name: str) -> None:
    recipe = agent_of(name).recipe()
    assert recipe.lock is not None
    packages = json.loads(recipe.lock.read_text("utf-8"))["packages"]
    assert all(entry["integrity"].startswith("sha512-") for path, entry in packages.items() if path)
    assert not any("resolved" in entry for entry in packages.values())
    for package in recipe.packages:
        at, _, version = package.rpartition("@")
        assert packages[f"node_modules/{at}"]["version"] == version
    assert agent_of(name).recipe("0.1.2").lock is None


@pytest.mark.parametrize("name", SHIPPED)
def test_refusals_say_why_and_what_to_type(name: str, tmp_path: Path) -> None:
    agent = agent_of(name)
    for word, why in agent.refused_commands.items():
        assert re.fullmatch(r"[^;]{20,}; .{5,}", why), word
        with pytest.raises(AgentCommandRefused):
            planned(agent, tmp_path, args=(word,))
    with pytest.raises(AgentModelUnknown, match="sneaky"):
        planned(agent, tmp_path, args=(agent.group.model_flag.split()[-1], "sneaky"))


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_repository_brings_is_named_and_not_let_in(name: str, tmp_path: Path) -> None:
    agent = agent_of(name)
    work = tmp_path / "work"
    work.mkdir()
    for path in agent.group.repository:
        full = work / path / "x.json" if "." not in Path(path).name[1:] else work / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text("{}", encoding="utf-8")
    free = [path for path in agent.group.repository if path not in agent.group.headless_needs_trust]
    assert {extra.where.split("/x.json")[0] for extra in agent.extras(str(work))} == set(agent.group.repository)
    if agent.group.headless_needs_trust:
        with pytest.raises(AgentNeedsTrust) as caught:
            planned(agent, tmp_path, mode="server")
        assert "moor trust" in caught.value.hint
    else:
        plan = planned(agent, tmp_path, mode="server")
        assert [item.where for item in plan.left_out] == free
    if agent.group.terminal_needs_trust:
        with pytest.raises(AgentNeedsTrust, match="own interface"):
            planned(agent, tmp_path)
    assert planned(agent, tmp_path, trusted=True).left_out == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_variables_of_the_users_settings_are_set_but_never_lead_off_the_wire(name: str, tmp_path: Path) -> None:
    agent = agent_of(name)
    own = {**dict.fromkeys(agent.group.env, "https://elsewhere.invalid"), "MINE": "1"}
    environ = {**make_context(tmp_path).environ, **own, **dict.fromkeys(agent.group.unset, "x")}
    plan = planned(agent, tmp_path, environ=environ, settings=AgentSettings(env=own))
    assert plan.env["MINE"] == "1"
    assert "https://elsewhere.invalid" not in plan.env.values()
