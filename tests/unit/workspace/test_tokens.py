"""Credentials that renew themselves: ahead, once, and without losing or repeating a refresh token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from moor.clock import ManualClock
from moor.domain.credential import Credential
from moor.errors.auth import RefreshRefused, SignInNeeded
from moor.errors.base import MoorError
from moor.errors.net import Unreachable
from moor.errors.store import DiskFullError
from moor.errors.upstream import RateLimited, UpstreamFailing
from moor.secrets import Secret
from moor.store.credentials import StoredCredential
from moor.workspace.kinds import PAT
from moor.workspace.tokens import FetchedSource, StoredSource
from tests.unit.workspace.token_rig import HOST, DictVault, Endpoint


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def endpoint(clock: ManualClock) -> Endpoint:
    return Endpoint(clock)


def source_of(endpoint: Endpoint, vault: DictVault) -> StoredSource:
    return StoredSource("ws", HOST, vault, endpoint.renew, endpoint.clock)


def words(credential: Credential | None) -> str | None:
    return credential.secret.reveal() if credential else None


def test_a_stored_token_is_used_until_ten_minutes_before_its_end(clock: ManualClock, endpoint: Endpoint) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    assert source.current() is None
    assert words(source.obtain()) == "a0"
    clock.advance(2999)
    assert words(source.current()) == "a0"
    clock.advance(2)
    assert source.current() is None
    assert words(source.obtain()) == "a1"
    assert words(source.current()) == "a1"


def test_a_token_that_is_due_may_be_used_for_half_of_the_time_that_is_left(
    clock: ManualClock, endpoint: Endpoint
) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    assert source.spare() is None
    source.obtain()
    clock.advance(3001)
    assert source.current() is None
    assert words(source.spare()) == "a0"
    clock.jump(300)
    assert source.spare() is None, "a wall clock that was set ahead may be right"
    clock.jump(-3000)
    assert words(source.spare()) == "a0"
    clock.advance(299)
    assert source.spare() is None
    source.obtain()
    assert words(source.current()) == "a1"


def test_a_life_of_five_seconds_is_renewed_after_four(clock: ManualClock, endpoint: Endpoint) -> None:
    endpoint.life_s = 5
    source = source_of(endpoint, DictVault(endpoint.first()))
    seen = []
    for _ in range(60):
        seen.append(words(source.current() or source.obtain()))
        living = source.current()
        assert living is not None
        assert living.expires_at is not None
        assert living.expires_at > clock.now()
        clock.advance(0.5)
    assert endpoint.presented == [f"r{number}" for number in range(7)]
    assert len(set(seen)) == 8


def test_the_newest_refresh_token_is_stored_before_its_access_token_is_handed_out(endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    credential = source.obtain(dead=source.obtain())
    assert words(credential) == "a1"
    assert vault.stored is not None
    assert vault.stored.refresh_token == Secret("r1")
    assert vault.stored.presented_at == 0.0


def test_a_dead_credential_is_renewed_once_for_all_who_met_it(endpoint: Endpoint) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    dead = source.obtain()
    assert words(source.obtain(dead)) == "a1"
    assert words(source.obtain(dead)) == "a1"
    assert endpoint.presented == ["r0"]


def test_what_another_process_renewed_is_taken_from_the_store(endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    mine, other = source_of(endpoint, vault), source_of(endpoint, vault)
    dead = mine.obtain()
    assert words(other.obtain(dead)) == "a1"
    assert words(mine.obtain(dead)) == "a1"
    assert endpoint.presented == ["r0"]


def test_what_came_while_waiting_for_the_lock_is_taken(endpoint: Endpoint) -> None:
    class SlowVault(DictVault):
        @contextmanager
        def refresh_lock(self, upstream: str, timeout_s: float = 30.0) -> Iterator[None]:
            self.stored = endpoint.renew(self.stored) if self.stored else None
            yield

    source = source_of(endpoint, SlowVault(endpoint.first()))
    assert words(source.obtain(dead=source.obtain())) == "a1"
    assert endpoint.presented == ["r0"]


def test_threads_at_once_share_one_renewal(endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    sources = [source_of(endpoint, vault) for _ in range(4)]
    dead = sources[0].obtain()
    start = threading.Barrier(16)
    got: list[str | None] = []

    def work(number: int) -> None:
        start.wait()
        got.append(words(sources[number % 4].obtain(dead)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["a1"] * 16
    assert endpoint.presented == ["r0"]


def test_a_wall_clock_that_jumps_ahead_ends_the_token(clock: ManualClock, endpoint: Endpoint) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    source.obtain()
    clock.jump(8 * 3600)
    assert source.current() is None
    assert words(source.obtain()) == "a1"


def test_a_wall_clock_that_is_set_back_does_not_make_a_token_live_longer(
    clock: ManualClock, endpoint: Endpoint
) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    source.obtain()
    clock.jump(-3600)
    clock.advance(3500)
    assert source.current() is None


def test_a_spent_refresh_token_needs_a_person_and_is_not_presented_again(endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    endpoint.valid = "another"
    first, second = source_of(endpoint, vault), source_of(endpoint, vault)
    dead = first.obtain()
    for source in (first, first, second):
        with pytest.raises(SignInNeeded) as caught:
            source.obtain(dead)
        assert caught.value.hint == "moor login --upstream ws"
        assert caught.value.exit_code == 3
    assert endpoint.presented == ["r0"]


def test_a_sign_in_that_came_while_the_old_token_was_refused_is_taken(endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    fresh = msgspec.structs.replace(endpoint.first(), access_token=Secret("new"), generation="login")

    def meanwhile() -> MoorError | None:
        vault.stored = fresh
        return RefreshRefused(HOST, "invalid_grant")

    endpoint.fault = meanwhile
    source = source_of(endpoint, vault)
    assert words(source.obtain(dead=source.obtain())) == "new"


def test_a_due_token_that_lives_is_used_while_the_host_is_down(clock: ManualClock, endpoint: Endpoint) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    source.obtain()
    endpoint.fault = lambda: Unreachable("ws.example", "connection refused")
    clock.advance(3100)
    assert words(source.obtain()) == "a0"
    assert words(source.current()) == "a0", "for some seconds nobody tries again"
    clock.advance(6)
    assert source.current() is None
    endpoint.fault = lambda: None
    assert words(source.obtain()) == "a1"


def test_an_ended_token_and_a_host_that_is_down_is_unreachable_not_signed_out(
    clock: ManualClock, endpoint: Endpoint
) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    source.obtain()
    endpoint.fault = lambda: Unreachable("ws.example", "connection refused")
    clock.advance(3601)
    with pytest.raises(Unreachable):
        source.obtain()
    endpoint.fault = lambda: None
    assert words(source.obtain()) == "a1"


@pytest.mark.parametrize(
    "lost",
    [
        Unreachable("ws.example", "no answer", arrived=True),
        UpstreamFailing("renewing the session", 500, "internal"),
    ],
)
def test_a_refresh_token_whose_answer_was_lost_waits_until_the_access_token_has_ended(
    clock: ManualClock, endpoint: Endpoint, lost: MoorError
) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    source.obtain()
    endpoint.fault = lambda: lost
    clock.advance(3100)
    for _ in range(5):
        assert words(source.obtain()) == "a0"
        clock.advance(10)
    assert endpoint.presented == ["r0"]
    other_process = source_of(endpoint, vault)
    assert words(other_process.obtain()) == "a0"
    assert endpoint.presented == ["r0"]
    endpoint.fault = lambda: None
    clock.advance(600)
    assert words(source.obtain()) == "a1"


def test_a_refusal_for_haste_leaves_the_refresh_token_usable(clock: ManualClock, endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    source.obtain()
    endpoint.fault = lambda: RateLimited("renewing the session", 429, "slow down")
    clock.advance(3100)
    assert words(source.obtain()) == "a0"
    endpoint.fault = lambda: None
    clock.advance(6)
    assert words(source.obtain()) == "a1"


def test_a_full_disk_is_noticed_before_the_refresh_token_is_spent(clock: ManualClock, endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    source.obtain()
    vault.full = True
    clock.advance(3601)
    with pytest.raises(DiskFullError):
        source.obtain()
    assert endpoint.presented == []
    vault.full = False
    assert words(source.obtain()) == "a1"


def test_nobody_signed_in_is_told_with_the_command() -> None:
    clock = ManualClock()
    with pytest.raises(SignInNeeded, match="nobody is signed in"):
        source_of(Endpoint(clock), DictVault()).obtain()


def test_a_credential_of_another_host_is_never_sent(endpoint: Endpoint) -> None:
    vault = DictVault(msgspec.structs.replace(endpoint.first(), host="https://other.example"))
    with pytest.raises(SignInNeeded, match=r"other\.example"):
        source_of(endpoint, vault).obtain()


def test_a_token_without_refresh_lives_to_its_very_end(clock: ManualClock, endpoint: Endpoint) -> None:
    stored = msgspec.structs.replace(endpoint.first(), refresh_token=None)
    source = source_of(endpoint, DictVault(stored))
    clock.advance(3599)
    assert words(source.obtain()) == "a0"
    clock.advance(2)
    with pytest.raises(SignInNeeded):
        source.obtain()


def test_a_refused_personal_token_needs_a_person(endpoint: Endpoint) -> None:
    stored = StoredCredential(kind=PAT, access_token=Secret("dapi0"), host=HOST, generation="g")
    source = source_of(endpoint, DictVault(stored))
    dead = source.obtain()
    with pytest.raises(SignInNeeded, match="no longer accepted"):
        source.obtain(dead)
    assert endpoint.presented == []


def test_a_logout_is_felt_at_the_next_renewal(clock: ManualClock, endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    source.obtain()
    vault.stored = None
    clock.advance(3601)
    with pytest.raises(SignInNeeded):
        source.obtain()


def test_those_who_waited_for_a_failure_share_it(clock: ManualClock, endpoint: Endpoint) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> MoorError:
        entered.set()
        leave.wait(5)
        return Unreachable("ws.example", "no connection")

    endpoint.fault = slow
    source = source_of(endpoint, DictVault(endpoint.first()))
    clock.advance(3601)
    failures: list[str] = []

    def work() -> None:
        try:
            source.obtain()
        except Unreachable as error:
            failures.append(error.ref)

    threads = [threading.Thread(target=work) for _ in range(5)]
    threads[0].start()
    entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    while sum(thread.is_alive() for thread in threads) < 5:
        pass
    # all four have begun to wait: their count of failures was read before the first one ends
    threading.Event().wait(0.2)
    leave.set()
    for thread in threads:
        thread.join()
    assert failures == ["unreachable"] * 5
    assert endpoint.presented == ["r0"]


def test_a_fetched_token_is_asked_for_again_when_due_or_dead(clock: ManualClock) -> None:
    asked: list[bool] = []

    def fetch(forced: bool) -> StoredCredential:
        asked.append(forced)
        number = len(asked)
        return StoredCredential(
            kind="m2m",
            access_token=Secret(f"t{number}"),
            expires_at=clock.now() + 100,
            generation=f"g{number}",
            saved_at=clock.now(),
        )

    source = FetchedSource("ws", fetch, clock)
    first = source.obtain()
    assert source.current() is first
    assert words(source.obtain(first)) == "t2"
    clock.advance(81)
    assert source.current() is None
    assert words(source.obtain()) == "t3"
    assert asked == [False, True, False]


def test_a_source_that_has_only_the_dead_token_needs_a_person(clock: ManualClock) -> None:
    stored = StoredCredential(kind=PAT, access_token=Secret("same"), generation="g")
    source = FetchedSource("ws", lambda _forced: stored, clock, "do this")
    dead = source.obtain()
    with pytest.raises(SignInNeeded) as caught:
        source.obtain(dead)
    assert caught.value.hint == "do this"
