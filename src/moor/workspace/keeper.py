"""A credential in memory, and whether it is due, by both clocks.

The wall clock sees a laptop that slept; the monotonic one sees a wall clock that was set back. Either may end it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from moor.clock import Clock
from moor.domain.credential import Credential
from moor.workspace.lifetime import refresh_at

_POSTPONE_S: Final = 5.0
"""how long a credential that is due but alive is used after its refresh failed"""


class _Held(NamedTuple):
    credential: Credential
    due_wall: float | None
    due_mono: float
    end_mono: float


class Keeper:
    """One slot. Reading takes no lock: the slot is replaced as a whole."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: _Held | None = None
        self._retry_at = 0.0

    def current(self) -> Credential | None:
        """The credential, unless it is due; a due but living one for some seconds after `postpone`."""
        held = self._held
        if held is None:
            return None
        if not self._is_due(held):
            return held.credential
        return self.living() if self._clock.monotonic() < self._retry_at else None

    def spare(self) -> Credential | None:
        """The credential that is due, in the first half of the time that is left for its refresh."""
        held = self._held
        if held is None or held.due_wall is None:
            return None
        late = self._clock.now() >= (held.due_wall + (held.credential.expires_at or 0.0)) / 2
        return None if late or self._clock.monotonic() >= (held.due_mono + held.end_mono) / 2 else held.credential

    def living(self) -> Credential | None:
        """The credential if it has not ended yet."""
        held = self._held
        if held is None or held.due_wall is None:
            return held.credential if held else None
        ended = self._clock.now() >= (held.credential.expires_at or 0.0)
        return None if ended or self._clock.monotonic() >= held.end_mono else held.credential

    def adopt(self, credential: Credential, obtained_at: float) -> Credential:
        """Hold this one from now on; `obtained_at`: when its life began (wall clock)."""
        self._retry_at = 0.0
        if credential.expires_at is None:
            self._held = _Held(credential, None, 0.0, 0.0)
            return credential
        now, mono = self._clock.now(), self._clock.monotonic()
        due = refresh_at(min(obtained_at, now), credential.expires_at)
        self._held = _Held(credential, due, mono + (due - now), mono + (credential.expires_at - now))
        return credential

    def postpone(self) -> None:
        """A refresh failed: do not try again for some seconds while the credential lives."""
        self._retry_at = self._clock.monotonic() + _POSTPONE_S

    def forget(self) -> None:
        """Hold nothing."""
        self._held = None

    def _is_due(self, held: _Held) -> bool:
        if held.due_wall is None:
            return False
        return self._clock.now() >= held.due_wall or self._clock.monotonic() >= held.due_mono
