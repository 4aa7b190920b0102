"""Which answers say that a credential is dead: the recorded forms, and what must not be taken for one."""

from __future__ import annotations

import pytest

from moor.workspace.dead import is_dead_credential

DEAD = [
    (401, b'{"error_code":401,"message":"Credential was not sent or was of an unsupported type for this API."}'),
    (401, b"Token is expired"),
    (401, b""),
    (403, b'{"error_code":403,"message":"Invalid access token. [ReqId: 1-2]"}'),
    (403, b'{"error_code":403,"message":"JWT has expired"}'),
    (403, b"Token is expiring within 30 seconds. (token expired)"),
    (403, b"Invalid Token"),
    (400, b"Invalid Token"),
    (400, b'{"message":"Invalid Token"}'),
    (400, b'{"message":"Invalid Token."}'),
    (400, b"Invalid Token [ReqId: 1]"),
    (400, b"com.databricks.ExpiredJwtException"),
]
ALIVE = [
    (200, b"Invalid Token"),
    (403, b'{"error_code":"PERMISSION_DENIED","message":"User does not have USE SCHEMA"}'),
    (403, b""),
    (400, b'{"error_code":"BAD_REQUEST","message":"invalid token at position 7 of the JSON"}'),
    (400, b'{"message":"messages: text content blocks must be non-empty"}'),
    (400, b'{"message":"' + b"x" * 5000 + b'Invalid Token"}'),
    (404, b"Invalid Token"),
    (429, b"Invalid Token"),
    (500, b"Invalid access token"),
]


@pytest.mark.feature("F2.3")
@pytest.mark.parametrize(("status", "body"), DEAD)
def test_every_recorded_form_is_recognised(status: int, body: bytes) -> None:
    assert is_dead_credential(status, body)


@pytest.mark.parametrize(("status", "body"), ALIVE)
def test_a_refusal_of_another_kind_is_not_taken_for_a_dead_credential(status: int, body: bytes) -> None:
    assert not is_dead_credential(status, body)
