"""Keys of the stand-alone gateway are shown once, kept as a hash, and end when revoked."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.domain.policy import Policy, PolicyLayer
from moor.errors.store import KeyNameTakenError, KeyUnknownError
from moor.secrets import key_hash
from moor.store.home import Home
from moor.store.keys import KeyStore


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(Home(tmp_path / "m"), ManualClock(1000.0))


@pytest.mark.feature("F3.16")
def test_only_the_hash_of_a_key_is_kept(store: KeyStore, tmp_path: Path) -> None:
    key, secret = store.create("ci")
    assert key.key_hash == key_hash(secret.reveal())
    stored = b"".join(path.read_bytes() for path in (tmp_path / "m").iterdir() if path.is_file())
    assert key.key_hash.encode() in stored
    assert secret.reveal().encode() not in stored


def test_a_key_comes_back_with_what_it_may_do(store: KeyStore) -> None:
    policy = Policy((PolicyLayer("key", ("claude-*",)),))
    key, _ = store.create("ci", "dev", policy, 5_000_000_000)
    assert store.active() == [key] == store.list()
    assert (key.upstream, key.policy, key.budget_nano, key.created_at) == ("dev", policy, 5_000_000_000, 1000.0)


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_revoked_key_is_listed_and_no_longer_active(store: KeyStore, by: str) -> None:
    key, _ = store.create("ci")
    other, _ = store.create("")
    revoked = store.revoke(getattr(key, by))
    assert revoked.revoked_at == 1000.0
    assert store.active() == [other]
    assert {one.id for one in store.list()} == {key.id, other.id}


def test_the_name_of_an_active_key_is_taken_and_that_of_a_revoked_one_free(store: KeyStore) -> None:
    store.create("ci")
    with pytest.raises(KeyNameTakenError):
        store.create("ci")
    store.revoke("ci")
    store.create("ci")
    store.create("")
    store.create("")
    assert len(store.active()) == 3


@pytest.mark.parametrize("name", ["nobody", "", "' OR 1=1 --"])
def test_revoking_what_is_no_key_says_so(store: KeyStore, name: str) -> None:
    store.create("")
    with pytest.raises(KeyUnknownError):
        store.revoke(name)
    assert len(store.active()) == 1
