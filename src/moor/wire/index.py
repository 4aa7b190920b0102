"""The top-level keys of a JSON object, each with the span of its value, found without building the values.

A request body is indexed once; everything after that (model, stream, filters, splices) works on spans.
Two readings of one body must not differ between us and the upstream: a key that occurs twice, also in
another case (some parsers fold it), is an error.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from moor.errors.wire import BodyNotObjectError, DuplicateKeyError

_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KEY: Final = msgspec.json.Decoder(str)
_SPACE: Final = b" \t\n\r"
_DIALECT_KEYS: Final = (
    *("model", "messages", "max_tokens", "system", "metadata", "stop_sequences", "stream", "temperature"),
    *("top_p", "top_k", "tools", "tool_choice", "thinking", "output_config", "context_management"),
    *("max_completion_tokens", "stop", "n", "stream_options", "parallel_tool_calls", "response_format"),
    *("reasoning_effort", "store", "seed", "user", "input", "instructions", "max_output_tokens", "reasoning"),
    *("include", "prompt_cache_key", "contents", "systemInstruction", "toolConfig", "generationConfig"),
)
_KNOWN: Final = {key: b'"%s":' % key.encode() for key in _DIALECT_KEYS}
"""keys that dialects have, with the bytes they begin with; no two of them differ in case only"""


class Index:
    """`spans[key]` is (start, end) of the value in `body`; keys in the order of the body."""

    __slots__ = ("body", "spans")

    def __init__(self, body: bytes, spans: dict[str, tuple[int, int]]) -> None:
        self.body = body
        self.spans = spans

    def raw(self, key: str) -> bytes | None:
        """The bytes of a value, or None where the key is absent."""
        span = self.spans.get(key)
        return None if span is None else self.body[span[0] : span[1]]

    def text(self, key: str) -> str | None:
        """The value where it is a JSON string; None where absent or something else."""
        raw = self.raw(key)
        if raw is None or raw[:1] != b'"':
            return None
        try:
            return _KEY.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def number(self, key: str) -> int | None:
        """The value where it is an integer of at most 18 digits; None otherwise."""
        raw = self.raw(key)
        return int(raw) if raw is not None and raw.isdigit() and len(raw) <= 18 else None


def index_object(body: bytes) -> Index:
    """Index of one JSON object. Raises BodyNotObjectError or DuplicateKeyError."""
    try:
        values = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _index_leniently(body)
    except RecursionError as error:
        raise BodyNotObjectError(reason="it is nested too deeply") from error
    if not _all_known(values):
        _refuse_twins(list(values))
    spans = _spans_of_compact(body, values)
    return Index(body, spans if spans is not None else _spans_by_walk(body, values))


def _all_known(values: dict[str, msgspec.Raw]) -> bool:
    """Whether each key is one of those that dialects have; no two of them differ in case only."""
    return values.keys() <= _KNOWN.keys()


def _refuse_twins(keys: list[str]) -> None:
    folded = {key.casefold() for key in keys}
    if len(folded) == len(keys):
        return
    seen: set[str] = set()
    for key in keys:
        if key.casefold() in seen:
            raise DuplicateKeyError(key=key)
        seen.add(key.casefold())


def _spans_of_compact(body: bytes, values: dict[str, msgspec.Raw]) -> dict[str, tuple[int, int]] | None:
    """Spans by adding up lengths: they fit exactly when there is no white space and no key occurs twice."""
    spans: dict[str, tuple[int, int]] = {}
    at = 1
    for key, value in values.items():
        token = _KNOWN.get(key) or b'"%s":' % key.encode()
        if not body.startswith(token, at):
            return None
        start = at + len(token)
        at = start + len(memoryview(value))
        spans[key] = (start, at)
        at += 1
    return spans if at == len(body) and values else None


def _spans_by_walk(body: bytes, values: dict[str, msgspec.Raw]) -> dict[str, tuple[int, int]]:
    """Spans by walking the keys. The lengths of the values are known, so their inside is not read."""
    spans: dict[str, tuple[int, int]] = {}
    at = _skip(body, _skip(body, 0) + 1)
    while body[at : at + 1] == b'"':
        end = _string_end(body, at)
        key = _KEY.decode(body[at:end])
        if key in spans:
            raise DuplicateKeyError(key=key)
        start = _skip(body, _skip(body, end) + 1)
        raw = bytes(memoryview(values[key]))
        if not body.startswith(raw, start):
            raise DuplicateKeyError(key=key)  # only the last one of several is known, and this is another
        spans[key] = (start, start + len(raw))
        at = _skip(body, start + len(raw))
        if body[at : at + 1] == b",":
            at = _skip(body, at + 1)
    if body[at : at + 1] != b"}":
        raise DuplicateKeyError(key=next(reversed(spans), ""))
    return spans


def _skip(body: bytes, at: int) -> int:
    while body[at : at + 1] and body[at] in _SPACE:
        at += 1
    return at


def _string_end(body: bytes, at: int) -> int:
    """Index after the closing quote of the string that starts at `at`; the body is known to be JSON."""
    close = at
    while True:
        close = body.index(b'"', close + 1)
        back = close - 1
        while body[back] == 0x5C:
            back -= 1
        if (close - back) % 2:
            return close + 1


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _index_leniently(body: bytes) -> Index:
    """The same by the standard library, which lets lone surrogates pass (an agent cuts an emoji in two).

    Latin-1 keeps the offsets of bytes. Raises BodyNotObjectError, DuplicateKeyError.
    """
    text = body.decode("latin-1")
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    try:
        spans = _walk_leniently(text, decoder)
    except RecursionError as error:
        raise BodyNotObjectError(reason="it is nested too deeply") from error
    except (ValueError, IndexError) as error:
        raise BodyNotObjectError(reason=_reason(error)) from error
    _refuse_twins(list(spans))
    return Index(body, spans)


def _walk_leniently(text: str, decoder: json.JSONDecoder) -> dict[str, tuple[int, int]]:
    spans: dict[str, tuple[int, int]] = {}
    at = _expect(text, 0, "{")
    while text[at] != "}":
        latin, at = decoder.raw_decode(text, _expect(text, at, '"') - 1)
        key = latin.encode("latin-1").decode() if latin.isascii() or max(latin) < "Ā" else latin
        if key in spans:
            raise DuplicateKeyError(key=key)
        start = _after_space(text, _expect(text, at, ":"))
        _, end = decoder.raw_decode(text, start)
        spans[key] = (start, end)
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
            if text[at] == "}":
                raise ValueError("a comma before the closing brace")
        elif text[at] != "}":
            raise ValueError("neither a comma nor a closing brace after a value")
    if _after_space(text, at + 1) != len(text):
        raise ValueError("something stands behind the object")
    return spans


def _after_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\n\r":
        at += 1
    return at


def _expect(text: str, at: int, sign: str) -> int:
    at = _after_space(text, at)
    if text[at] != sign:
        raise ValueError(f"{sign} expected")
    return _after_space(text, at + 1) if sign == "{" else at + 1


def _reason(error: Exception) -> str:
    return "it ends too early" if isinstance(error, IndexError) else str(error)[:120]
