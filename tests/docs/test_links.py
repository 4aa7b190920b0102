"""Links between pages lead somewhere, and what the pages tell people to type exists."""

from __future__ import annotations

import argparse
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from moor.agents import AGENTS
from moor.cli.parser import command_parser, head_parser
from moor.cli.registry import COMMANDS
from moor.errors import UsageError
from scripts.reference.notes import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
WRITTEN = [page for page in PAGES if "written by `make docs`" not in page.read_text(encoding="utf-8")]


def shown(path: Path) -> str:
    """Path from the root, as a test id."""
    return str(path.relative_to(ROOT))


@cache
def anchors(page: Path) -> set[str]:
    """The fragment of each heading, as a forge makes it."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def broken(page: Path, target: str) -> bool:
    """Whether a relative link misses its file or heading."""
    if re.match(r"[a-z]+:", target):
        return False
    name, _, fragment = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    return not file.exists() or bool(fragment and file.suffix == ".md" and fragment not in anchors(file))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [target for target in targets if broken(page, target)]


def typed_lines(page: Path) -> list[str]:
    """Lines of code blocks that start with `moor` or `$ moor`, comments cut, continuation lines joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^(?: {4,}|)(?:\$ )?(moor(?: .*)?)$", "\n".join(blocks(text)), re.MULTILINE)
    return [re.split(r" {2,}", line.strip())[0] for line in lines]  # what stands behind two spaces explains


def blocks(text: str) -> list[str]:
    """Fenced and indented code."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return fenced + re.findall(r"^(?: {4}.+\n)+", text, re.MULTILINE)


def problem(line: str) -> str:
    """Why that command line would not be understood; empty when it would."""
    words = shlex.split(line, comments=True)[1:]
    words = [word for word in until_shell(words) if word != "…"]
    head = head_parser().parse_args(words)
    if not head.command:
        return ""
    name, rest = head.command[0], head.command[1:]
    if name in COMMANDS:
        return parse(command_parser(name), rest)
    return "" if name in AGENTS or name == "AGENT" else f"no command or agent {name!r}"


def until_shell(words: list[str]) -> list[str]:
    """The words before a pipe, a redirection or the next command."""
    for number, word in enumerate(words):
        if word in ("|", ">", "<", "&&", "&", ";", ">>", "2>"):
            return words[:number]
    return words


def parse(parser: argparse.ArgumentParser, words: list[str]) -> str:
    """The parser's complaint about these words; empty when there is none."""
    try:
        parser.parse_args(words)
    except UsageError as error:
        return error.message
    except SystemExit:  # --help and --version leave by themselves
        return ""
    return ""


@pytest.mark.parametrize("page", WRITTEN, ids=shown)
def test_commands_in_the_pages_are_understood(page: Path) -> None:
    wrong = [f"{line}: {why}" for line in typed_lines(page) if (why := problem(line))]
    assert not wrong
