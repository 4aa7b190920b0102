"""Who answers when nobody sits there: presets, the user's own rules, and the fence around the work tree.

A rule of the user's reads `TOOL:GLOB`, TOOL one of `read`, `write`, `bash`, `fetch`, `tool`. Globs of `read` and
`write` meet the absolute path and the path inside the work tree; those of `bash` meet each command of the line. A
deny beats an allow; an allow beats the preset. What the shell reader promises stands in `moor.drive.shell.judge`.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from moor.agents.base import COMMAND, FETCH, INTERNAL, READ, WRITE
from moor.domain.event import Event
from moor.drive.shell.fence import DEVICE, INSIDE, PRIVATE, Fence
from moor.drive.shell.judge import judge, simple_texts
from moor.errors.run import PermissionRuleInvalid, PresetUnknown
from moor.store.worktree import root_of

PRESET_READ: Final = "read"
"""looks, changes nothing, runs nothing"""
PRESET_EDIT: Final = "edit"
"""reads, writes and runs inside the work tree"""
PRESET_FULL: Final = "full"
"""everything but what a rule of the user's denies"""
PRESETS: Final = (PRESET_READ, PRESET_EDIT, PRESET_FULL)

_TOOLS: Final = {"read": READ, "write": WRITE, "bash": COMMAND, "fetch": FETCH, "tool": "other"}
RULE_TOOLS: Final = tuple(_TOOLS)


class Decision(msgspec.Struct, frozen=True):
    """The answer to one permission."""

    allow: bool
    rule: str
    """what decided: `preset edit: …`, `--deny bash:…`"""

    @property
    def note(self) -> str:
        """What the model is told when it is denied."""
        return (
            f"Not allowed in this session ({self.rule}). Nobody can be asked: find another way, or say what is needed"
        )


class Rule(msgspec.Struct, frozen=True):
    """One rule of the user's."""

    access: str
    pattern: str
    text: str
    """as it was typed"""


def parse_rules(texts: Sequence[str]) -> tuple[Rule, ...]:
    """Raises PermissionRuleInvalid."""
    rules = []
    for text in texts:
        tool, colon, pattern = text.partition(":")
        if tool not in _TOOLS or not colon or not pattern:
            raise PermissionRuleInvalid(rule=text, tools=RULE_TOOLS)
        rules.append(Rule(_TOOLS[tool], pattern, text))
    return tuple(rules)


def check_preset(preset: str) -> None:
    """Raises PresetUnknown."""
    if preset not in PRESETS:
        raise PresetUnknown(preset=preset, known=PRESETS)


def work_tree(cwd: str) -> str:
    """The git work tree that the folder stands in, else the folder itself. A home folder is never taken whole."""
    start = Path(os.path.realpath(cwd))
    return str(root_of(start) or start)


class Permissions:
    """Answers for one session. `environ`: what its tools see; `scratch`: its private folder for temporary files."""

    def __init__(
        self,
        cwd: str,
        environ: Mapping[str, str],
        preset: str = PRESET_EDIT,
        allow: Sequence[str] = (),
        deny: Sequence[str] = (),
        scratch: str = "",
    ) -> None:
        check_preset(preset)
        self.preset = preset
        self._cwd = os.path.realpath(cwd)
        self._environ = environ
        self._allow = parse_rules(allow)
        self._deny = parse_rules(deny)
        self._fence = Fence(work_tree(cwd), environ.get("HOME") or "/", scratch)

    def decide(self, event: Event) -> Decision:
        """The answer to a PERMISSION event."""
        access = str(event.data.get("access", ""))
        subjects = self._subjects(access, event)
        # a deny is held against the whole line too; an allow is not, or `ls; anything` would pass as an `ls*`
        denied = [*subjects, (str(event.data.get("command", "")),)]
        for rule in self._deny:
            if rule.access == access and any(_meets(rule, forms) for forms in denied):
                return Decision(False, f"--deny {rule.text}")
        allowed_by = [self._allowing(access, forms) for forms in subjects]
        # the words of a command do not tell all it does: it is read below, and each objection meets the rules
        if subjects and all(allowed_by) and access != COMMAND:
            return Decision(True, f"--allow {allowed_by[0]}")
        why = "" if self.preset == PRESET_FULL else self._objection(access, event, allowed_by)
        return Decision(not why, f"preset {self.preset}" + (f": {why}" if why else ""))

    def _objection(self, access: str, event: Event, allowed_by: list[str]) -> str:
        """Why the preset says no; empty when it says yes."""
        if access == INTERNAL:
            return ""
        if access == READ:
            return self._reads(event.paths)
        if self.preset == PRESET_READ and not (access == COMMAND and all(allowed_by)):
            looked_at = event.data.get("reads") if access == COMMAND else None
            return "it only looks" if looked_at is None else self._reads(looked_at)
        if access == WRITE:
            return self._writes(event, allowed_by)
        if access == COMMAND:
            return self._command(event)
        if access == FETCH:
            return ""
        return f"{event.name} is not known to stay inside the work tree"

    def _reads(self, paths: Sequence[str]) -> str:
        outside = [path for path in paths if self._fence.kind(path, self._cwd) == PRIVATE]
        if outside:
            return f"{outside[0]} is private and outside the work tree"
        secret = [path for path in paths if _is_secret(path)]
        return f"{secret[0]} may hold secrets" if secret else ""

    def _writes(self, event: Event, allowed_by: list[str]) -> str:
        for path, allowed in zip(event.paths, allowed_by, strict=False):
            if not allowed and self._fence.kind(path, self._cwd) not in (INSIDE, DEVICE):
                return f"{path} is outside the work tree"
            if not allowed and _below_git(self._fence.absolute(path, self._cwd), self._fence.root):
                return f"{path} belongs to git; a hook there would run later"
        return "" if event.paths else "what it would write is not known"

    def _command(self, event: Event) -> str:
        command = str(event.data.get("command", ""))
        if not command:
            return "the command is not known"
        cwd = self._fence.absolute(str(event.data.get("cwd") or "."), self._cwd)
        if self._fence.kind(cwd) != INSIDE:
            return "it would run outside the work tree"
        for finding in judge(command, self._fence, self._environ, cwd):
            if not self._allowing(COMMAND, (finding.command,)):
                return finding.why
        return ""

    def _subjects(self, access: str, event: Event) -> list[tuple[str, ...]]:
        """What rules are matched against: one tuple of spellings for each file, command or name."""
        if access == COMMAND:
            command = str(event.data.get("command", ""))
            return [(text,) for text in simple_texts(command)] or [(command,)]
        if access in (READ, WRITE):
            return [self._spellings(path) for path in event.paths]
        return [tuple(str(pattern) for pattern in event.data.get("patterns", ())) or (event.name,)]

    def _spellings(self, path: str) -> tuple[str, ...]:
        absolute = self._fence.absolute(path, self._cwd)
        real = os.path.realpath(absolute)
        return tuple({absolute, real, os.path.relpath(real, self._fence.root)})

    def _allowing(self, access: str, forms: tuple[str, ...]) -> str:
        return next((rule.text for rule in self._allow if rule.access == access and _meets(rule, forms)), "")


def _meets(rule: Rule, forms: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(form, rule.pattern) for form in forms)


def _is_secret(path: str) -> bool:
    """`.env` and its like, which OpenCode asks for too; examples are not."""
    name = Path(path).name
    return (name == ".env" or name.startswith(".env.")) and not name.endswith((".example", ".sample", ".template"))


def _below_git(path: str, root: str) -> bool:
    return path.startswith(os.path.join(root, ".git") + os.sep)  # noqa: PTH118
