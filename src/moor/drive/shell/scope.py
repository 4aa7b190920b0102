"""What is known while a command line is walked through: folder, variables, and what was found."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from moor.drive.shell.fence import DEVICE, INSIDE, PRIVATE, Fence
from moor.drive.shell.words import Glob, Substitution, Text, Variable, Word

OUTSIDE_WRITE: Final = "it writes outside the work tree"
OUTSIDE_READ: Final = "it reads private files outside the work tree"
LEAVES: Final = "it leaves the work tree"
UNKNOWN: Final = "what it touches cannot be read from its text"
DOWNLOADED: Final = "it runs what it has just downloaded"
WHOLE_TREE: Final = "it removes the whole work tree"

_CODE_PATH: Final = re.compile(r"(?<![\w.:/])(~?/[\w.@+-][\w./@+-]*|\.\.(?:/[\w.@+-]+)*)")
_CODE_WRITES: Final = re.compile(
    r"['\"](?:w|a|wb|ab|x)['\"]|write|unlink|rmtree|remove|rename|mkdir|chmod|copy|move|touch|symlink|system|popen|spawn",
    re.IGNORECASE,
)
_CODE_HOME: Final = re.compile(r"expanduser|Path\.home|homedir|HOME")


class Finding(msgspec.Struct, frozen=True):
    """One reason not to run a command."""

    command: str
    """the part of the line that is meant"""
    why: str


class Scope:
    """The folder a command would stand in and the values its words can have."""

    def __init__(self, fence: Fence, environ: Mapping[str, str], cwd: str) -> None:
        self.fence = fence
        self.cwd = cwd
        self.values: dict[str, list[str] | None] = {
            "HOME": [fence.home],
            **{name: [environ[name]] for name in ("TMPDIR", "VIRTUAL_ENV") if environ.get(name)},
        }
        self.findings: list[Finding] = []

    def found(self, command: str, why: str) -> None:
        """Keep a reason."""
        self.findings.append(Finding(command.strip()[:400], why))

    def writable(self, path: str) -> bool:
        """Whether the path lies where a command may write."""
        return self.fence.kind(path, self.cwd) in (INSIDE, DEVICE)

    def code(self, code: str) -> str:
        """Why a piece of program text is refused; empty when nothing speaks against it."""
        paths = _CODE_PATH.findall(code)
        if _CODE_WRITES.search(code):
            outside = _CODE_HOME.search(code) or not all(self.writable(path) for path in paths)
            return OUTSIDE_WRITE if outside else ""
        return OUTSIDE_READ if any(self.private(path) for path in paths) else ""

    def private(self, path: str) -> bool:
        """Whether the path names something in a home folder or another person's place."""
        return self.fence.kind(path, self.cwd) == PRIVATE and self.exists(path)

    def exists(self, path: str) -> bool:
        """Whether the word names something: many arguments that begin with a slash are no paths at all."""
        absolute = self.fence.absolute(path, self.cwd)
        parent = os.path.dirname(absolute)  # noqa: PTH120
        return os.path.lexists(absolute) or (parent != "/" and os.path.isdir(parent))  # noqa: PTH112

    def all(self, words: list[Word]) -> list[str] | None:
        """What all the words together can stand for; None when one is not known."""
        out: list[str] = []
        for word in words:
            values = self.of(word)
            if values is None:
                return None
            out += values
        return out

    def one(self, word: Word) -> str | None:
        """The word's only value; None when it is not known or one of several."""
        values = self.of(word)
        return values[0] if values and len(values) == 1 else None

    def of(self, word: Word) -> list[str] | None:
        """What the word can stand for, globs kept as they are; None when that is not known."""
        out = [""]
        for index, part in enumerate(word.parts):
            more = self._part(part, first=index == 0)
            if more is None or len(out) * len(more) > 64:
                return None
            out = [left + right for left in out for right in more]
        return out

    def _part(self, part: Text | Glob | Variable | Substitution, *, first: bool) -> list[str] | None:
        if isinstance(part, Text):
            in_home = first and not part.quoted and part.text.partition("/")[0] == "~"
            return [self.fence.absolute(part.text) if in_home else part.text]
        if isinstance(part, Glob):
            return [part.text]
        if isinstance(part, Variable):
            return self._variable(part)
        known = {"pwd": self.cwd, "git rev-parse --show-toplevel": self.fence.root}
        value = known.get(part.text.strip())
        return None if value is None else [value]

    def _variable(self, part: Variable) -> list[str] | None:
        if not part.plain:
            return None
        if part.name == "PWD":
            return [self.cwd]
        if part.name in ("?", "#", "$"):
            return ["0"]
        return self.values.get(part.name)


def value_of(arg: str | None) -> str | None:
    """`--out=x` is about x."""
    if arg is not None and arg.startswith("-") and "=" in arg:
        return arg.partition("=")[2]
    return arg


def shown(word: Word) -> str:
    """The word for a person and for rules to match: expansions as they were written, quotes dropped."""
    out = []
    for part in word.parts:
        if isinstance(part, Text | Glob):
            out.append(part.text)
        elif isinstance(part, Variable):
            out.append(f"${part.name}" if part.plain else f"${{{part.name}…}}")
        else:
            out.append(f"$({part.text})")
    return "".join(out)
