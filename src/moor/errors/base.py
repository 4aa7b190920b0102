"""Root of the error tree and the exit codes (design, decision 13)."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell sees. An interactive launch has the agent's own code instead."""

    OK = 0
    """completed"""
    FAILED = 1
    """failed, timed out, or over budget"""
    USAGE = 2
    """wrong use: unknown name, bad file, missing set-up"""
    SIGN_IN = 3
    """the upstream refuses the credential, or there is none"""
    UNREACHABLE = 4
    """the upstream does not answer"""
    AGENT_MISSING = 5
    """the agent is not installed, or outside its tested window and refused"""
    BUG = 70
    """a fault of moor's own; a report file was written"""
    CANCELLED = 130
    """the user stopped it"""


class MoorError(Exception):
    """An error with a reference word, one sentence, what was seen, and the next command to type.

    Subclasses set `ref` (kebab-case, unique) and `exit_code`; they build `message` and `hint` from
    typed fields.
    """

    ref: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "", context: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context

    def __str__(self) -> str:
        return f"{self.ref}: {self.message}" + (f" ({self.context})" if self.context else "")


class UsageError(MoorError):
    """The command line or a file of the user's is wrong."""

    ref = "wrong-use"
    exit_code = ExitCode.USAGE


class BugError(MoorError):
    """Something moor itself did wrong; never raised for a user's mistake."""

    ref = "bug"
    exit_code = ExitCode.BUG
