from __future__ import annotations

import json
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from moor.agents.codex import CODEX
from moor.agents.codex.config import KEY_VARIABLE
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentCommandRefused
from tests.support.codex_context import MAIN, codex_context
from tests.support.opencode_context import KEY

GOLDEN = Path(__file__).parents[3] / "golden" / "codex" / "launch" / "plan.json"


def config(made: LaunchPlan) -> dict[str, Any]:
    """The settings on the command line."""
    words = list(made.argv)
    given = [words[place + 1] for place, word in enumerate(words) if word == "-c"]
    return {name: value for setting in given for name, value in tomllib.loads(setting).items()}


def written(made: LaunchPlan, name: str) -> str:
    return next(file.content.decode() for file in made.files if file.path.endswith(f"/{name}"))


@pytest.mark.feature("F6.2", "F5.2")
def test_the_plan_is_the_recorded_one(tmp_path: Path) -> None:
    context = codex_context(tmp_path, args=("-m", MAIN.id, "hello"))
    (tmp_path / "work" / "AGENTS.md").write_text("Rules.", encoding="utf-8")
    made = CODEX.plan(context)
    shown = {
        "argv": [
            word for place, word in enumerate(made.argv) if "-c" not in made.argv[max(place - 1, 0) : place + 1]
        ],
        "env": {name: value for name, value in made.env.items() if context.environ.get(name) != value},
        "config": config(made),
        "files": sorted(file.path for file in made.files),
        "links": [(link.path, link.target) for link in made.links],
        "left_out": [(item.what, item.where) for item in made.left_out],
        "notes": made.notes,
    }
    assert json.loads(json.dumps(shown).replace(str(tmp_path), "/t")) == json.loads(GOLDEN.read_text("utf-8"))


def test_nothing_is_written_by_planning_and_every_file_is_private(tmp_path: Path) -> None:
    context = codex_context(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    made = CODEX.plan(context)
    assert sorted(tmp_path.rglob("*")) == before
    ours = (str(context.session_home), str(context.home))
    assert all(file.path.startswith(ours) and not file.mode & 0o077 for file in made.files)
    assert all(link.path.startswith(str(context.home)) for link in made.links)


@pytest.mark.feature("F17.5")
def test_the_key_stands_in_one_variable_that_commands_do_not_get(tmp_path: Path) -> None:
    made = CODEX.plan(codex_context(tmp_path))
    assert KEY not in " ".join(made.argv)
    assert not any(KEY.encode() in file.content for file in made.files)
    assert [name for name, value in made.env.items() if KEY in value] == [KEY_VARIABLE]
    assert fnmatch(KEY_VARIABLE, config(made)["shell_environment_policy"]["exclude"][0])


def test_the_users_codex_variables_do_not_reach_codex_but_its_home_reaches_commands(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path / "user"), "CODEX_HOME": "/own", "CODEX_API_KEY": "k", "CODEX_ACCESS_TOKEN": "k"}
    made = CODEX.plan(codex_context(tmp_path, environ=environ))
    assert {name for name in made.env if name.startswith("CODEX_")} == {"CODEX_HOME", "CODEX_SQLITE_HOME"}
    assert made.env["CODEX_HOME"] != "/own"
    assert config(made)["shell_environment_policy"]["set"] == {"CODEX_HOME": "/own"}


def test_codex_trusts_a_folder_only_where_that_gives_it_nothing(tmp_path: Path) -> None:
    def levels(**changes: Any) -> set[str]:
        projects = config(CODEX.plan(codex_context(tmp_path, **changes)))["projects"]
        return {entry["trust_level"] for entry in projects.values()}

    assert levels() == {"trusted"}
    assert levels(args=("resume", "--last")) == {"trusted"}
    assert levels(args=("exec", "x")) == levels(mode="server") == {"untrusted"}
    (tmp_path / "work" / ".codex").mkdir()
    assert levels() == {"untrusted"}
    assert any("press Enter" in note for note in CODEX.plan(codex_context(tmp_path)).notes)


def test_rules_of_a_folder_that_codex_must_not_trust_are_handed_over(tmp_path: Path) -> None:
    context = codex_context(tmp_path, args=("exec", "x"))
    (tmp_path / "user" / ".codex").mkdir()
    (tmp_path / "user" / ".codex" / "AGENTS.md").write_text("Mine.\n", encoding="utf-8")
    (tmp_path / "user" / ".codex" / "config.toml").write_text('developer_instructions = "Terse."', encoding="utf-8")
    (tmp_path / "work" / "AGENTS.md").write_text("Theirs.\n", encoding="utf-8")
    theirs = "# AGENTS.md of this repository\n\nTheirs."
    made = CODEX.plan(context)
    assert config(made)["developer_instructions"] == f"Terse.\n\n{theirs}"
    assert written(made, "AGENTS.md") == "Mine.\n"
    driven = CODEX.plan(codex_context(tmp_path, mode="server"))
    assert config(driven)["developer_instructions"] == "Terse."
    assert written(driven, "rules.md") == theirs
    trusted = CODEX.plan(codex_context(tmp_path))
    assert (config(trusted)["developer_instructions"], written(trusted, "rules.md")) == ("Terse.", "")


def test_settings_that_lie_in_its_home_are_emptied_and_a_driven_session_has_a_home_of_its_own(tmp_path: Path) -> None:
    made, driven = CODEX.plan(codex_context(tmp_path)), CODEX.plan(codex_context(tmp_path, mode="server"))
    assert {written(made, name) for name in ("config.toml", ".env", "AGENTS.override.md")} == {""}
    assert written(driven, "default.rules") == ""
    assert made.env["CODEX_HOME"] != driven.env["CODEX_HOME"]
    assert made.env["CODEX_SQLITE_HOME"] == driven.env["CODEX_SQLITE_HOME"]
    assert {link.target for link in made.links} == {link.target for link in driven.links}


def test_a_trusted_repository_gets_its_servers_and_hooks_and_nothing_else(tmp_path: Path) -> None:
    context = codex_context(tmp_path, trusted=True)
    (tmp_path / "work" / ".codex").mkdir()
    (tmp_path / "work" / ".codex" / "config.toml").write_text(
        'model = "evil"\n[mcp_servers.t]\ncommand = "serve"\n'
        '[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "h"\n',
        encoding="utf-8",
    )
    made = CODEX.plan(context)
    told = config(made)
    assert told["mcp_servers"] == {"t": {"command": "serve"}}
    assert told["hooks"]["Stop"]
    assert told["features"]["hooks"]
    assert told["model"] == MAIN.id
    assert [item.what for item in made.left_out] == ["model"]
    assert list(told["hooks"]["state"]) == ["/<session-flags>/config.toml:stop:0:0"]
    shut = CODEX.plan(codex_context(tmp_path))
    assert "mcp_servers" not in config(shut)
    assert not config(shut)["features"]["hooks"]
    assert {item.what for item in shut.left_out} == {"model", "mcp_servers.t", "hooks"}


@pytest.mark.feature("F17.5", "F17.8")
def test_a_proxy_with_a_password_is_kept_for_commands_and_off_the_command_line(tmp_path: Path) -> None:
    proxy = "http://user:password@proxy:3128"
    environ = {"HOME": str(tmp_path / "user"), "HTTPS_PROXY": proxy}
    made = CODEX.plan(codex_context(tmp_path, environ=environ))
    assert proxy not in " ".join(made.argv)
    assert made.env["HTTPS_PROXY"] == made.env["all_proxy"] == "http://127.0.0.1:4000"
    assert tomllib.loads(written(made, "config.toml"))["shell_environment_policy"]["set"] == {"HTTPS_PROXY": proxy}


def test_a_server_that_is_reached_over_http_leaves_codex_the_users_proxies(tmp_path: Path) -> None:
    (tmp_path / "work" / ".codex").mkdir(parents=True)
    (tmp_path / "work" / ".codex" / "config.toml").write_text(
        '[mcp_servers.r]\nurl = "http://x"\nhttp_headers = { A = "s" }\n'
        '[mcp_servers.t]\ncommand = "c"\nenv = { K = "s" }\n',
        encoding="utf-8",
    )
    made = CODEX.plan(codex_context(tmp_path, trusted=True, mode="server"))
    assert "HTTPS_PROXY" not in made.env
    assert made.env["MOOR_CODEX_HEADER_0_0"] == "s"
    assert config(made)["mcp_servers"]["t"]["command"] == str(tmp_path / "session" / "server-1")
    assert written(made, "server-1").startswith("#!/bin/sh")


def test_a_driven_session_starts_the_app_server_and_reads_no_pictures_by_itself(tmp_path: Path) -> None:
    made = CODEX.plan(codex_context(tmp_path, mode="server", args=("login",)))
    assert made.argv[-1] == "app-server"
    assert "login" not in made.argv
    features = config(made)["features"]
    assert (features["view_image"], features["default_mode_request_user_input"]) == (False, True)


@pytest.mark.feature("F4.6", "F4.8")
def test_effort_and_the_model_for_reviews_are_told(tmp_path: Path) -> None:
    told = config(CODEX.plan(codex_context(tmp_path, effort="high", slots={"review": MAIN})))
    assert (told["model_reasoning_effort"], told["review_model"]) == ("high", MAIN.id)
    assert "review_model" not in config(CODEX.plan(codex_context(tmp_path)))


def test_a_refused_command_is_refused_at_planning(tmp_path: Path) -> None:
    with pytest.raises(AgentCommandRefused):
        CODEX.plan(codex_context(tmp_path, args=("login",)))


def test_below_the_temporary_folder_codex_gets_another_one_and_commands_keep_theirs(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path / "user"), "TMPDIR": str(tmp_path)}
    context = codex_context(tmp_path, environ=environ)
    made = CODEX.plan(context)
    assert made.env["TMPDIR"] == str(context.session_home / "tmp")
    assert tomllib.loads(written(made, "config.toml"))["shell_environment_policy"]["set"] == {"TMPDIR": str(tmp_path)}
    assert any(file.path == f"{made.env['TMPDIR']}/.keep" for file in made.files)
    assert CODEX.plan(codex_context(tmp_path)).env["TMPDIR"] == "/nowhere/tmp"


@pytest.mark.feature("F12.11")
def test_folders_that_its_sandbox_mounts_over_are_named_for_the_end(tmp_path: Path) -> None:
    context = codex_context(tmp_path, args=("--add-dir=../other", "hello"))
    (context.user_home / ".codex").mkdir(exist_ok=True)
    settings = context.user_home / ".codex" / "config.toml"
    settings.write_text('[sandbox_workspace_write]\nwritable_roots = ["/srv/mine"]\n', encoding="utf-8")
    named = {Path(path) for path in CODEX.plan(context).leavings}
    for root in (tmp_path / "work", tmp_path / "other", Path("/srv/mine"), Path("/tmp")):
        assert {root / name for name in (".git", ".agents", ".codex", ".aws")} <= named


def test_a_driven_session_has_no_sandbox_that_leaves_anything(tmp_path: Path) -> None:
    assert CODEX.plan(codex_context(tmp_path, mode="server")).leavings == ()
