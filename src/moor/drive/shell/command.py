"""One command with a name: what it does with its arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final

from moor.drive.shell import verbs
from moor.drive.shell.commands import Simple
from moor.drive.shell.fence import INSIDE, PRIVATE
from moor.drive.shell.scope import (
    DOWNLOADED,
    LEAVES,
    OUTSIDE_READ,
    OUTSIDE_WRITE,
    UNKNOWN,
    WHOLE_TREE,
    Scope,
    value_of,
)
from moor.drive.shell.words import Substitution

Nested = Callable[[str, int], None]
"""judges the text of an inner command line, at a depth"""

_DOWNLOADERS: Final = frozenset({"curl", "wget", "fetch", "aria2c"})


class Command:
    """Checks one simple command; what is found goes to the scope."""

    def __init__(
        self, scope: Scope, nested: Nested, simple: Simple, shown: str, depth: int, before: Simple | None
    ) -> None:
        self.scope = scope
        self.nested = nested
        self.simple = simple
        self.args = [scope.one(word) for word in simple.words]
        self.words = list(simple.words)
        self.shown = shown
        self.depth = depth
        self.before = before
        self.fed = False
        """its last arguments come from a pipe (xargs)"""

    def check(self) -> None:
        """Look at the command behind its wrappers; may end up with no finding at all."""
        self._strip_prefixes()
        if not self.args:
            return
        name = self.args[0]
        if name is None:
            self._found(UNKNOWN)
            return
        verb = os.path.basename(name)  # noqa: PTH119
        rest = self.args[1:]
        if verb in verbs.NEVER or verb.startswith("mkfs"):
            self._found(verbs.NEVER.get(verb, verbs.MACHINE))
        elif verb in verbs.SHELLS:
            self._shell(rest)
        elif verb in ("eval", "source", "."):
            self._sourced(verb, rest)
        elif verb in ("cd", "pushd"):
            self._cd(rest)
        else:
            self._program(verb, name, rest)

    def _program(self, verb: str, name: str, rest: list[str | None]) -> None:
        rule = verbs.RULES.get(verb)
        if rule and (why := rule(rest)):
            self._found(why)
        if self._installs_python(verb, name, rest):
            self._found(verbs.INSTALLS)
        if verb == "find":
            self._find(rest)
        self._inline(verb, rest)
        self._paths(verb, rest)

    def _strip_prefixes(self) -> None:
        """`env A=b timeout 5 xargs rm` is an `rm`."""
        while self.args and self.args[0] is not None:
            verb = os.path.basename(self.args[0])  # noqa: PTH119
            if verb not in verbs.PREFIXES:
                return
            self.fed = self.fed or verb in ("xargs", "parallel")
            at, own = 1, verbs.PREFIXES[verb]
            while at < len(self.args):
                arg = self.args[at] or ""
                if arg.startswith("-"):
                    at += 2 if arg in verbs.PREFIX_VALUES else 1
                elif re.match(r"[A-Za-z_]\w*=", arg):
                    at += 1
                elif own:
                    own -= 1
                    at += 1
                else:
                    break
            self.args, self.words = self.args[at:], self.words[at:]

    def _shell(self, rest: list[str | None]) -> None:
        for index, arg in enumerate(rest):
            if arg is not None and re.fullmatch(r"-[a-z]*c[a-z]*", arg):
                script = rest[index + 1] if index + 1 < len(rest) else None
                if script is None:
                    self._found(UNKNOWN)
                else:
                    self.nested(script, self.depth + 1)
                return
        files = [arg for arg in rest if arg is None or not arg.startswith("-")]
        if files and not verbs.has(rest, "-s"):
            self._script(files[0])
        else:
            self._standard_input()

    def _script(self, path: str | None) -> None:
        word = next((word for word in self.words[1:] if self.scope.one(word) == path), None)
        parts = word.parts if word else ()
        if any(isinstance(part, Substitution) and part.process for part in parts):
            self._found(DOWNLOADED)
        elif path is None:
            self._found(UNKNOWN)
        elif self.scope.fence.kind(path, self.scope.cwd) == PRIVATE:
            self._found(OUTSIDE_READ)

    def _standard_input(self) -> None:
        """A shell that reads its commands: from a here-document, from a pipe, or from the terminal."""
        for redirect, target in self.simple.redirects:
            if redirect.text == "<<":
                self.nested(redirect.body, self.depth + 1)
            elif redirect.text == "<<<":
                script = self.scope.one(target)
                self._found(UNKNOWN) if script is None else self.nested(script, self.depth + 1)
        if self.simple.piped:
            self._piped_script()

    def _piped_script(self) -> None:
        words = [self.scope.one(word) for word in self.before.words] if self.before else []
        verb = os.path.basename(words[0] or "") if words else ""  # noqa: PTH119
        if verb in _DOWNLOADERS:
            self._found(DOWNLOADED)
        elif verb in ("echo", "printf") and None not in words:
            self.nested(" ".join(word or "" for word in words[1:] if word not in ("-n", "-e")), self.depth + 1)
        elif verb == "cat" and all(word is not None and self.scope.writable(word) for word in words[1:]):
            return
        else:
            self._found(UNKNOWN)

    def _sourced(self, verb: str, rest: list[str | None]) -> None:
        if verb == "eval":
            if None in rest:
                self._found(UNKNOWN)
            else:
                self.nested(" ".join(arg or "" for arg in rest), self.depth + 1)
        elif rest and rest[0] and rest[0].endswith("bin/activate"):
            self.scope.values["VIRTUAL_ENV"] = [rest[0]]
        elif rest:
            self._script(rest[0])

    def _cd(self, rest: list[str | None]) -> None:
        folders = [arg for arg in rest if arg is None or not arg.startswith("-") or arg == "-"]
        target = folders[0] if folders else self.scope.fence.home
        if target == "-":
            self.scope.cwd = self.scope.fence.root
        elif target is None:
            self._found(UNKNOWN)
        elif self.scope.fence.kind(target, self.scope.cwd) != INSIDE:
            self._found(LEAVES)
        else:
            self.scope.cwd = self.scope.fence.absolute(target, self.scope.cwd)

    def _installs_python(self, verb: str, name: str, rest: list[str | None]) -> bool:
        """pip outside of a virtual environment of the project's own."""
        if _pip_words(verb, rest)[:1] not in (["install"], ["uninstall"]):
            return False
        private = "/" in name and self.scope.fence.kind(name, self.scope.cwd) == INSIDE
        targeted = verbs.has(rest, "--target", "--prefix", "-t") and not verbs.has(rest, "--user")
        return not (private or targeted or self.scope.values.get("VIRTUAL_ENV"))

    def _find(self, rest: list[str | None]) -> None:
        deletes = "-delete" in rest
        for flag in ("-exec", "-execdir", "-ok", "-okdir"):
            if flag in rest:
                at = rest.index(flag) + 1
                inner = [arg for arg in rest[at:] if arg not in (";", "+", "{}")]
                deletes = deletes or (bool(inner) and inner[0] in verbs.WRITERS)
                nested = Command(self.scope, self.nested, self.simple, self.shown, self.depth, None)
                nested.args = inner
                nested.check()
        tops = []
        for arg in rest:
            if arg is None or arg.startswith(("-", "(", "!")):
                break
            tops.append(arg)
        if deletes and not all(self.scope.writable(top) for top in tops or ["."]):
            self._found(OUTSIDE_WRITE)
        if (
            deletes
            and len(rest) <= len(tops) + 1
            and any(self.scope.fence.is_root(t, self.scope.cwd) for t in tops or ["."])
        ):
            self._found(WHOLE_TREE)

    def _inline(self, verb: str, rest: list[str | None]) -> None:
        base = re.sub(r"[\d.]+$", "", verb)
        flags = verbs.INLINE.get(verb) or verbs.INLINE.get(base) or ()
        for index, arg in enumerate(rest[:-1]):
            if arg in flags:
                code = rest[index + 1]
                if code is not None and (why := self.scope.code(code)):
                    self._found(why)
        if flags:
            for redirect, _ in self.simple.redirects:
                if redirect.body and (why := self.scope.code(redirect.body)):
                    self._found(why)

    def _paths(self, verb: str, rest: list[str | None]) -> None:
        if verb in verbs.WRITERS or (verb in ("sed", "perl") and verbs.has(rest, "-i", "--in-place")):
            self._writes(verb, rest)
        elif verb in verbs.COPIERS:
            self._copies(rest)
        else:
            self._reads(rest)
        for index, arg in enumerate(rest):
            flags = verbs.OUTPUT_FLAGS.get(verb, ())
            name, _, value = (arg or "").partition("=")
            if name in flags:
                self._must_write(value or (rest[index + 1] if index + 1 < len(rest) else None))
        for arg in rest:
            if verb == "dd" and arg and arg.startswith("of="):
                self._must_write(arg[3:])
        if verb == "git" and "-C" in rest:
            at = rest.index("-C") + 1
            if at < len(rest) and (
                rest[at] is None or self.scope.fence.kind(rest[at] or "", self.scope.cwd) != INSIDE
            ):
                self._found(LEAVES)

    def _writes(self, verb: str, rest: list[str | None]) -> None:
        paths = [value_of(arg) for arg in rest if arg is None or not arg.startswith("-") or "=" in arg]
        if verb in ("sed", "perl") and not verbs.has(rest, "-e", "-f"):
            paths = paths[1:]
        if self.fed and verb in ("rm", "mv", "unlink", "rmdir") and self._feeds_outside():
            self._found(UNKNOWN)
        for path in paths:
            self._must_write(path)
        if verb == "rm" and verbs.has(rest, "-r", "-R", "--recursive"):
            self._whole_tree([path for path in paths if path])

    def _feeds_outside(self) -> bool:
        """What comes through a pipe is not known; relative names of this tree are what most producers print."""
        if not self.simple.piped or self.before is None:
            return True
        words = [self.scope.one(word) for word in self.before.words]
        return any(word is None or (not word.startswith("-") and not self.scope.writable(word)) for word in words[1:])

    def _whole_tree(self, paths: list[str]) -> None:
        for path in paths:
            folder = path[:-1] if path.endswith("/*") else ("." if path == "*" else path)
            if self.scope.fence.is_root(folder or "/", self.scope.cwd):
                self._found(WHOLE_TREE)
                return

    def _copies(self, rest: list[str | None]) -> None:
        paths = [arg for arg in rest if arg is None or not arg.startswith("-")]
        target = next((rest[i + 1] for i, arg in enumerate(rest[:-1]) if arg in ("-t", "--target-directory")), None)
        if target is None and len(paths) > 1:
            target = paths[-1]
        self._must_write(target if target is not None or not paths else paths[-1])
        self._reads(rest)

    def _must_write(self, path: str | None) -> None:
        if path is None:
            self._found(UNKNOWN)
        elif not self.scope.writable(path):
            self._found(OUTSIDE_WRITE)

    def _reads(self, rest: list[str | None]) -> None:
        for arg in rest:
            path = value_of(arg) or ""
            if not path or "://" in path or path.startswith("-") or "\n" in path:
                continue
            if self.scope.private(path):
                self._found(OUTSIDE_READ)
                return

    def _found(self, why: str) -> None:
        self.scope.found(self.shown, why)


def _pip_words(verb: str, rest: list[str | None]) -> list[str]:
    """What pip is told to do, without options; empty for another program."""
    if re.fullmatch(r"python[\d.]*|pypy\d*", verb) and rest[:2] == ["-m", "pip"]:
        return verbs.plain(rest[2:])
    return verbs.plain(rest) if re.fullmatch(r"pip[\d.]*", verb) else []
