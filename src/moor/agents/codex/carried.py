"""Codex's conversations: one file each, carried with the name of the provider changed.

`sessions/YYYY/MM/DD/rollout-TIME-ID.jsonl`, the first line about the session. What was tried on 0.169.0: a file that
is put there is found by `resume ID` without its index; a conversation goes on only with the provider that it names
("Cannot change this thread's model provider"); reasoning that only the vendor who wrote it can read is left out.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import Transfer, TransferContext
from moor.agents.codex.config import PROVIDER
from moor.agents.codex.user_config import own_home
from moor.upstreams.openai import KIND

_SESSIONS: Final = "sessions"
_ROLLOUTS: Final = "*/*/*/rollout-*.jsonl"
_VENDORS_OWN: Final = KIND
"""the provider of a Codex whose config names none bears its vendor's name"""
_TITLE: Final = 80
_MOST: Final = 200
_MAX_CONFIG_BYTES: Final = 1 << 20


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first. BLOCKS on files."""
    ours, own = context.home, own_home(context.user_home, context.environ)
    source, target = (ours, own) if context.to_agent_home else (own, ours)
    provider = _own_provider(own) if context.to_agent_home else PROVIDER
    files = sorted((source / _SESSIONS).glob(_ROLLOUTS), key=lambda path: path.stat().st_mtime, reverse=True)
    found: list[Transfer] = []
    for file in files:
        head = _head(file)
        if len(found) < _MOST and _same_folder(str(head.get("cwd", "")), context.cwd):
            found.append(_transfer(file, head, target / file.relative_to(source), context.scratch, provider))
    return tuple(found)


def _transfer(file: Path, head: dict[str, Any], target: Path, scratch: Path, provider: str) -> Transfer:
    copy = scratch / file.name
    title = ""
    with copy.open("wb") as out:
        for entry in _entries(file):
            title = title or _prompt(entry)
            if not _is_sealed(entry):
                out.write(msgspec.json.encode(_with_provider(entry, provider)) + b"\n")
    seen = file.stat()
    os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    return Transfer(
        id=str(head.get("id", file.stem)), title=title, updated_at=seen.st_mtime, copies=((copy, target),)
    )


def _head(file: Path) -> dict[str, Any]:
    """What the first line says of the session; {} for a file that is none of Codex's."""
    entry: dict[str, Any] = next(_entries(file), {})
    payload = entry.get("payload")
    return payload if entry.get("type") == "session_meta" and isinstance(payload, dict) else {}


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    """The lines that are JSON objects; a last one that is still being written is left out."""
    with file.open("rb") as data:
        for line in data:
            try:
                entry = msgspec.json.decode(line)
            except msgspec.DecodeError:
                continue
            if isinstance(entry, dict):
                yield entry


def _prompt(entry: dict[str, Any]) -> str:
    """The text of a user's message, as one line; empty for any other entry."""
    payload = entry.get("payload")
    if not isinstance(payload, dict):
        return ""
    if payload.get("type") == "user_message":
        return _line(payload.get("message"))
    item = payload.get("item")
    if not isinstance(item, dict) or item.get("type") != "UserMessage":
        return ""
    parts = item.get("content")
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return _line(" ".join(text for text in texts if isinstance(text, str)))


def _line(text: Any) -> str:
    return " ".join(text.split())[:_TITLE] if isinstance(text, str) else ""


def _is_sealed(entry: dict[str, Any]) -> bool:
    payload = entry.get("payload")
    return isinstance(payload, dict) and payload.get("type") == "reasoning" and bool(payload.get("encrypted_content"))


def _with_provider(entry: dict[str, Any], provider: str) -> dict[str, Any]:
    payload = entry.get("payload")
    if not isinstance(payload, dict):
        return entry
    if "model_provider" in payload:
        return {**entry, "payload": {**payload, "model_provider": provider}}
    settings = payload.get("thread_settings")
    if isinstance(settings, dict) and "model_provider_id" in settings:
        changed = {**payload, "thread_settings": {**settings, "model_provider_id": provider}}
        return {**entry, "payload": changed}
    return entry


def _own_provider(home: Path) -> str:
    """The provider that the user's own Codex takes."""
    try:
        with (home / "config.toml").open("rb") as file:
            named = tomllib.loads(file.read(_MAX_CONFIG_BYTES).decode()).get("model_provider")
    except (OSError, ValueError):
        return _VENDORS_OWN
    return named if isinstance(named, str) and named else _VENDORS_OWN


def _same_folder(one: str, other: str) -> bool:
    return bool(one) and os.path.realpath(one) == os.path.realpath(other)
