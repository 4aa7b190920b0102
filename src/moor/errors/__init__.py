"""The tree of errors a user may see.

Imports nothing of moor at run time, so that anything may import it. One file per area below this one;
`moor.errors.catalogue` loads them all for the reference page.
"""

from moor.errors.base import BugError, ExitCode, MoorError, UsageError

__all__ = ["BugError", "ExitCode", "MoorError", "UsageError"]
