"""What goes wrong in the gateway itself, seen on a terminal or in its log."""

from __future__ import annotations

from moor.errors.base import BugError, ExitCode, MoorError, UsageError


class FilterConflictError(BugError):
    """Two rules of the wire claim the same field, or one is registered under another name."""

    ref = "filter-conflict"

    def __init__(self, *, first: str, second: str, field: str) -> None:
        super().__init__(f"filters {first} and {second} both touch {field}")
        self.first = first
        self.second = second
        self.field = field


class PortInUseError(UsageError):
    """The stand-alone gateway's address is taken."""

    ref = "port-in-use"

    def __init__(self, *, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"port {port} on {host} cannot be used: {reason}",
            hint="moor gateway --port 0 takes a free one and prints it",
        )
        self.host = host
        self.port = port


class RemoteAddressError(UsageError):
    """The stand-alone gateway was asked to listen to other machines."""

    ref = "remote-address"

    def __init__(self, *, host: str) -> None:
        super().__init__(
            f"{host} can be reached from other machines, and the gateway speaks plain HTTP",
            hint="moor gateway --host 127.0.0.1, or add --allow-remote if you mean it",
        )
        self.host = host


class SessionUnknownError(MoorError):
    """The gateway process was started for a session that has no row."""

    ref = "session-unknown"
    exit_code = ExitCode.BUG

    def __init__(self, *, session: str) -> None:
        super().__init__(f"there is no session {session}", hint="moor ps --all")
        self.session = session
