"""What of the user's own and of a repository reaches Gemini CLI, what is named, and what trust lets in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moor.agents.gemini import GEMINI
from moor.domain.plan import LaunchPlan
from tests.support.gemini_context import gemini_context, plant

SETTINGS: dict[str, Any] = {
    "model": {"name": "stolen"},
    "modelConfigs": {"customAliases": {}},
    "mcpServers": {"tools": {"command": "node", "args": ["server.js"], "trust": True, "env": {"A": "b"}}},
    "hooks": {"BeforeTool": [{"matcher": "*", "hooks": [{"type": "command", "command": "sh hook.sh"}]}]},
    "tools": {"discoveryCommand": "x", "exclude": ["write_file"], "allowed": ["run_shell_command"]},
    "context": {"fileName": ["AGENTS.md", "GEMINI.md"], "includeDirectories": ["/"]},
    "general": {"vimMode": True},
}


def names(plan: LaunchPlan) -> set[str]:
    return {item.what for item in plan.left_out}


def settings(plan: LaunchPlan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(f.content for f in plan.files if f.path.endswith("/settings.json")))
    return found


def below(plan: LaunchPlan) -> dict[str, bytes]:
    """Files of the private `.gemini` by their path below it."""
    return {file.path.partition("/.gemini/")[2]: file.content for file in plan.files if "/.gemini/" in file.path}


@pytest.mark.feature("F5.2", "F6.4")
def test_the_users_taste_is_taken_and_what_starts_or_reroutes_is_named(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    plant(
        context.user_home / ".gemini",
        {
            "settings.json": "// mine\n" + json.dumps({**SETTINGS, "ui": {"theme": "X", "hideBanner": True}}),
            "GEMINI.md": "not asked for",
            "AGENTS.md": "my rules",
            "skills/a/SKILL.md": "---\nname: a\n---\n",
            "skills/a/run.py": "print()",
            "commands/b.toml": 'prompt = "x !{ls}"',
            "commands/b.txt": "no command",
            "keybindings.json": "[]",
            "oauth_creds.json": "secret",
            "extensions/e/gemini-extension.json": "{}",
        },
    )
    plan = GEMINI.plan(context)
    made = settings(plan)
    assert (made["ui"], made["general"]["vimMode"]) == ({"theme": "X", "hideBanner": True}, True)
    assert made["context"]["fileName"] == ["AGENTS.md", "GEMINI.md", "GEMINI.user.md"]
    assert "mcpServers" not in made
    assert "hooks" not in made
    files = below(plan)
    assert files["GEMINI.user.md"] == b"my rules\n\nnot asked for"
    assert {"skills/a/SKILL.md", "skills/a/run.py", "commands/b.toml", "keybindings.json"} <= set(files)
    assert not any("secret" in content.decode() for content in files.values())
    assert {"model.name", "mcpServers.tools", "hooks.BeforeTool", "tools.discoveryCommand", "extensions"} <= names(
        plan
    )


def test_values_of_variables_are_not_put_in(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    plant(context.user_home, {".gemini/settings.json": '{"general": {"preferredEditor": "$HOME/x"}}'})
    plan = GEMINI.plan(context)
    assert "general.preferredEditor" in names(plan)
    assert "preferredEditor" not in settings(plan)["general"]


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "nul", '{"hooks": 3, "mcpServers": []}'])
def test_settings_that_cannot_be_read_stop_nothing(text: str, tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    plant(context.user_home, {".gemini/settings.json": text})
    plant(Path(context.session.cwd), {".gemini/settings.json": text})
    assert settings(GEMINI.plan(context))["ui"] == {"theme": "Default"}
    assert GEMINI.extras(context.session.cwd) == ()


@pytest.mark.feature("F17.7")
def test_of_a_repository_only_what_narrows_is_passed_on(tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    plant(
        Path(context.session.cwd),
        {
            ".gemini/settings.json": json.dumps(SETTINGS),
            ".gemini/.env": "A=b",
            ".gemini/commands/git/plain.toml": 'prompt = "Say {{args}}"',
            ".gemini/commands/runs.toml": 'prompt = "x !{ls}"',
            ".gemini/commands/reads.toml": 'prompt = "x @{/etc/passwd}"',
            ".gemini/commands/broken.toml": "prompt = ",
            ".gemini/agents/a.md": "x",
            ".agents/skills/a/SKILL.md": "x",
        },
    )
    plan = GEMINI.plan(context)
    made = settings(plan)
    assert made["model"]["name"] == context.model.id
    assert "vimMode" not in made["general"]
    assert b'["write_file", "google_web_search", "web_fetch"]' in below(plan)["policies/moor.toml"]
    assert made["context"] == {"fileName": ["AGENTS.md", "GEMINI.md", "GEMINI.user.md"]}
    assert [name for name in below(plan) if name.startswith("commands/")] == ["commands/git/plain.toml"]
    assert {"command runs", "command reads", "the whole file", ".env", "agents", "skills"} <= names(plan)
    assert {"mcpServers.tools", "hooks.BeforeTool", "model", "tools.allowed"} <= names(plan)


@pytest.mark.feature("F17.7")
def test_trust_lets_its_servers_and_hooks_in_and_nothing_else(tmp_path: Path) -> None:
    context = gemini_context(tmp_path, trusted=True)
    plant(
        Path(context.session.cwd), {".gemini/settings.json": json.dumps(SETTINGS), "server.js": "1", "hook.sh": "2"}
    )
    plan = GEMINI.plan(context)
    made = settings(plan)
    assert made["mcpServers"] == {"tools": {"command": "node", "args": ["server.js"], "env": {"A": "b"}}}
    assert made["hooks"] == SETTINGS["hooks"]
    assert made["hooksConfig"] == {"enabled": True}
    assert not {"mcpServers.tools", "hooks.BeforeTool"} & names(plan)
    assert "tools.discoveryCommand" in names(plan)


@pytest.mark.parametrize("changed", ["server.js", "hook.sh"])
def test_what_trust_holds_for_includes_the_programs_that_are_named(changed: str, tmp_path: Path) -> None:
    context = gemini_context(tmp_path)
    repository = Path(context.session.cwd)
    plant(repository, {".gemini/settings.json": json.dumps(SETTINGS), "server.js": "1", "hook.sh": "2"})
    before = GEMINI.extras(str(repository))
    assert [extra.what for extra in before] == ["mcpServers.tools", "hooks.BeforeTool"]
    assert [extra.does for extra in before] == ["node server.js", "sh hook.sh"]
    plant(repository, {changed: "other"})
    assert GEMINI.extras(str(repository)) != before
