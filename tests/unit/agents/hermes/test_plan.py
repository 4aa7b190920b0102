from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import moor.agents.hermes.shim
from moor.agents.base import Installed
from moor.agents.hermes import HERMES
from moor.agents.hermes.config import KEY_VARIABLE
from moor.agents.hermes.plan import hermes_home
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentCommandRefused, AgentMissing, AgentVersionUnfit
from moor.store.home import Home
from tests.support.hermes_context import hermes_context
from tests.support.opencode_context import KEY, MAIN, SMALL

GOLDEN = Path(__file__).parents[3] / "golden" / "hermes" / "launch" / "plan.json"
SHIM = str(moor.agents.hermes.shim.__file__)


def start(made: LaunchPlan) -> dict[str, Any]:
    """What the shim is told."""
    told: dict[str, Any] = json.loads(next(file.content for file in made.files if file.path.endswith("start.json")))
    return told


@pytest.mark.feature("F6.5", "F5.2")
def test_the_plan_is_the_recorded_one(tmp_path: Path) -> None:
    context = hermes_context(tmp_path, args=("--resume", "20261120_1"), slots={"subagent": SMALL}, effort="high")
    made = HERMES.plan(context)
    shown = {
        "argv": made.argv,
        "env": {name: value for name, value in made.env.items() if context.environ.get(name) != value},
        "start": start(made),
        "files": sorted(file.path for file in made.files),
        "links": [(link.path, link.target) for link in made.links],
        "left_out": [(item.what, item.where) for item in made.left_out],
        "notes": made.notes,
    }
    text = json.dumps(shown).replace(str(tmp_path), "/t").replace(SHIM, "shim.py")
    assert json.loads(text) == json.loads(GOLDEN.read_text("utf-8"))


def test_nothing_is_written_by_planning_and_every_file_is_private(tmp_path: Path) -> None:
    context = hermes_context(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    made = HERMES.plan(context)
    assert sorted(tmp_path.rglob("*")) == before
    ours = (str(context.session_home), str(context.home))
    assert all(file.path.startswith(ours) and not file.mode & 0o077 for file in made.files)
    assert all(link.path.startswith(str(context.session_home)) for link in made.links)
    assert all(link.target.startswith(str(context.home)) for link in made.links)


@pytest.mark.feature("F17.5")
def test_the_key_stands_in_one_variable_of_the_form_that_commands_do_not_get(tmp_path: Path) -> None:
    made = HERMES.plan(hermes_context(tmp_path))
    assert KEY not in " ".join(made.argv)
    assert not any(KEY.encode() in file.content for file in made.files)
    assert [name for name, value in made.env.items() if KEY in value] == [KEY_VARIABLE]
    assert KEY_VARIABLE.startswith("AUXILIARY_")
    assert KEY_VARIABLE.endswith("_API_KEY")


def test_the_users_hermes_variables_do_not_reach_hermes(tmp_path: Path) -> None:
    environ = {"HERMES_HOME": "/own", "HERMES_YOLO_MODE": "1", "TERMINAL_ENV": "docker", "OPENROUTER_API_KEY": "k"}
    context = hermes_context(tmp_path, environ={"HOME": "/h", **environ})
    env = HERMES.plan(context).env
    assert not {"HERMES_YOLO_MODE", "TERMINAL_ENV", "OPENROUTER_API_KEY"} & env.keys()
    assert env["HERMES_HOME"] == str(hermes_home(context))
    assert env["HOME"] == "/h"


def test_a_model_of_each_dialect_is_asked_in_its_own(tmp_path: Path) -> None:
    config = start(HERMES.plan(hermes_context(tmp_path)))["config"]
    assert config["model"] == {"default": MAIN.id, "provider": "moor", "context_length": 200_000}
    assert config["auxiliary"]["title_generation"] == {"provider": "moor-chat", "model": SMALL.id}
    assert config["providers"]["moor"]["base_url"] == "http://127.0.0.1:4000/anthropic"
    assert config["providers"]["moor-chat"]["base_url"] == "http://127.0.0.1:4000/openai/v1"
    assert {entry["key_env"] for entry in config["providers"].values()} == {KEY_VARIABLE}


def test_a_fallback_is_named_only_where_the_user_did(tmp_path: Path) -> None:
    assert start(HERMES.plan(hermes_context(tmp_path)))["config"]["fallback_providers"] == []
    named = start(HERMES.plan(hermes_context(tmp_path, fallback=(SMALL,))))["config"]["fallback_providers"]
    assert [(entry["provider"], entry["model"]) for entry in named] == [("moor-chat", SMALL.id)]


@pytest.mark.feature("F13.1")
def test_a_driven_session_has_the_gate_and_one_in_a_terminal_has_not(tmp_path: Path) -> None:
    def driven(mode: str) -> bool:
        made = HERMES.plan(hermes_context(tmp_path, mode=mode, args=()))
        told = json.loads(next(file.content for file in made.files if file.path.endswith("moor.json")))
        assert told["driven"] == start(made)["driven"] == (start(made)["config"]["approvals"]["mode"] == "off")
        return bool(told["driven"])

    assert driven("server")
    assert not driven("terminal")
    assert HERMES.plan(hermes_context(tmp_path, mode="server")).argv[-1] == "acp"


@pytest.mark.feature("F17.7")
def test_plugins_of_a_repository_are_copied_as_they_were_looked_at_once_trusted(tmp_path: Path) -> None:
    context = hermes_context(tmp_path)
    plugin = tmp_path / "work" / ".hermes" / "plugins" / "evil" / "__init__.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("import os", encoding="utf-8")
    (plugin.parent / "away.py").symlink_to("/etc/hostname")
    untrusted = HERMES.plan(context)
    assert [item.what for item in untrusted.left_out] == ["plugin evil"]
    assert not any("evil" in file.path for file in untrusted.files)
    assert start(untrusted)["config"]["plugins"]["enabled"] == ["moor"]
    trusted = HERMES.plan(hermes_context(tmp_path, trusted=True))
    assert trusted.left_out == ()
    assert [file.content for file in trusted.files if "/evil/" in file.path] == [b"import os"]
    assert start(trusted)["config"]["plugins"]["enabled"] == ["moor", "evil"]
    assert [extra.content for extra in HERMES.extras(context.session.cwd)] == [b"import os"]


@pytest.mark.feature("F17.7")
def test_a_rules_file_that_leads_out_of_the_repository_is_named(tmp_path: Path) -> None:
    context = hermes_context(tmp_path)
    (tmp_path / "work" / "AGENTS.md").symlink_to("/etc/hostname")
    (tmp_path / "work" / "CLAUDE.md").write_text("Rules.", encoding="utf-8")
    assert [(item.what, item.where) for item in HERMES.plan(context).left_out] == [("the whole file", "AGENTS.md")]


@pytest.mark.feature("F5.2")
def test_what_is_left_out_of_the_users_own_home_is_named(tmp_path: Path) -> None:
    own = tmp_path / "user" / ".hermes"
    (own / "plugins" / "p").mkdir(parents=True)
    (own / "hooks").mkdir()
    (own / ".env").write_text("K=v", encoding="utf-8")
    text = "model:\n  default: x\ndisplay:\n  skin: mono\nmcp_servers:\n  a: {}\nproviders: {}\n  hooks: nested\n"
    (own / "config.yaml").write_text(text, encoding="utf-8")
    left = HERMES.plan(hermes_context(tmp_path)).left_out
    assert [item.what for item in left] == [".env", "plugins", "model", "mcp_servers"]


def test_a_program_found_on_path_is_started_by_its_own_interpreter(tmp_path: Path) -> None:
    from moor.agents.hermes.release import interpreter

    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "hermes").touch()
    link = tmp_path / "hermes"
    link.symlink_to(folder / "hermes")
    with pytest.raises(AgentMissing):
        interpreter(str(link))
    (folder / "python").touch()
    assert interpreter(str(link)) == str(folder / "python")


@pytest.mark.feature("F6.5", "F6.13")
def test_the_pinned_version_is_fetched_by_its_lock_and_another_one_without() -> None:
    pinned, other = HERMES.recipe(), HERMES.recipe("0.19.1")
    assert pinned.lock is not None
    assert f"\nhermes-agent=={pinned.version} " in pinned.lock.read_text(encoding="utf-8")
    assert (pinned.pinned, other.pinned, other.lock) == (True, False, None)
    assert other.packages == ("hermes-agent[acp,mcp,anthropic]==0.19.1",)


@pytest.mark.feature("F6.5")
def test_one_on_path_is_taken_only_when_told_and_is_not_asked_for_its_version(tmp_path: Path) -> None:
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "hermes").write_text(f"#!/bin/sh\ntouch {tmp_path}/RAN\n", encoding="utf-8")
    (folder / "hermes").chmod(0o755)
    (folder / "python").touch()
    metadata = tmp_path / "venv" / "lib" / "python3.12" / "site-packages" / "hermes_agent-0.19.0.dist-info"
    metadata.mkdir(parents=True)
    home, environ = Home(tmp_path / "moor"), {"PATH": str(folder)}
    with pytest.raises(AgentMissing):
        HERMES.find(home, environ)
    assert HERMES.find(home, environ, use_path=True) == Installed(str(folder / "python"), "0.19.0", "path")
    assert not (tmp_path / "RAN").exists()
    metadata.rename(metadata.with_name("hermes_agent-0.30.0.dist-info"))
    with pytest.raises(AgentVersionUnfit):
        HERMES.find(home, environ, use_path=True)


def test_refused_arguments_stop_the_plan(tmp_path: Path) -> None:
    with pytest.raises(AgentCommandRefused):
        HERMES.plan(hermes_context(tmp_path, args=("gateway", "run")))
