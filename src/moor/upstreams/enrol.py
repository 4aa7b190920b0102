"""What becomes of a sign-in and of a new upstream: credential, settings, defaults. Used by the commands."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from moor.domain import pick
from moor.domain.models import Catalogue
from moor.domain.settings import UpstreamSettings
from moor.errors.auth import SignInNeeded, TokenRefused
from moor.errors.net import Unreachable
from moor.errors.upstream import CredentialRefused, UpstreamError, UpstreamNameInvalid
from moor.net.url import is_loopback, parse_base
from moor.secrets import Secret
from moor.store.credentials import CredentialStore, StoredCredential
from moor.store.home import Home
from moor.store.settings_edit import set_values
from moor.workspace.http import WorkspaceHttp
from moor.workspace.kinds import PAT
from moor.workspace.place import Place
from moor.workspace.scim import who_am_i
from moor.workspace.tokens import FetchedSource

if TYPE_CHECKING:
    from moor.store.settings import Loaded

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_USER: Final = "user"
"""the source of a setting that stands in the user's own file"""


class Enrolled(NamedTuple):
    """What was written for an upstream."""

    name: str
    is_new: bool
    became_default: bool
    model: str
    """the default model, when it was chosen now"""
    small_model: str


def keep_named(home: Home, name: str, place: Place, stored: StoredCredential, where: str = "") -> str:
    """Ask who the credential belongs to and keep it; returns the user.

    `where` it came from: set for a token a person gave, which is kept only when it was accepted (TokenRefused).
    A fresh sign-in is kept even when the workspace cannot say whose it is.
    """
    source = FetchedSource(name, lambda _dead: stored, place.clock)
    user = ""
    try:
        user = who_am_i(WorkspaceHttp(place.client(), source)).user
    except (CredentialRefused, SignInNeeded) as error:
        raise TokenRefused(place.host, where or "the sign-in", error.context) from error
    except (UpstreamError, Unreachable):
        if where:
            raise
    CredentialStore(home).save(name, msgspec.structs.replace(stored, user=user))
    return user


def pat_credential(place: Place, token: Secret) -> StoredCredential:
    """A personal access token as it is stored."""
    return StoredCredential(
        kind=PAT,
        access_token=token,
        host=place.host,
        generation=secrets.token_hex(8),
        saved_at=place.clock.now(),
    )


def check_name(name: str) -> str:
    """The name, which must stand well in a file and on a command line; raises UpstreamNameInvalid."""
    if not _NAME.fullmatch(name):
        raise UpstreamNameInvalid(name)
    return name


def name_for(host: str, taken: tuple[str, ...], wish: str = "") -> str:
    """The wished name (a profile's) if it is one, else the host's first label, `local` for this machine.

    Numbered when taken.
    """
    if _NAME.fullmatch(wish) and wish not in taken and wish.upper() != wish:
        return wish
    base = parse_base(host, allow_plaintext=True)
    label = "local" if is_loopback(base.host) else base.host.partition(".")[0]
    stem = re.sub(r"[^A-Za-z0-9_-]", "-", label).strip("-_")[:60] or "workspace"
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def record(
    home: Home, loaded: Loaded, name: str, settings: UpstreamSettings, catalogue: Catalogue | None
) -> Enrolled:
    """Write the upstream to the user's config; the first becomes the default, with a model and a small model.

    What the user's file already sets stays. One write, or none.
    """
    known = loaded.settings.upstreams.get(name)
    values: dict[str, Any] = {}
    if known is None:
        values[f"upstreams.{name}"] = _table(settings)
    elif known != settings:
        values |= {f"upstreams.{name}.{key}": value for key, value in _changed(known, settings).items()}
    default = in_user_file(loaded, "defaults.upstream")
    if not default:
        values["defaults.upstream"] = default = name
    model = small = ""
    if default == name and catalogue is not None and not in_user_file(loaded, "defaults.model"):
        model, small = choose(catalogue, loaded)
        if model:
            values["defaults.model"] = model
        if small and not in_user_file(loaded, "defaults.small_model"):
            values["defaults.small_model"] = small
    if values:
        set_values(home, values)
    return Enrolled(name, known is None, "defaults.upstream" in values, model, small)


def choose(catalogue: Catalogue, loaded: Loaded) -> tuple[str, str]:
    """Ids of a model and a small model that the policy allows; empty when it allows none."""
    allowed = [model for model in catalogue.models if loaded.policy.why_not(model.id) is None]
    main = pick.main_model(allowed)
    return (main.id, pick.small_model(allowed, main).id) if main else ("", "")


def _table(settings: UpstreamSettings) -> dict[str, Any]:
    """Only what differs from the defaults, for a file that people read."""
    plain = UpstreamSettings(kind=settings.kind)
    return {"kind": settings.kind, **_changed(plain, settings)}


def _changed(before: UpstreamSettings, after: UpstreamSettings) -> dict[str, Any]:
    names = before.__struct_fields__
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def in_user_file(loaded: Loaded, dotted: str) -> str:
    """The value in the user's own file, whatever overrides it now; empty when it is not there."""
    origin = loaded.origins[dotted]
    if origin.source == _USER:
        return str(origin.value)
    return next((str(value) for source, value in origin.overridden if source == _USER), "")
