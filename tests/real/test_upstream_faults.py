"""Real OpenCode while its upstream misbehaves: it recovers silently, or the run ends soon, in words, with the right
exit code; the ledger and the simulator agree on what was called, nothing runs on, no credential is left anywhere.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import namespace
from tests.support.moor import Done, moor_command, run_moor_process
from tests.support.trouble import assert_no_secret, assert_result, assert_told
from tests.support.web import Asked, Said, serve_web
from tests.support.workplace import UPSTREAM, Workplace, wait_until, workplace

pytestmark = pytest.mark.real

CALLS = "POST */messages"
SOON = {"retry-after-ms": "50"}
"""the gateway obeys it, so that its repeats take no time"""
TRIES = 4
"""of the gateway's; OpenCode 1.18.33 would repeat five times more, and is told at a status where it does not"""
AGENTS_TRIES = 6
"""of OpenCode's, where a stream breaks that it had begun to read: there is no status left to stop it"""
ERROR_INSIDE = """event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"x","content":[],\
"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}

event: error
data: {"type":"error","error":{"type":"invalid_request_error","message":"the tool list is not to our taste"}}

"""

ERROR_MIDWAY = ERROR_INSIDE.replace(
    "event: error",
    """event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"I begin"}}

"""
    + f": {'-' * 1000}\n\n" * 1000
    + "event: error",
)
"""so long that the agent has the begin before the error comes"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, test_agents: Any) -> Iterator[Workplace]:
    """One signed-in user for all tests of this file."""
    with workplace(tmp_path_factory.mktemp("faults"), test_agents) as made:
        yield made


@pytest.fixture
def place(shared: Workplace) -> Iterator[Workplace]:
    """The same, with no fault in force; afterwards nothing runs and no credential is where it must not be."""
    shared.sim.control.clear_faults()
    shared.sim.control.dead_credential("")
    secrets = shared.credentials()
    yield shared
    shared.wait_gone()
    assert_no_secret(shared.folder, {*secrets, *shared.credentials()})
    if shared.sessions():
        assert not list(shared.store.sessions_dir.iterdir())


def run(place: Workplace, *argv: str, **how: Any) -> tuple[Done, list[int]]:
    """`moor run --json`, and the statuses of the model calls that the simulator answered meanwhile."""
    before = len(place.model_calls())
    done = place.moor("run", "--json", *argv, **how)
    return done, [call["status"] for call in place.model_calls()[before:]]


REFUSALS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "403 without the permission": (
        {"status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no permission to query it"}},
        "model-failed",
        "no permission to query it",
        "administrator",
    ),
    "404 because the model is gone": (
        {"status": 404, "body": {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "it is gone"}},
        "model-failed",
        "it is gone",
        "moor models --refresh",
    ),
    "400 with a limit that reads like a status, and an id that holds one": (
        {"status": 400, "body": {"error_code": "X", "message": "at most 50000 of them", "request_id": "a4b502c"}},
        "model-failed",
        "at most 50000 of them",
        "moor ",
    ),
    "such a number inside a good stream": (
        {
            "status": 200,
            "headers": {"content-type": "text/event-stream"},
            "body": ERROR_INSIDE.replace("not to our taste", "longer than 50000"),
        },
        "model-failed",
        "longer than 50000",
        "moor usage --last",
    ),
    "such a number after the begin of an answer": (
        {
            "status": 200,
            "headers": {"content-type": "text/event-stream"},
            "body": ERROR_MIDWAY.replace("not to our taste", "longer than 50000"),
        },
        "model-failed",
        "longer than 50000",
        "moor usage --last",
    ),
    "a login page": ({"html": True}, "model-failed", "a web page", "moor status --check"),
    "garbage": ({"garbage": True}, "model-failed", "not JSON", "moor status --check"),
    "an error inside a good stream": (
        {"status": 200, "headers": {"content-type": "text/event-stream"}, "body": ERROR_INSIDE},
        "model-failed",
        "not to our taste",
        "moor usage --last",
    ),
    "a limit of an hour": (
        {"status": 429, "headers": {"retry-after": "3600"}, "body": {"error_code": "X", "message": "slow down"}},
        "model-failed",
        "asks to wait 60 min",
        "another model",
    ),
}


@pytest.mark.feature("F12.27")
@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_ends_the_run_after_one_call(case: str, place: Workplace) -> None:
    fault, ref, *parts = REFUSALS[case]
    place.sim.control.fault(CALLS, **fault)
    done, statuses = run(place, "sim:hello")
    assert_told(done, 1, ref, *parts)
    assert_result(done, "failed", ref)
    assert len(statuses) == 1


def test_a_connection_that_is_closed_without_an_answer_is_an_unreachable_upstream(place: Workplace) -> None:
    place.sim.control.fault(CALLS, drop=True)
    done, statuses = run(place, "sim:hello")
    assert_told(done, 4, "broken-off", "closed the connection", "moor status --check")
    assert_result(done, "failed", "broken-off")
    assert len(statuses) == TRIES


@pytest.mark.parametrize("status", [500, *(pytest.param(s, marks=pytest.mark.full) for s in (429, 502, 503, 504))])
def test_a_failing_upstream_is_asked_a_bounded_number_of_times(status: int, place: Workplace) -> None:
    place.sim.control.fault(CALLS, status=status, headers=SOON, body={"error_code": "X", "message": "it broke"})
    done, statuses = run(place, "sim:hello")
    assert_told(done, 1, "model-failed", "it broke", "moor ")
    assert_result(done, "failed", "model-failed")
    assert statuses == [status] * TRIES
    assert "the model call is repeated" not in done.stderr
    rows = place.must("usage", "--last", "--json").last_json
    assert sum(row["calls"] for row in rows) == sum(row["failed"] for row in rows) == 1


@pytest.mark.parametrize("headers", [{}, {"retry-after": "1"}], ids=["without a time", "with a time"])
def test_a_limit_that_passes_is_waited_for(headers: dict[str, str], place: Workplace) -> None:
    place.sim.control.fault(CALLS, status=429, times=1, headers=headers, body={"error_code": "X", "message": "slow"})
    done, statuses = run(place, "sim:hello")
    assert done.code == 0, done.stderr
    assert done.last_json["status"] == "completed"
    assert statuses == [429, 200]


def test_a_stream_that_is_cut_once_is_asked_for_again(place: Workplace) -> None:
    place.sim.control.fault(CALLS, cut_after_bytes=400, times=1)
    done, _ = run(place, "sim:hello")
    assert done.code == 0, done.stderr
    assert done.last_json["text"] == "Hello from the simulated model."
    rows = place.must("usage", "--last", "--json").last_json
    assert [(row["calls"], row["failed"]) for row in rows] == [(2, 1)]


@pytest.mark.full
@pytest.mark.timeout(240)
@pytest.mark.parametrize("scenario", ["cut", "error-mid-stream"])
def test_a_stream_that_always_breaks_ends_as_failed(scenario: str, place: Workplace) -> None:
    done, statuses = run(place, f"sim:{scenario}", timeout=200)
    assert_told(done, 1, "model-failed")
    assert_result(done, "failed", "model-failed")
    assert 1 < len(statuses) <= TRIES * AGENTS_TRIES


@pytest.mark.feature("F12.9")
def test_a_first_byte_that_never_comes_ends_at_the_time_limit(place: Workplace) -> None:
    place.sim.control.fault(CALLS, first_byte_never=True)
    done, _ = run(place, "--timeout", "12", "sim:hello")
    assert_told(done, 1, "run-timeout", "within 12 seconds", "--timeout")
    assert_result(done, "timeout", "run-timeout")


@pytest.mark.feature("F12.9", "F12.11")
def test_an_endless_answer_ends_at_the_time_limit_and_is_accounted(place: Workplace) -> None:
    done, _ = run(place, "--timeout", "25", "sim:endless")
    assert_told(done, 1, "run-timeout", "within 25 seconds")
    result = assert_result(done, "timeout", "run-timeout")
    assert result["tokens"]["output"] > 0, "what was streamed until then was used"
    assert result["cost_usd"] > 0


@pytest.mark.feature("F13.8")
def test_a_run_that_used_more_than_half_of_its_cap_is_told_so(place: Workplace) -> None:
    done, _ = run(place, "sim:turns:3")
    used = done.last_json["tokens"]
    total = sum(used[kind] for kind in ("input", "output", "cache_read", "cache_write"))
    assert done.last_json["warning"] == ""
    cap = total * 3 // 2
    done, _ = run(place, "--budget-tokens", str(cap), "sim:turns:3")
    assert done.code == 0, done.stderr
    said = f"50 % of the session cap of {cap} tokens is used"
    assert done.last_json["warning"] == said
    assert f"warning: {said}" in done.stderr


@pytest.mark.feature("F8.7")
def test_a_tiny_budget_refuses_the_second_call_and_says_what_was_spent(place: Workplace) -> None:
    done, statuses = run(place, "--budget-usd", "0.03", "sim:turns:3")
    assert_told(done, 1, "budget-reached", "of $0.03", "--budget-usd")
    result = assert_result(done, "budget", "budget-reached")
    assert statuses == [200]
    assert f"${result['cost_usd']:.6f}".rstrip("0") in result["error"]["message"]


@pytest.mark.feature("F13.8")
@pytest.mark.parametrize("tokens", ["500", "5020"])
def test_an_amount_that_looks_like_a_status_makes_the_agent_ask_once_all_the_same(
    place: Workplace, tokens: str
) -> None:
    done, statuses = run(place, "--budget-tokens", tokens, "sim:turns:3")
    assert_told(done, 1, "budget-reached", f"of {tokens} tokens")
    assert "repeated" not in done.stderr
    assert statuses == []


@pytest.mark.feature("F2.3", "F2.8")
def test_credentials_that_die_in_every_recorded_form_are_healed_unseen(place: Workplace) -> None:
    control = place.sim.control
    control.dead_credential("turns")
    good, dead = 0, set()
    with place.background("run", "--json", "sim:turns:9:0.3") as child:
        while child.poll() is None:
            calls = place.model_calls()
            dead |= {call["status"] for call in calls} - {200}
            if (seen := sum(call["status"] == 200 for call in calls)) > good:
                good = seen
                control.revoke_all()
            time.sleep(0.02)
        out, err = child.communicate(timeout=20)
    done = Done(child.returncode, out, err)
    assert done.code == 0, done.stderr
    assert done.last_json["tool_calls"] == 9
    assert "repeated" not in done.stderr
    assert {400, 401, 403} <= dead


@pytest.mark.feature("F2.3", "F7.9")
def test_a_sign_in_that_is_revoked_in_the_middle_ends_the_run_within_20_seconds(place: Workplace) -> None:
    before = len(place.model_calls())
    with place.background("run", "--json", "sim:turns:60:0.3") as child:
        wait_until(lambda: len(place.model_calls()) > before, "no model call", 40)
        place.sim.control.revoke_all(refresh_too=True)
        try:
            out, err = child.communicate(timeout=20)
        finally:
            place.sim.control.clear_faults()
    try:
        done = Done(child.returncode, out, err)
        assert_told(done, 3, done.last_json["error"]["ref"], f"moor login --upstream {UPSTREAM}")
        assert_result(done, "failed", done.last_json["error"]["ref"])
        again = place.moor("models", "--refresh")
        assert_told(again, 3, again.stderr.split(": ")[1], "moor login")
    finally:
        place.must("login", "--upstream", UPSTREAM)


@pytest.mark.feature("F3.8")
def test_an_empty_answer_does_not_spoil_the_session(place: Workplace) -> None:
    agent = ["opencode", "run"]
    assert place.moor(*agent, "sim:empty-answer").code == 0
    before = len(place.model_calls())
    done = place.moor(*agent, "--continue", "sim:hello")
    assert done.code == 0, done.stderr
    assert "Hello from the simulated model." in done.stdout
    assert {call["status"] for call in place.model_calls()[before:]} == {200}


def test_a_proxy_of_the_environment_sees_no_prompt(place: Workplace) -> None:
    with serve_web(lambda _: Said(502, b"a proxy")) as proxy:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        done, statuses = run(place, "sim:hello", env=dict.fromkeys(names, proxy.url))
        asked: list[Asked] = list(proxy.asked)
    assert done.code == 0, done.stderr
    assert statuses == [200]
    assert asked == []


PROMPTS: dict[str, tuple[str, int, str]] = {
    "from a pipe": ("please do\nsim:hello\n", 0, ""),
    "with every control character": ("".join(map(chr, range(1, 32))) + "\x7f\u202e\U0001f4a5 sim:hello", 0, ""),
    "larger than any model takes": ("word " * 1_200_000 + " sim:hello", 1, "too long"),
}


@pytest.mark.feature("F12.3")
@pytest.mark.parametrize("case", PROMPTS)
def test_a_prompt_is_taken_as_it_comes(case: str, place: Workplace) -> None:
    text, code, said = PROMPTS[case]
    done = run_moor_process(["run", "--json", "-"], place.environ, cwd=place.repository, stdin=text)
    assert done.code == code, done.stderr
    if code:
        assert_told(done, code, "model-failed", said)
        assert_result(done, "failed", "model-failed")
    else:
        assert done.last_json["text"] == "Hello from the simulated model."


def test_a_disk_that_fills_up_in_the_middle_ends_the_run_in_words(place: Workplace) -> None:
    disk = namespace.small_disk(place.home.root, "48m")
    before = len(place.model_calls())
    command = [*disk, *moor_command(), "run", "--json", "--timeout", "50", "sim:turns:40:0.3"]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=place.environ,
        cwd=place.repository,
        encoding="utf-8",
    ) as child:
        wait_until(lambda: len(place.model_calls()) >= before + 2, "no model calls", 40)
        namespace.fill(namespace.inside(child.pid, place.home.root))
        out, err = child.communicate(timeout=60)
    done = Done(child.returncode, out, err)
    assert_told(done, 1, done.last_json["error"]["ref"], "disk", "df -h")
    result = assert_result(done, "failed", done.last_json["error"]["ref"])
    assert result["tokens"]["cache_write"] > 0, "what was used before is not lost"


def test_the_working_tree_is_as_it_was_after_all_that(place: Workplace) -> None:
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=place.repository, capture_output=True, encoding="utf-8", check=True
    )
    assert changed.stdout == ""
