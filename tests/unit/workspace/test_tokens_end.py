"""A renewal that began is carried to its end, whatever ends the process."""

from __future__ import annotations

import signal
import threading

import pytest

from moor.clock import ManualClock
from moor.errors.net import Unreachable
from moor.secrets import Secret
from moor.workspace.tokens import StoredSource
from tests.unit.workspace.token_rig import HOST, DictVault, Endpoint


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint(ManualClock())


def source_of(endpoint: Endpoint, vault: DictVault) -> StoredSource:
    return StoredSource("ws", HOST, vault, endpoint.renew, endpoint.clock)


def test_a_renewal_that_began_is_waited_for_at_the_end(endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    dead = source.obtain()
    asked, answer = threading.Event(), threading.Event()

    def slow() -> None:
        asked.set()
        assert answer.wait(10)

    endpoint.fault = slow
    worker = threading.Thread(target=source.obtain, args=(dead,))
    worker.start()
    assert asked.wait(10)
    assert not source.finish(0.01)
    answer.set()
    assert source.finish(10)
    assert vault.stored is not None
    assert vault.stored.refresh_token == Secret("r1")
    worker.join()


def test_no_renewal_begins_once_the_end_has_begun(endpoint: Endpoint) -> None:
    source = source_of(endpoint, DictVault(endpoint.first()))
    dead = source.obtain()
    assert source.finish()
    with pytest.raises(Unreachable, match="this process ends"):
        source.obtain(dead)
    assert endpoint.presented == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_a_renewal_has_reached_the_disk(number: signal.Signals, endpoint: Endpoint) -> None:
    vault = DictVault(endpoint.first())
    source = source_of(endpoint, vault)
    dead = source.obtain()
    endpoint.fault = lambda: signal.pthread_kill(threading.get_ident(), number)
    seen: list[Secret | None] = []

    def handler(*_: object) -> None:
        seen.append(vault.stored.refresh_token if vault.stored else None)
        raise KeyboardInterrupt

    before = signal.signal(number, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            source.obtain(dead)
    finally:
        signal.signal(number, before)
    assert seen == [Secret("r1")]
