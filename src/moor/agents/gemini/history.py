"""Gemini CLI's conversations: one file each, in a folder of its project, carried as they are.

`.gemini/tmp/<name>/chats/session-<minute>-<id>.jsonl`, the first line a header; `<name>` is free, and `.project_root`
beside `chats` says which folder it belongs to (0.61.0).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import Transfer, TransferContext

_MARK: Final = ".project_root"
_CHATS: Final = "chats"
_CONTEXT: Final = "<session_context>"
_TITLE: Final = 80
_READ: Final = 256 * 1024
_MOST: Final = 500


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first. BLOCKS on files."""
    own = Path(context.environ.get("GEMINI_CLI_HOME") or context.user_home) / ".gemini" / "tmp"
    ours = context.home / "tmp"
    source, target = (ours, own) if context.to_agent_home else (own, ours)
    folder = _of_project(source, context.cwd)
    if folder is None:
        return ()
    there = _of_project(target, context.cwd)
    place = there or _free(target, folder.name)
    mark = () if there else ((folder / _MARK, place / _MARK),)
    files = sorted((folder / _CHATS).glob("session-*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
    return tuple(_transfer(file, place / _CHATS / file.name, mark) for file in files[:_MOST])


def _transfer(file: Path, target: Path, mark: tuple[tuple[Path, Path], ...]) -> Transfer:
    head, title = _told(file)
    return Transfer(
        id=str(head.get("sessionId") or file.stem),
        title=title,
        updated_at=file.stat().st_mtime,
        copies=(*mark, (file, target)),
    )


def _told(file: Path) -> tuple[dict[str, Any], str]:
    """The header, and the first prompt."""
    with file.open("rb") as data:
        lines = data.read(_READ).splitlines()
    entries = [entry for line in lines if isinstance(entry := _json(line), dict)]
    messages = [message for entry in entries for message in _messages(entry)]
    prompts = [text for message in messages if message.get("type") == "user" for text in _texts(message)]
    said = next((text for text in prompts if not text.startswith(_CONTEXT)), "")
    return entries[0] if entries else {}, " ".join(said.split())[:_TITLE]


def _messages(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """One message a line, or several that are set at once."""
    several = entry.get("$set")
    found = several.get("messages") if isinstance(several, dict) else [entry]
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []


def _texts(message: dict[str, Any]) -> list[str]:
    parts = message.get("content")
    given = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else [parts]
    return [text for text in given if isinstance(text, str)]


def _json(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None


def _of_project(folder: Path, cwd: str) -> Path | None:
    """The folder that belongs to that project."""
    for mark in sorted(folder.glob(f"*/{_MARK}")):
        if os.path.realpath(mark.read_text(encoding="utf-8", errors="replace").strip()) == os.path.realpath(cwd):
            return mark.parent
    return None


def _free(folder: Path, name: str) -> Path:
    """A name there that no other project has."""
    number = 0
    while (place := folder / (f"{name}-{number}" if number else name)).exists():
        number += 1
    return place
