"""An agent that speaks the Agent Client Protocol by a script: run as a program, it plays one behaviour.

`python acp_agent.py BEHAVIOUR`: after each prompt it sends what the behaviour says; what it is sent lands in the file
that ACP_LOG names, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

Raw = dict[str, Any]
END: Raw = {"result": {"stopReason": "end_turn"}}
cancelled: list[Raw] = []
SESSION = "s1"
OPTIONS = [
    {"optionId": "always", "name": "Always", "kind": "allow_always"},
    {"optionId": "once", "name": "Once", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


def send(**message: Any) -> None:
    """One message on the standard output."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def receive() -> Raw:
    """The next message; ends the program with its input."""
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    with Path(os.environ["ACP_LOG"]).open("a", encoding="utf-8") as log:
        log.write(line)
    message: Raw = json.loads(line)
    if message.get("method") == "session/cancel":
        cancelled.append(message)
    return message


def update(kind: str, **fields: Any) -> None:
    """One session/update."""
    send(method="session/update", params={"sessionId": SESSION, "update": {"sessionUpdate": kind, **fields}})


def say(text: str) -> None:
    """A chunk of the answer."""
    update("agent_message_chunk", content={"type": "text", "text": text})


def ask(number: Any, **call: Any) -> Raw:
    """A permission, and its answer."""
    params = {"sessionId": SESSION, "options": OPTIONS, "toolCall": {"toolCallId": "c1", "status": "pending", **call}}
    send(id=number, method="session/request_permission", params=params)
    return answer_to(number)


def answer_to(number: Any) -> Raw:
    """Reads on until the answer to that request."""
    while (message := receive()).get("id") != number or "method" in message:
        pass
    return message


def until_cancelled() -> Raw:
    """Reads on until it is told to stop; the end of the turn."""
    while not cancelled:
        receive()
    return {"result": {"stopReason": "cancelled"}}


def edit() -> Raw:
    """A write that names two files, a try to use an editor's files, and what came of both."""
    say("I write.")
    diff = {"type": "diff", "path": "/w/b.txt", "oldText": None, "newText": "x"}
    chosen = ask(0, title="b.txt", kind="edit", locations=[{"path": "/w/a.txt"}], content=[diff])
    send(id="q", method="fs/read_text_file", params={"path": "/etc/passwd"})
    refused = answer_to("q")
    update("tool_call_update", toolCallId="c1", status="completed")
    say(json.dumps([chosen["result"]["outcome"].get("optionId", "-"), refused["error"]["code"]]))
    return END


def question() -> Raw:
    """A question to the person."""
    send(id=7, method="elicitation/create", params={"sessionId": SESSION, "message": "Which colour?"})
    say(str(answer_to(7)["result"]["action"]))
    return END


def error() -> Raw:
    """The upstream's refusal, wrapped."""
    inner = json.dumps({"error": {"code": 403, "message": "no more money"}})
    return {"error": {"code": 403, "message": f"got status 403. {inner}"}}


def wait() -> Raw:
    """Work without an end."""
    say("begun")
    return until_cancelled()


def wait_asking() -> Raw:
    """A permission that nobody answers."""
    say("begun")
    ask(3, title="ls", kind="execute", rawInput={"command": ["ls", "a b"], "cwd": "/w"})
    return until_cancelled()


def deaf() -> Raw:
    """Work that nothing stops."""
    say("begun")
    while True:
        receive()


def die() -> Raw:
    """A crash in the middle."""
    say("half an ans")
    sys.stderr.write("the disk is on fire\n")
    sys.exit(9)


def noise() -> Raw:
    """Everything that a reader must bear."""
    sys.stdout.write("not JSON\n[1, 2]\n\n" + json.dumps({"id": {}, "result": []}) + "\n")
    send(method="session/update", params=[1])
    send(method="session/update", params={"update": {"sessionUpdate": "tool_call"}})
    send(id=99, result={"nobody": "asked"})
    update("something_new", x=1)
    say("y" * 2_000_000)
    return END


def flood() -> Raw:
    """One line above every limit."""
    sys.stdout.write("x" * (33 << 20) + "\n")
    sys.stdout.flush()
    return END


TURNS = {
    turn.__name__.replace("_", "-"): turn
    for turn in (edit, question, error, wait, wait_asking, deaf, die, noise, flood)
}


def main(behaviour: str) -> None:
    """Answers requests until its input ends."""
    if behaviour == "dead":
        sys.stderr.write("no such library\n")
        sys.exit(4)
    while True:
        message = receive()
        method, number = message.get("method"), message.get("id")
        if behaviour == "hang" and method == "initialize":
            time.sleep(600)
        if method == "initialize":
            send(id=number, result={"protocolVersion": 2 if behaviour == "version" else 1})
        elif method == "session/new" and behaviour == "sign-in":
            send(id=number, error={"code": -32000, "message": "Authentication required"})
        elif method == "session/new":
            option = {"id": "model", "category": "model", "currentValue": "x"}
            send(
                id=number, result={"sessionId": SESSION, "configOptions": [option] if behaviour == "options" else []}
            )
        elif method == "session/prompt":
            send(id=number, **TURNS.get(behaviour, edit)())
        elif number is not None:
            send(id=number, result={})


main(sys.argv[1])
