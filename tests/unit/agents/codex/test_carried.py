"""Codex's conversations: those of the folder, with the provider of the side they go to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from moor.agents.base import Installed, TransferContext
from moor.agents.codex.carried import transfers

DAY = Path("sessions") / "2026" / "11" / "20"


def rollout(home: Path, name: str, cwd: str, *more: dict[str, Any], at: float = 1_700_000_000) -> Path:
    path = home / DAY / f"rollout-{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {"type": "session_meta", "payload": {"id": name, "cwd": cwd, "model_provider": "theirs"}}
    path.write_text("".join(json.dumps(entry) + "\n" for entry in (meta, *more)) + '{"cut', encoding="utf-8")
    os.utime(path, (at, at))
    return path


def context(tmp_path: Path, *, to_agent_home: bool, **environ: str) -> TransferContext:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return TransferContext(
        installed=Installed("/p", "1", "moor"),
        home=tmp_path / "ours",
        user_home=tmp_path / "user",
        environ=environ,
        cwd=str(tmp_path),
        scratch=scratch,
        to_agent_home=to_agent_home,
    )


PROMPT = {
    "type": "event_msg",
    "payload": {
        "type": "item_completed",
        "item": {"type": "UserMessage", "content": [{"type": "text", "text": "fix\nit"}]},
    },
}
SETTINGS = {"type": "event_msg", "payload": {"thread_settings": {"model_provider_id": "theirs", "model": "m"}}}
SEALED = {"type": "response_item", "payload": {"type": "reasoning", "encrypted_content": "xyz"}}
OPEN = {"type": "response_item", "payload": {"type": "reasoning", "summary": ["s"]}}


def test_an_import_names_moors_provider_and_leaves_sealed_reasoning_out(tmp_path: Path) -> None:
    file = rollout(tmp_path / "user" / ".codex", "a", str(tmp_path), SETTINGS, PROMPT, SEALED, OPEN)
    rollout(tmp_path / "user" / ".codex", "elsewhere", "/another/folder")
    [one] = transfers(context(tmp_path, to_agent_home=False))
    assert (one.id, one.title, one.updated_at) == ("a", "fix it", 1_700_000_000)
    [(source, target)] = one.copies
    assert target == tmp_path / "ours" / DAY / file.name
    entries = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    assert [entry["type"] for entry in entries] == ["session_meta", "event_msg", "event_msg", "response_item"]
    assert entries[0]["payload"]["model_provider"] == "moor"
    assert entries[1]["payload"]["thread_settings"] == {"model_provider_id": "moor", "model": "m"}
    assert entries[3] == OPEN
    assert source.stat().st_mtime == 1_700_000_000


@pytest.mark.parametrize(
    ("config", "provider"), [('model_provider = "azure"\n', "azure"), ("", "openai"), ("not toml [", "openai")]
)
def test_an_export_names_the_users_own_provider(config: str, provider: str, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.toml").write_text(config, encoding="utf-8")
    rollout(tmp_path / "ours", "a", str(tmp_path))
    [one] = transfers(context(tmp_path, to_agent_home=True, CODEX_HOME=str(own)))
    [(source, target)] = one.copies
    assert target.is_relative_to(own)
    assert json.loads(source.read_text(encoding="utf-8").splitlines()[0])["payload"]["model_provider"] == provider


def test_the_newest_comes_first_and_what_is_no_conversation_is_passed_over(tmp_path: Path) -> None:
    home = tmp_path / "user" / ".codex"
    rollout(home, "old", str(tmp_path), at=1_600_000_000)
    rollout(home, "new", str(tmp_path))
    (home / DAY / "rollout-broken.jsonl").write_text("no json\n[]\n", encoding="utf-8")
    assert [one.id for one in transfers(context(tmp_path, to_agent_home=False))] == ["new", "old"]
