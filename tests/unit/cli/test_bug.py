"""A bug becomes a short notice and a private report; a full disk is told as such."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from moor.cli.bug import KEPT, report_bug, report_text
from moor.cli.output import Output

TOKEN = "dapi0123456789abcdef0123456789abcdef"


def broken(secret: str) -> None:
    local_variable = secret + "-local"
    raise ZeroDivisionError(f"dividing {len(local_variable)} with {secret}")


def caught() -> BaseException:
    try:
        broken(TOKEN)
    except ZeroDivisionError as error:
        return error
    raise AssertionError


@pytest.fixture
def out() -> Output:
    return Output({"NO_COLOR": "1"}, stdout=io.StringIO(), stderr=io.StringIO())


def said(out: Output) -> str:
    assert isinstance(out.stderr, io.StringIO)
    return out.stderr.getvalue()


def test_the_notice_is_short_and_names_the_report(
    out: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOOR_HOME", str(tmp_path / "m"))
    assert report_bug(caught(), ["run", f"use {TOKEN}"], out) == 70
    (report,) = (tmp_path / "m" / "log").iterdir()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert str(report) in said(out)
    assert len(said(out).splitlines()) <= 4
    text = report.read_text(encoding="utf-8")
    for words in ("moor run", "ZeroDivisionError", "in broken", "python ", "platform ", "version "):
        assert words in text


@pytest.mark.feature("F17.5")
def test_neither_notice_nor_report_holds_a_credential_or_a_local_variable(
    out: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOOR_HOME", str(tmp_path))
    report_bug(caught(), ["--x", TOKEN], out)
    (report,) = (tmp_path / "log").iterdir()
    for text in (said(out), report.read_text(encoding="utf-8"), report_text(caught(), [TOKEN])):
        assert TOKEN not in text
        assert "-local" not in text


def test_without_a_place_for_the_report_the_traceback_is_printed_masked(
    out: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOOR_HOME", "/dev/null/m")
    assert report_bug(caught(), [], out) == 70
    assert "in broken" in said(out)
    assert TOKEN not in said(out)


def test_old_reports_are_removed(out: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOOR_HOME", str(tmp_path))
    (tmp_path / "log").mkdir()
    for number in range(KEPT + 5):
        (tmp_path / "log" / f"bug-20000101-0000{number:02}-1.txt").touch()
    report_bug(caught(), [], out)
    names = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert len(names) == KEPT
    assert not names[-1].startswith("bug-2000")


@pytest.mark.parametrize(
    ("number", "ref", "code"),
    [(errno.ENOSPC, "disk-full", 1), (errno.EROFS, "home-unwritable", 2), (errno.EACCES, "home-unwritable", 2)],
)
def test_a_disk_that_cannot_be_written_is_no_bug(
    out: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, ref: str, code: int
) -> None:
    monkeypatch.setenv("MOOR_HOME", str(tmp_path))
    assert report_bug(OSError(number, os.strerror(number), "/m/x"), [], out) == code
    assert f"error: {ref}: " in said(out)
    assert "/m/x" in said(out)
    assert not (tmp_path / "log").exists()


IN_A_SMALL_DISK = """
mount -t tmpfs -o size=64k tmpfs "$1" || exit 99
"$2" -m moor config set defaults.model before || exit 98
head -c 1000000 /dev/zero > "$1/filler" 2>/dev/null
"$2" -m moor config set defaults.model "$(head -c 20000 /dev/zero | tr '\\0' x)"
code=$?
cat "$1/m/config.toml"
ls -A "$1/m"
exit $code
"""


def test_a_full_disk_is_told_and_what_was_stored_stays(tmp_path: Path) -> None:
    """A real one of 64 kB, where this machine lets us mount it."""
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", IN_A_SMALL_DISK, "sh", tmp_path, sys.executable],
        env={"MOOR_HOME": f"{tmp_path}/m", "PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip("no mount namespaces here")
    assert done.returncode == 1, done.stderr
    assert "error: disk-full: the disk is full" in done.stderr
    assert "hint: free some space" in done.stderr
    assert 'model = "before"' in done.stdout
    assert ".new" not in done.stdout, "no half-written file is left"
