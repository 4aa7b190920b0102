"""The book of tokens: access tokens, rotating refresh tokens with reuse detection, personal access tokens.

Tokens are kept by hash; what leaves this file in logs or counts is a generation number. Facts/databricks 1.2, 1.4.
"""

from __future__ import annotations

import base64
import secrets
from enum import Enum

import msgspec

from moor.clock import Clock
from moor.errors.sim import SimRefusal
from moor.secrets import key_hash
from moor.sim.messages import Json

OAUTH = "oauth"
PAT = "pat"


class Standing(Enum):
    """What the workspace thinks of a presented token."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FOREIGN = "foreign"
    """issued by nobody here: garbage, or another workspace's"""


class Held(msgspec.Struct, kw_only=True):
    """One issued access token or PAT."""

    generation: int
    """counts issued tokens from 1: the name of a token in every log"""
    kind: str
    user: str
    expires_at: float
    """inf: never"""
    created_at: float
    family: str = ""
    """sign-in it descends from; "" for a PAT"""
    token_id: str = ""
    comment: str = ""
    revoked: bool = False


class Family(msgspec.Struct, kw_only=True):
    """One sign-in: all refresh and access tokens that descend from it."""

    id: str
    user: str
    scope: str
    client_id: str
    revoked: bool = False


class _Refresh(msgspec.Struct, kw_only=True):
    family: str
    used: bool = False


class Grant(msgspec.Struct, kw_only=True):
    """What the token endpoint hands out."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str


class TokenBook:
    """Issues, judges and revokes. Not thread-safe: lives on the server's loop."""

    def __init__(self, clock: Clock, issuer: str) -> None:
        self._clock = clock
        self.issuer = issuer
        self._access: dict[str, Held] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._families: dict[str, Family] = {}
        self.refreshes = 0
        self.refresh_presented_twice = 0
        self.families_revoked = 0

    def sign_in(self, user: str, client_id: str, scope: str, ttl_s: float) -> Grant:
        """A new family with its first pair of tokens."""
        family = Family(id=secrets.token_hex(8), user=user, scope=scope, client_id=client_id)
        self._families[family.id] = family
        return self._grant(family, ttl_s, renew=True)

    def machine(self, client_id: str, scope: str, ttl_s: float) -> Grant:
        """Client credentials: an access token and no refresh token."""
        family = Family(id=secrets.token_hex(8), user=client_id, scope=scope, client_id=client_id)
        self._families[family.id] = family
        return self._grant(family, ttl_s, renew=False)

    def refresh(self, token: str, ttl_s: float, *, rotate: bool, keep: bool = False) -> Grant | None:
        """The next pair, or None when the refresh token is dead.

        With `rotate` a token works once; its second presentation revokes the whole family. Without, it is
        handed out again. With `keep` the answer holds no refresh token and the old one stays good.
        """
        known = self._refresh.get(key_hash(token))
        if known is None:
            return None
        family = self._families[known.family]
        if known.used and rotate:
            self.refresh_presented_twice += 1
            self._revoke_family(family)
        if family.revoked:
            return None
        self.refreshes += 1
        known.used = rotate and not keep
        grant = self._grant(family, ttl_s, renew=known.used)
        if not rotate and not keep:
            grant.refresh_token = token
        return grant

    def _grant(self, family: Family, ttl_s: float, *, renew: bool) -> Grant:
        access = self._issue_jwt(family, ttl_s)
        fresh = ""
        if renew:
            fresh = "simrt-" + secrets.token_urlsafe(24)
            self._refresh[key_hash(fresh)] = _Refresh(family=family.id)
        return Grant(access_token=access, expires_in=int(ttl_s), refresh_token=fresh, scope=family.scope)

    def _issue_jwt(self, family: Family, ttl_s: float) -> str:
        now = self._clock.now()
        claims = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": family.user,
            "client_id": family.client_id,
            "scope": family.scope,
            "iat": int(now),
            "exp": int(now + ttl_s),
            "jti": secrets.token_hex(8),
        }
        token = f"{_b64({'alg': 'RS256', 'typ': 'at+jwt', 'kid': 'sim'})}.{_b64(claims)}.{secrets.token_urlsafe(48)}"
        self._hold(token, kind=OAUTH, user=family.user, expires_at=now + ttl_s, family=family.id)
        return token

    def mint_oauth(self, user: str, ttl_s: float) -> str:
        """An access token out of nothing, for tests."""
        return self.sign_in(user, "databricks-cli", "all-apis offline_access", ttl_s).access_token

    def mint_pat(self, user: str, ttl_s: float, comment: str) -> tuple[str, Held]:
        """A PAT and its record; `ttl_s` may be inf."""
        token = "dapi" + secrets.token_hex(16)
        return token, self._hold(
            token,
            kind=PAT,
            user=user,
            expires_at=self._clock.now() + ttl_s,
            token_id=secrets.token_hex(32),
            comment=comment,
        )

    def _hold(self, token: str, **fields: object) -> Held:
        record: Json = {"generation": len(self._access) + 1, "created_at": self._clock.now(), **fields}
        held = Held(**record)
        self._access[key_hash(token)] = held
        return held

    def judge(self, token: str) -> tuple[Standing, Held | None]:
        """Whether a presented token is good, and its record when it was issued here."""
        held = self._access.get(key_hash(token))
        if held is None:
            return Standing.FOREIGN, None
        if held.revoked or (held.family and self._families[held.family].revoked):
            return Standing.REVOKED, held
        if held.expires_at <= self._clock.now():
            return Standing.EXPIRED, held
        return Standing.GOOD, held

    def revoke_all(self, *, refresh_too: bool) -> int:
        """Every access token and PAT dies at once; with `refresh_too` every sign-in as well. Returns how many."""
        alive = [held for held in self._access.values() if not held.revoked]
        for held in alive:
            held.revoked = True
        if refresh_too:
            for family in self._families.values():
                self._revoke_family(family)
        return len(alive)

    def _revoke_family(self, family: Family) -> None:
        if not family.revoked:
            family.revoked = True
            self.families_revoked += 1

    def pats(self, user: str) -> list[Held]:
        """The user's living PATs, oldest first."""
        return [h for h in self._access.values() if h.kind == PAT and h.user == user and not h.revoked]

    def delete_pat(self, user: str, token_id: str) -> None:
        """Revoke one PAT. Raises SimRefusal 404."""
        for held in self.pats(user):
            if held.token_id == token_id:
                held.revoked = True
                return
        raise SimRefusal(404, f"Token with id {token_id} does not exist.", "RESOURCE_DOES_NOT_EXIST")

    def counts(self) -> Json:
        """Numbers only: nothing here is worth anything to a thief."""
        held = list(self._access.values())
        return {
            "issued": len(held),
            "oauth": sum(h.kind == OAUTH for h in held),
            "pats": sum(h.kind == PAT for h in held),
            "sign_ins": len(self._families),
            "refreshes": self.refreshes,
            "refresh_presented_twice": self.refresh_presented_twice,
            "families_revoked": self.families_revoked,
        }


def _b64(value: Json) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")
