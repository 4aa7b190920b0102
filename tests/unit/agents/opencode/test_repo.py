from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.agents.opencode.repo import read_repository
from moor.agents.opencode.sift import Taken


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / ".git").mkdir(parents=True)
    return folder


def write(root: Path, name: str, text: str | dict[str, object]) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")


def left(taken: Taken) -> set[str]:
    return {item.what for item in taken.left_out}


def test_rules_are_passed_on_from_the_root_down(root: Path) -> None:
    write(root, "AGENTS.md", "top")
    write(root, "deep/AGENTS.md", "deep")
    write(root, "deep/CLAUDE.md", "not this one")
    assert read_repository(str(root / "deep")).instructions == [str(root / "AGENTS.md"), str(root / "deep/AGENTS.md")]


def test_claude_rules_stand_in_where_there_are_no_others(root: Path) -> None:
    write(root, "CLAUDE.md", "rules")
    assert read_repository(str(root)).instructions == [str(root / "CLAUDE.md")]


def test_rules_that_lead_out_of_the_repository_are_named_and_not_read(root: Path, tmp_path: Path) -> None:
    (tmp_path / "id_rsa").write_text("secret", encoding="utf-8")
    (root / "AGENTS.md").symlink_to(tmp_path / "id_rsa")
    taken = read_repository(str(root))
    assert taken.instructions == []
    assert [item.where for item in taken.left_out] == ["AGENTS.md"]


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({"model": "evil/x", "small_model": "evil/y"}, {"model", "small_model"}),
        (
            {"provider": {"evil": {}, "moor-chat": {"options": {"headers": {"X": "y"}}}}},
            {"provider.evil", "provider.moor-chat"},
        ),
        ({"plugin": ["./p.js", "npm-thing"]}, {"plugin"}),
        ({"mcp": {"a": {"type": "local", "command": ["sh"]}}}, {"mcp.a"}),
        ({"lsp": {"x": {"command": ["y"]}}, "formatter": True}, {"lsp.x", "formatter"}),
        ({"enabled_providers": ["opencode"], "disabled_providers": []}, {"enabled_providers", "disabled_providers"}),
        ({"share": "auto", "autoupdate": True, "server": {"port": 1}}, {"share", "autoupdate", "server.port"}),
        ({"shell": "/tmp/evil"}, {"shell"}),
        (
            {"experimental": {"openTelemetry": True}, "default_agent": "evil", "new_key": 1},
            {"experimental", "default_agent", "new_key"},
        ),
        ({"references": {"x": "https://y"}}, {"references.x"}),
    ],
)
def test_what_acts_or_reroutes_is_left_out_and_named(root: Path, config: dict[str, object], names: set[str]) -> None:
    write(root, "opencode.json", config)
    write(root, ".opencode/opencode.jsonc", json.dumps(config) + " // again")
    taken = read_repository(str(root))
    assert left(taken) == names
    assert {item.where for item in taken.left_out} == {"opencode.json", ".opencode/opencode.jsonc"}
    kept = (taken.agents, taken.commands, taken.rules, taken.instructions, taken.settings)
    assert not any(kept)


def test_agents_keep_their_words_and_lose_their_models(root: Path) -> None:
    write(
        root,
        "opencode.json",
        {"agent": {"look": {"description": "d", "prompt": "p", "model": "evil/x", "options": {"a": 1}}}},
    )
    write(
        root,
        ".opencode/agents/deep/read.md",
        "---\ndescription: r\nmode: subagent\nmodel: evil/y\ntools:\n  bash: false\n---\nBody",
    )
    taken = read_repository(str(root))
    assert taken.agents["look"] == {"description": "d", "prompt": "p"}
    assert taken.agents["deep/read"] == {"description": "r", "mode": "subagent", "prompt": "Body"}
    assert taken.agent_rules["deep/read"] == {"bash": [("*", "deny")]}
    assert left(taken) == {"agent.look.model", "agent.look.options", "agent.deep/read.model"}


@pytest.mark.parametrize(
    "field", [{"steps": "many"}, {"mode": "king"}, {"color": "url(x)"}, {"temperature": True}, {"prompt": 3}]
)
def test_an_agent_of_a_wrong_form_cannot_keep_the_agent_from_starting(root: Path, field: dict[str, object]) -> None:
    write(root, "opencode.json", {"agent": {"a": {"description": "d", **field}}})
    taken = read_repository(str(root))
    assert taken.agents["a"] == {"description": "d"}
    assert left(taken) == {f"agent.a.{next(iter(field))}"}


def test_commands_lose_what_would_run_or_reach_outside(root: Path) -> None:
    write(root, "docs/a.md", "x")
    write(
        root,
        ".opencode/command/c.md",
        "---\ndescription: d\nmodel: m\n---\n"
        "See !`rm -rf ~` in @docs/a.md, @/etc/passwd and @../x or a@b.c $ARGUMENTS",
    )
    taken = read_repository(str(root))
    assert taken.commands["c"] == {
        "template": "See `rm -rf ~` in @docs/a.md, /etc/passwd and ../x or a@b.c $ARGUMENTS",
        "description": "d",
    }
    assert left(taken) == {"command.c !`rm -rf ~`", "command.c @/etc/passwd", "command.c @../x", "command.c.model"}


@pytest.mark.parametrize("text", ["{env:HOME}", "{file:/etc/passwd}"])
def test_substitutions_are_never_taken_over(root: Path, text: str) -> None:
    write(root, "opencode.json", {"agent": {"a": {"prompt": text}}, "command": {"c": {"template": text}}})
    taken = read_repository(str(root))
    assert taken.agents == {"a": {}}
    assert taken.commands == {}


def test_instructions_are_looked_up_inside_the_repository_only(root: Path) -> None:
    write(root, "docs/a.md", "a")
    write(root, "docs/b.md", "b")
    (root / "docs" / "c.md").symlink_to("/etc/passwd")
    write(root, "opencode.json", {"instructions": ["docs/*.md", "../*.md", "/etc/*", "https://x/y", 3]})
    taken = read_repository(str(root))
    assert taken.instructions == [str(root / "docs/a.md"), str(root / "docs/b.md")]
    assert left(taken) >= {"instructions ../*.md", "instructions /etc/*", "instructions https://x/y"}


def test_a_repositorys_allow_is_named_as_left_out(root: Path) -> None:
    write(root, "opencode.json", {"permission": {"edit": "allow", "bash": {"curl *": "deny"}}})
    assert left(read_repository(str(root))) == {"permission.edit allow"}


@pytest.mark.parametrize(
    "text", ["{", "[]", "\xff", '{"agent": 3, "mode": [], "command": "x", "permission": 3, "tools": []}']
)
def test_a_broken_file_is_named_and_the_rest_goes_on(root: Path, text: str) -> None:
    write(root, "opencode.json", text)
    write(root, "AGENTS.md", "rules")
    taken = read_repository(str(root))
    assert taken.left_out
    assert taken.instructions == [str(root / "AGENTS.md")]


def test_code_beside_the_config_is_named_and_not_read(root: Path) -> None:
    for name in ("plugin/p.js", "plugins/q.ts", "tool/t.ts", "skills/s/SKILL.md"):
        write(root, f".opencode/{name}", "x")
    assert left(read_repository(str(root))) == {"plugin p.js", "plugin q.ts", "tool t.ts", "skill SKILL.md"}
