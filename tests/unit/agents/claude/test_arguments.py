"""What a user may hand to Claude Code, and what would leave the wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.agents.claude.arguments import REFUSED, asks_for_bypass, checked
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown
from tests.support.claude_context import HAIKU, OPUS, SONNET, make_context


def read(tmp_path: Path, *args: str) -> list[str]:
    return checked(make_context(tmp_path, args=args))


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("fix it",),
        ("-p", "say mcp and update"),
        ("-c", "--effort", "high"),
        ("--resume", "1234", "go on"),
        ("-r", "--fork-session"),
        ("--add-dir", "a", "b", "--allowedTools", "Bash(git *)", "Edit", "--", "update"),
        ("--agent", "doctor", "--max-turns=3", "-p", "x"),
        ("--agents", '{"a": {"description": "d", "prompt": "p", "model": "inherit"}}'),
        ("--agents", "not json"),
        ("-",),
        ("--model",),
    ],
)
def test_its_own_arguments_are_passed_on_as_they_are(tmp_path: Path, args: tuple[str, ...]) -> None:
    assert read(tmp_path, *args) == list(args)


@pytest.mark.feature("F7.6")
@pytest.mark.parametrize("command", REFUSED)
def test_a_command_that_leaves_the_wire_is_refused_with_what_to_type(tmp_path: Path, command: str) -> None:
    with pytest.raises(AgentCommandRefused) as caught:
        read(tmp_path, "--verbose", command)
    assert "moor" in caught.value.hint


@pytest.mark.parametrize(
    "args",
    [
        ("--settings", "{}"),
        ("--settings={}",),
        ("--setting-sources=project",),
        ("--managed-settings", "{}"),
        ("-p", "--mcp-config", "x.json"),
        ("--plugin-dir", "."),
        ("--bg", "x"),
        ("--sdk-url", "wss://x"),
        ("--teleport",),
        ("--betas", "x"),
        ("--agents", json.dumps({"a": {"hooks": {"Stop": []} | {"x": 1}}})),
        ("--agents", json.dumps({"a": {"mcpServers": ["x"]}})),
    ],
)
def test_an_option_that_would_load_settings_or_programs_is_refused(tmp_path: Path, args: tuple[str, ...]) -> None:
    with pytest.raises(AgentCommandRefused):
        read(tmp_path, *args)


def test_what_is_so_already_is_dropped(tmp_path: Path) -> None:
    assert read(tmp_path, "--strict-mcp-config", "-p", "x") == ["-p", "x"]


@pytest.mark.feature("F4.5")
def test_a_model_is_an_allowed_one_or_a_name_that_leads_to_one(tmp_path: Path) -> None:
    assert read(tmp_path, "--model", SONNET.id) == ["--model", SONNET.id]
    assert read(tmp_path, f"--model={OPUS.id}") == [f"--model={OPUS.id}[1m]"]
    assert read(tmp_path, "--model", "haiku") == ["--model", "haiku"]
    assert read(tmp_path, "--model", "opus[1m]") == ["--model", "opus"]
    assert read(tmp_path, "--fallback-model", f"{HAIKU.id}, sonnet") == ["--fallback-model", f"{HAIKU.id},sonnet"]


@pytest.mark.parametrize(
    "args",
    [
        ("--model", "claude-opus-4-1"),
        ("--model", f"{SONNET.id}[1m]"),
        ("--model", "sonnet[1m]"),
        ("--model=",),
        ("--advisor", "evil"),
        ("--fallback-model", f"{SONNET.id},evil"),
        ("--agents", '{"a": {"model": "evil"}}'),
    ],
)
def test_another_model_is_refused(tmp_path: Path, args: tuple[str, ...]) -> None:
    with pytest.raises(AgentModelUnknown):
        read(tmp_path, *args)


def test_a_slip_of_the_pen_is_answered_with_the_name_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(AgentModelUnknown) as caught:
        read(tmp_path, "--model", "opux")
    assert "opus" in caught.value.hint


def test_leaving_out_every_check_is_seen_in_each_form() -> None:
    assert asks_for_bypass(("-p", "--dangerously-skip-permissions"))
    assert asks_for_bypass(("--permission-mode", "bypassPermissions"))
    assert asks_for_bypass(("--permission-mode=bypassPermissions",))
    assert not asks_for_bypass(("--permission-mode", "plan", "bypassPermissions"))
