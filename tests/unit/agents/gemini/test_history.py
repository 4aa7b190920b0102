"""Conversations that can be carried between moor's home and Gemini CLI's own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from moor.agents.base import TransferContext
from moor.agents.gemini import GEMINI
from tests.support.gemini_context import gemini_context, plant

HEAD = json.dumps({"sessionId": "id-1", "kind": "main"})
SET = json.dumps({"$set": {"messages": [{"type": "user", "content": [{"text": "<session_context> long"}]}]}})
ASKED = json.dumps({"type": "user", "content": [{"text": "fix  the\ntest"}]})


def context(folder: Path, *, to_agent_home: bool = False) -> TransferContext:
    made = gemini_context(folder)
    return TransferContext(
        installed=made.installed,
        home=made.home,
        user_home=made.user_home,
        environ={},
        cwd=made.session.cwd,
        scratch=folder / "scratch",
        to_agent_home=to_agent_home,
    )


@pytest.mark.feature("F12.7")
def test_conversations_of_the_folder_are_found_newest_first_and_copied_with_its_mark(tmp_path: Path) -> None:
    asking = context(tmp_path)
    plant(
        tmp_path / "user/.gemini/tmp",
        {
            "mine/.project_root": asking.cwd,
            "mine/chats/session-1.jsonl": f"{HEAD}\n{SET}\n{ASKED}\n",
            "mine/chats/session-2.jsonl": "no JSON",
            "mine/chats/id-1/sub.jsonl": HEAD,
            "other/.project_root": "/elsewhere",
            "other/chats/session-3.jsonl": HEAD,
        },
    )
    os.utime(tmp_path / "user/.gemini/tmp/mine/chats/session-2.jsonl", (1, 1))
    plant(asking.home, {"tmp/mine/.project_root": "/taken"})
    found = GEMINI.transfers(asking)
    assert [(one.id, one.title) for one in found] == [("id-1", "fix the test"), ("session-2", "")]
    target = asking.home / "tmp" / "mine-1"
    assert [place for _, place in found[0].copies] == [target / ".project_root", target / "chats/session-1.jsonl"]


def test_back_they_go_to_the_folder_that_is_there(tmp_path: Path) -> None:
    asking = context(tmp_path, to_agent_home=True)
    plant(asking.home, {"tmp/w/.project_root": asking.cwd, "tmp/w/chats/session-1.jsonl": HEAD})
    plant(tmp_path / "user", {".gemini/tmp/own/.project_root": asking.cwd + "\n"})
    found = GEMINI.transfers(asking)
    assert [place for _, place in found[0].copies] == [tmp_path / "user/.gemini/tmp/own/chats/session-1.jsonl"]


def test_without_any_there_are_none(tmp_path: Path) -> None:
    assert GEMINI.transfers(context(tmp_path)) == ()
