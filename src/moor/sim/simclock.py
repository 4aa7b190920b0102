"""The simulated workspace's own time: a real clock plus what the control API added."""

from __future__ import annotations

from moor.clock import Clock, SystemClock


class SimClock:
    """A clock that runs with the given one and can be moved ahead or back."""

    def __init__(self, base: Clock | None = None) -> None:
        self._base = base or SystemClock()
        self._offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch in the simulated workspace."""
        return self._base.now() + self._offset

    def monotonic(self) -> float:
        """Seconds that never run backwards; not moved by `advance`."""
        return self._base.monotonic()

    def advance(self, seconds: float) -> None:
        """Move the simulated workspace's wall time; negative is allowed."""
        self._offset += seconds

    def reset(self) -> None:
        """Back to the base clock."""
        self._offset = 0.0
