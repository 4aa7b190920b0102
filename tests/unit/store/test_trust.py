"""A repository is trusted for exactly the content that the user let in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moor.clock import ManualClock
from moor.store.home import Home
from moor.store.trust import TrustStore


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(Home(tmp_path / "m"), ManualClock(1000.0))


def test_nothing_is_trusted_at_first_and_asking_creates_nothing(store: TrustStore, tmp_path: Path) -> None:
    assert not store.is_trusted(tmp_path, "abc")
    assert not (tmp_path / "m").exists()


def test_trust_holds_for_that_content_in_that_place(store: TrustStore, tmp_path: Path) -> None:
    store.trust(tmp_path, "abc")
    assert store.is_trusted(tmp_path, "abc")
    assert not store.is_trusted(tmp_path, "abd")
    assert not store.is_trusted(tmp_path, "")
    assert not store.is_trusted(tmp_path / "other", "abc")


def test_new_content_replaces_the_old(store: TrustStore, tmp_path: Path) -> None:
    store.trust(tmp_path, "abc")
    store.trust(tmp_path, "new")
    assert (store.is_trusted(tmp_path, "abc"), store.is_trusted(tmp_path, "new")) == (False, True)
    assert [(one.repo_root, one.trusted_at) for one in store.list()] == [(str(tmp_path.resolve()), 1000.0)]


def test_trust_ends_when_it_is_revoked(store: TrustStore, tmp_path: Path) -> None:
    store.trust(tmp_path, "abc")
    assert store.revoke(tmp_path)
    assert not store.revoke(tmp_path)
    assert (store.is_trusted(tmp_path, "abc"), store.list()) == (False, [])


def test_a_link_is_the_place_it_leads_to(store: TrustStore, tmp_path: Path) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "good")
    store.trust(tmp_path / "link", "abc")
    assert store.is_trusted(tmp_path / "good", "abc")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "bad")
    assert not store.is_trusted(tmp_path / "link", "abc")


def test_a_path_that_is_no_text_can_be_trusted(store: TrustStore, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    store.trust(odd, "abc")
    assert store.is_trusted(odd, "abc")
