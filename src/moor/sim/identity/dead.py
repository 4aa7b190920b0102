"""The forms in which a dead credential is answered, all recorded somewhere (facts/databricks 0.3)."""

from __future__ import annotations

import uuid
from typing import Final

from moor.sim.identity.tokens import Standing
from moor.sim.messages import Answer, json_answer, text_answer

NUMERIC: Final = "numeric-403"
JWT_EXPIRED: Final = "jwt-expired-403"
INVALID_400: Final = "invalid-token-400"
INVALID_401: Final = "invalid-token-401"
INVALID_403: Final = "invalid-token-403"
EXPIRED_401: Final = "token-expired-401"
EXPIRING_403: Final = "token-expiring-403"
EXCEPTION_400: Final = "expired-jwt-exception-400"

FORMS: Final = (
    NUMERIC,
    INVALID_400,
    JWT_EXPIRED,
    INVALID_401,
    INVALID_403,
    EXPIRED_401,
    EXPIRING_403,
    EXCEPTION_400,
)
TURNS: Final = "turns"
"""each dead credential is answered in the next form"""

_SPOKEN: Final = {
    JWT_EXPIRED: (403, "JWT has expired"),
    EXPIRED_401: (401, "Token is expired"),
    EXPIRING_403: (403, "Token is expiring within 30 seconds. (token expired)"),
}


def dead_answer(form: str) -> Answer:
    """The answer of that form; an unknown form is the numeric one."""
    if form in (INVALID_400, INVALID_401, INVALID_403):
        return text_answer("Invalid Token", int(form[-3:]))
    if form == EXCEPTION_400:
        return text_answer("io.jsonwebtoken.IncorrectClaimException: ExpiredJwtException - JWT expired", 400)
    if form in _SPOKEN:
        status, message = _SPOKEN[form]
        return json_answer({"error_code": status, "message": message}, status)
    phrase = "Invalid access token."
    body = {"error_code": 403, "message": f"{phrase} [ReqId: {uuid.uuid4()}]"}
    return json_answer(body, 403, ("x-databricks-reason-phrase", phrase))


def usual_form(path: str, standing: Standing) -> str:
    """What the route says when no form was chosen: plain text on the gateway, the numeric form elsewhere."""
    if not path.startswith("/ai-gateway/"):
        return NUMERIC
    return INVALID_400 if standing is Standing.FOREIGN else INVALID_403


def missing_answer() -> Answer:
    """No credential at all, or one of a kind the workspace does not take."""
    message = f"Credential was not sent or was of an unsupported type for this API. [ReqId: {uuid.uuid4()}]"
    return json_answer(
        {"error_code": 401, "message": message}, 401, ("www-authenticate", 'Bearer realm="DatabricksRealm"')
    )
