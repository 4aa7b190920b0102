"""The closed table of routes (design, decision 2): method and exact path to dialect and action.

The agent's path is never forwarded; a model id in it is only ever compared with the catalogue.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from moor.domain.dialects import (
    ANTHROPIC_MESSAGES,
    COUNT_TOKENS,
    GEMINI_GENERATE,
    GENERATE,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    STREAM,
)

CALL: Final = "call"
MODELS: Final = "models"
HEALTH: Final = "health"
BASE: Final = "base"
METRICS: Final = "metrics"


class Route:
    """What a request asks for."""

    def __init__(self, kind: str, dialect: str = "", action: str = GENERATE, model: str = "") -> None:
        self.kind = kind
        self.dialect = dialect
        self.action = action
        """for dialects that say it in the path; the others say `stream` in the body"""
        self.model = model
        """from the path, decoded; empty where the body names it"""


class NoRoute:
    """Why nothing is served there: 404, or 405 with the methods that are."""

    def __init__(self, status: int, allow: str = "") -> None:
        self.status = status
        self.allow = allow


_TABLE: Final[dict[bytes, dict[bytes, Route]]] = {
    b"/anthropic/v1/messages": {b"POST": Route(CALL, ANTHROPIC_MESSAGES)},
    b"/anthropic/v1/messages/count_tokens": {b"POST": Route(CALL, ANTHROPIC_MESSAGES, COUNT_TOKENS)},
    b"/anthropic/v1/models": {b"GET": Route(MODELS, ANTHROPIC_MESSAGES)},
    b"/openai/v1/chat/completions": {b"POST": Route(CALL, OPENAI_CHAT)},
    b"/openai/v1/responses": {b"POST": Route(CALL, OPENAI_RESPONSES)},
    b"/openai/v1/models": {b"GET": Route(MODELS, OPENAI_CHAT)},
    b"/gemini/v1beta/models": {b"GET": Route(MODELS, GEMINI_GENERATE)},
    b"/health": {b"GET": Route(HEALTH), b"HEAD": Route(HEALTH)},
    b"/metrics": {b"GET": Route(METRICS)},
    **{
        base: {b"HEAD": Route(BASE)}
        for base in (
            b"/",
            b"/anthropic",
            b"/anthropic/v1",
            b"/openai",
            b"/openai/v1",
            b"/gemini",
            b"/gemini/v1beta",
        )
    },
}
_ONE_MODEL: Final = re.compile(rb"/(anthropic/v1|openai/v1|gemini/v1beta(?!.*:))/models/(.+)\Z")
_GEMINI: Final = re.compile(rb"/gemini/v1beta/models/([^/:]+):(generateContent|streamGenerateContent|countTokens)\Z")
_DIALECT_OF: Final = {
    b"anthropic/v1": ANTHROPIC_MESSAGES,
    b"openai/v1": OPENAI_CHAT,
    b"gemini/v1beta": GEMINI_GENERATE,
}
_ACTIONS: Final = {b"generateContent": GENERATE, b"streamGenerateContent": STREAM, b"countTokens": COUNT_TOKENS}

BASE_PATHS: Final[dict[str, str]] = {
    ANTHROPIC_MESSAGES: "/anthropic",
    OPENAI_CHAT: "/openai/v1",
    OPENAI_RESPONSES: "/openai/v1",
    GEMINI_GENERATE: "/gemini",
}
"""what a client is given as its base URL, behind the gateway's address"""


def find_route(method: bytes, path: bytes) -> Route | NoRoute:
    """The route of a method and a path (without query)."""
    methods = _TABLE.get(path)
    if methods is None:
        return _find_model(method, path) or _find_gemini(method, path)
    return methods.get(method) or NoRoute(405, b", ".join(methods).decode())


def _find_model(method: bytes, path: bytes) -> Route | NoRoute | None:
    """One entry of a listing; None where the path is none."""
    found = _ONE_MODEL.match(path)
    if found is None:
        return None
    if method != b"GET":
        return NoRoute(405, "GET")
    try:
        model = unquote_to_bytes(found[2]).decode()
    except UnicodeDecodeError:
        return NoRoute(404)
    return Route(MODELS, _DIALECT_OF[found[1]], model=model)


def _find_gemini(method: bytes, path: bytes) -> Route | NoRoute:
    found = _GEMINI.match(path)
    if found is None:
        return NoRoute(404)
    if method != b"POST":
        return NoRoute(405, "POST")
    try:
        model = unquote_to_bytes(found[1]).decode()
    except UnicodeDecodeError:
        return NoRoute(404)
    return Route(CALL, GEMINI_GENERATE, _ACTIONS[found[2]], model)


def query_of(query: bytes) -> dict[str, str]:
    """The query's values by name; the first of several."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(query.decode("latin-1"), max_num_fields=50):
        values.setdefault(name, value)
    return values
