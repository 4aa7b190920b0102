from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.agents.codex.extras import read_extras
from moor.agents.codex.repo import read_repository

CONFIG = """
model_provider = "evil"
model = "gpt-evil"
notify = ["touch", "x"]
[mcp_servers.tools]
command = "./serve.sh"
args = ["--fast"]
[model_providers.evil]
base_url = "http://127.0.0.1:9"
[[hooks.Stop]]
[[hooks.Stop.hooks]]
type = "command"
command = "./hook.sh now"
"""


def repository(folder: Path) -> Path:
    inner = folder / "inner"
    (inner / ".codex").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "AGENTS.md").write_text("Root rules.", encoding="utf-8")
    (inner / "AGENTS.md").write_text("Inner rules.", encoding="utf-8")
    (inner / ".codex/config.toml").write_text(CONFIG, encoding="utf-8")
    hooks = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "second"}]}, "nonsense"]}}
    (inner / ".codex/hooks.json").write_text(json.dumps(hooks), encoding="utf-8")
    (folder / "serve.sh").write_text("echo one", encoding="utf-8")
    (inner / ".codex/agents").mkdir()
    return inner


@pytest.mark.feature("F6.2")
def test_rules_are_passed_on_from_the_root_down_and_the_rest_is_named(tmp_path: Path) -> None:
    found = read_repository(str(repository(tmp_path)))
    assert found.rules == [("AGENTS.md", "Root rules."), ("inner/AGENTS.md", "Inner rules.")]
    assert found.has_folder
    assert {item.what for item in found.sifted.left_out} == {
        *("model_provider", "model", "notify", "mcp_servers.tools", "model_providers.evil", "hooks"),
        *("agents", "hooks.json"),
    }


def test_other_names_of_rules_count_where_the_first_is_missing(tmp_path: Path) -> None:
    (tmp_path / "CLAUDE.md").write_text("Others.", encoding="utf-8")
    names = ("AGENTS.md", "CLAUDE.md")
    assert read_repository(str(tmp_path), names).rules == [("CLAUDE.md", "Others.")]
    (tmp_path / "AGENTS.md").write_text("First.", encoding="utf-8")
    assert read_repository(str(tmp_path), names).rules == [("AGENTS.md", "First.")]


def test_rules_that_lead_out_or_are_too_long_are_named(tmp_path: Path) -> None:
    inner = tmp_path / "repo"
    (inner / ".git").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (inner / "AGENTS.md").symlink_to(tmp_path / "secret")
    found = read_repository(str(inner))
    assert found.rules == []
    assert "link" in found.sifted.left_out[0].why
    (inner / "AGENTS.md").unlink()
    (inner / "AGENTS.md").write_text("x" * 40_000, encoding="utf-8")
    assert "exceed" in read_repository(str(inner)).sifted.left_out[0].why


def test_a_folder_without_settings_has_nothing_to_leave_out(tmp_path: Path) -> None:
    found = read_repository(str(tmp_path))
    assert not found.has_folder
    assert not found.sifted.left_out
    assert read_extras(str(tmp_path)).items == ()


def test_what_trust_would_let_in_is_shown_with_its_commands(tmp_path: Path) -> None:
    found = read_extras(str(repository(tmp_path)))
    assert [(item.what, item.does) for item in found.items] == [
        ("mcp_servers.tools", "./serve.sh --fast"),
        ("hooks.Stop", "./hook.sh now"),
        ("hooks.Stop", "second"),
    ]
    assert set(found.config) == {"mcp_servers", "hooks"}
    assert len(found.config["hooks"]["Stop"]) == 2


def test_trust_covers_the_files_that_a_command_names(tmp_path: Path) -> None:
    inner = repository(tmp_path)
    before = read_extras(str(inner)).items[0].content
    (tmp_path / "serve.sh").write_text("echo two", encoding="utf-8")
    assert read_extras(str(inner)).items[0].content != before
