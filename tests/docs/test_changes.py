"""Changelog fragments: `changes/<topic>.<kind>.md`, one short paragraph each."""

from __future__ import annotations

import re

from scripts.reference.notes import ROOT

KINDS = ("added", "changed", "fixed", "removed", "security")
NAME = re.compile(rf"[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(KINDS)})\.md")


def test_fragments_are_named_by_topic_and_kind() -> None:
    names = [path.name for path in (ROOT / "changes").iterdir() if path.name != "README.md"]
    assert names
    assert not [name for name in names if not NAME.fullmatch(name)]


def test_fragments_are_one_short_paragraph() -> None:
    texts = {p.name: p.read_text(encoding="utf-8") for p in (ROOT / "changes").glob("*.*.md")}
    wrong = [name for name, text in texts.items() if not text.strip() or "\n\n" in text.strip() or len(text) > 800]
    assert not wrong
