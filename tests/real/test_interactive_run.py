"""`moor run` in a person's terminal: the keys that stop it, the window that closes, the reader that leaves."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.domain.result import CANCELLED, COMPLETED
from tests.support import tui
from tests.support.moor import moor_command
from tests.support.workplace import Workplace, wait_until, workplace

pytestmark = pytest.mark.real


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents) as made:
        yield made


@pytest.mark.feature("F12.8")
def test_ctrl_c_cancels_and_a_second_one_changes_nothing(place: Workplace) -> None:
    with place.window("run", "Please wait, sim:run:sleep+4341") as window:
        place.wait_for_process("sleep 4341")
        window.keys(tui.CTRL_C)
        window.keys(tui.CTRL_C)
        assert window.wait(15) == 130
        assert "cancelled" in window.text
        assert "Traceback" not in window.text
    assert place.assert_clean_end().outcome == CANCELLED
    place.assert_ledger_equals_sim()


def test_a_closed_window_cancels_the_run_without_a_bug_report(place: Workplace) -> None:
    with place.window("run", "Please wait, sim:run:sleep+4342") as window:
        place.wait_for_process("sleep 4342")
        window.hang_up()
        window.wait(10)
    assert place.assert_clean_end().outcome == CANCELLED
    assert_no_bug(place)
    place.assert_ledger_equals_sim()


def test_ctrl_z_pauses_the_run_and_fg_brings_it_to_its_end(place: Workplace) -> None:
    with place.window(program=["bash", "--norc", "-i"]) as window:
        command = " ".join(moor_command())
        window.keys(f"PS1='shell> '; {command} run 'Please go on, sim:turns:12:0.3'{tui.ENTER}")
        wait_until(lambda: len(place.model_calls()) >= 3, "no calls came", 40)
        window.keys(tui.CTRL_Z)
        window.wait_for("Stopped", 10)
        window.keys(f"fg{tui.ENTER}")
        window.wait_for("All 12 turns are done", 40)
        window.wait_for("completed", 20)
        window.keys(f"exit{tui.ENTER}")
        window.wait(10)
    assert place.assert_clean_end().outcome == COMPLETED
    place.assert_ledger_equals_sim()


def test_a_reader_that_leaves_does_not_stop_the_work_nor_break_the_end(place: Workplace) -> None:
    with place.background("run", "Please mend it, sim:fix-test") as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        run.stderr.close()
        run.wait(60)
    assert place.assert_clean_end().outcome == COMPLETED
    assert_no_bug(place)
    mended = subprocess.run(
        ["git", "diff", "--stat"], cwd=place.repository, capture_output=True, encoding="utf-8", check=True
    )
    assert "pricing.py" in mended.stdout


def assert_no_bug(place: Workplace) -> None:
    """Moor did not take it for a mistake of its own."""
    assert [path.read_text(encoding="utf-8") for path in place.store.log_dir.glob("bug-*")] == []
