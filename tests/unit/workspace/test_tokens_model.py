"""Sign-ins under whatever happens: several processes, kills, lost answers, clocks that are set, in any order.

The sources are the real ones; the place of sign-in is played: a refresh token works once, and where one comes twice
all of its sign-in ends.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from moor.clock import ManualClock
from moor.domain.credential import Credential
from moor.errors.auth import RefreshRefused, SignInNeeded
from moor.errors.base import MoorError
from moor.errors.net import Unreachable
from moor.errors.upstream import RateLimited, UpstreamFailing
from moor.secrets import Secret
from moor.store.credentials import StoredCredential
from moor.workspace.kinds import OAUTH
from moor.workspace.tokens import StoredSource
from tests.support.fuzz import examples
from tests.unit.workspace.token_rig import HOST, DictVault

LIFE_S = 3600.0
CLOCK = {"back": -7200.0, "a little back": -400.0, "a little ahead": 400.0, "ahead": 7200.0}
NOT_SENT: dict[str, Callable[[], MoorError]] = {
    "refused": lambda: Unreachable("ws.example", "connection refused"),
    "hasty": lambda: RateLimited("renewing the session", 429, "slow down"),
}
"""a refresh that the place of sign-in has not seen, or not taken"""
LOST: dict[str, Callable[[], MoorError]] = {
    "lost": lambda: Unreachable("ws.example", "no answer", arrived=True),
    "500": lambda: UpstreamFailing("renewing the session", 500, "internal"),
}
"""one that it has taken, and whose answer never came"""


class Killed(BaseException):
    """The process died here."""


class Server:
    """The place of sign-in, which knows the true time."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.count = 0
        self.newest = ""
        self.used: set[str] = set()
        self.ends: dict[str, float] = {}
        """by access token: when it ends, by the monotonic clock"""
        self.twice = 0
        self.fault = ""
        self.lost = False
        """an answer never came: the sign-in may have to be made anew"""

    def sign_in(self) -> StoredCredential:
        """A person's sign-in: all that was before is over."""
        self.ends.clear()
        self.used.clear()
        return self._given()

    def renew(self, stored: StoredCredential) -> StoredCredential:
        """Part of `StoredSource`."""
        token = stored.refresh_token.reveal() if stored.refresh_token else ""
        if self.fault in NOT_SENT:
            raise NOT_SENT[self.fault]()
        if self.fault == "killed before":
            raise Killed
        if token in self.used:
            self.twice += 1
            self.ends.clear()
            self.newest = ""
        if token != self.newest:
            raise RefreshRefused(HOST, "invalid_grant", "Refresh token is invalid")
        self.used.add(token)
        given = self._given()
        self.lost = self.lost or self.fault == "killed after" or self.fault in LOST
        if self.fault in LOST:
            raise LOST[self.fault]()
        if self.fault == "killed after":
            raise Killed
        return given

    def _given(self) -> StoredCredential:
        self.count += 1
        self.newest = f"r{self.count}"
        self.ends[f"a{self.count}"] = self.clock.monotonic() + LIFE_S
        return StoredCredential(
            kind=OAUTH,
            access_token=Secret(f"a{self.count}"),
            refresh_token=Secret(self.newest),
            expires_at=self.clock.now() + LIFE_S,
            host=HOST,
            generation=f"g{self.count}",
            saved_at=self.clock.now(),
        )

    def takes(self, credential: Credential) -> bool:
        """Whether a model call with it is answered."""
        return self.clock.monotonic() < self.ends.get(credential.secret.reveal(), 0.0)


class SignIns(RuleBasedStateMachine):
    """What may happen to a sign-in."""

    @initialize()
    def begin(self) -> None:
        """A person signs in; three processes."""
        self.clock = ManualClock()
        self.server = Server(self.clock)
        self.vault = DictVault(self.server.sign_in())
        self.sources = [self.source() for _ in range(3)]

    def source(self) -> StoredSource:
        """Of a process of its own."""
        return StoredSource("ws", HOST, self.vault, self.server.renew, self.clock)

    @rule(
        which=st.integers(0, 2),
        fault=st.sampled_from(("", "", "lost", "full", "killed before", "killed after", *NOT_SENT, *LOST)),
    )
    def call(self, which: int, fault: str) -> None:
        """A model call: the credential is asked for, put on, and renewed once where it is refused."""
        source = self.sources[which]
        self.server.fault, self.vault.full = fault, fault == "full"
        living, twice = self.living(), self.server.twice
        try:
            credential = source.current() or self.beside(source) or source.obtain()
            for _ in range(2):  # another process may have renewed it before it was revoked
                if self.server.takes(credential):
                    break
                credential = source.obtain(credential)
            assert self.server.takes(credential), "it was renewed, and is refused"
        except Killed:
            self.sources[which] = self.source()
        except SignInNeeded:
            assert self.server.lost, "nothing was lost, and a person is asked to sign in"
        except MoorError:
            assert fault, "an error without a fault"
            assert not living, "the stored token lives"
        finally:
            self.server.fault, self.vault.full = "", False
        assert not living or self.server.twice == twice, "what lives was put at risk"

    def beside(self, source: StoredSource) -> Credential | None:
        """A credential that is due is used, and renewed on another thread, as a gateway does."""
        spare = source.spare()
        if spare is not None:
            with suppress(MoorError):
                source.obtain()
        return spare

    def living(self) -> bool:
        """Whether the stored token is good for longer than any renewal takes, by all clocks."""
        stored = self.vault.stored
        if stored is None:
            return False
        there = Credential(stored.access_token, stored.generation)
        by_wall = (stored.expires_at or 0.0) - self.clock.now()
        return self.server.takes(there) and by_wall > 0

    @rule(seconds=st.sampled_from((1.0, 10.0, 100.0, 300.0, 1500.0, 3100.0)))
    def time_passes(self, seconds: float) -> None:
        """For all."""
        self.clock.advance(seconds)

    @rule(which=st.integers(0, 2), what=st.sampled_from(("restart", "night", "revoked", "sign-in", *CLOCK)))
    def now_and_then(self, which: int, what: str) -> None:
        """What happens more rarely: a process ends and another begins; an administrator ends the access tokens; a
        person signs in once more; the wall clock is set."""
        if what == "restart":
            assert self.sources[which].finish(1.0)
            self.sources[which] = self.source()
        elif what == "night":
            self.clock.advance(30_000.0)
        elif what == "revoked":
            self.server.ends.clear()
        elif what == "sign-in":
            self.vault.stored = self.server.sign_in()
            self.server.lost, self.server.twice = False, 0
        else:
            self.clock.jump(CLOCK[what])

    @invariant()
    def nothing_comes_twice(self) -> None:
        """A refresh token is presented once, but where an answer was lost and nothing else was left."""
        if hasattr(self, "server"):
            assert self.server.lost or not self.server.twice


@pytest.mark.feature("F2.1", "F2.2")
@pytest.mark.fuzz
def test_no_sign_in_is_lost_while_all_answers_come() -> None:
    how = settings(
        max_examples=examples(300), stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(SignIns, settings=how)
