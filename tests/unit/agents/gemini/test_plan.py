"""A launch of Gemini CLI as data."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moor.agents.base import LaunchContext
from moor.agents.gemini import GEMINI
from moor.agents.gemini.environment import START
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentNeeds
from tests.support.gemini_context import MAIN, SMALL, gemini_context, plant
from tests.support.opencode_context import KEY

GOLDEN = Path(__file__).parents[3] / "golden" / "gemini" / "plan.json"


def content(plan: LaunchPlan, name: str) -> str:
    """The text of the one file of that name."""
    found = [file.content for file in plan.files if file.path.endswith(name)]
    assert len(found) == 1, [file.path for file in plan.files]
    return found[0].decode()


def settings(context: LaunchContext) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(content(GEMINI.plan(context), ".gemini/settings.json"))
    return made


def shown(plan: LaunchPlan, folder: Path) -> dict[str, Any]:
    """The plan without what differs from machine to machine."""
    env = {**plan.env, "NODE_OPTIONS": plan.env["NODE_OPTIONS"].partition("=")[0]}
    whole = {
        "argv": [word.replace(str(START), "START") for word in plan.argv],
        "env": env,
        "files": {
            file.path: json.loads(file.content) if file.path.endswith("n") else file.content.decode()
            for file in plan.files
        },
        "links": {link.path: link.target for link in plan.links},
        "left_out": [[item.what, item.where, item.why] for item in plan.left_out],
    }
    out: dict[str, Any] = json.loads(json.dumps(whole).replace(str(folder), "@"))
    return out


@pytest.mark.feature("F4.9", "F5.2")
def test_the_plan_is_as_recorded(tmp_path: Path) -> None:
    """MOOR_RECORD=1 writes it anew."""
    plant(tmp_path / "user", {".gemini/settings.json": '{"ui": {"theme": "Dracula"}, "mcpServers": {"x": {}}}'})
    plan = shown(GEMINI.plan(gemini_context(tmp_path, mode="server", effort="high")), tmp_path)
    if os.environ.get("MOOR_RECORD"):
        GOLDEN.write_text(json.dumps(plan, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert plan == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_it_writes_into_private_folders_only_and_nothing_by_itself(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    plan = GEMINI.plan(context)
    assert sorted(tmp_path.rglob("*")) == before
    private = (str(context.session_home), str(context.home))
    assert all(file.path.startswith(private) for file in plan.files)
    assert all(link.path.startswith(private[0]) and link.target.startswith(private[1]) for link in plan.links)
    assert all(file.mode & 0o077 == 0 for file in plan.files)


@pytest.mark.feature("F17.5")
def test_the_key_stands_in_its_variable_only(tmp_path: Path) -> None:
    plan = GEMINI.plan(gemini_context(tmp_path))
    assert [name for name, value in plan.env.items() if KEY in value] == ["GEMINI_API_KEY"]
    assert not any(KEY in word for word in plan.argv)
    assert not any(KEY.encode() in file.content for file in plan.files)


def test_variables_that_would_lead_it_elsewhere_are_gone_and_given_back_to_programs(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    mine = {"GEMINI_SANDBOX": "docker", "CLOUD_SHELL": "true", "NODE_OPTIONS": "--inspect", "TMPDIR": "/mine"}
    context = gemini_context(tmp_path, environ={**context.environ, **mine})
    plan = GEMINI.plan(context)
    assert "GEMINI_SANDBOX" not in plan.env
    assert "CLOUD_SHELL" not in plan.env
    back = json.loads(content(plan, "start.json"))
    assert {name: back[name] for name in mine} == mine
    assert back["GEMINI_API_KEY"] is None
    assert back["GEMINI_CLI_HOME"] is None
    assert "PATH" not in back


@pytest.mark.feature("F4.6", "F4.9")
def test_every_name_of_a_model_leads_to_an_allowed_one(tmp_path: Path) -> None:
    tables = settings(gemini_context(tmp_path))["modelConfigs"]
    targets = {entry["default"] for entry in tables["modelIdResolutions"].values()}
    targets |= {alias["modelConfig"]["model"] for alias in tables["customAliases"].values()}
    assert targets == {MAIN.id, SMALL.id}
    seen = [name for name, entry in tables["modelDefinitions"].items() if entry["isVisible"]]
    assert seen == [MAIN.id, SMALL.id]
    override = {entry["match"]["model"]: entry["modelConfig"] for entry in tables["customOverrides"]}
    assert override == {SMALL.id: {"generateContentConfig": {"maxOutputTokens": 65_536}}}


@pytest.mark.feature("F4.8")
@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        (MAIN, "high", {"thinkingLevel": "HIGH"}),
        (SMALL, "low", {"thinkingBudget": 1024}),
        (SMALL, "4000", {"thinkingBudget": 4000}),
    ],
)
def test_effort_is_said_in_the_models_own_terms(
    model: Any, effort: str, expected: dict[str, Any], tmp_path: Path
) -> None:
    tables = settings(gemini_context(tmp_path, model=model, effort=effort))["modelConfigs"]
    config = next(
        entry["modelConfig"]["generateContentConfig"]
        for entry in tables["customOverrides"]
        if entry["match"]["model"] == model.id
    )
    assert config["thinkingConfig"] == {"includeThoughts": True, **expected}


def test_a_smaller_window_is_compressed_in_time(tmp_path: Path) -> None:
    assert "compressionThreshold" not in settings(gemini_context(tmp_path))["model"]
    small = msgspec.structs.replace(MAIN, context=262_144)
    assert settings(gemini_context(tmp_path, model=small))["model"]["compressionThreshold"] == 0.125


def test_driven_it_asks_for_everything_and_in_a_terminal_it_keeps_its_own_rules(tmp_path: Path) -> None:
    driven = tomllib.loads(content(GEMINI.plan(gemini_context(tmp_path, mode="server")), "moor.toml"))["rule"]
    ours = [rule for rule in driven if "subagent" not in rule]
    asked = [rule for rule in ours if rule["decision"] == "ask_user"]
    assert [(rule["toolName"], rule.get("argsPattern")) for rule in asked] == [
        ("run_shell_command", "."),
        ("*", None),
    ]
    assert min(rule["priority"] for rule in driven if "subagent" in rule) > asked[0]["priority"]
    own = tomllib.loads(content(GEMINI.plan(gemini_context(tmp_path)), "moor.toml"))["rule"]
    assert [(rule["decision"], rule["toolName"]) for rule in own] == [("deny", ["google_web_search", "web_fetch"])]


def test_without_node_it_says_what_to_install(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    with pytest.raises(AgentNeeds, match=r"Node\.js 20"):
        GEMINI.plan(gemini_context(tmp_path, environ={**context.environ, "PATH": str(tmp_path)}))


def test_an_untested_version_is_noted(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    newer = msgspec.structs.replace(context.installed, version="0.70.0")
    assert GEMINI.plan(context).notes == ()
    assert "moor agents install gemini" in GEMINI.plan(gemini_context(tmp_path, installed=newer)).notes[0]
