"""The Anthropic Messages dialect of the simulator."""

from __future__ import annotations

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.sim.catalogue.models import ANTHROPIC_API
from moor.sim.dialects.anthropic.check import check
from moor.sim.dialects.anthropic.read import read, thinks
from moor.sim.dialects.anthropic.write import full, refuse, stream
from moor.sim.dialects.face import Face

FACE = Face(
    dialect=ANTHROPIC_MESSAGES,
    api_type=ANTHROPIC_API,
    check=check,
    read=read,
    thinks=thinks,
    full=full,
    stream=stream,
    refuse=refuse,
)
