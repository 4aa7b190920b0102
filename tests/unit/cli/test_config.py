"""`moor config` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]


def test_path_names_the_file_and_creates_nothing(run_moor: Run, moor_home: MoorHome) -> None:
    done = run_moor("config", "path")
    assert (done.code, done.stdout) == (0, f"{moor_home.root}/config.toml\n")
    assert not moor_home.root.exists()


def test_what_is_set_is_shown_with_its_source_and_what_it_overrode(run_moor: Run, moor_home: MoorHome) -> None:
    assert run_moor("config", "set", "defaults.model", "mine").code == 0
    (moor_home.work / ".moor.toml").write_text('[defaults]\nmodel = "theirs"\n', encoding="utf-8")
    done = run_moor("config", "show", "--explain", env={"MOOR_MODEL": "now"})
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("defaults.model")]
    assert line.split() == [
        "defaults.model",
        "now",
        "environment",
        "MOOR_MODEL",
        "theirs",
        "(project),",
        "mine",
        "(user)",
    ]


def test_the_json_form_holds_the_same(run_moor: Run, moor_home: MoorHome) -> None:
    run_moor("config", "set", "policy.deny", "a,b")
    shown = run_moor("config", "show", "--json").last_json
    assert shown["path"] == f"{moor_home.root}/config.toml"
    assert shown["settings"]["policy.deny"]["value"] == ["a", "b"]
    assert shown["settings"]["policy.deny"]["source"] == "user"
    assert shown["policy_layers"] == [{"level": "user", "allow": [], "deny": ["a", "b"]}]


def test_setting_what_something_else_overrides_is_said_at_once(run_moor: Run) -> None:
    done = run_moor("config", "set", "defaults.model", "mine", env={"MOOR_MODEL": "now"})
    assert done.code == 0
    assert "warning: it has no effect here: MOOR_MODEL sets defaults.model to now" in done.stderr


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("set", "defaults.modle", "x"), "did you mean defaults.model"),
        (("set", "defaults.agent", "cladue"), "unknown-agent"),
        (("set", "agents.cladue.enabled", "false"), "unknown-agent"),
        (("set", "policy.budget_usd", "-1"), "above 0"),
        (("set", "defaults.model", "a\x1b[2J"), "control character"),
        (("unset", "defaults.model"), "setting-not-set"),
        (("set", "defaults.model"), "moor config set --help"),
        (("frobnicate",), "moor config --help"),
        ((), "moor config --help"),
    ],
)
def test_a_mistake_has_exit_code_2_and_a_next_step(run_moor: Run, argv: tuple[str, ...], words: str) -> None:
    done = run_moor("config", *argv)
    assert done.code == 2
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert "\x1b" not in done.stderr


def test_a_broken_file_stops_a_command_with_file_and_line(run_moor: Run, moor_home: MoorHome) -> None:
    moor_home.root.mkdir()
    (moor_home.root / "config.toml").write_text("[defaults]\nmodel = \n", encoding="utf-8")
    for argv in (("config", "show"), ("config", "set", "defaults.model", "x"), ("status",)):
        done = run_moor(*argv)
        assert done.code == 2
        assert f"error: config-syntax: {moor_home.root}/config.toml line 2" in done.stderr


def test_a_repository_that_names_an_upstream_stops_a_command(run_moor: Run, moor_home: MoorHome) -> None:
    (moor_home.work / ".moor.toml").write_text('[defaults]\nupstream = "evil"\n', encoding="utf-8")
    done = run_moor("status")
    assert done.code == 2
    assert "project-setting-refused" in done.stderr


def test_an_agents_secret_variables_are_masked(run_moor: Run, moor_home: MoorHome) -> None:
    moor_home.root.mkdir()
    text = '[agents.x]\nenv = { MY_API_KEY = "very-secret-value-1234", LEVEL = "debug" }\n'
    (moor_home.root / "config.toml").write_text(text, encoding="utf-8")
    for argv in (("config", "show"), ("config", "show", "--explain"), ("config", "show", "--json")):
        done = run_moor(*argv)
        assert "secret-value" not in done.stdout
        assert "debug" in done.stdout


@pytest.mark.parametrize(
    "argv", [("config", "set", "policy.budget_usd", "1000"), ("config", "unset", "policy.deny"), ("keys", "create")]
)
def test_an_agent_cannot_widen_its_limits_by_command(
    run_moor: Run, moor_home: MoorHome, argv: tuple[str, ...]
) -> None:
    done = run_moor(*argv, env={"MOOR_SESSION": "ses_1"})
    assert done.code == 2
    assert "inside-session" in done.stderr
    assert not (moor_home.root / "config.toml").exists()


def test_reading_commands_work_inside_a_session(run_moor: Run) -> None:
    assert json.loads(run_moor("config", "show", "--json", env={"MOOR_SESSION": "ses_1"}).stdout)
