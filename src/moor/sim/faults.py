"""Faults that tests put on routes: what to answer instead, how late, and where to break off."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import msgspec

from moor.sim.messages import HTML_TYPE, JSON_TYPE, Answer

_HTML = (
    b"<!doctype html><html><head><title>Sign in</title></head>"
    b"<body><h1>Simulated login page</h1><p>This is HTML where JSON was expected.</p></body></html>"
)
_GARBAGE = b'\x00\xff\xfe<<<garbage>>>{"half": '


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One fault. All that is set applies; `status`, `body`, `html`, `garbage` replace the answer."""

    route: str = "*"
    """glob on `METHOD /path`, or on the path alone"""
    model: str = ""
    """glob on the request's model; "" is any"""
    user: str = ""
    """glob on the signed-in user; "" is any"""
    times: int = 0
    """how often it strikes; 0 for ever"""
    after: int = 0
    """let so many matching requests pass first"""
    status: int = 0
    body: Any = None
    """text, or any JSON value"""
    headers: dict[str, str] = {}
    delay_s: float = 0.0
    """before the first byte"""
    first_byte_never: bool = False
    """take the request and never answer"""
    drop: bool = False
    """close the connection without an answer"""
    stall_after_bytes: int | None = None
    """send so many bytes of the body, then nothing more"""
    cut_after_bytes: int | None = None
    """send so many bytes of the body, then close the connection"""
    end_after_bytes: int | None = None
    """send so many bytes of a stream, then end it as if it were whole"""
    html: bool = False
    """an HTML page with status 200 (or `status`)"""
    garbage: bool = False
    """bytes that are no JSON, with a JSON content type"""
    raw: str = ""
    """these bytes (latin-1) instead of any HTTP answer, then close"""
    id: int = 0
    hits: int = 0

    def matches(self, method: str, path: str, model: str, user: str) -> bool:
        """Whether the request is one of this fault's."""
        on_route = fnmatchcase(path, self.route) or fnmatchcase(f"{method} {path}", self.route)
        on_model = not self.model or fnmatchcase(model, self.model)
        return on_route and on_model and (not self.user or fnmatchcase(user, self.user))

    def answer(self) -> Answer | None:
        """The answer this fault puts in place of the real one, or None when the real one goes out."""
        extra = tuple((name.lower(), value) for name, value in self.headers.items())
        if self.html:
            return Answer(status=self.status or 200, headers=(HTML_TYPE, *extra), body=_HTML)
        if self.garbage:
            return Answer(status=self.status or 200, headers=(JSON_TYPE, *extra), body=_GARBAGE)
        if self.body is None and not self.status:
            return None
        if isinstance(self.body, str):
            kind = () if "content-type" in dict(extra) else (("content-type", "text/plain; charset=utf-8"),)
            return Answer(status=self.status or 200, headers=(*kind, *extra), body=self.body.encode())
        body = b"" if self.body is None else msgspec.json.encode(self.body)
        return Answer(status=self.status or 200, headers=(JSON_TYPE, *extra), body=body)


class FaultBook:
    """The faults in force; the first that matches strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._next = 1

    def add(self, fault: Fault) -> int:
        """Put a fault in force; returns its id."""
        fault.id = self._next
        self._next += 1
        self._faults.append(fault)
        return fault.id

    def clear(self, fault_id: int | None = None) -> int:
        """Lift one fault, or all of them; returns how many were lifted."""
        keep = [f for f in self._faults if fault_id is not None and f.id != fault_id]
        lifted = len(self._faults) - len(keep)
        self._faults = keep
        return lifted

    def strike(self, method: str, path: str, model: str, user: str) -> Fault | None:
        """The fault that hits this request, counted; None when there is none."""
        for fault in self._faults:
            if not fault.matches(method, path, model, user):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times and fault.hits >= fault.times:
                continue
            fault.hits += 1
            return fault
        return None

    def all(self) -> list[Fault]:
        """Every fault, spent ones too, with its hits."""
        return list(self._faults)
