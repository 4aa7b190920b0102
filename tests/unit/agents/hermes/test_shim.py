"""The part that runs in Hermes' interpreter, with a stand-in for its YAML reader."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents.hermes import shim


@pytest.fixture(autouse=True)
def _yaml() -> Iterator[None]:
    class Broken(Exception):
        pass

    def load(text: str, _: Any) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise Broken from error

    stand_in: Any = types.ModuleType("yaml")
    stand_in.YAMLError, stand_in.SafeLoader, stand_in.load = Broken, object, load
    sys.modules["yaml"] = stand_in
    yield
    del sys.modules["yaml"]


@pytest.fixture
def start(tmp_path: Path) -> dict[str, Any]:
    for name in ("home", "own/skills/mine", "own/skills/shipped", "kept/memories"):
        (tmp_path / name).mkdir(parents=True)
    return {
        "home": str(tmp_path / "home"),
        "config": {"model": {"default": "ours"}, "hooks": {}},
        "kept": str(tmp_path / "kept" / "kept.json"),
        "user_config": str(tmp_path / "own" / "config.yaml"),
        "user_soul": str(tmp_path / "own" / "SOUL.md"),
        "user_skills": str(tmp_path / "own" / "skills"),
        "skills": str(tmp_path / "home" / "user-skills"),
        "seeds": [[str(tmp_path / "own" / "MEMORY.md"), str(tmp_path / "kept" / "memories" / "MEMORY.md")]],
    }


def config(start: dict[str, Any]) -> dict[str, Any]:
    shim.write_config(start)
    written: dict[str, Any] = json.loads(Path(start["home"], "config.yaml").read_text(encoding="utf-8"))
    return written


@pytest.mark.feature("F5.2")
def test_harmless_settings_of_the_user_are_taken_and_ours_win(start: dict[str, Any]) -> None:
    own = {"display": {"skin": "mono"}, "hooks": {"x": 1}, "mcp_servers": {"a": 1}, "model": {"default": "theirs"}}
    Path(start["user_config"]).write_text(json.dumps(own), encoding="utf-8")
    made = config(start)
    assert made["display"] == {"skin": "mono"}
    assert made["model"] == {"default": "ours"}
    assert made["hooks"] == {}
    assert "mcp_servers" not in made
    assert Path(start["home"], "config.yaml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_broken_file_of_the_user_is_no_harm(start: dict[str, Any], text: str) -> None:
    Path(start["user_config"]).write_text(text, encoding="utf-8")
    assert config(start)["model"] == {"default": "ours"}


def test_what_was_chosen_in_a_session_is_kept_for_the_next(start: dict[str, Any]) -> None:
    own = Path(start["user_config"])
    own.write_text(json.dumps({"display": {"skin": "mono"}}), encoding="utf-8")
    written = config(start)
    shim.keep(start, written)
    assert not Path(start["kept"]).exists()
    made = {**written, "command_allowlist": ["rm -r"], "providers": {"evil": 1}}
    Path(start["home"], "config.yaml").write_text(json.dumps(made), encoding="utf-8")
    shim.keep(start, written)
    assert json.loads(Path(start["kept"]).read_text(encoding="utf-8")) == {"command_allowlist": ["rm -r"]}
    own.write_text(json.dumps({"display": {"skin": "slate"}}), encoding="utf-8")
    assert config(start)["command_allowlist"] == ["rm -r"]
    assert config(start)["display"] == {"skin": "slate"}
    assert "providers" not in config(start)


def test_a_kept_file_that_was_tampered_with_brings_in_nothing_else(start: dict[str, Any]) -> None:
    Path(start["kept"]).write_text(json.dumps({"mcp_servers": {"evil": 1}, "display": {}}), encoding="utf-8")
    assert "mcp_servers" not in config(start)


def test_memories_are_copied_once_and_the_soul_each_time(start: dict[str, Any]) -> None:
    source, target = (Path(path) for path in start["seeds"][0])
    source.write_text("tea", encoding="utf-8")
    Path(start["user_soul"]).write_text("soul", encoding="utf-8")
    shim.copy_files(start)
    assert target.read_text(encoding="utf-8") == "tea"
    assert Path(start["home"], "SOUL.md").read_text(encoding="utf-8") == "soul"
    source.write_text("coffee", encoding="utf-8")
    shim.copy_files(start)
    assert target.read_text(encoding="utf-8") == "tea"


def test_the_users_skills_are_copied_but_for_those_that_ship_with_hermes(start: dict[str, Any]) -> None:
    own = Path(start["user_skills"])
    for name in ("mine", "shipped"):
        (own / name / "SKILL.md").write_text(name, encoding="utf-8")
    (own / ".bundled_manifest").write_text("shipped:abc\n", encoding="utf-8")
    shim.copy_skills(start)
    assert [path.name for path in Path(start["skills"]).iterdir()] == ["mine"]


@pytest.mark.feature("F18.1", "F17.7")
def test_the_guard_lets_only_the_gateway_and_unix_sockets_through() -> None:
    guard = shim.Guard([["127.0.0.1", 4000]], "/nowhere")
    for event, address in (
        ("socket.connect", ("127.0.0.1", 4000)),
        ("socket.connect", "/run/x.sock"),
        ("socket.getaddrinfo", "127.0.0.1"),
        ("open", "/etc/passwd"),
    ):
        guard(event, (address if event in ("open", "socket.getaddrinfo") else None, address))
    for event, args in (
        ("socket.connect", (None, ("127.0.0.1", 11434))),
        ("socket.connect", (None, ("93.184.216.34", 443))),
        ("socket.connect", (None, ("::1", 4000, 0, 0))),
        ("socket.sendto", (None, ("8.8.8.8", 53))),
        ("socket.getaddrinfo", ("api.example.com", 443)),
        ("socket.gethostbyname", ("api.example.com",)),
    ):
        with pytest.raises(ConnectionRefusedError):
            guard(event, args)


@pytest.mark.feature("F12.27")
@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"completed": True, "final_response": "Hello"}, ""),
        ({"completed": False, "interrupted": True, "error": "stopped"}, ""),
        ({"completed": False, "failed": True, "error": "HTTP 413", "final_response": "too large"}, "HTTP 413"),
        ({"completed": False, "final_response": "I ran out of turns"}, "I ran out of turns"),
        ({"completed": True, "failed": True}, "Hermes stopped before it was done"),
    ],
)
def test_a_turn_that_did_not_complete_is_written_down_as_failed(
    tmp_path: Path, result: dict[str, Any], words: str
) -> None:
    path = tmp_path / shim.TURN
    assert shim.told(lambda: result, str(path))() is result
    assert json.loads(path.read_text(encoding="utf-8")) == {"problem": words}


def test_a_turn_that_raises_is_written_down_and_raises_on(tmp_path: Path) -> None:
    def broken() -> None:
        raise ValueError("no luck")

    path = tmp_path / shim.TURN
    with pytest.raises(ValueError, match="no luck"):
        shim.told(broken, str(path))()
    assert json.loads(path.read_text(encoding="utf-8")) == {"problem": "no luck"}


def test_a_memory_service_of_the_users_is_not_taken_over(start: dict[str, Any]) -> None:
    own = {"memory": {"provider": "honcho", "memory_char_limit": 100}, "compression": {"summary_base_url": "x"}}
    Path(start["user_config"]).write_text(json.dumps(own), encoding="utf-8")
    made = config(start)
    assert made["memory"] == {"provider": "", "memory_char_limit": 100}
    assert "compression" not in made


@pytest.mark.feature("F17.7")
def test_a_rules_file_that_leads_out_of_the_repository_is_not_opened(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    (root / "docs").mkdir(parents=True)
    (tmp_path / "secret").write_text("s", encoding="utf-8")
    (root / "docs" / "rules.md").write_text("r", encoding="utf-8")
    (root / "AGENTS.md").symlink_to(tmp_path / "secret")
    (root / "CLAUDE.md").symlink_to("docs/rules.md")
    (root / "away").symlink_to(tmp_path)
    (tmp_path / "HERMES.md").write_text("h", encoding="utf-8")
    guard = shim.Guard([], str(root))
    for path in ("AGENTS.md", "away/HERMES.md"):
        with pytest.raises(PermissionError):
            guard("open", (str(root / path), "r", 0))
    for allowed in (str(root / "CLAUDE.md"), str(tmp_path / "secret"), 3, b"AGENTS.md"):
        guard("open", (allowed, "r", 0))
