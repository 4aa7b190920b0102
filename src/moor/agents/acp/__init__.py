"""The Agent Client Protocol, version 1, seen from the side that drives: for every agent whose interface it is.

Loaded when a session is driven, never by a launch in a terminal. Facts: acp.md.
"""

from __future__ import annotations

from moor.agents.acp.driver import AcpDriver
from moor.agents.acp.traits import AcpTraits

__all__ = ["AcpDriver", "AcpTraits"]
