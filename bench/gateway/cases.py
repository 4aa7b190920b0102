"""What the load does, and the aims: moor over nginx, from section 7 of the design."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """One line of the table."""

    name: str
    kind: str
    connections: int
    figure: str
    """what is compared"""
    aim_plain: float
    aim_tls: float
    larger_is_better: bool = False

    def aim(self, secure: str) -> str:
        """The aim as a table shows it; `secure` is `plain` or `tls`."""
        return f"{'>=' if self.larger_is_better else '<='}{self.aim_tls if secure == 'tls' else self.aim_plain}"

    def met(self, ratio: float, secure: str) -> bool:
        """Whether the ratio is as good as aimed at."""
        aim = self.aim_tls if secure == "tls" else self.aim_plain
        return ratio >= aim if self.larger_is_better else ratio <= aim


CASES = (
    Case("small, CPU per request", "small", 32, "cpu_us", 2.0, 3.0),
    Case("small, requests/s", "small", 32, "rps", 0.5, 0.5, True),
    Case("small, one connection, p50", "small", 1, "p50_us", 1.5, 1.5),
    Case("32 streams, CPU per event", "stream-100-100", 32, "cpu_event_us", 1.5, 2.5),
    Case("32 streams at once, first byte p99", "stream-5-50", 32, "first_p99_us", 2.0, 2.0),
    Case("flood, MB/s", "flood-200-0", 1, "mb_s", 1.0, 1.0, True),
    Case("1 MB, a new conversation, CPU", "body-1000000", 4, "cpu_us", 6.0, 6.0),
    Case("1 MB sent again, one value spliced, CPU", "splice-1000000", 4, "cpu_us", 1.2, 1.2),
    Case("1 MB sent again, repaired, CPU", "repair-1000000", 4, "cpu_us", 6.0, 6.0),
)
MAX_IDLE_MB, MAX_AFTER_MB, MAX_START_MS = 35, 60, 120


class Figure(NamedTuple):
    """A column of the table of peers."""

    title: str
    kind: str
    """of the load; its first word is the kind a peer has to be able to do"""
    connections: int
    figure: str
    scale: float = 1.0
    """what the load's figure is divided by"""


FIGURES = {
    "small_cpu": Figure("CPU µs per small request", "small", 32, "cpu_us"),
    "small_rps": Figure("small requests/s, 32 connections", "small", 32, "rps"),
    "one_p50": Figure("small p50 µs, one connection", "small", 1, "p50_us"),
    "event_p50": Figure("first event p50 ms, 32 streams at once", "stream-5-50", 32, "event_p50_us", 1000),
    "event_p99": Figure("first event p99 ms", "stream-5-50", 32, "event_p99_us", 1000),
    "event_cpu": Figure("CPU µs per streamed event", "stream-100-100", 32, "cpu_event_us"),
    "flood": Figure("flood MB/s", "flood-200-0", 1, "mb_s"),
    "body_cpu": Figure("CPU µs per 1 MB body", "body-1000000", 4, "cpu_us"),
}
