"""Python agents from wheels, with the real pip: an offline folder, a lock, an index that fails, one with dates."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from moor.agents.pip import Pip, settle
from moor.errors.agent import AgentInstallFailed, NotInIndex

NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}


def make_wheel(folder: Path) -> tuple[Path, str]:
    """A wheel with a program `greet` that says where its interpreter is; its path and sha256."""
    info = "greet-1.2.dist-info"
    files = {
        "greet.py": "import sys\n\ndef main():\n    print(sys.prefix)\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: greet\nVersion: 1.2\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngreet = greet:main\n",
    }
    rows = []
    path = folder / "greet-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(text.encode())}")
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def pip(folder: Path, **environ: str) -> Pip:
    """With nothing of the developer's own settings."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "PIP_CONFIG_FILE": "/dev/null", **environ}
    return Pip("greet", "1.2", clean)


@pytest.mark.feature("F6.5", "F6.13")
def test_a_locked_wheel_of_an_offline_folder_works_at_its_final_place(tmp_path: Path) -> None:
    wheel, sha256 = make_wheel(tmp_path)
    lock, aside, target = tmp_path / "lock", tmp_path / ".new-1", tmp_path / "1.2"
    lock.write_text(f"greet==1.2 --hash=sha256:{sha256}\n", encoding="utf-8")
    got = pip(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent)).install([], aside, lock)
    assert got == {"greet==1.2": f"sha256-{sha256}"}
    settle(aside, target)
    aside.rename(target)
    for argv in ([target / "bin" / "greet"], [target / "bin" / "python", "-I", target / "bin" / "greet"]):
        done = subprocess.run(argv, capture_output=True, encoding="utf-8", check=True)
        assert done.stdout.strip() == str(target)
    assert not (tmp_path / ".cache").exists()


@pytest.mark.feature("F6.13", "F12.27")
def test_a_wheel_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    wheel, sha256 = make_wheel(tmp_path)
    lock = tmp_path / "lock"
    lock.write_text(f"greet==1.2 --hash=sha256:{sha256[::-1]}\n", encoding="utf-8")
    with pytest.raises(AgentInstallFailed, match="not what this moor was tested with"):
        pip(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent)).install([], tmp_path / "e", lock)


@pytest.mark.feature("F6.11")
def test_a_package_without_a_wheel_and_an_index_without_an_answer_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "greet-1.2.tar.gz").write_bytes(b"")
    with pytest.raises(NotInIndex):
        pip(tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)).install(["greet==1.2"], tmp_path / "a")
    with pytest.raises(AgentInstallFailed, match="cannot be reached"):
        pip(tmp_path, **NOWHERE).install(["greet==1.2"], tmp_path / "b")


class Index(BaseHTTPRequestHandler):
    """Pages by path; what is not there is an HTML page, as mirrors without dates answer."""

    pages: ClassVar[dict[str, object]] = {}

    def do_GET(self) -> None:
        found = self.pages.get(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode() if found is not None else b"<html></html>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.feature("F6.13")
def test_release_dates_come_from_both_forms_of_an_index(tmp_path: Path, index: str) -> None:
    asked = pip(tmp_path, PIP_INDEX_URL=f"{index}/simple", no_proxy="*")
    Index.pages = {}
    assert asked.published_at("My_Greet[x]", "1.2", tmp_path) is None
    older = {
        "releases": {"1.2": [{"filename": "my_greet-1.2.tar.gz", "upload_time_iso_8601": "1970-01-02T00:00:00Z"}]}
    }
    Index.pages = {"/pypi/my-greet/json": older}
    assert asked.published_at("My_Greet[x]", "1.2", tmp_path) == 86_400
    files = [{"filename": f"my_greet-1.{minor}-py3-none-any.whl", "upload-time": stamp} for minor, stamp in (
        (2, "1970-01-03T00:00:00Z"), (20, "1970-01-01T00:00:00Z"))]  # fmt: skip
    Index.pages = {"/simple/my-greet/": {"files": files, "versions": ["1.2", "1.20"]}}
    assert asked.published_at("my-greet", "1.2", tmp_path) == 2 * 86_400
    assert asked.newest("my-greet", tmp_path) == "1.20"


def test_a_version_that_the_index_does_not_list_beside_others_does_not_exist(tmp_path: Path, index: str) -> None:
    asked = pip(tmp_path, PIP_INDEX_URL=f"{index}/simple", no_proxy="*")
    for pages in (
        {"/simple/my-greet/": {"files": [], "versions": ["1.2", "1.20"]}},
        {"/pypi/my-greet/json": {"releases": {"1.2": [], "1.20": []}}},
    ):
        Index.pages = pages
        with pytest.raises(NotInIndex) as caught:
            asked.published_at("my-greet", "9.9", tmp_path)
        assert caught.value.context == "it has my-greet as 1.2, 1.20"
