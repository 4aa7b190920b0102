"""Whether an answer says that the credential is dead. Never "any 403": most of those are permissions.

Forms: facts/databricks 0.3. A dead one comes as 401, as 403 with a numeric code, as plain text under 400, 401 or 403.
"""

from __future__ import annotations

import re
from typing import Final

_LOOK_AT: Final = 4096
"""bytes of the body that are searched; the recorded forms have under 200"""
_DEAD_403: Final = re.compile(
    rb"invalid access token|invalid token|jwt has expired|token is expir|expiredjwt", re.IGNORECASE
)
_DEAD_400: Final = re.compile(rb"invalid token\s*(?:$|[\"'.\[,}])|expiredjwtexception", re.IGNORECASE)
"""A sentence of its own: `invalid token at position 3` is about a request's JSON, not about a credential."""


def is_dead_credential(status: int, body: bytes) -> bool:
    """True for the recorded forms; `body` may be cut after some kilobytes."""
    if status == 401:
        return True
    if status == 403:
        return bool(_DEAD_403.search(body[:_LOOK_AT]))
    return status == 400 and len(body) <= _LOOK_AT and bool(_DEAD_400.search(body))
