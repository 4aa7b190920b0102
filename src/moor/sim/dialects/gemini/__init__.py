"""The Gemini generateContent dialect of the simulator."""

from __future__ import annotations

from moor.domain.dialects import GEMINI_GENERATE
from moor.sim.catalogue.models import GEMINI_API
from moor.sim.dialects.face import Face
from moor.sim.dialects.gemini.check import check
from moor.sim.dialects.gemini.read import read, thinks
from moor.sim.dialects.gemini.write import full, refuse, stream

FACE = Face(
    dialect=GEMINI_GENERATE,
    api_type=GEMINI_API,
    check=check,
    read=read,
    thinks=thinks,
    full=full,
    stream=stream,
    refuse=refuse,
)
