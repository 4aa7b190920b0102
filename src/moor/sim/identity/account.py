"""The user's own record and personal access tokens (facts/databricks 1.4, 1.9)."""

from __future__ import annotations

import math
from typing import Any, Final

from moor.errors.sim import SimRefusal
from moor.sim.identity.tokens import Held
from moor.sim.messages import Answer, Json, api_error, json_answer
from moor.sim.state import Ask

MAX_TOKENS: Final = 600
TWO_YEARS_S: Final = 2 * 365 * 86_400


def org_header(ask: Ask) -> tuple[str, str]:
    """The header by which most API answers name the workspace."""
    return "x-databricks-org-id", ask.state.workspace_id


async def me(ask: Ask) -> Answer:
    """GET /api/2.0/preview/scim/v2/Me"""
    user = ask.user
    given, _, family = user.display.partition(" ")
    body: Json = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": user.id,
        "userName": user.name,
        "displayName": user.display,
        "active": True,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"type": "work", "value": user.name, "primary": True}] if "@" in user.name else [],
        "entitlements": [{"value": "workspace-access"}],
    }
    if user.groups:
        body["groups"] = [
            {"display": name, "type": "direct", "value": str(100 + place), "$ref": f"Groups/{100 + place}"}
            for place, name in enumerate(user.groups)
        ]
    return json_answer(body, 200, org_header(ask))


async def introspect(ask: Ask) -> Answer:
    """GET /api/2.0/tokens/introspect"""
    scope = {"account_id": "00000000-0000-4000-8000-000000051301", "workspace_id": int(ask.state.workspace_id)}
    return json_answer({"principal_context": {"authentication_scope": scope}}, 200, org_header(ask))


async def create_token(ask: Ask) -> Answer:
    """POST /api/2.0/token/create"""
    body = ask.request.json()
    if not ask.user.pat_allowed:
        return api_error(403, "PERMISSION_DENIED", "Personal access tokens are disabled for this user.")
    if len(ask.state.tokens.pats(ask.user.name)) >= MAX_TOKENS:
        return api_error(400, "QUOTA_EXCEEDED", f"The user already has {MAX_TOKENS} tokens.")
    life = body.get("lifetime_seconds", TWO_YEARS_S)
    if not _is_life(life):
        return api_error(400, "INVALID_PARAMETER_VALUE", f"lifetime_seconds {life!r} is out of range.")
    comment = body.get("comment", "")
    value, held = ask.state.tokens.mint_pat(ask.user.name, math.inf if life == -1 else life, str(comment))
    return json_answer({"token_value": value, "token_info": _info(held)}, 200, org_header(ask))


def _is_life(seconds: Any) -> bool:
    """Whether a token may live that long; -1 stands for ever."""
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return False
    return seconds == -1 or 0 < seconds <= TWO_YEARS_S


async def list_tokens(ask: Ask) -> Answer:
    """GET /api/2.0/token/list"""
    pats = ask.state.tokens.pats(ask.user.name)
    return json_answer({"token_infos": [_info(held) for held in pats]} if pats else {}, 200, org_header(ask))


async def delete_token(ask: Ask) -> Answer:
    """POST /api/2.0/token/delete"""
    token_id = ask.request.json().get("token_id")
    if not isinstance(token_id, str) or not token_id:
        raise SimRefusal(400, "token_id is required", "INVALID_PARAMETER_VALUE")
    ask.state.tokens.delete_pat(ask.user.name, token_id)
    return json_answer({})


def _info(held: Held) -> Json:
    expiry = -1 if math.isinf(held.expires_at) else int(held.expires_at * 1000)
    return {
        "token_id": held.token_id,
        "creation_time": int(held.created_at * 1000),
        "expiry_time": expiry,
        "comment": held.comment,
    }
