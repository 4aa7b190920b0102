"""A small terminal screen: bytes of a full-screen program in, the text a person would see out. Sans-I/O.

It understands what such programs send to place text (cursor moves, erasing, scrolling); colours are skipped. It
answers the questions a program asks its terminal, because some wait for the answers.
"""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(
    r"\x1b\[(?P<given>[<-?]?[0-9;:]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b(?:[ -/]+[0-~]|[0-OQ-WYZ\\`-~])"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\x1b]*\x1b?|[ -/]*)?\Z")


class Screen:
    """Text by rows and columns; `feed` returns what the terminal answers."""

    def __init__(self, rows: int, cols: int) -> None:
        self._held = ""
        self.resize(rows, cols)

    def resize(self, rows: int, cols: int) -> None:
        """Another size, and blank: full-screen programs draw themselves again."""
        self.rows, self.cols = rows, cols
        self._row = self._col = 0
        self._kept = (0, 0)
        """the place that ESC 7 noted"""
        self._top, self._bottom = 0, rows - 1
        """the rows that scroll"""
        self._cells = [[" "] * cols for _ in range(rows)]

    @property
    def text(self) -> str:
        """The rows, right-hand blanks removed."""
        return "\n".join("".join(row).rstrip() for row in self._cells)

    def feed(self, text: str) -> str:
        """Show text cut anywhere; returns the answers to questions in it."""
        text, self._held = self._held + text, ""
        answers, at = "", 0
        while at < len(text):
            found = _CONTROL.match(text, at)
            if found is not None:
                answers += self._obey(found)
                at = found.end()
            elif text[at] == "\x1b" and _UNFINISHED.match(text, at):
                self._held = text[at:]
                break
            else:
                self._show(text[at])
                at += 1
        return answers

    def _show(self, char: str) -> None:
        if char == "\r":
            self._col = 0
        elif char == "\n":
            self._line_feed()
        elif char == "\b":
            self._col = max(0, self._col - 1)
        elif char >= " " and not unicodedata.combining(char):
            self._print(char)

    def _print(self, char: str) -> None:
        width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if self._col + width > self.cols:
            self._col = 0
            self._line_feed()
        self._cells[self._row][self._col] = char
        if width == 2 and self._col + 1 < self.cols:
            self._cells[self._row][self._col + 1] = ""
        self._col += width

    def _line_feed(self) -> None:
        if self._row == self._bottom:
            self._scroll(self._top, self._bottom)
        else:
            self._row = min(self._row + 1, self.rows - 1)

    def _reverse_line_feed(self) -> None:
        if self._row == self._top:
            self._scroll(self._bottom, self._top)
        else:
            self._row = max(self._row - 1, 0)

    def _scroll(self, gone: int, new: int) -> None:
        """One row leaves the region at its one end, a blank one comes at the other."""
        del self._cells[gone]
        self._cells.insert(new, [" "] * self.cols)

    def _obey(self, found: re.Match[str]) -> str:
        final, given = found["final"], found["given"]
        if final is None:
            self._escape(found.group())
            return ""
        if given[:1] in ("<", "=", ">", "?"):
            if final in "hl" and given == "?1049":
                self.resize(self.rows, self.cols)
            return ""
        numbers = [int(word) if word.isdigit() else 0 for word in re.split("[;:]", given)]
        return self._answer(final, numbers) or self._move(final, numbers)

    def _escape(self, sequence: str) -> None:
        """Up a row, keep the place, go back to it."""
        if sequence == "\x1bM":
            self._reverse_line_feed()
        elif sequence == "\x1b7":
            self._kept = (self._row, self._col)
        elif sequence == "\x1b8":
            self._go(*self._kept)

    def _answer(self, final: str, numbers: list[int]) -> str:
        """Device attributes, status, cursor position, size."""
        if final == "c":
            return "\x1b[?62;22c"
        if final == "n":
            return "\x1b[0n" if numbers[0] == 5 else f"\x1b[{self._row + 1};{self._col + 1}R"
        if final == "t" and numbers[0] == 18:
            return f"\x1b[8;{self.rows};{self.cols}t"
        return ""

    def _move(self, final: str, numbers: list[int]) -> str:
        count = max(1, numbers[0])
        if final in "Hf":
            self._go(count - 1, (max(1, numbers[1]) if len(numbers) > 1 else 1) - 1)
        elif final in "ABCD":
            down, right = {"A": (-count, 0), "B": (count, 0), "C": (0, count), "D": (0, -count)}[final]
            self._go(self._row + down, self._col + right)
        elif final == "G":
            self._go(self._row, count - 1)
        elif final == "d":
            self._go(count - 1, self._col)
        elif final == "r":
            last = numbers[1] if len(numbers) > 1 and numbers[1] else self.rows
            self._top, self._bottom = min(count, self.rows) - 1, min(last, self.rows) - 1
            self._go(0, 0)
        elif final in "JKX":
            self._erase(final, numbers[0])
        return ""

    def _go(self, row: int, col: int) -> None:
        self._row = min(max(row, 0), self.rows - 1)
        self._col = min(max(col, 0), self.cols - 1)

    def _erase(self, final: str, how: int) -> None:
        line = self._row * self.cols
        here = line + min(self._col, self.cols - 1)
        whole = (0, self.rows * self.cols) if final == "J" else (line, line + self.cols)
        if final == "X":
            reach = (here, min(here + max(1, how), line + self.cols))
        else:
            reach = {0: (here, whole[1]), 1: (whole[0], here + 1)}.get(how, whole)
        for place in range(*reach):
            self._cells[place // self.cols][place % self.cols] = " "
