"""What a host answered, whole and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from moor.errors.net import NotJson
from moor.net.retry import date_wait_s


class Answer(NamedTuple):
    """Status, headers by small-letter name, body, and the address it came from (without its query)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def is_html(self) -> bool:
        """A page for people, whatever was asked for."""
        kind = self.headers.get("content-type", "").lower()
        return "html" in kind or self.body.lstrip()[:15].lower().startswith((b"<!doctype", b"<html"))

    def json(self) -> Any:
        """The decoded body; raises NotJson, which says what came instead."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise self.not_json() from error

    def json_object(self) -> dict[str, Any]:
        """The decoded body, which must be an object; raises NotJson."""
        value = self.json()
        if not isinstance(value, dict):
            raise self.not_json()
        return value

    def not_json(self) -> NotJson:
        """The error for a body that is not the expected JSON."""
        if self.is_html:
            seen = "an HTML page"
        elif not self.body.strip():
            seen = "nothing"
        else:
            seen = f"{len(self.body)} bytes of {self.headers.get('content-type') or 'something'}"
        return NotJson(self.url, seen, status=self.status)

    def server_time(self) -> float | None:
        """The host's clock by its Date header, in seconds since the epoch."""
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        except ValueError:
            return None

    def retry_after_s(self, now: float) -> float | None:
        """Retry-After in seconds, as a number or a date; None where absent. `now`: seconds since the epoch."""
        asked = self.headers.get("retry-after", "")
        try:
            return max(0.0, float(asked))
        except ValueError:
            return date_wait_s(asked, self.headers.get("date", ""), now) if asked else None
