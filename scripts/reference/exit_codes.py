"""docs/reference/exit-codes.md: the enum, and which errors end with each code."""

from __future__ import annotations

from moor.errors import ExitCode
from moor.errors.catalogue import error_classes
from scripts.reference.notes import class_notes, code, page, table

INTRO = """
What the shell sees after every command. `moor run` never has the agent's exit code; an interactive launch
(`moor AGENT`) has the agent's own, because the agent takes over the process.
"""


def render() -> str:
    """The page."""
    notes = class_notes(ExitCode)
    rows = [(str(int(member)), notes.get(name, ""), refs(member)) for name, member in ExitCode.__members__.items()]
    return page("Exit codes", INTRO, table(("code", "meaning", "errors"), rows))


def refs(member: ExitCode) -> str:
    """References of the errors that end with it, linked."""
    found = [cls.ref for cls in error_classes() if cls.exit_code == member]
    return ", ".join(f"[{code(ref)}](errors.md#{ref})" for ref in found)
