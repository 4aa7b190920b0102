"""Rules about answers: streams cut anywhere, whole documents, and what they leave byte for byte."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moor.domain.dialects import DIALECTS, OPENAI_CHAT
from moor.domain.models import Model
from moor.gateway.answer import Answer, AnswerHead, BodyAnswer
from moor.gateway.answer_mended import MendedBody, mended_stream
from moor.gateway.filters import all_filters
from moor.gateway.filters.base import REQUEST, Filter
from moor.gateway.filters.call_names import WRAPPER, unwrap
from moor.gateway.filters.list_content import plain
from moor.wire.sse import SseDecoder

MODEL = Model(id="m", family="kimi", dialects=DIALECTS)
RULES: list[Filter] = [item for item in all_filters() if REQUEST not in item.phases]

WORDS = st.lists(
    st.sampled_from(['a"', "\\", "{}", "[]", "\n", "\u00fc", "\U0001f600", ' "content":[', ":"]), max_size=4
).map("".join)
TEXT_BLOCK = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
THOUGHT_BLOCK = st.builds(
    lambda text: {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}, WORDS
)
SAID = st.lists(WORDS | st.lists(TEXT_BLOCK | THOUGHT_BLOCK, min_size=1, max_size=2), max_size=4)
ARGUMENTS = st.dictionaries(st.sampled_from(["command", "arguments", "path"]), WORDS | st.integers(), max_size=2)
CALL = st.tuples(st.sampled_from(["bash", "read"]), ARGUMENTS, st.sampled_from(["plain", "nested", "quoted"]))
LINE_END = st.sampled_from(["\n", "\r\n", "\r"])


class Talk:
    """What a model says and calls, as a stream or a document of the upstream's own form."""

    def __init__(self, said: list[Any], calls: list[tuple[str, dict[str, Any], str]], *, joined: bool) -> None:
        self.said = said
        self.calls = calls
        self.joined = joined
        """the calls' pieces come one after the other, else in turns"""

    @property
    def text(self) -> str:
        """All texts."""
        return "".join(said if isinstance(said, str) else self._of(said, "text") for said in self.said)

    @property
    def thought(self) -> str:
        """All thoughts."""
        return "".join(self._of(said, "summary") for said in self.said if not isinstance(said, str))

    @staticmethod
    def _of(blocks: list[Any], key: str) -> str:
        found = [block.get(key, "") for block in blocks]
        return "".join(item if isinstance(item, str) else item[0]["text"] for item in found)

    def stream(self, line_end: str, size: int) -> bytes:
        """Chunks; arguments in pieces of that size."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": said} for said in self.said]
        rows = [self._pieces(place, size) for place in range(len(self.calls))]
        if self.joined:
            deltas += [piece for row in rows for piece in row]
        else:
            longest = max(map(len, rows), default=0)
            deltas += [row[at] for at in range(longest) for row in rows if at < len(row)]
        chunks = [choices({"index": 0, "delta": delta, "finish_reason": None}) for delta in deltas]
        chunks.append(choices({"index": 0, "delta": {}, "finish_reason": "stop"}))
        chunks.append({**choices(), "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
        events = [f"data: {json.dumps(chunk, ensure_ascii=False)}" for chunk in chunks]
        events[0] = f": hello{line_end}{events[0]}{line_end}id: 1"
        return "".join(event + line_end * 2 for event in [": hello", *events, "data: [DONE]"]).encode()

    def _pieces(self, place: int, size: int) -> list[dict[str, Any]]:
        call = self._call(place)
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        cut = [arguments[at : at + size] for at in range(0, len(arguments), size)]
        first = {**call, "index": place, "function": {"name": name, "arguments": ""}}
        more = [{"index": place, "function": {"arguments": piece}} for piece in cut]
        return [{"tool_calls": [piece]} for piece in [first, *more]]

    def document(self) -> bytes:
        """The whole answer."""
        blocks: list[Any] = []
        for said in self.said:
            blocks += [{"type": "text", "text": said}] if isinstance(said, str) else said
        message: dict[str, Any] = {"role": "assistant", "content": blocks}
        if self.calls:
            message["tool_calls"] = [self._call(place) for place in range(len(self.calls))]
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return json.dumps(choices(choice)).encode()

    def _call(self, place: int) -> dict[str, Any]:
        name, arguments, form = self.calls[place]
        function = {"name": name, "arguments": json.dumps(arguments)}
        if form != "plain":
            inner = arguments if form == "nested" else json.dumps(arguments)
            function = {"name": WRAPPER, "arguments": json.dumps({"name": name, "arguments": inner})}
        return {"id": f"c{place}", "type": "function", "function": function}

    def expected_calls(self) -> list[tuple[str, str, Any]]:
        """Id, name and arguments as an agent should read them."""
        return [(f"c{place}", name, arguments) for place, (name, arguments, _) in enumerate(self.calls)]


def choices(*choice: dict[str, Any]) -> dict[str, Any]:
    """A chunk or a document."""
    return {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": list(choice)}


TALK = st.builds(Talk, SAID, st.lists(CALL, max_size=3), joined=st.booleans())


def head(length: int | None = None) -> AnswerHead:
    """A good answer's head."""
    return AnswerHead(
        status=200,
        headers=[],
        length=None if length is None else b"%d" % length,
        extra=b"",
        chunked=False,
        close=False,
    )


def through(data: bytes, cuts: list[int]) -> tuple[bytes, Answer]:
    """What the agent gets of a stream that comes cut at these places."""
    answer = mended_stream(OPENAI_CHAT, head(), [], RULES)
    out: list[bytes] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        if start < end:
            out += answer.feed([data[start:end]])
    last = answer.finish()
    assert last is not None
    return b"".join([*out, *last]).partition(b"\r\n\r\n")[2], answer


def read(data: bytes) -> tuple[str, str, list[tuple[str, str, Any]], list[str]]:
    """Text, thoughts, calls and reasons as a client puts them together that knows the usual form only."""
    text = thought = ""
    calls: dict[int, dict[str, str]] = {}
    reasons = []
    for event in SseDecoder().feed(data):
        for choice in json.loads(event.data)["choices"] if event.data != b"[DONE]" else []:
            delta = choice["delta"]
            text += delta.get("content") or ""
            thought += delta.get("reasoning_content") or ""
            for piece in delta.get("tool_calls") or []:
                call = calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
                call["id"] += piece.get("id", "")
                call["name"] += piece["function"].get("name", "")
                call["arguments"] += piece["function"].get("arguments", "")
            reasons += [choice["finish_reason"]] if choice["finish_reason"] else []
    made = [(call["id"], call["name"], json.loads(call["arguments"])) for _, call in sorted(calls.items())]
    return text, thought, made, reasons


@given(talk=TALK, line_end=LINE_END, size=st.integers(1, 9), cuts=st.lists(st.integers(0, 4000), max_size=8))
@example(
    talk=Talk([[{"type": "text", "text": "a"}]], [("bash", {"arguments": 1}, "nested")], joined=True),
    line_end="\r\n",
    size=1,
    cuts=list(range(1500)),
)
def test_any_split_of_a_stream_gives_the_same_repaired_bytes(
    talk: Talk, line_end: str, size: int, cuts: list[int]
) -> None:
    data = talk.stream(line_end, size)
    at_once, whole = through(data, [])
    in_pieces, cut = through(data, cuts)
    assert in_pieces == at_once
    assert sorted(cut.mended) == sorted(whole.mended)
    assert cut.usage(0)[0].output == 2
    text, thought, calls, reasons = read(in_pieces)
    assert (text, thought, calls) == (talk.text, talk.thought, talk.expected_calls())
    assert reasons == ["tool_calls" if talk.calls else "stop"]
    assert in_pieces.endswith(b"data: [DONE]" + (line_end * 2).encode())


@given(talk=TALK, line_end=LINE_END, size=st.integers(1, 9))
def test_a_repaired_stream_has_nothing_more_to_repair(talk: Talk, line_end: str, size: int) -> None:
    once, _ = through(talk.stream(line_end, size), [])
    again, answer = through(once, [])
    assert (again, answer.mended) == (once, [])


@given(said=st.lists(WORDS, max_size=4), line_end=LINE_END, cuts=st.lists(st.integers(0, 900), max_size=6))
def test_a_stream_without_anything_to_repair_keeps_its_bytes(said: list[str], line_end: str, cuts: list[int]) -> None:
    data = Talk(said, [], joined=True).stream(line_end, 5)
    assert through(data, cuts)[0] == data


@given(talk=TALK, cuts=st.lists(st.integers(0, 900), max_size=4))
def test_a_document_in_any_pieces_is_repaired_whole(talk: Talk, cuts: list[int]) -> None:
    body = talk.document()
    answer = MendedBody(OPENAI_CHAT, head(len(body)), 1 << 20, RULES)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    for piece in pieces[:-1]:
        assert answer.feed([piece]) == []
    out = answer.whole(pieces[-1:])
    assert out is not None
    top, _, rest = b"".join(out).partition(b"\r\n\r\n")
    assert b"content-length: %d\r\n" % len(rest) in top + b"\r\n"
    assert answer.size == len(rest)
    choice = json.loads(rest)["choices"][0]
    message = choice["message"]
    assert (message["content"] or "", message.get("reasoning_content", "")) == (talk.text, talk.thought)
    made = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls", [])
    ]
    assert made == talk.expected_calls()
    assert choice["finish_reason"] == ("tool_calls" if talk.calls else "stop")


def test_a_document_without_anything_to_repair_keeps_its_bytes() -> None:
    body = b'{ "choices": [ {"index":0, "message": {"content" : "a"}, "finish_reason":"stop"} ] }'
    answer = MendedBody(OPENAI_CHAT, head(len(body)), 1 << 20, RULES)
    out = answer.whole([body])
    assert out is not None
    assert out[1] == body
    assert answer.mended == []


def test_a_document_beyond_the_bound_passes_as_it_comes() -> None:
    body = Talk([[{"type": "text", "text": "a" * 200}]], [], joined=True).document()
    answer = MendedBody(OPENAI_CHAT, head(len(body)), 100, RULES)
    assert answer.feed([body[:50]]) == []
    out = answer.feed([body[50:150]]) + answer.feed([body[150:]]) + (answer.finish() or [])
    assert b"".join(out).partition(b"\r\n\r\n")[2] == body
    assert b"content-length: %d\r\n" % len(body) in b"".join(out)


def test_what_is_no_json_is_told_and_not_passed_on() -> None:
    for kind in (BodyAnswer(OPENAI_CHAT, head(), 100), MendedBody(OPENAI_CHAT, head(), 100, RULES)):
        assert kind.whole([b"not json"]) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name":"bash","arguments":{"command":"ls"}}', ("bash", '{"command":"ls"}')),
        ('{"arguments":{"n": 12345678901234567890123},"name":"bash"}', ("bash", '{"n": 12345678901234567890123}')),
        ('{"name":"bash","arguments":"{\\"command\\":\\"ls\\"}"}', ("bash", '{"command":"ls"}')),
        ('{"name":"bash","command":"ls"}', ("bash", '{"command":"ls"}')),
        ('{"name":"bash","arguments":"not json"}', ("bash", '{"arguments":"not json"}')),
        ('{"name":"list"}', ("list", "{}")),
        ('{"name":7,"arguments":{}}', (WRAPPER, '{"name":7,"arguments":{}}')),
        ('{"command":"ls"}', (WRAPPER, '{"command":"ls"}')),
        ('{"name":"bash","argu', (WRAPPER, '{"name":"bash","argu')),
        ("", (WRAPPER, "")),
        ("\ud800", (WRAPPER, "\ud800")),
    ],
)
def test_a_wrapped_call_is_read_in_each_form_and_left_where_it_cannot_be(
    text: str, expected: tuple[str, str]
) -> None:
    assert unwrap(text) == expected


@given(junk=st.binary(max_size=60), cut=st.integers(0, 60))
def test_events_of_no_known_form_pass_byte_for_byte(junk: bytes, cut: int) -> None:
    data = b'data: {"choices":[{"delta":{"tool_calls":[7,{"function":7}]}},7]}\n\n' + junk + b"\n\ndata: [DONE]\n\n"
    assert through(data, [cut])[0] == data


@pytest.mark.parametrize("before_end", [1, 2, 3, 7])
def test_an_event_too_large_to_be_held_passes_in_pieces(before_end: int) -> None:
    text = "a" * (5 * 1024 * 1024)
    event = b'data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"%s"}]}}]}\n\n' % text.encode()
    data = event + b"data: [DONE]\n\n"
    assert through(data, [len(event) - before_end])[0] == data


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_chunk_over_several_lines_is_repaired(line_end: str) -> None:
    lines = [
        ": hello",
        'data: {"choices": [{"delta":',
        'data: {"content": [{"type": "text", "text": "a"}]}}]}',
        "",
        "",
    ]
    done = f"data: [DONE]{line_end * 2}"
    data = (line_end.join(lines) + done).encode()
    expected = f'data: {{"choices":[{{"delta":{{"content":"a"}}}}]}}{line_end * 2}{done}'
    assert through(data, [])[0] == expected.encode()


def test_a_thought_beside_the_list_and_other_forms_of_thoughts_and_texts_are_kept() -> None:
    blocks = [
        {"type": "thinking", "thinking": "two "},
        {"type": "reasoning", "text": "three"},
        {"type": "refusal", "refusal": "no "},
        "never",
        {"type": "text", "text": None},
        {"type": "reasoning", "summary": [7, {"text": None}]},
        7,
    ]
    before = choices({"index": 0, "message": {"content": blocks, "reasoning_content": "one "}})
    assert plain(before)["choices"][0]["message"] == {"content": "no never", "reasoning_content": "one two three"}


def test_a_choice_of_several_is_repaired_by_itself() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    chunks = [
        choices({"index": 1, "delta": {"tool_calls": [call]}, "finish_reason": None}),
        choices(
            {"index": 0, "delta": {}, "finish_reason": "stop"}, {"index": 1, "delta": {}, "finish_reason": "stop"}
        ),
    ]
    data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"
    assert read(through(data, [])[0])[3] == ["stop", "tool_calls"]


def test_a_wrapped_call_beyond_the_bound_is_let_through_as_it_came() -> None:
    piece = {"index": 0, "function": {"arguments": "x" * (3 * 1024 * 1024)}}
    begin = {"index": 0, "id": "c", "type": "function", "function": {"name": WRAPPER, "arguments": "{"}}
    deltas = [begin, piece, piece, piece, piece]
    chunks = [choices({"index": 0, "delta": {"tool_calls": [one]}, "finish_reason": None}) for one in deltas]
    answer = mended_stream(OPENAI_CHAT, head(), [], RULES)
    passed = [sum(map(len, answer.feed([f"data: {json.dumps(chunk)}\n\n".encode()]))) for chunk in chunks]
    assert passed[1] + passed[2] < 1000
    assert passed[3] > 9 * 1024 * 1024
    assert passed[4] > 3 * 1024 * 1024
