"""The plugin that Hermes loads, with stand-ins for the modules of Hermes that it asks."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents.hermes import plugin
from moor.agents.hermes.driver import mended

Answer = Callable[..., str]


class Hermes:
    """What the plugin sees of Hermes: who asks on this thread, and where the shell stands."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer = "once"
        self.callback: Answer | None = self.bridge()

    def bridge(self) -> Answer:
        def ask(command: str, description: str, **_: Any) -> str:
            self.asked.append({"command": command, "description": description})
            return self.answer

        ask.__module__ = "acp_adapter.permissions"
        return ask


@pytest.fixture
def hermes() -> Iterator[Hermes]:
    made = Hermes()
    modules = {
        "tools.terminal_tool": {"_get_approval_callback": lambda: made.callback},
        "tools.file_tools": {"_resolve_base_dir": lambda _: Path("/tree")},
        "gateway.session_context": {"declare_stateless_channel": lambda: None},
    }
    for name, members in modules.items():
        stand_in = types.ModuleType(name)
        vars(stand_in).update(members)
        sys.modules[name] = stand_in
    yield made
    for name in modules:
        del sys.modules[name]
    plugin._asking.clear()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    plugin._told.clear()
    plugin._parents.clear()


def asked(hermes: Hermes) -> dict[str, Any]:
    """The last question, as the driver reads it."""
    return mended({"toolCallId": "perm-check-1", "kind": "execute", "rawInput": hermes.asked[-1]})


@pytest.mark.feature("F13.1")
@pytest.mark.parametrize(
    ("tool", "arguments", "kind", "paths"),
    [
        ("read_file", {"path": "a.py"}, "read", ["/tree/a.py"]),
        ("write_file", {"path": "/etc/x", "content": "y"}, "edit", ["/etc/x"]),
        ("patch", {"mode": "replace", "path": "~/x", "old_string": "a"}, "edit", ["@HOME@/x"]),
        (
            "patch",
            {
                "mode": "patch",
                "patch": "*** Update File: a\n*** Move to: ../b\n*** Add File: c\n*** Move File: d -> e",
            },
            "edit",
            ["/tree/a", "/tree/../b", "/tree/c", "/tree/d", "/tree/e"],
        ),
        ("web_extract", {"urls": ["u"]}, "fetch", []),
        ("execute_code", {"code": "import os"}, "other", []),
        ("mcp__x__y", {}, "other", []),
        ("vision_analyze", {"image_url": "https://x/y.png"}, "fetch", ["/tree/https://x/y.png"]),
        ("vision_analyze", {"image_url": "/etc/x.png"}, "read", ["/etc/x.png"]),
        ("process", {"action": "poll", "session_id": "1"}, "think", []),
    ],
)
def test_a_call_is_asked_for_as_what_it_is(
    hermes: Hermes, tool: str, arguments: dict[str, Any], kind: str, paths: list[str]
) -> None:
    assert plugin.decide(tool, arguments, "t") is None
    call = asked(hermes)
    assert (call["name"], call["kind"]) == (tool, kind)
    home = str(Path.home())
    assert [place["path"] for place in call["locations"]] == [path.replace("@HOME@", home) for path in paths]


@pytest.mark.feature("F13.1")
def test_a_command_is_asked_for_with_the_folder_its_shell_stands_in(hermes: Hermes) -> None:
    assert plugin.decide("terminal", {"command": "rm x"}, "t") is None
    assert asked(hermes)["rawInput"] == {"command": "rm x", "cwd": "/tree"}
    assert plugin.decide("terminal", {"command": "rm x", "workdir": "/etc"}, "t") is None
    assert asked(hermes)["rawInput"]["cwd"] == "/etc"
    assert plugin.decide("process", {"action": "submit", "data": "rm y"}, "t") is None
    assert asked(hermes)["rawInput"]["command"] == "rm y"


def test_a_denied_call_is_blocked_with_words_for_the_model(hermes: Hermes) -> None:
    hermes.answer = "deny"
    blocked = plugin.decide("terminal", {"command": "rm x"}, "t")
    assert blocked is not None
    assert blocked["action"] == "block"
    assert "Not allowed" in blocked["message"]


@pytest.mark.parametrize("answer", ["always", "session", "", None])
def test_only_a_plain_yes_lets_a_call_run(hermes: Hermes, answer: Any) -> None:
    hermes.answer = answer
    assert plugin.decide("terminal", {"command": "x"}, "t") is not None


def test_what_cannot_be_asked_is_blocked(hermes: Hermes) -> None:
    hermes.callback = None
    assert (plugin.decide("terminal", {"command": "x"}, "t") or {})["action"] == "block"


@pytest.mark.feature("F12.25")
def test_a_sub_agents_call_is_asked_for_by_the_way_of_the_main_agent(hermes: Hermes) -> None:
    assert plugin.decide("delegate_task", {}, "t") is None
    assert hermes.asked == []
    hermes.callback = lambda *_, **__: "deny"
    assert plugin.decide("write_file", {"path": "x"}, "t2") is None
    assert len(hermes.asked) == 1


@pytest.mark.feature("F12.25")
def test_requests_name_their_session_and_a_sub_agents_its_parent() -> None:
    plugin.spawned(child_session_id="child", parent_session_id="main")
    own = plugin.labelled(request={"model": "m", "extra_headers": {"a": "b"}}, session_id="main")
    theirs = plugin.labelled(request={"model": "m"}, session_id="child")
    assert own == {"request": {"model": "m", "extra_headers": {"a": "b", plugin.SESSION_HEADER: "main"}}}
    assert theirs is not None
    assert theirs["request"]["extra_headers"] == {plugin.SESSION_HEADER: "child", plugin.PARENT_HEADER: "main"}


@pytest.mark.feature("F4.8")
def test_chat_models_that_take_an_effort_are_told_it() -> None:
    plugin._told.update(effort="high", effort_models=["gpt"])
    own = plugin.labelled(request={"model": "gpt"}, session_id="s") or {}
    other = plugin.labelled(request={"model": "kimi"}, session_id="s") or {}
    assert own["request"]["reasoning_effort"] == "high"
    assert "reasoning_effort" not in other["request"]


def test_the_gate_is_set_only_where_moor_drives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERMES_HOME", str(tmp_path))
    seen: list[str] = []
    context = types.SimpleNamespace(
        register_hook=lambda name, _: seen.append(name), register_middleware=lambda name, _: seen.append(name)
    )
    told = {"driven": False, "effort": "", "effort_models": []}
    (tmp_path / plugin.TOLD).write_text(json.dumps(told), encoding="utf-8")
    plugin.register(context)
    assert seen == ["subagent_start", "llm_request"]
    (tmp_path / plugin.TOLD).write_text(json.dumps({**told, "driven": True}), encoding="utf-8")
    plugin.register(context)
    assert seen[-1] == "pre_tool_call"
    assert (tmp_path / plugin.READY).exists()


def test_a_permission_of_hermes_own_stays_as_it_is_and_a_garbled_one_is_nothing_known() -> None:
    own = {"toolCallId": "1", "kind": "execute", "rawInput": {"command": "rm -rf x", "description": "deletes"}}
    assert mended(own) == own
    garbled = mended({"kind": "execute", "rawInput": {"command": "{", "description": plugin.MARK}})
    assert garbled["kind"] == "other"
    listed = mended({"kind": "execute", "rawInput": {"command": json.dumps([1]), "description": plugin.MARK}})
    assert listed["kind"] == "other"
