from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.codex.user_config import read_user_config

CONFIG = """
model = "gpt-x"
model_provider = "acme"
approval_policy = "never"
sandbox_mode = "read-only"
personality = "pragmatic"
notify = ["evil"]
model_verbosity = "loud"
profile = "work"
project_doc_fallback_filenames = ["CLAUDE.md"]
[tui]
theme = "nord"
unknown = 1
animations = "yes"
[mcp_servers.files]
command = "evil"
[model_providers.acme]
base_url = "http://x"
[shell_environment_policy]
exclude = ["AWS_*"]
set = { X = "1" }
[projects."/x"]
trust_level = "trusted"
"""


def furnish(home: Path) -> None:
    folder = home / ".codex"
    (folder / "skills" / "mine").mkdir(parents=True)
    (folder / "skills" / ".system").mkdir()
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "AGENTS.md").write_text("My rules.\n", encoding="utf-8")
    (folder / "auth.json").write_text('{"key": "secret"}', encoding="utf-8")
    (folder / "hooks.json").write_text("{}", encoding="utf-8")


@pytest.mark.feature("F5.2", "F6.2")
def test_habits_are_kept_and_what_reroutes_or_starts_is_named(tmp_path: Path) -> None:
    furnish(tmp_path)
    own = read_user_config(tmp_path, {}, terminal=True)
    assert own.sifted.settings == {
        "approval_policy": "never",
        "sandbox_mode": "read-only",
        "personality": "pragmatic",
        "tui": {"theme": "nord"},
    }
    named = {item.what for item in own.sifted.left_out}
    assert named == {
        *("model", "model_provider", "notify", "model_verbosity", "profile", "tui.unknown", "tui.animations"),
        *("mcp_servers.files", "model_providers.acme", "shell_environment_policy.set", "hooks.json"),
    }
    assert all(item.where.startswith("~/.codex") for item in own.sifted.left_out)
    assert own.rules == "My rules.\n"
    assert own.rule_names[-1] == "CLAUDE.md"
    assert own.hidden_variables == ["AWS_*"]
    assert own.links == {"skills/mine": str(tmp_path / ".codex/skills/mine")}


def test_a_driven_session_takes_no_approvals_and_no_interface(tmp_path: Path) -> None:
    furnish(tmp_path)
    assert read_user_config(tmp_path, {}, terminal=False).sifted.settings == {"personality": "pragmatic"}


def test_the_home_that_the_environment_names_counts(tmp_path: Path) -> None:
    furnish(tmp_path)
    moved = read_user_config(tmp_path / "elsewhere", {"CODEX_HOME": str(tmp_path / ".codex")}, terminal=True)
    assert moved.rules == "My rules.\n"
    assert read_user_config(tmp_path / "elsewhere", {}, terminal=True).rules == ""


@pytest.mark.parametrize("text", ["= nonsense", "\ud7ff" * 3 + "=", "a = [" * 2000])
def test_a_broken_file_is_named_and_skipped(tmp_path: Path, text: str) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(text, encoding="utf-8")
    own = read_user_config(tmp_path, {}, terminal=True)
    assert own.sifted.settings == {}
    assert [item.what for item in own.sifted.left_out] == ["the whole file"]
