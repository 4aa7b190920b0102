"""The terminal screen of the tests shows what a person would see, however the bytes are cut."""

from __future__ import annotations

import itertools
import signal
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.support.screen import Screen
from tests.support.window import Window

SAMPLE = (
    "\x1b[?1049h\x1b[2J\x1b[3;5Hhere\x1b[1;31mred\x1b[0m\x1b[1;1H漢字x\x1b]0;title\x07\x1b[5;1Hgone\x1b[2K"
    "\x1b[4;2Hlast\x1b[4;4H\x1b[K\x1bPquery\x1b\\\x1b[6n\x1b[c\r\nfoo\bX\x1b[10;1Hend\n\n"
)


def test_text_stands_where_the_program_put_it() -> None:
    screen = Screen(6, 20)
    screen.feed("\x1b[2;3Hab\x1b[Bc\x1b[1;1Hfirst\x1b[1;3H\x1b[K")
    assert screen.text == "fi\n  ab\n    c\n\n\n"


def test_lines_scroll_and_wrap() -> None:
    screen = Screen(2, 4)
    screen.feed("abcdef\r\ngh")
    assert screen.text == "ef\ngh"


def test_questions_are_answered_with_the_cursors_place() -> None:
    assert Screen(10, 10).feed("\x1b[4;7H\x1b[6n\x1b[5n") == "\x1b[4;7R\x1b[0n"


@given(st.lists(st.integers(0, len(SAMPLE)), max_size=8))
def test_any_cut_gives_the_same_screen_and_answers(cuts: list[int]) -> None:
    whole, cut = Screen(8, 30), Screen(8, 30)
    wanted = whole.feed(SAMPLE)
    places = [0, *sorted(cuts), len(SAMPLE)]
    given_back = "".join(cut.feed(SAMPLE[a:b]) for a, b in itertools.pairwise(places))
    assert (cut.text, given_back) == (whole.text, wanted)


@given(st.text(alphabet=st.sampled_from("\x1b[]0;12?HJKmXA\x07\\\r\nab漢"), max_size=60))
def test_no_text_breaks_the_screen(text: str) -> None:
    screen = Screen(3, 5)
    screen.feed(text)
    assert len(screen.text.split("\n")) == 3


def test_a_program_in_a_window_has_a_controlling_terminal_of_its_size(tmp_path: Path) -> None:
    script = "import os; print(os.get_terminal_size(), os.tcgetpgrp(0) == os.getpgrp(), input())"
    with Window([sys.executable, "-c", script], {}, tmp_path, rows=7, cols=90) as window:
        window.keys("typed\r")
        window.wait_for("columns=90, lines=7) True typed", 10)
        assert window.wait() == 0


WAITER = "import time; print('waiting'); time.sleep(60)"


def test_closing_a_window_hangs_up(tmp_path: Path) -> None:
    with Window([sys.executable, "-c", WAITER], {}, tmp_path) as window:
        window.wait_for("waiting", 10)
        window.hang_up()
        assert window.wait(5) == -signal.SIGHUP


def test_a_program_that_ignores_the_hang_up_is_ended_with_its_window(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); " + WAITER
    with Window([sys.executable, "-c", deaf], {}, tmp_path) as window:
        window.wait_for("waiting", 10)
    assert window.wait(0.1) == -signal.SIGKILL


def test_a_region_scrolls_both_ways_and_leaves_the_rest() -> None:
    screen = Screen(5, 10)
    screen.feed("a\r\nb\r\nc\r\nd\r\ne\x1b[2;4r")
    screen.feed("\x1b[4;1H\nnew")
    assert screen.text.split("\n") == ["a", "c", "d", "new", "e"]
    screen.feed("\x1b[2;1H\x1bMup")
    assert screen.text.split("\n") == ["a", "up", "c", "d", "e"]
    screen.feed("\x1b[r\x1b[5;1H\n")
    assert screen.text.split("\n") == ["up", "c", "d", "e", ""]


def test_the_place_is_kept_while_the_region_is_set_anew() -> None:
    screen = Screen(4, 20)
    screen.feed("before\r\n\x1b7\x1b[r\x1b8after")
    assert screen.text.split("\n")[:2] == ["before", "after"]
