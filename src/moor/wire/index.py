"""The top-level keys of a JSON object, each with the span of its value, found without building the values.

A request body is indexed once; everything after that (model, stream, filters, splices) works on spans.
Two readings of one body must not differ between us and the upstream: a key that occurs twice, also in
another case (some parsers fold it), is an error.
"""

from __future__ import annotations

from collections.abc import KeysView
from typing import TYPE_CHECKING, Any, Final

import msgspec

from moor.errors.wire import BodyNotObjectError, DuplicateKeyError

if TYPE_CHECKING:
    import json

    from moor.wire.resent import Past

_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode: Final = msgspec.json.encode
_KEY: Final = msgspec.json.Decoder(str)
_SPACE: Final = b" \t\n\r"
_SHORT: Final = 4096
_MAX_DIGITS: Final = 18
_LONG: Final = 64 * 1024
_DIALECT_KEYS: Final = (
    *("model", "messages", "max_tokens", "system", "metadata", "stop_sequences", "stream", "temperature"),
    *("top_p", "top_k", "tools", "tool_choice", "thinking", "output_config", "context_management"),
    *("max_completion_tokens", "stop", "n", "stream_options", "parallel_tool_calls", "response_format"),
    *("reasoning_effort", "store", "seed", "user", "input", "instructions", "max_output_tokens", "reasoning"),
    *("include", "prompt_cache_key", "contents", "systemInstruction", "toolConfig", "generationConfig"),
)
_KNOWN: Final = frozenset(_DIALECT_KEYS)
"""no two of them differ in case only, and none is a side door past the allowlist (`moor.gateway.prepare`)"""
_seen: Final[set[tuple[str, ...]]] = set()
"""keys of bodies that were all known ones: an agent sends the same ones each time"""
_MAX_SEEN: Final = 256


class Index:
    """`spans[key]` is (start, end) of the value in `body`; keys in the order of the body.

    Most calls ask for two or three values only, so the spans are made when somebody asks for them; until
    then the values are views.
    """

    __slots__ = ("_notes", "_numbers", "_spans", "_values", "body", "ends", "past", "plain")

    def __init__(
        self,
        body: bytes,
        spans: dict[str, tuple[int, int]] | None,
        values: dict[str, msgspec.Raw] | None = None,
        plain: bool = False,
    ) -> None:
        self.body = body
        self.plain = plain
        """all its keys are known to be ones of the dialects"""
        self._spans = spans
        self._values = values
        self._notes: dict[str, object] | None = None
        self._numbers: dict[str, int | None] | None = None
        self.past: Past | None = None
        """what was known of its first messages before it was read (`moor.wire.resent`)"""
        self.ends: list[int] | None = None
        """where its messages end; made when the next body is compared with it"""

    @property
    def notes(self) -> dict[str, object]:
        """What was found out about its messages, by whoever looked; kept for the next body that begins so."""
        if self._notes is None:
            self._notes = {}
        return self._notes

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """Start and end of each value in the body."""
        if self._spans is None:
            self._spans = _spans_of_compact(self._values or {})
        return self._spans

    @property
    def keys(self) -> KeysView[str]:
        """The keys, in the order of the body."""
        return self.spans.keys() if self._values is None else self._values.keys()

    def raw(self, key: str) -> bytes | None:
        """The bytes of a value, or None where the key is absent."""
        if self._values is not None:
            value = self._values.get(key)
            return None if value is None else bytes(value)
        span = self.spans.get(key)
        return None if span is None else self.body[span[0] : span[1]]

    def may_hold(self, key: str, words: tuple[bytes, ...]) -> bool:
        """Whether one of the words stands in a value (an empty key: in the body). A short body is searched whole,
        which is cheaper than to find out where the value is, so that a word elsewhere in it counts too; a long one
        is not searched as a whole, and may hold everything."""
        body = self.body
        if not key and len(body) > _LONG:
            return True  # a search for five words costs 0.6 ms a megabyte, more than most rules do
        start, end = self.spans[key] if key and len(body) > _SHORT else (0, len(body))
        for word in words:  # noqa: SIM110 - as in `moor.wire.words`
            if body.rfind(word, start, end) >= 0:
                return True
        return False

    def text(self, key: str) -> str | None:
        """The value where it is a JSON string; None where absent or something else."""
        if self._values is not None:
            value = self._values.get(key)
            return None if value is None else _text(value)
        raw = self.raw(key)
        return None if raw is None else _text(raw)

    def number(self, key: str) -> int | None:
        """The value where it is an integer of at most 18 digits and not below 0; None otherwise. Read once."""
        numbers = self._numbers
        if numbers is None:
            self._numbers = numbers = {}
        elif key in numbers:
            return numbers[key]
        raw = self.raw(key)
        number = numbers[key] = None if raw is None or len(raw) > _MAX_DIGITS else _digits(raw)
        return number


def _digits(raw: bytes) -> int | None:
    """Sign by sign: compiled, that costs a third of `isdigit` and `int`."""
    number = 0
    for sign in raw:
        if sign < 48 or sign > 57:
            return None
        number = number * 10 + sign - 48
    return number if raw else None


def _text(raw: bytes | msgspec.Raw) -> str | None:
    try:
        return _KEY.decode(raw)  # refuses what is no string
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def index_object(body: bytes) -> Index:
    """Index of one JSON object. Raises BodyNotObjectError or DuplicateKeyError."""
    try:
        values = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _index_leniently(body)
    except RecursionError as error:
        raise BodyNotObjectError(reason="it is nested too deeply") from error
    plain = _are_known(values)
    if not plain:
        _refuse_twins(list(values))
    # for a short one the quickest proof that nothing but the values stands in the body, and each of them once
    compact = _encode(values) == body if plain and len(body) < _SHORT else _is_compact(body, values)
    if compact:
        return Index(body, None, values, plain)
    return Index(body, _spans_by_walk(body, values), None, plain)


def _are_known(values: dict[str, msgspec.Raw]) -> bool:
    keys = tuple(values)
    if keys in _seen:
        return True
    if not values.keys() <= _KNOWN:
        return False
    if len(_seen) < _MAX_SEEN:
        _seen.add(keys)
    return True


def _refuse_twins(keys: list[str]) -> None:
    folded = {key.casefold() for key in keys}
    if len(folded) == len(keys):
        return
    seen: set[str] = set()
    for key in keys:
        if key.casefold() in seen:
            raise DuplicateKeyError(key=key)
        seen.add(key.casefold())


def _is_compact(body: bytes, values: dict[str, msgspec.Raw]) -> bool:
    """Whether the lengths of keys and values add up to the body's: then there is no white space between them, no
    key is escaped and none occurs twice, because each of these takes bytes that no value accounts for."""
    names = "".join(values)
    if not names.isascii():
        return False
    inside = sum([len(memoryview(value)) for value in values.values()])
    return len(body) == 1 + len(names) + 4 * len(values) + inside and bool(values)


def _spans_of_compact(values: dict[str, msgspec.Raw]) -> dict[str, tuple[int, int]]:
    """Spans by adding up lengths, where they are known to fit."""
    spans: dict[str, tuple[int, int]] = {}
    at = 1
    for key, value in values.items():
        start = at + len(key) + 3
        at = start + len(memoryview(value))
        spans[key] = (start, at)
        at += 1
    return spans


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
    import json

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
