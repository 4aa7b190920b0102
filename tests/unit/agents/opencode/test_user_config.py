from __future__ import annotations

import json
from pathlib import Path

from moor.agents.opencode.user_config import read_user_config


def write(home: Path, name: str, text: str | dict[str, object]) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")


def test_what_makes_it_theirs_is_kept(tmp_path: Path) -> None:
    write(
        tmp_path,
        ".config/opencode/opencode.jsonc",
        '{"permission": {"bash": "ask"}, "username": "me", "snapshot": false,}',
    )
    write(
        tmp_path, ".config/opencode/tui.json", {"theme": "gruvbox", "keybinds": {"leader": "ctrl+y"}, "plugin": ["x"]}
    )
    write(tmp_path, ".config/opencode/themes/mine.json", '{"theme": {}}')
    write(tmp_path, ".config/opencode/AGENTS.md", "my rules")
    write(tmp_path, ".opencode/agent/mine.md", "---\ndescription: d\n---\nBody")
    out = read_user_config(tmp_path, {})
    assert out.taken.rules == {"bash": [("*", "ask")]}
    assert out.taken.settings == {"username": "me", "snapshot": False}
    assert out.tui == {"theme": "gruvbox", "keybinds": {"leader": "ctrl+y"}}
    assert out.themes == {"mine.json": '{"theme": {}}'}
    assert out.taken.instructions == [str(tmp_path / ".config/opencode/AGENTS.md")]
    assert out.taken.agents == {"mine": {"description": "d", "prompt": "Body"}}
    assert out.taken.left_out == []


def test_what_would_leave_the_wire_is_named_with_the_file(tmp_path: Path) -> None:
    write(
        tmp_path,
        ".config/opencode/opencode.json",
        {
            "model": "x/y",
            "provider": {"x": {}},
            "mcp": {"m": {}},
            "plugin": ["p"],
            "agent": {"a": {"prompt": "{file:./p}"}},
        },
    )
    out = read_user_config(tmp_path, {"OPENCODE_CONFIG": "/x"})
    named = {item.what: item.where for item in out.taken.left_out}
    assert set(named) == {"model", "provider.x", "mcp.m", "plugin", "agent.a.prompt", "OPENCODE_CONFIG"}
    assert named["model"] == "~/.config/opencode/opencode.json"
    assert out.taken.agents == {"a": {}}


def test_the_config_home_of_the_environment_counts(tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/opencode/opencode.json", {"username": "me"})
    out = read_user_config(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path / "elsewhere")})
    assert out.taken.settings == {"username": "me"}


def test_links_of_the_users_own_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "dotfiles/oc.json", {"username": "me"})
    (tmp_path / ".config/opencode").mkdir(parents=True)
    (tmp_path / ".config/opencode/opencode.json").symlink_to(tmp_path / "dotfiles/oc.json")
    assert read_user_config(tmp_path, {}).taken.settings == {"username": "me"}


def test_a_home_without_any_config_gives_nothing(tmp_path: Path) -> None:
    out = read_user_config(tmp_path, {})
    assert (out.taken.left_out, out.tui, out.taken.instructions) == ([], {}, [])


def test_settings_of_a_wrong_type_are_left_out(tmp_path: Path) -> None:
    write(
        tmp_path, ".config/opencode/opencode.json", {"username": 3, "subagent_depth": True, "experimental": {"x": 1}}
    )
    out = read_user_config(tmp_path, {})
    assert out.taken.settings == {}
    assert {item.what for item in out.taken.left_out} == {"username", "subagent_depth", "experimental.x"}
