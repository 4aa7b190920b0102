"""Credentials: one private file, never a token lost between processes, never one shown."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from moor.errors.store import HomeForeignError, LockTimeoutError, StateBrokenError, StateNewerError
from moor.secrets import Secret
from moor.store.credentials import CredentialStore, StoredCredential
from moor.store.home import Home

TOKEN = "dapi0123456789abcdef0123456789abcdef"
ONE = StoredCredential(
    kind="oauth",
    access_token=Secret(TOKEN),
    refresh_token=Secret("doseabcdef0123456789"),
    expires_at=1_800_000_000.5,
    host="https://dev.example.com",
    user="me@example.com",
    client_id="cli",
    generation="3",
    saved_at=1.0,
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


def test_a_credential_comes_back_as_it_was(home: Home) -> None:
    CredentialStore(home).save("dev", ONE)
    assert CredentialStore(home).load("dev") == ONE
    assert CredentialStore(home).load("prod") is None


def test_an_empty_home_has_none_and_stays_empty(home: Home) -> None:
    store = CredentialStore(home)
    assert (store.load("dev"), store.names(), store.remove("dev")) == (None, [], False)
    assert not home.root.exists()


def test_upstreams_do_not_disturb_each_other(home: Home) -> None:
    store = CredentialStore(home)
    other = StoredCredential(kind="pat", access_token=Secret("x" * 20))
    store.save("dev", ONE)
    store.save("prod", other)
    assert store.names() == ["dev", "prod"]
    assert store.remove("dev")
    assert (store.load("dev"), store.load("prod")) == (None, other)


def test_the_file_is_private_and_made_private_again(home: Home) -> None:
    store = CredentialStore(home)
    store.save("dev", ONE)
    home.credentials_path.chmod(0o644)
    assert store.load("dev") == ONE
    assert stat.S_IMODE(home.credentials_path.stat().st_mode) == 0o600


def test_a_file_of_another_user_is_not_believed(home: Home) -> None:
    CredentialStore(home).save("dev", ONE)
    foreign = Home(home.root, uid=home.uid + 1)
    with pytest.raises(HomeForeignError):
        CredentialStore(foreign).load("dev")


def test_neither_repr_nor_an_error_shows_a_token(home: Home) -> None:
    assert TOKEN not in repr(ONE)
    CredentialStore(home).save("dev", ONE)
    file = json.loads(home.credentials_path.read_text(encoding="utf-8"))
    file["credentials"]["dev"]["kind"] = 5
    home.credentials_path.write_text(json.dumps(file), encoding="utf-8")
    with pytest.raises(StateBrokenError) as caught:
        CredentialStore(home).load("dev")
    assert TOKEN not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert caught.value.__cause__ is None, "a traceback would show what stood in the file"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"credentials": 3}', b"\xff"])
def test_a_damaged_file_is_named_and_left_alone(home: Home, content: bytes) -> None:
    home.ensure()
    home.credentials_path.write_bytes(content)
    store = CredentialStore(home)
    for attempt in (lambda: store.load("dev"), lambda: store.save("dev", ONE)):
        with pytest.raises(StateBrokenError):
            attempt()
    assert home.credentials_path.read_bytes() == content


def test_a_file_of_a_newer_form_is_refused(home: Home) -> None:
    home.ensure()
    home.credentials_path.write_bytes(b'{"version": 2, "credentials": {}}')
    with pytest.raises(StateNewerError):
        CredentialStore(home).save("dev", ONE)


def test_an_entry_with_fields_of_a_newer_moor_survives_a_change_of_another(home: Home) -> None:
    store = CredentialStore(home)
    store.save("dev", ONE)
    file = json.loads(home.credentials_path.read_text(encoding="utf-8"))
    file["credentials"]["dev"]["scope"] = "all"
    home.credentials_path.write_text(json.dumps(file), encoding="utf-8")
    store.save("prod", ONE)
    assert json.loads(home.credentials_path.read_text(encoding="utf-8"))["credentials"]["dev"]["scope"] == "all"


ROTATE = """
import sys
from pathlib import Path
from moor.secrets import Secret
from moor.store.credentials import CredentialStore, StoredCredential
from moor.store.home import Home
store, mine = CredentialStore(Home(Path(sys.argv[1]))), sys.argv[2]
for number in range(10):
    store.save(mine, StoredCredential(kind="oauth", access_token=Secret(f"{mine}-{number}")))
    with store.refresh_lock("shared"):
        found = store.load("shared")
        count = int(found.generation) + 1 if found else 1
        store.save("shared", StoredCredential(kind="oauth", access_token=Secret("t"), generation=str(count)))
"""


@pytest.mark.feature("F2.7")
def test_processes_that_rotate_at_once_lose_no_token_and_none_refreshes_twice(home: Home) -> None:
    workers = [subprocess.Popen([sys.executable, "-c", ROTATE, str(home.root), f"up{n}"]) for n in range(12)]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 12
    store = CredentialStore(home)
    shared = store.load("shared")
    assert shared is not None
    assert shared.generation == "120"
    for number in range(12):
        found = store.load(f"up{number}")
        assert found is not None
        assert found.access_token.reveal() == f"up{number}-9"


def test_a_refresh_waits_for_its_own_upstream_only(home: Home) -> None:
    store = CredentialStore(home)
    with (
        store.refresh_lock("dev"),
        store.refresh_lock("prod", timeout_s=0),
        pytest.raises(LockTimeoutError),
        CredentialStore(home).refresh_lock("dev", timeout_s=0.01),
    ):
        pass


def test_the_name_of_an_upstream_cannot_leave_the_folder_of_locks(home: Home) -> None:
    with CredentialStore(home).refresh_lock("../../evil/ name"):
        names = [path.name for path in home.locks_dir.iterdir()]
    assert names == ["refresh-..%2F..%2Fevil%2F%20name.lock"]
