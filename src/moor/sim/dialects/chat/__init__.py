"""The OpenAI chat dialect of the simulator."""

from __future__ import annotations

from moor.domain.dialects import OPENAI_CHAT
from moor.sim.catalogue.models import CHAT_API
from moor.sim.dialects.chat.check import check, check_engine
from moor.sim.dialects.chat.read import read, thinks
from moor.sim.dialects.chat.write import full, refuse, refuse_engine, stream
from moor.sim.dialects.face import Face

FACE = Face(
    dialect=OPENAI_CHAT,
    api_type=CHAT_API,
    check=check,
    read=read,
    thinks=thinks,
    full=full,
    stream=stream,
    refuse=refuse,
)

ENGINE = Face(
    dialect=OPENAI_CHAT,
    api_type=CHAT_API,
    check=check_engine,
    read=read,
    thinks=thinks,
    full=full,
    stream=stream,
    refuse=refuse_engine,
)
"""a plain OpenAI-compatible engine: the same dialect without the gateway's rules"""
