"""Secrets in requests: found in text, masked so that the request stays whole, never in what is no text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.domain.dialects import GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.models import NANO
from moor.domain.session import AgentTraits
from moor.domain.watch import MASK, OFF, REFUSE, WARN, Watch
from moor.gateway.guard import KNOWN, look
from moor.gateway.payloads import PayloadLog, read_payload
from moor.store.home import Home
from tests.unit.gateway.rig import PATHS, make_session, rig, run

AWS = "AKIA" + "ABCDEFGHIJKLMNOP"
SECRETS = {
    "a Databricks token": "dapi" + "0123456789abcdef" * 2,
    "an AWS access key": AWS,
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "x" * 20,
    "a Slack token": "xoxb-" + "1234567890-abc",
    "a model vendor's key": "sk-ant-" + "api03-" + "q" * 24,
    "a Google API key": "AIza" + "B" * 35,
    "a Stripe key": "sk_live_" + "9" * 24,
    "an npm token": "npm_" + "Z" * 36,
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIE" * 20 + "\n-----END RSA PRIVATE KEY-----",
    "a JSON web token": "eyJ" + "h" * 12 + ".eyJ" + "p" * 12 + "." + "s" * 20,
    "a password in an address": "postgres://me:hunter22@db.example/x",
}
MASKING = Watch(guard=MASK)


def body(text: str) -> bytes:
    return json.dumps({"model": "m-1", "messages": [{"role": "user", "content": text}]}).encode()


def test_there_is_an_example_of_each_known_form() -> None:
    assert set(SECRETS) == set(KNOWN)


@pytest.mark.feature("F3.17")
@pytest.mark.parametrize("name", SECRETS)
def test_known_forms_are_masked_wherever_they_stand(name: str) -> None:
    secret = SECRETS[name]
    for text in (secret, f"use {secret}, please", f'key="{secret}"\n', f"é {secret} \\ end"):
        found = look(MASKING, body(text))
        after = json.loads(found.body)["messages"][0]["content"]
        assert found.names == (name,)
        assert f"[masked: {name}]" in after
        kept = secret.split("@")[1] if name == "a password in an address" else ""
        assert secret not in after
        assert kept in after


@given(st.text(), st.text(), st.sampled_from(sorted(SECRETS)))
def test_a_masked_request_is_still_the_same_request_around_the_secret(before: str, after: str, name: str) -> None:
    request = {"model": "m-1", "n": 1.50, "x": [{"text": f"{before} {SECRETS[name]} {after}"}], "keep": before}
    found = look(MASKING, json.dumps(request).encode())
    told = json.loads(found.body)
    assert (told["model"], told["n"], told["keep"]) == ("m-1", 1.5, before) or len(found.names) > 1
    assert SECRETS[name] not in told["x"][0]["text"] or name == "a password in an address"


def test_clean_requests_are_the_very_same_bytes() -> None:
    plain = b'{ "model" : "m-1", "messages":[{"content":"https://example.org and sk-short and eyJ.x"}] }'
    assert look(MASKING, plain).body is plain
    assert look(Watch(guard=OFF), body(AWS)).names == ()
    assert look(Watch(guard=WARN), body(AWS)) == (body(AWS), ("an AWS access key",))


ENCODED = ("A" * 30 + AWS + "/+=" * 10, "data:image/png;base64," + AWS * 4, "a-b_" * 60 + AWS)


@pytest.mark.parametrize("key", ["signature", "thoughtSignature", "encrypted_content", "data", "url"])
@pytest.mark.parametrize("value", ENCODED)
def test_what_is_no_text_stays_as_it_is(key: str, value: str) -> None:
    request = json.dumps({"content": [{key: value, "text": AWS}]}).encode()
    part = json.loads(look(MASKING, request).body)["content"][0]
    assert part == {key: value, "text": "[masked: an AWS access key]"}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("more", ["", "q" * 90])
def test_a_tools_argument_of_such_a_name_is_text_all_the_same(name: str, more: str) -> None:
    secret = SECRETS[name] + (more if name == "a model vendor's key" else "")
    request = json.dumps({"content": [{"type": "tool_use", "input": {"data": secret}}]}).encode()
    assert look(MASKING, request).names == (name,)


def test_names_of_keys_are_not_touched_and_escapes_are_read() -> None:
    request = b'{"' + AWS.encode() + b'": "' + b"".join(b"\\u%04x" % ord(one) for one in AWS) + b'"}'
    assert json.loads(look(MASKING, request).body) == {AWS: "[masked: an AWS access key]"}


def test_patterns_of_the_users_are_masked_too() -> None:
    watch = Watch(guard=MASK, patterns=(r"(?i)project \w+bird", "\u00fc{3}"))
    found = look(watch, body('about "Project Bluebird" \u00fc\u00fc\u00fc'))
    assert found.names == ("a match of your pattern 1", "a match of your pattern 2")
    assert json.loads(found.body)["messages"][0]["content"].count("[masked:") == 2


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_RESPONSES, GEMINI_GENERATE])
@pytest.mark.parametrize("action", [WARN, MASK, REFUSE])
def test_the_guard_acts_on_the_wire_of_every_dialect(action: str, dialect: str) -> None:
    async def scenario() -> None:
        traits = AgentTraits(fatal_status={"bad-request": 422})
        async with rig(session=make_session(watch=Watch(guard=action), traits=traits)) as r:
            answer = await r.ask(PATHS[dialect], {"model": "m-1", "contents": AWS} if ":" not in dialect else {})
            row = (await r.rows())[0]
            if action == REFUSE:
                assert (answer.status, r.server.seen) == (422, [])
                assert "an AWS access key" in answer.text
                assert AWS not in row.error
            elif action == WARN:
                assert AWS in r.server.seen[0].body.decode()
                assert row.rules == ("guard-warned",)
            else:
                assert AWS not in r.server.seen[0].body.decode()
                assert row.rules[-1] == "guard-masked"

    run(scenario())


@pytest.mark.feature("F3.17", "F13.8")
@pytest.mark.parametrize("clean", [True, False], ids=["no rule changed it", "a rule changed it"])
def test_a_request_that_is_masked_and_then_held_to_a_cap_stays_masked(clean: bool) -> None:
    """The limit that a cap lowers is written into what the guard has made, never into the agent's own bytes."""

    async def scenario() -> None:
        async with rig(session=make_session(watch=MASKING, budget_nano=NANO // 100)) as r:
            content = [{"type": "text", "text": f"use {AWS}"}]
            if not clean:
                content.insert(0, {"type": "text", "text": ""})
            answer = await r.message(messages=[{"role": "user", "content": content}], max_tokens=30_000)
            assert answer.status == 200
            sent = json.loads(r.server.seen[0].body)
            assert sent["max_tokens"] < 30_000
            assert AWS not in r.server.seen[0].body.decode()
            assert "[masked: an AWS access key]" in r.server.seen[0].body.decode()

    run(scenario())


def test_the_stricter_guard_and_all_patterns_count() -> None:
    user, admin = Watch(WARN, ("a",), ("r",), 5), Watch(REFUSE, ("b", "a"))
    assert user.with_(admin) == Watch(REFUSE, ("a", "b"), ("r",), 5)
    assert admin.with_(user).guard == REFUSE


def test_payloads_are_kept_masked_private_and_bounded(tmp_path: Path) -> None:
    async def scenario(home: Home) -> list[str]:
        log = PayloadLog(home, 1)
        async with rig(payloads=log) as r:
            for number in range(30):
                await r.message(
                    stream=number % 2 == 0, messages=[{"role": "user", "content": f"{AWS} {'x' * 99_000}"}]
                )
            rows = await r.rows(30)
        log.close()
        return [row.id for row in rows]

    home = Home(tmp_path / "moor")
    ids: list[str] = []

    async def wrapped() -> None:
        ids.extend(await scenario(home))

    run(wrapped())
    folder = home.root / "payloads"
    files = sorted(folder.iterdir())
    assert 2 < len(files) < 30
    assert sum(file.stat().st_size for file in files) < 1.2 * 1024 * 1024
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    newest = read_payload(home, max(ids))
    assert newest is not None
    assert AWS not in newest.asked
    assert "[masked: an AWS access key]" in newest.asked
    assert '"text":"hi"' in newest.answered.replace(" ", "")
    assert newest.sent == ""
    assert read_payload(home, min(ids)) is None
