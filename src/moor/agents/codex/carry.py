"""Copies one conversation of Codex's to another home, under the name of that home's provider.

`python -m moor.agents.codex.carry SOURCE TARGET PROVIDER`; a target that exists is never overwritten.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def carry(source: Path, target: Path, provider: str) -> None:
    """Raises FileExistsError, OSError; leaves nothing then."""
    head, end, rest = source.read_bytes().partition(b"\n")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f".{target.name}.{os.getpid()}")
    part.touch(mode=0o600)
    try:
        part.write_bytes(_renamed(head, provider) + end + rest)
        os.link(part, target)
    finally:
        part.unlink()


def _renamed(head: bytes, provider: str) -> bytes:
    """The first record, which says whose conversation it is, with that provider."""
    try:
        record = json.loads(head)
        record["payload"]["model_provider"] = provider
    except (ValueError, KeyError, TypeError):
        return head
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


if __name__ == "__main__":
    carry(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
