"""Discovery, the authorize page and the token endpoint (facts/databricks 1.1 to 1.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import re
import secrets
from typing import Final
from urllib.parse import urlencode, urlsplit

from moor.sim import switches
from moor.sim.identity.tokens import Grant
from moor.sim.messages import HTML_TYPE, Answer, Json, Request, api_error, json_answer
from moor.sim.state import Ask, Code, SimState

CLIENT_ID: Final = "databricks-cli"
PORTS: Final = range(8020, 8041)
CODE_LIFE_S: Final = 300
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Simulated sign-in</title></head>
<body style="font-family:sans-serif;max-width:32em;margin:4em auto">
<h1>Simulated workspace</h1><p>This is a simulation. No real account is involved.</p>
<p>Let <b>{client}</b> act as <b>{user}</b>?</p>
<p><a href="{allow}">Allow</a> &nbsp; <a href="{deny}">Refuse</a></p></body></html>"""


async def host_metadata(ask: Ask) -> Answer:
    """GET /.well-known/databricks-config"""
    state = ask.state
    if not state.switches[switches.HOST_METADATA]:
        return api_error(404, "ENDPOINT_NOT_FOUND", "No API found for 'GET /.well-known/databricks-config'")
    return json_answer(
        {
            "oidc_endpoint": f"{state.url}/oidc",
            "workspace_id": state.workspace_id,
            "account_id": "00000000-0000-4000-8000-000000051301",
            "cloud": "AWS",
            "token_federation_default_oidc_audiences": [f"{state.url}/oidc/v1/token"],
            "simulated": True,
        }
    )


async def discovery(ask: Ask) -> Answer:
    """GET /oidc/.well-known/oauth-authorization-server and openid-configuration"""
    base = f"{ask.state.url}/oidc"
    return json_answer(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/v1/authorize",
            "token_endpoint": f"{base}/v1/token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["all-apis", "offline_access", "sql", "email", "openid", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        }
    )


async def authorize(ask: Ask) -> Answer:
    """GET /oidc/v1/authorize: a redirect with a code, a page that asks, or a refusal that never redirects."""
    query = ask.request.query
    problem = _untrusted(query)
    if problem:
        return _oauth_error("invalid_request", problem)
    problem = _malformed(query)
    if problem:
        return _back(query, {"error": "invalid_request", "error_description": problem}, ask.state)
    if query.get("sim_consent") == "deny":
        return _back(
            query, {"error": "access_denied", "error_description": "The user refused (simulated)"}, ask.state
        )
    if not ask.state.config.auto_consent and query.get("sim_consent") != "allow":
        return _page(ask.request, query, ask.state)
    return _back(query, {"code": _issue_code(query, ask.state)}, ask.state)


def _untrusted(query: Json) -> str:
    """Why nothing may be sent to the redirect address, or ""."""
    if query.get("client_id") != CLIENT_ID:
        return f"Unknown client_id {query.get('client_id', '')!r}"
    target = urlsplit(query.get("redirect_uri", ""))
    try:
        allowed = target.scheme == "http" and target.hostname == "localhost" and target.port in PORTS
    except ValueError:
        allowed = False
    return "" if allowed else "The redirect_uri is not registered for this client"


def _malformed(query: Json) -> str:
    if query.get("response_type") != "code":
        return "response_type must be code"
    if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(query.get("code_challenge", "")):
        return "PKCE with code_challenge_method S256 is required"
    if not query.get("state"):
        return "state is required"
    return "" if query.get("scope") else "scope is required"


def _page(request: Request, query: Json, state: SimState) -> Answer:
    here = request.path + "?"
    fill = {
        "client": html.escape(query["client_id"]),
        "user": html.escape(state.config.users[0].name),
        "allow": html.escape(here + urlencode({**query, "sim_consent": "allow"})),
        "deny": html.escape(here + urlencode({**query, "sim_consent": "deny"})),
    }
    return Answer(headers=(HTML_TYPE,), body=_PAGE.format(**fill).encode())


def _issue_code(query: Json, state: SimState) -> str:
    hint = query.get("login_hint", "")
    user = next((u.name for u in state.config.users if u.name == hint), state.config.users[0].name)
    code = secrets.token_urlsafe(24)
    state.codes[code] = Code(
        challenge=query["code_challenge"],
        redirect_uri=query["redirect_uri"],
        client_id=query["client_id"],
        scope=query["scope"],
        user=user,
        expires_at=state.clock.now() + CODE_LIFE_S,
    )
    return code


def _back(query: Json, values: Json, state: SimState) -> Answer:
    fields = {**values, "iss": f"{state.url}/oidc"}
    if query.get("state"):
        fields["state"] = query["state"]
    place = f"{query['redirect_uri']}?{urlencode(fields)}"
    return Answer(status=302, headers=(("location", place),))


async def token(ask: Ask) -> Answer:
    """POST /oidc/v1/token"""
    if not ask.request.header("content-type").startswith("application/x-www-form-urlencoded"):
        return _oauth_error("invalid_request", "Content-Type must be application/x-www-form-urlencoded")
    form = ask.request.form()
    grants = {"authorization_code": _exchange, "refresh_token": _refresh, "client_credentials": _machine}
    grant = grants.get(form.get("grant_type", ""))
    if grant is None:
        return _oauth_error("unsupported_grant_type", "The grant type is not supported")
    return grant(form, ask)


def _exchange(form: Json, ask: Ask) -> Answer:
    state = ask.state
    code = state.codes.get(form.get("code", ""))
    if code is None or code.used or code.expires_at <= state.clock.now():
        return _oauth_error("invalid_grant", "The authorization code is invalid or has expired")
    code.used = True
    if form.get("client_id") != code.client_id or form.get("redirect_uri") != code.redirect_uri:
        return _oauth_error("invalid_grant", "client_id or redirect_uri do not match the authorization request")
    if not _verifies(form.get("code_verifier", ""), code.challenge):
        return _oauth_error("invalid_grant", "PKCE verification failed")
    grant = state.tokens.sign_in(code.user, code.client_id, code.scope, state.token_ttl_s)
    if "offline_access" not in code.scope.split():
        grant.refresh_token = ""
    return _granted(grant)


def _verifies(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(digest, challenge)


def _refresh(form: Json, ask: Ask) -> Answer:
    state = ask.state
    if form.get("client_id") != CLIENT_ID:
        return _oauth_error("invalid_client", "Unknown client_id", 401)
    grant = state.tokens.refresh(
        form.get("refresh_token", ""),
        state.token_ttl_s,
        rotate=state.rotate_refresh,
        keep=state.switches[switches.KEEP_REFRESH],
    )
    if grant is None:
        code = "invalid_request" if state.switches[switches.REFRESH_INVALID_REQUEST] else "invalid_grant"
        return _oauth_error(code, "Refresh token is invalid")
    return _granted(grant)


def _machine(form: Json, ask: Ask) -> Answer:
    client_id, client_secret = _basic(ask.request.header("authorization"))
    if not client_id:
        client_id, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    known = ask.state.principals.get(client_id)
    if known is None or not hmac.compare_digest(known.encode(), client_secret.encode()):
        return _oauth_error("invalid_client", "Client authentication failed", 401)
    return _granted(ask.state.tokens.machine(client_id, form.get("scope", "all-apis"), ask.state.token_ttl_s))


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _granted(grant: Grant) -> Answer:
    body: Json = {
        "access_token": grant.access_token,
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "scope": grant.scope,
    }
    if grant.refresh_token:
        body["refresh_token"] = grant.refresh_token
    return json_answer(body, 200, ("cache-control", "no-store"))


def _oauth_error(code: str, description: str, status: int = 400) -> Answer:
    return json_answer({"error": code, "error_description": description}, status)
