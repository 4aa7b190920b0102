"""Commands that widen or reveal are refused inside a session (design, section 6)."""

from __future__ import annotations

from moor.cli.context import Context


def refuse_inside(ctx: Context, command: str) -> None:
    """Raises InsideSessionError when this process, or one above it, belongs to a moor session."""
    from moor.run.sweep import ancestor_session

    session = ancestor_session(ctx.environ)
    if session:
        from moor.errors.config import InsideSessionError

        raise InsideSessionError(command=command, session=session)
