"""A splice changes what it is told to and nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from moor.wire.index import index_object
from moor.wire.splice import array, elements, encode, map_elements, members, obj, splice
from tests.unit.wire.test_index import OBJECTS, VALUES, folded_twins


@given(
    found=OBJECTS, changes=st.dictionaries(st.text(max_size=8), VALUES | st.just(...), max_size=4), wide=st.booleans()
)
def test_a_splice_reads_as_the_changed_object(found: dict[str, Any], changes: dict[str, Any], wide: bool) -> None:
    assume(not folded_twins([*found, *(key for key in changes if key not in found)]))
    body = json.dumps(found, indent=1 if wide else None).encode()
    given_changes = {key: None if item is ... else encode(item) for key, item in changes.items()}
    expected = dict(found)
    for key, item in changes.items():
        if item is ...:
            expected.pop(key, None)
        else:
            expected[key] = item
    made = splice(index_object(body), given_changes)
    assert json.loads(made.body) == expected
    assert made.spans == index_object(made.body).spans


def test_what_is_not_touched_keeps_its_bytes() -> None:
    index = index_object(b'{ "a" : [1,  2], "model":"x" ,"b": {"c" :1e5} }')
    assert splice(index, {"model": b'"y"'}).body == b'{ "a" : [1,  2], "model":"y" ,"b": {"c" :1e5} }'
    assert splice(index, {"new": b"1"}).body == b'{ "a" : [1,  2], "model":"x" ,"b": {"c" :1e5} ,"new":1}'
    assert splice(index, {"model": None}).body == b'{"a":[1,  2],"b":{"c" :1e5}}'
    assert splice(index_object(b"{}"), {"a": b"1", "b": b"2"}).body == b'{"a":1,"b":2}'


def test_elements_and_members_keep_their_bytes() -> None:
    assert [bytes(item) for item in elements(b'[1 , {"a" : 2},"x"]') or []] == [b"1", b'{"a" : 2}', b'"x"']
    assert members(b'{"a" : [1 ,2]}') == {"a": b"[1 ,2]"}
    assert elements(b"{}") is None
    assert members(b"[]") is None
    assert array([b"1", b"2"]) == b"[1,2]"
    assert obj({"a": b"1"}) == b'{"a":1}'


def test_an_array_in_which_nothing_changed_is_none() -> None:
    assert map_elements(b"[1, 2]", lambda item: item) is None
    assert map_elements(b"[1, 2]", lambda item: None if item == b"1" else item) == b"[2]"
