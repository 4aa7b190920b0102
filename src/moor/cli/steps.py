"""A headless session as it goes, for a person: one line a step on stderr, the answer on stdout.

What comes from a model or a repository is shown without its control characters: a terminal would obey them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from moor.domain.event import MESSAGE, PERMISSION, QUESTION, STATUS, TOOL_CALL, TOOL_UPDATE, Event

if TYPE_CHECKING:
    from moor.cli.output import Output

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TITLE_MAX: Final = 100
_MARKS: Final = {"completed": ("✓", "green"), "failed": ("✗", "red")}


def clean(text: str) -> str:
    """The text without control characters; newline and tab stay."""
    return _CONTROL.sub("", text)


class Steps:
    """Shows events. `stream`: the answer goes to stdout as it comes (a terminal), else the caller prints it.

    `cwd`: paths below it are shown from there.
    """

    def __init__(self, out: Output, *, stream: bool, cwd: str = "") -> None:
        self._out = out
        self._here = cwd.rstrip("/") + "/" if cwd else ""
        self._stream = stream and not out.quiet
        self._titles: dict[str, tuple[str, str]] = {}
        self._open_line = False
        self.streamed = False
        """some of the answer went to stdout already"""
        self.warning = ""
        """what was warned of last"""

    def show(self, event: Event) -> None:
        """One event; most show nothing."""
        if event.kind == MESSAGE:
            self._text(event)
        elif event.kind in (TOOL_CALL, TOOL_UPDATE):
            self._tool(event)
        elif event.kind == STATUS and event.text == "retry":
            attempt = event.data.get("attempt")
            self._line(f"… the model call is repeated (attempt {attempt}): {event.title}", "yellow")
        elif event.kind == QUESTION:
            self._line(f"? {event.title} (nobody is there to answer)", "yellow")

    def denied(self, event: Event, rule: str) -> None:
        """A permission that was not given."""
        if event.kind == PERMISSION:
            self._line(f"✗ denied {event.name}: {event.title} — {rule}", "red")

    def warned(self, text: str) -> None:
        """Something that a person may want to know before the end."""
        self.close()
        self.warning = text
        self._out.warn(clean(text))

    def close(self) -> None:
        """End a line of text that is still open."""
        if self._open_line:
            self._out.stream("\n")
            self._open_line = False

    def _text(self, event: Event) -> None:
        if not self._stream or event.data.get("subagent"):
            return
        text = clean(event.text)
        self._out.stream(text)
        self.streamed = True
        self._open_line = not text.endswith("\n") if text else self._open_line

    def _tool(self, event: Event) -> None:
        key = f"{event.agent_session}/{event.id}"
        self._titles[key] = (event.name, event.title or self._titles.get(key, ("", ""))[1])
        if event.status not in _MARKS:
            return
        mark, style = _MARKS[event.status]
        name, title = self._titles.pop(key)
        indent = "  " if event.data.get("subagent") else ""
        self._line(f"{indent}{mark} {name:<8} {title}", style)
        if event.status == "failed" and event.data.get("error"):
            self._out.detail(f"{indent}  {clean(str(event.data['error']))[:300]}")

    def _line(self, text: str, style: str) -> None:
        self.close()
        near = text.replace(self._here, "") if self._here else text
        one = clean(near).replace("\n", " ↵ ")
        shown = one if len(one) <= _TITLE_MAX else one[: _TITLE_MAX - 1] + "…"
        self._out.say(self._out.paint(shown, style, self._out.stderr))
