"""The pure part of a sign-in: verifier, challenge, state, and the address to open (RFC 7636, facts 1.2)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Final, NamedTuple
from urllib.parse import urlencode

CLIENT_ID: Final = "databricks-cli"
"""public client with loopback redirects on ports 8020 to 8040"""
SCOPES: Final = "all-apis offline_access"


class Pkce(NamedTuple):
    """Secrets of one sign-in."""

    verifier: str
    challenge: str
    state: str


def new_pkce() -> Pkce:
    """Fresh ones: 64 random bytes of verifier (86 characters), 16 of state."""
    verifier = _b64(secrets.token_bytes(64))
    return Pkce(verifier, challenge_of(verifier), _b64(secrets.token_bytes(16)))


def challenge_of(verifier: str) -> str:
    """S256: base64url of the SHA-256, without padding."""
    return _b64(hashlib.sha256(verifier.encode("ascii")).digest())


def authorize_url(endpoint: str, redirect_uri: str, pkce: Pkce) -> str:
    """The address for the browser."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": pkce.state,
            "code_challenge": pkce.challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
