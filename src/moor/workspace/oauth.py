"""The token endpoint: exchange, refresh, client credentials. Facts: databricks 1.2, 1.3."""

from __future__ import annotations

import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from moor.clock import Clock
from moor.errors.auth import RefreshRefused, SignInRefused
from moor.errors.base import MoorError
from moor.errors.net import NotJson
from moor.net.answer import Answer
from moor.net.client import HttpClient
from moor.secrets import Secret
from moor.store.credentials import StoredCredential
from moor.workspace.kinds import M2M, OAUTH
from moor.workspace.metadata import OidcEndpoints
from moor.workspace.pkce import CLIENT_ID, SCOPES
from moor.workspace.refusals import refusal_of, words_of

_DEFAULT_LIFE_S: Final = 3600.0
_SPENT: Final = ("invalid_grant",)
_SPENT_SENTENCE: Final = "refresh token is invalid"


class TokenEndpoint:
    """One workspace's token endpoint. Every call is made once; nothing is retried here."""

    def __init__(self, client: HttpClient, endpoints: OidcEndpoints, host: str, clock: Clock) -> None:
        """`client`: based on the scheme and authority of `endpoints.token`."""
        self._client = client
        self._path = urlsplit(endpoints.token).path
        self._host = host
        self._clock = clock

    def exchange(self, code: Secret, verifier: str, redirect_uri: str) -> StoredCredential:
        """The first tokens for a one-time code. Raises SignInRefused."""
        answer = self._client.post_form(
            self._path,
            {
                "grant_type": "authorization_code",
                "code": code.reveal(),
                "code_verifier": verifier,
                "redirect_uri": redirect_uri,
                "client_id": CLIENT_ID,
            },
        )
        return self._stored(self._granted(answer, "exchanging the sign-in code"), OAUTH, None)

    def refresh(self, stored: StoredCredential) -> StoredCredential:
        """New tokens for the stored refresh token; the old one stays where the answer holds none.

        Raises RefreshRefused when the token is spent, or what the answer means otherwise.
        """
        refresh_token = stored.refresh_token or Secret("")
        answer = self._client.post_form(
            self._path,
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token.reveal(),
                "client_id": stored.client_id or CLIENT_ID,
            },
        )
        if answer.status in (400, 401):
            error, description = words_of(answer.body)
            if error in _SPENT or _SPENT_SENTENCE in description.lower():
                raise RefreshRefused(self._host, error or str(answer.status), description)
        return self._stored(self._granted(answer, "renewing the session"), OAUTH, stored)

    def client_credentials(self, client_id: str, client_secret: Secret) -> StoredCredential:
        """A token for a service principal. Raises SignInRefused."""
        form = {"grant_type": "client_credentials", "scope": SCOPES.split()[0]}
        answer = self._client.post_form(self._path, form, basic=(client_id, client_secret))
        return self._stored(self._granted(answer, "signing in the service principal"), M2M, None)

    def _granted(self, answer: Answer, what: str) -> dict[str, Any]:
        if answer.status == 200:
            granted = answer.json_object()
            if granted.get("access_token"):
                return granted
            raise NotJson(answer.url, "an answer without an access token")
        raise self._refusal(answer, what)

    def _refusal(self, answer: Answer, what: str) -> MoorError:
        if answer.status in (400, 401, 403) and not answer.is_html:
            error, description = words_of(answer.body)
            return SignInRefused(self._host, error or str(answer.status), description)
        return refusal_of(answer, what, self._clock.now())

    def _stored(self, granted: dict[str, Any], kind: str, before: StoredCredential | None) -> StoredCredential:
        now = self._clock.now()
        newest = granted.get("refresh_token")
        return StoredCredential(
            kind=kind,
            access_token=Secret(str(granted["access_token"])),
            refresh_token=Secret(str(newest)) if newest else (before.refresh_token if before else None),
            expires_at=now + _life_s(granted.get("expires_in")),
            host=self._host,
            user=before.user if before else "",
            client_id=(before.client_id if before else "") or CLIENT_ID,
            generation=secrets.token_hex(8),
            saved_at=now,
        )


def _life_s(expires_in: Any) -> float:
    """Seconds; the number may come as text (1.2)."""
    try:
        return max(0.0, float(expires_in))
    except (TypeError, ValueError):
        return _DEFAULT_LIFE_S
