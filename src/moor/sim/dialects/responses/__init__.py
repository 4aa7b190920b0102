"""The OpenAI Responses dialect of the simulator."""

from __future__ import annotations

from moor.domain.dialects import OPENAI_RESPONSES
from moor.sim.catalogue.models import RESPONSES_API
from moor.sim.dialects.face import Face
from moor.sim.dialects.responses.check import check
from moor.sim.dialects.responses.read import read, thinks
from moor.sim.dialects.responses.write import full, refuse, stream

FACE = Face(
    dialect=OPENAI_RESPONSES,
    api_type=RESPONSES_API,
    check=check,
    read=read,
    thinks=thinks,
    full=full,
    stream=stream,
    refuse=refuse,
)
