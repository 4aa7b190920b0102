from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from moor.agents.base import TransferContext
from moor.agents.codex import CODEX
from moor.agents.codex.carry import carry
from tests.support.codex_context import codex_context

ID = "01a1f9b6-bb77-7be3-83f7-17f8efaa7c0d"
NAME = f"2026/11/20/rollout-2026-11-20T16-07-44-{ID}.jsonl"


def conversation(home: Path, cwd: str, name: str = NAME, **about: Any) -> Path:
    path = home / "sessions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [
        {"type": "session_meta", "payload": {"cwd": cwd, "model_provider": "openai", **about}},
        {"type": "response_item", "payload": {"role": "user", "content": [{"text": "<environment_context>"}]}},
        {"type": "response_item", "payload": {"role": "user", "content": [{"text": "Mend\n the test"}]}},
    ]
    text = "".join(json.dumps(record) + "\n" for record in records) + "broken\n"
    path.write_text(text, encoding="utf-8")
    return path


def asked(folder: Path, **how: Any) -> TransferContext:
    context = codex_context(folder)
    fields = {
        "installed": context.installed,
        "home": context.home,
        "user_home": context.user_home,
        "environ": context.environ,
        "cwd": context.session.cwd,
        "scratch": folder,
        "to_agent_home": False,
        **how,
    }
    return TransferContext(**fields)


@pytest.mark.feature("F12.7")
def test_conversations_of_the_folder_are_carried_in_and_back_out(tmp_path: Path) -> None:
    ask = asked(tmp_path)
    conversation(tmp_path / "user" / ".codex", ask.cwd)
    conversation(tmp_path / "user" / ".codex", "/elsewhere", NAME.replace("c0d", "c0e"))
    conversation(tmp_path / "user" / ".codex", ask.cwd, NAME.replace("c0d", "c0f"), source={"subagent": {}})
    (found,) = CODEX.transfers(ask)
    assert (found.id, found.title, found.there) == (ID, "Mend the test", False)
    for command in found.commands:
        subprocess.run(command, check=True)
    arrived = tmp_path / "home" / "sessions" / NAME
    assert json.loads(arrived.read_text(encoding="utf-8").splitlines()[0])["payload"]["model_provider"] == "moor"
    assert arrived.stat().st_mode & 0o077 == 0
    assert CODEX.transfers(ask)[0].there
    (back,) = CODEX.transfers(asked(tmp_path, to_agent_home=True, environ={"CODEX_HOME": str(tmp_path / "own")}))
    subprocess.run(back.commands[0], check=True)
    assert '"openai"' in (tmp_path / "own" / "sessions" / NAME).read_text(encoding="utf-8")


def test_no_conversations_is_no_error(tmp_path: Path) -> None:
    assert CODEX.transfers(asked(tmp_path)) == ()


def test_a_conversation_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    source = conversation(tmp_path, "/x")
    target = tmp_path / "target.jsonl"
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        carry(source, target, "p")
    assert target.read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sessions", "target.jsonl"]


def test_a_file_without_a_head_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("no head\nrest", encoding="utf-8")
    carry(tmp_path / "s", tmp_path / "t", "p")
    assert (tmp_path / "t").read_text(encoding="utf-8") == "no head\nrest"
