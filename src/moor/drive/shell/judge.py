"""Whether a shell command stays inside the work tree, by reading it.

What it promises: a command whose text writes outside the work tree, leaves it, acts on the machine, installs for
more than the project, publishes, or throws work away is found, through quotes, substitutions, wrappers, `sh -c`,
pipes into a shell, variables set on the same line, links and `..`. What cannot be read and would touch the outside
is refused.

What it does not promise: what a program or a script does once it runs. `make test` may do anything that the Makefile
says. Only a sandbox stops that (design, section 6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from moor.drive.shell import verbs
from moor.drive.shell.command import Command
from moor.drive.shell.commands import Simple, commands
from moor.drive.shell.fence import PRIVATE, Fence
from moor.drive.shell.scope import OUTSIDE_READ, OUTSIDE_WRITE, UNKNOWN, Finding, Scope, shown
from moor.drive.shell.words import Redirect, Substitution, Unreadable, Word

_DEEPEST: Final = 8
_FORK_BOMB: Final = re.compile(r"(\S+)\s*\(\)\s*\{[^}]*\1\s*\|\s*\1")


def judge(text: str, fence: Fence, environ: Mapping[str, str] | None = None, cwd: str | None = None) -> list[Finding]:
    """The reasons not to run it; [] when it stays inside. `cwd`: where it would start, the work tree by default."""
    scope = Scope(fence, environ or {}, cwd or fence.root)
    _Walk(scope).text(text, 0)
    return scope.findings


def simple_texts(text: str) -> list[str]:
    """Each simple command of the line as one string, for matching rules; the line itself when it cannot be read."""
    try:
        return [" ".join(shown(word) for word in simple.words) for simple in commands(text) if simple.words]
    except Unreadable:
        return [text]


class _Walk:
    """Goes through the commands in order, with the folder and the variables they would see."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def text(self, text: str, depth: int) -> None:
        if depth > _DEEPEST or _FORK_BOMB.search(text):
            self.scope.found(text, UNKNOWN)
            return
        try:
            simples = commands(text)
        except Unreadable:
            self._unreadable(text)
            return
        before: Simple | None = None
        folders = [self.scope.cwd]
        for simple in simples:
            while simple.depth >= len(folders):
                folders.append(self.scope.cwd)
            while simple.depth < len(folders) - 1:
                self.scope.cwd = folders.pop()
            self._simple(simple, before, depth)
            before = simple

    def _unreadable(self, text: str) -> None:
        """A form that is not covered: refused when it names a dangerous program or the outside."""
        words = set(re.findall(r"[\w./~-]+", text))
        risky = words & {*verbs.NEVER, *verbs.WRITERS, *verbs.COPIERS}
        if risky or ">" in text or self.scope.code(text):
            self.scope.found(text, UNKNOWN)

    def _simple(self, simple: Simple, before: Simple | None, depth: int) -> None:
        self._substitutions(simple, depth)
        if simple.loop:
            name, words = simple.loop
            self.scope.values[name] = self.scope.all(words)
        for name, word in simple.assigns:
            self.scope.values[name] = self.scope.of(word)
        for redirect, target in simple.redirects:
            self._redirect(redirect, target)
        if simple.words:
            Command(self.scope, self.text, simple, _shown_all(simple), depth, before).check()

    def _substitutions(self, simple: Simple, depth: int) -> None:
        words = [*simple.words, *(word for _, word in simple.assigns), *(word for _, word in simple.redirects)]
        words += simple.loop[1] if simple.loop else []
        for word in words:
            for part in word.parts:
                if isinstance(part, Substitution):
                    self._inner(part.text, depth)

    def _inner(self, text: str, depth: int) -> None:
        inner = Scope(self.scope.fence, {}, self.scope.cwd)
        inner.values = dict(self.scope.values)
        _Walk(inner).text(text, depth + 1)
        self.scope.findings += inner.findings

    def _redirect(self, redirect: Redirect, target: Word) -> None:
        if redirect.text in ("<<", "<<-", "<<<"):
            return
        if redirect.text in (">&", "<&") and re.fullmatch(r"\d+|-", target.literal or ""):
            return
        line = f"{redirect.text} {shown(target)}"  # not the command: a rule that allows it does not mean this
        values = self.scope.of(target)
        if redirect.text == "<":
            if values and any(self.scope.fence.kind(value, self.scope.cwd) == PRIVATE for value in values):
                self.scope.found(line, OUTSIDE_READ)
        elif values is None:
            self.scope.found(line, UNKNOWN)
        elif not all(self.scope.writable(value) for value in values):
            self.scope.found(line, OUTSIDE_WRITE)


def _shown_all(simple: Simple) -> str:
    return " ".join(shown(word) for word in simple.words)
