"""What goes wrong around the simulator, and the refusals it answers with."""

from __future__ import annotations

from moor.errors.base import ExitCode, MoorError, UsageError


class SimRefusal(MoorError):
    """The simulated workspace refuses a request; answered over HTTP in the form of the route, never shown as is."""

    ref = "sim-refusal"

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ScenarioInvalid(UsageError):
    """A scenario file does not read, or a step in it makes no sense."""

    ref = "scenario-invalid"

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            f"scenario {path}: {problem}", hint="see docs/reference/simulator.md for the form of a scenario file"
        )
        self.path = path
        self.problem = problem


class ScenarioUnknown(UsageError):
    """A prompt or a caller names a scenario that is not there, or gives it a parameter it cannot take."""

    ref = "scenario-unknown"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"scenario {name}: {problem}", hint="python3 -m moor.sim --list-scenarios")
        self.name = name
        self.problem = problem


class SimNotStarted(MoorError):
    """The simulator could not bind its port, or did not come up in time."""

    ref = "sim-not-started"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"the simulator could not start on {place}", context=reason, hint="moor sim --port 0 picks a free port"
        )
        self.place = place


class SimControlFailed(MoorError):
    """A call of the simulator's control API was refused or not answered."""

    ref = "sim-control-failed"

    def __init__(self, path: str, status: int, reason: str) -> None:
        super().__init__(
            f"the simulator answered {status} to {path}", context=reason, hint="GET /_sim/ lists the calls"
        )
        self.path = path
        self.status = status


class SimSwitchUnknown(UsageError):
    """A switch of the simulator is named that does not exist."""

    ref = "sim-switch-unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"the simulator has no switch {name!r}", hint="python3 -m moor.sim --list-switches")
        self.name = name
