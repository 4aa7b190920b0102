from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from moor.agents.opencode import OPENCODE
from moor.agents.opencode.config import dump
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentCommandRefused
from tests.support.opencode_context import KEY, make_context


def written(plan: LaunchPlan) -> dict[str, Any]:
    """Write the plan's files; the config OpenCode would read."""
    for file in plan.files:
        path = Path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    config: dict[str, Any] = json.loads(Path(plan.env["OPENCODE_CONFIG_DIR"], "opencode.json").read_bytes())
    return config


@pytest.mark.feature("F5.2", "F6.4")
def test_the_plan_writes_below_the_session_only_and_changes_nothing_by_itself(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    plan = OPENCODE.plan(context)
    assert sorted(tmp_path.rglob("*")) == before
    assert all(file.path.startswith(str(context.session_home)) for file in plan.files)
    assert all(file.mode & 0o077 == 0 for file in plan.files)


@pytest.mark.feature("F17.5")
def test_the_key_stands_in_a_private_file_and_neither_in_argv_nor_in_the_environment(tmp_path: Path) -> None:
    plan = OPENCODE.plan(make_context(tmp_path))
    assert KEY not in " ".join(plan.argv)
    assert not any(KEY in value for value in plan.env.values())
    assert written(plan)["provider"]["moor-anthropic"]["options"]["apiKey"] == KEY


def test_both_models_are_named_and_only_ours_can_be_chosen(tmp_path: Path) -> None:
    plan = OPENCODE.plan(make_context(tmp_path))
    for config in (written(plan), json.loads(plan.env["OPENCODE_CONFIG_CONTENT"])):
        assert config["model"] == "moor-anthropic/claude-x"
        assert config["small_model"] == "moor-chat/kimi"
        assert config["enabled_providers"] == ["moor-anthropic", "moor-chat"]
        assert config["share"] == "disabled"
        assert config["autoupdate"] is False


def test_a_large_catalogue_stays_below_the_limit_of_one_environment_string(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    (context.user_home / ".config/opencode/agent").mkdir(parents=True)
    for number in range(8):
        path = context.user_home / f".config/opencode/agent/a{number}.md"
        path.write_text(f"---\ndescription: d\n---\n{'x' * 30_000}", encoding="utf-8")
    plan = OPENCODE.plan(context)
    content = plan.env["OPENCODE_CONFIG_CONTENT"]
    assert len(content.encode()) < 128 * 1024
    assert json.loads(content)["provider"]["moor-chat"]["options"]["baseURL"].startswith("http://127.0.0.1")
    assert len(written(plan)["agent"]) == 8


def test_the_users_opencode_variables_do_not_reach_the_agent(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    environ = {**context.environ, "OPENCODE_CONFIG": "/evil", "OPENCODE_PERMISSION": "{}", "OPENCODE_API_KEY": "k"}
    plan = OPENCODE.plan(make_context(tmp_path, environ=environ))
    assert not {"OPENCODE_CONFIG", "OPENCODE_PERMISSION", "OPENCODE_API_KEY"} & plan.env.keys()
    assert plan.env["OPENCODE_PURE"] == "1"
    assert plan.env["PWD"] == context.session.cwd


def test_a_tool_of_the_agent_sees_the_users_own_environment(tmp_path: Path) -> None:
    environ = {
        **make_context(tmp_path).environ,
        "XDG_CONFIG_HOME": "/home/me/o'clock $HOME",
        "OPENCODE_CONFIG_DIR": "/mine",
    }
    plan = OPENCODE.plan(make_context(tmp_path, environ=environ))
    shell = written(plan)["shell"]
    env = {**plan.env, "OPENCODE_SERVER_PASSWORD": "secret"}
    done = subprocess.run([shell, "-c", "env -0"], env=env, capture_output=True, check=True)
    seen = dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if item)
    assert Path(shell).name == "bash"
    assert seen["XDG_CONFIG_HOME"] == "/home/me/o'clock $HOME"
    assert seen["HOME"] == environ["HOME"]
    assert seen["MOOR_SESSION"] == "ses_1"
    assert "XDG_DATA_HOME" not in seen
    assert {name for name in seen if name.startswith("OPENCODE")} == {"OPENCODE_CONFIG_DIR"}
    assert seen["OPENCODE_CONFIG_DIR"] == "/mine"


@pytest.mark.parametrize(
    ("shell", "name"), [("/usr/bin/fish", "bash"), ("/no/such/zsh", "bash"), ("", "bash"), ("/bin/sh", "sh")]
)
def test_a_shell_opencode_cannot_use_is_replaced(tmp_path: Path, shell: str, name: str) -> None:
    context = make_context(tmp_path)
    plan = OPENCODE.plan(make_context(tmp_path, environ={**context.environ, "SHELL": shell}))
    assert Path(written(plan)["shell"]).name == name


def test_a_driven_agent_asks_for_everything_that_acts(tmp_path: Path) -> None:
    context = make_context(tmp_path, mode="server", args=("--port", "1"))
    (context.user_home / ".opencode").mkdir()
    mine = {"permission": {"bash": "allow", "edit": "deny"}, "agent": {"build": {"permission": {"bash": "allow"}}}}
    (context.user_home / ".opencode/opencode.json").write_text(json.dumps(mine), encoding="utf-8")
    plan = OPENCODE.plan(context)
    config = written(plan)
    assert plan.argv[1:] == ("serve", "--hostname", "127.0.0.1")
    assert config["permission"]["bash"] == {"*": "ask"}
    assert config["permission"]["edit"] == {"*": "deny"}
    assert config["permission"]["external_directory"] == {"*": "ask"}
    assert "permission" not in config.get("agent", {}).get("build", {})


def test_a_repository_cannot_lift_the_read_only_rule_of_the_agent_plan(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    Path(context.session.cwd, "opencode.json").write_text('{"permission": {"edit": "ask"}}', encoding="utf-8")
    assert written(OPENCODE.plan(context))["agent"]["plan"]["permission"]["edit"]["*"] == "deny"


def test_plugins_of_a_trusted_repository_are_passed_on_and_no_longer_named(tmp_path: Path) -> None:
    context = make_context(tmp_path, trusted=True)
    cwd = Path(context.session.cwd)
    (cwd / ".opencode/plugin").mkdir(parents=True)
    (cwd / ".opencode/plugin/p.js").write_text("x", encoding="utf-8")
    (cwd / "opencode.json").write_text(
        '{"mcp": {"m": {"type": "local", "command": ["x"]}}, "model": "e/x"}', encoding="utf-8"
    )
    plan = OPENCODE.plan(context)
    config = written(plan)
    assert "OPENCODE_PURE" not in plan.env
    assert config["plugin"] == [(cwd / ".opencode/plugin/p.js").as_uri()]
    assert os.access(config["mcp"]["m"]["command"][0], os.X_OK)
    assert [item.what for item in plan.left_out] == ["model"]


def test_arguments_are_checked_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(AgentCommandRefused):
        OPENCODE.plan(make_context(tmp_path, args=("serve",)))


@pytest.mark.feature("F6.12")
def test_an_untested_version_is_noted_with_the_way_back(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    assert OPENCODE.plan(context).notes == ()
    installed = type(context.installed)(context.installed.path, "1.19.2", "moor")
    note = OPENCODE.plan(make_context(tmp_path, installed=installed)).notes[0]
    assert "moor agents install" in note


def test_ripgrep_of_ours_is_added_to_the_path_only_where_there_is_none(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    rg = tmp_path / "v/node_modules/@vscode/ripgrep-linux-x64/bin/rg"
    rg.parent.mkdir(parents=True)
    rg.write_text("", encoding="utf-8")
    empty = {**context.environ, "PATH": str(tmp_path)}
    assert OPENCODE.plan(make_context(tmp_path, environ=empty)).env["PATH"] == f"{tmp_path}:{rg.parent}"
    (tmp_path / "rg").write_text("", encoding="utf-8")
    (tmp_path / "rg").chmod(0o755)
    assert OPENCODE.plan(make_context(tmp_path, environ=empty)).env["PATH"] == str(tmp_path)


def test_nothing_in_the_config_can_be_substituted() -> None:
    text = dump({"a": "{env:HOME} {file:/x} {other}"})
    assert "{env:" not in text
    assert "{file:" not in text
    assert json.loads(text) == {"a": "{env:HOME} {file:/x} {other}"}


def test_its_thread_that_colours_code_fetches_no_grammars(tmp_path: Path) -> None:
    planned = OPENCODE.plan(make_context(tmp_path))
    worker = next(file for file in planned.files if file.path == planned.env["OTUI_TREE_SITTER_WORKER_PATH"])
    assert worker.content.startswith(b"globalThis.fetch = ")
