"""Errors of `moor upgrade`."""

from __future__ import annotations

from collections.abc import Sequence

from moor.errors.base import ExitCode, MoorError


class UpgradeByHand(MoorError):
    """This moor was installed in a way that moor does not repeat by itself."""

    ref = "upgrade-by-hand"
    exit_code = ExitCode.USAGE

    def __init__(self, *, kind: str, place: str, file: str, command: str) -> None:
        source = f"from the file {file}, which no index replaces" if file else f"with {kind} in {place}"
        super().__init__(f"this moor was installed {source}", hint=command)


class UpgradeWaits(MoorError):
    """Sessions run on the moor that would be replaced."""

    ref = "upgrade-waits"
    exit_code = ExitCode.USAGE

    def __init__(self, *, sessions: tuple[str, ...]) -> None:
        more = " …" if len(sessions) > 3 else ""
        super().__init__(
            f"{len(sessions)} sessions run on this moor: {', '.join(sessions[:3])}{more}",
            hint="end them first (moor ps), or: moor upgrade --yes",
        )


class UpgradeFailed(MoorError):
    """The installer failed, or could not be asked."""

    ref = "upgrade-failed"

    def __init__(self, *, command: Sequence[str], problem: str, context: str = "") -> None:
        super().__init__(f"moor was not upgraded: {problem}", context=context, hint=f"try it: {' '.join(command)}")
