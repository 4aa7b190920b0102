"""What is looked at in a session's calls beside their numbers: secrets on their way out, and payloads kept."""

from __future__ import annotations

from typing import Final

import msgspec

OFF: Final = "off"
WARN: Final = "warn"
MASK: Final = "mask"
REFUSE: Final = "refuse"
ACTIONS: Final = (OFF, WARN, MASK, REFUSE)
"""of the guard, from the mildest to the strictest; the strictest of all levels counts"""


class Watch(msgspec.Struct, frozen=True):
    """Of one session, from the settings of all levels."""

    guard: str = OFF
    """what happens to a request that holds what looks like a secret"""
    patterns: tuple[str, ...] = ()
    """regular expressions of the user's and the administrator's, beside the known forms"""
    rules_off: tuple[str, ...] = ()
    """repairs that are switched off, by name"""
    payload_mb: int = 0
    """how much of requests and answers is kept on disk, in MB; 0: none"""

    def with_(self, other: Watch) -> Watch:
        """Both: the stricter guard, all patterns, the larger log."""
        guard = max(self.guard, other.guard, key=ACTIONS.index)
        patterns = tuple(dict.fromkeys((*self.patterns, *other.patterns)))
        return Watch(guard, patterns, self.rules_off, max(self.payload_mb, other.payload_mb))
