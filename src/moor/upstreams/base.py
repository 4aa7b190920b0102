"""What the gateway and the commands ask of a place that serves models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ssl

    from moor.domain.credential import CredentialSource
    from moor.domain.models import Catalogue, Model, Target
    from moor.domain.session import Session
    from moor.secrets import Secret
    from moor.workspace.signin import Conversation


class Upstream(Protocol):
    """One configured upstream. Construction does no network and starts nothing."""

    name: str
    """its name in the config"""
    kind: str
    quirks: frozenset[str]
    """what it refuses or alters, by quirk name; filters ask for these, never for the kind"""

    def prepare(self) -> None:
        """Called once by the gateway process, on a thread, before the first call: starts what must run
        (the built-in simulator). BLOCKS. Raises MoorError."""
        ...

    def close(self) -> None:
        """Ends what `prepare` started; bounded by 3 seconds; idempotent."""
        ...

    def catalogue(self) -> Catalogue:
        """The list of models as last fetched, from disk; no network. Raises CatalogueMissingError."""
        ...

    def refresh_catalogue(self) -> Catalogue:
        """Ask the upstream, store and return the list. BLOCKS on the network. Raises MoorError."""
        ...

    def target(self, dialect: str, model: Model, action: str) -> Target:
        """Where a call goes: pure, no I/O. Raises NoRouteError for a dialect it does not serve."""
        ...

    def credential(self) -> CredentialSource:
        """The same source object at every call."""
        ...

    def sign_in(self, talk: Conversation) -> None:
        """A person's sign-in, on the person's own command: get a credential by the upstream's way and keep it.

        BLOCKS. Does nothing where none is needed. Raises SignInRefused, SignInTimeout, Unreachable and others.
        """
        ...

    def take_token(self, token: Secret, where: str) -> None:
        """Keep a token that a person gave, once the upstream has accepted it; `where` it came from, in words.

        BLOCKS. Raises TokenRefused, Unreachable; UpstreamInvalid where the upstream takes no such token.
        """
        ...

    def needs_sign_in(self) -> bool:
        """Whether a launch would fail for want of a credential, as far as files and environment tell; no network."""
        ...

    def is_dead_credential(self, status: int, body: bytes) -> bool:
        """Whether this answer says that the credential is dead (facts/databricks 0.3)."""
        ...

    def call_headers(self, session: Session) -> tuple[tuple[str, str], ...]:
        """User-Agent and request tags of a session's calls, as the upstream wants them."""
        ...

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS context for its https targets: system and configured authorities; None for http."""
        ...
