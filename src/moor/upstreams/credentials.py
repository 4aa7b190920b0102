"""Where a workspace's tokens come from, by the `auth` setting: one row a strategy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from moor.errors.auth import SignInNeeded, TokenMissing
from moor.secrets import Secret
from moor.store.credentials import CredentialStore, StoredCredential
from moor.workspace.kinds import CLI, M2M, OAUTH, PAT
from moor.workspace.tokens import FetchedSource, StoredSource

if TYPE_CHECKING:
    from moor.domain.credential import CredentialSource
    from moor.domain.settings import UpstreamSettings
    from moor.store.home import Home
    from moor.workspace.place import Place


class _Wanted(NamedTuple):
    name: str
    settings: UpstreamSettings
    place: Place
    home: Home


def credential_source(name: str, settings: UpstreamSettings, place: Place, home: Home) -> CredentialSource:
    """The source for these settings; nothing is read or asked yet."""
    return _STRATEGIES[settings.auth or OAUTH](_Wanted(name, settings, place, home))


def _stored(wanted: _Wanted) -> CredentialSource:
    """OAuth, or a token that was pasted at `moor login --pat`: both lie in our store."""
    place = wanted.place
    return StoredSource(wanted.name, place.host, CredentialStore(wanted.home), place.renew, place.clock)


def _pat(wanted: _Wanted) -> CredentialSource:
    """A token of a named profile is read where it stands, each time it is needed, so that its rotation is seen."""
    name, settings, place, _ = wanted
    if not settings.profile:
        return _stored(wanted)

    def fetch(_forced: bool) -> StoredCredential:
        from moor.net.url import parse_base
        from moor.workspace.cfgfile import load_profile

        profile = load_profile(place.environ, settings.profile)
        if parse_base(profile.host, allow_plaintext=settings.allow_plaintext).url != place.host:
            raise SignInNeeded(name, f"profile {settings.profile} is for {profile.host}, not for {place.host}")
        token = profile.pat()
        return StoredCredential(
            kind=PAT, access_token=token, host=place.host, generation=_generation(token), saved_at=place.clock.now()
        )

    return FetchedSource(name, fetch, place.clock, f"moor login --profile {settings.profile} --pat")


def _cli(wanted: _Wanted) -> CredentialSource:
    from moor.workspace.clitoken import CliToken

    place = wanted.place
    fetch = CliToken(place.host, wanted.settings.profile, place.environ, place.clock).fetch
    return FetchedSource(wanted.name, fetch, place.clock, f"databricks auth login --host {place.host}")


def _m2m(wanted: _Wanted) -> CredentialSource:
    place = wanted.place

    def fetch(_forced: bool) -> StoredCredential:
        client_id = place.environ.get("DATABRICKS_CLIENT_ID", "")
        client_secret = Secret(place.environ.get("DATABRICKS_CLIENT_SECRET", ""))
        if not (client_id and client_secret):
            raise TokenMissing(
                "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET",
                f"set both for the service principal, or: moor login --upstream {wanted.name}",
            )
        return place.token_endpoint(place.endpoints, 10.0).client_credentials(client_id, client_secret)

    return FetchedSource(wanted.name, fetch, place.clock)


def _generation(token: Secret) -> str:
    """Changes with the token, and tells nothing of it (hashes of texts are seeded anew in each process)."""
    return f"pat-{hash(token) & 0xFFFFFFFF:08x}"


_STRATEGIES: Final[dict[str, Callable[[_Wanted], CredentialSource]]] = {
    OAUTH: _stored,
    PAT: _pat,
    CLI: _cli,
    M2M: _m2m,
}
