from __future__ import annotations

import pytest

from moor.agents.codex.arguments import REFUSED, checked, command_of
from moor.domain.dialects import OPENAI_RESPONSES
from moor.domain.models import Model
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

MODELS = tuple(Model(id=name, family="gpt", dialects=(OPENAI_RESPONSES,)) for name in ("gpt-a", "gpt-b"))


def passed(*args: str, cwd: str = "/work") -> list[str]:
    return checked(args, MODELS, cwd)


@pytest.mark.parametrize(
    "args",
    [
        ("explain this",),
        ("-m", "gpt-b", "explain this"),
        ("resume", "--last", "--all"),
        ("-s", "read-only", "-a", "never", "--add-dir", "/tmp", "x"),
        ("--", "login"),
        ("sandbox", "bash", "-c", "ls"),
    ],
)
def test_what_stays_on_the_wire_is_passed_on_as_typed(args: tuple[str, ...]) -> None:
    assert passed(*args) == list(args)


@pytest.mark.parametrize("command", REFUSED)
def test_commands_that_leave_the_wire_are_refused_with_what_to_type(command: str) -> None:
    with pytest.raises(AgentCommandRefused) as caught:
        passed("-m", "gpt-a", command)
    assert caught.value.hint


@pytest.mark.parametrize(
    "flag",
    ["--oss", "--profile=x", "-px", "-p", "--remote=unix://x", "--search", "--enable", "--ignore-user-config"]
    + ["--trust", "--approve-for-me", "--local-provider=ollama", "--worktree", "--dangerously-bypass-hook-trust"],
)
def test_options_that_reroute_or_load_settings_are_refused(flag: str) -> None:
    with pytest.raises(AgentCommandRefused):
        passed("exec", flag, "x")


@pytest.mark.feature("F4.5")
@pytest.mark.parametrize(
    "args",
    [("-m", "other"), ("--model=other",), ("-mother",), ("-c", 'model="other"'), ("--config=model=other",)]
    + [("-cmodel=other",), ("exec", "-m", "other", "x")],
)
def test_no_spelling_of_the_model_option_passes_the_list(args: tuple[str, ...]) -> None:
    with pytest.raises(AgentModelUnknown):
        passed(*args)


def test_a_model_of_the_list_is_taken_in_any_spelling() -> None:
    assert passed("--model=gpt-a") == ["--model", "gpt-a"]
    assert passed("-mgpt-a") == ["-m", "gpt-a"]
    assert passed("-c", 'model="gpt-a"') == ["-c", 'model="gpt-a"']


@pytest.mark.parametrize(
    "setting",
    ["model_provider=x", "model_providers.x={}", "mcp_servers.x.command=y", "notify=['x']", "features.apps=true"]
    + ["openai_base_url=x", "shell_environment_policy.set.X=1", 'projects={"/"={trust_level="trusted"}}', "tui.x=1"],
)
def test_settings_that_reroute_or_start_something_are_refused(setting: str) -> None:
    with pytest.raises(AgentCommandRefused):
        passed("-c", setting)


def test_settings_of_taste_are_passed_on() -> None:
    args = ("-c", "model_reasoning_effort=high", "-c", 'tui.theme="x"', "-c", "sandbox_mode=read-only")
    assert passed(*args) == list(args)


def test_exec_works_in_a_folder_without_git() -> None:
    assert passed("exec", "--json", "x") == ["exec", "--skip-git-repo-check", "--json", "x"]
    assert passed("e", "resume", "--last") == ["e", "--skip-git-repo-check", "resume", "--last"]
    assert passed("exec", "--skip-git-repo-check", "x").count("--skip-git-repo-check") == 1
    assert passed("review", "exec") == ["review", "exec"]


def test_another_folder_is_refused_and_the_same_one_is_not() -> None:
    assert passed("-C", ".") == ["-C", "."]
    with pytest.raises(AgentCommandRefused, match="one folder"):
        passed("--cd=/elsewhere")


def test_the_sub_command_is_found_behind_options() -> None:
    assert command_of(["-m", "exec", "resume", "x"]) == "resume"
    assert command_of(["-m", "gpt-a", "write exec"]) == ""
    assert command_of([]) == ""
