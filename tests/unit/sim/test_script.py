"""The scripted model: steps from the request alone, fitted to the tools of each agent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.sim.script.conversation import MODEL, USER, Called, Conversation, Returned, Said, Tool
from moor.sim.script.library import Library, find_address
from moor.sim.script.player import answer

LIBRARY = Library.load()


def _tool(name, *properties, required=(), free_text=False, **typed):
    schema = {"type": "object", "properties": {p: {"type": "string"} for p in properties} | typed}
    return Tool(name=name, schema={**schema, "required": list(required)}, free_text=free_text)


OPTIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "question": {"type": "string"},
            "header": {"type": "string"},
            "options": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"label": {"type": "string"}, "description": {"type": "string"}},
                    "required": ["label", "description"],
                },
            },
        },
        "required": ["question", "header", "options"],
    },
}

# The tools as each agent's facts list them.
CAMEL = (
    _tool("bash", "command", "description", required=("command", "description")),
    _tool("edit", "filePath", "oldString", "newString", required=("filePath", "oldString", "newString")),
    _tool("read", "filePath", required=("filePath",)),
    _tool("write", "filePath", "content"),
    _tool("task", "description", "prompt", "subagent_type", required=("description", "prompt", "subagent_type")),
    _tool("question", questions=OPTIONS, required=("questions",)),
)
SNAKE = (
    _tool("Bash", "command", "description"),
    _tool("Edit", "file_path", "old_string", "new_string", replace_all={"type": "boolean"}),
    _tool("Read", "file_path"),
    _tool("Write", "file_path", "content"),
    _tool("Agent", "description", "prompt", "subagent_type"),
    _tool("AskUserQuestion", questions=OPTIONS),
)
EXEC = (
    _tool("exec_command", "cmd", "workdir", required=("cmd",)),
    Tool(name="apply_patch", free_text=True),
)
UPPER = (
    Tool(name="run_shell_command", schema={"type": "OBJECT", "properties": {"command": {"type": "STRING"}}}),
    _tool("read_file", "file_path"),
    _tool(
        "replace",
        *("file_path", "old_string", "new_string", "instruction"),
        required=("instruction", "scope"),
        scope={"type": "string", "enum": ["once", "all"]},
    ),
    _tool("write_file", "file_path", "content"),
)
TERMINAL = (
    _tool("terminal", "command"),
    _tool("read_file", "path"),
    _tool("patch", "path", "old_string", "new_string", mode={"type": "string", "enum": ["replace", "patch"]}),
    _tool("write_file", "path", "content"),
    _tool("clarify", "question", choices={"type": "array", "items": {"type": "string"}}),
    _tool("delegate_task", "goal"),
)
ARGV = (_tool("shell", command={"type": "array", "items": {"type": "string"}}),)

SETS = {"camel": CAMEL, "snake": SNAKE, "exec": EXEC, "upper": UPPER, "terminal": TERMINAL, "argv": ARGV}


def _talk(prompt, results=0, tools=CAMEL, system="Working directory: /w/p"):
    items = [Said(role=USER, text=prompt)]
    for number in range(results):
        items += [Called(id=f"c{number}", name="bash"), Returned(id=f"c{number}", text=f"result {number}")]
    return Conversation(system=system, items=tuple(items), tools=tools)


def _calls(prompt, tools, results=0):
    return [part.call for part in answer(_talk(prompt, results, tools), LIBRARY).calls]


def test_the_address_is_found_anywhere_and_the_last_one_counts():
    assert find_address("please do sim:turns:3:0.5. Thanks") == "turns:3:0.5"
    assert find_address('say "sim:hello" or sim:think!') == "think"
    assert find_address("sims: 3, http://sim:8080, /x/sim:hello") == ""


@pytest.mark.parametrize(
    ("tools", "name", "arguments"),
    [
        ("camel", "bash", {"command": "echo simulated turn 1 of 1", "description": "turn 1"}),
        ("snake", "Bash", {"command": "echo simulated turn 1 of 1", "description": "turn 1"}),
        ("exec", "exec_command", {"cmd": "echo simulated turn 1 of 1"}),
        ("upper", "run_shell_command", {"command": "echo simulated turn 1 of 1"}),
        ("terminal", "terminal", {"command": "echo simulated turn 1 of 1"}),
        ("argv", "shell", {"command": ["bash", "-lc", "echo simulated turn 1 of 1"]}),
    ],
)
def test_a_command_fits_each_set_of_tools(tools, name, arguments):
    (call,) = _calls("sim:turns:1", SETS[tools])
    assert (call.name, call.arguments) == (name, arguments)


@pytest.mark.parametrize(
    ("tools", "name", "arguments"),
    [
        ("camel", "read", {"filePath": "/w/p/test_pricing.py"}),
        ("snake", "Read", {"file_path": "/w/p/test_pricing.py"}),
        ("exec", "exec_command", {"cmd": "cat test_pricing.py"}),
        ("upper", "read_file", {"file_path": "/w/p/test_pricing.py"}),
        ("terminal", "read_file", {"path": "/w/p/test_pricing.py"}),
        ("argv", "shell", {"command": ["bash", "-lc", "cat test_pricing.py"]}),
    ],
)
def test_reading_fits_each_set_of_tools_with_an_absolute_path_where_there_is_one(tools, name, arguments):
    (call,) = _calls("sim:fix-test", SETS[tools])
    assert (call.name, call.arguments) == (name, arguments)


@pytest.mark.parametrize(
    ("tools", "name"), [("camel", "edit"), ("snake", "Edit"), ("upper", "replace"), ("terminal", "patch")]
)
def test_editing_names_old_and_new_text_in_the_words_of_the_tool(tools, name):
    (call,) = _calls("sim:fix-test", SETS[tools], results=3)
    assert call.name == name
    values = list(call.arguments.values())
    assert "/w/p/pricing.py" in values
    assert "    return price * percent // 100" in values
    assert "    return price * (100 - percent) // 100" in values


def test_an_enum_and_a_required_argument_nobody_wished_for_are_filled():
    (patch,) = _calls("sim:fix-test", TERMINAL, results=3)
    assert patch.arguments["mode"] == "replace"
    (replace,) = _calls("sim:fix-test", UPPER, results=3)
    assert (replace.arguments["instruction"], replace.arguments["scope"]) == ("", "once")


def test_editing_with_a_patch_tool_writes_a_patch_as_free_text_or_as_an_argument():
    (call,) = _calls("sim:fix-test", EXEC, results=3)
    assert call.free_text
    assert call.text.startswith("*** Begin Patch\n*** Update File: pricing.py\n@@\n-    return")
    (as_argument,) = _calls("sim:fix-test", (_tool("apply_patch", "patchText"),), results=0)
    assert as_argument.arguments["patchText"].startswith("*** Begin Patch")


def test_a_shell_alone_is_enough_to_edit(tmp_path):
    import subprocess

    (tmp_path / "pricing.py").write_text(LIBRARY.files("fix-test")["pricing.py"], encoding="utf-8")
    (call,) = _calls("sim:fix-test", ARGV, results=3)
    subprocess.run(call.arguments["command"], cwd=tmp_path, check=True)
    assert "(100 - percent)" in (tmp_path / "pricing.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("tools", ["camel", "snake"])
def test_a_question_has_the_shape_of_the_schema(tools):
    (call,) = _calls("sim:ask", SETS[tools])
    (question,) = call.arguments["questions"]
    assert set(question) == {"question", "header", "options"}
    assert question["options"][0] == {"label": "red", "description": "red"}


def test_a_question_with_plain_choices_gets_texts():
    (call,) = _calls("sim:ask", TERMINAL)
    assert call.arguments == {"question": "Which colour shall the door have?", "choices": ["red", "green", "blue"]}


@pytest.mark.parametrize(
    ("tools", "name", "key"),
    [("camel", "task", "prompt"), ("snake", "Agent", "prompt"), ("terminal", "delegate_task", "goal")],
)
def test_a_sub_agent_gets_a_script_of_its_own(tools, name, key):
    (call,) = _calls("sim:spawn:think", SETS[tools])
    assert (call.name, call.arguments[key]) == (name, "Please do this simulated task: sim:think")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "Hello from the simulated model."),
        (
            {"type": "object", "properties": {"response": {"type": "string"}}, "required": ["response"]},
            {"response": "Hello from the simulated model."},
        ),
    ],
)
def test_a_sub_agent_that_must_hand_in_its_result_does(schema, expected):
    tools = (*UPPER, _tool("complete_task", required=("result",), result=schema, wait={"type": "boolean"}))
    (call,) = _calls("sim:hello", tools)
    assert (call.name, call.arguments) == ("complete_task", {"result": expected})
    assert [call.name for call in _calls("sim:turns:1", tools)] == ["run_shell_command"]


def test_an_action_no_tool_can_do_is_said_and_skipped():
    turn = answer(_talk("sim:ask", tools=(_tool("read", "filePath"),)), LIBRARY)
    assert not turn.calls
    assert "no tool offered here can ask" in turn.say


def test_two_calls_at_once_count_as_two_results():
    assert len(_calls("sim:parallel", CAMEL)) == 2
    assert len(_calls("sim:parallel", CAMEL, results=1)) == 2
    assert _calls("sim:parallel", CAMEL, results=2) == []


@given(st.integers(0, 12), st.integers(1, 8))
def test_the_step_follows_from_the_number_of_results(results, count):
    turn = answer(_talk(f"sim:turns:{count}", results), LIBRARY)
    if results < count:
        assert turn.calls[0].call.arguments["command"] == f"echo simulated turn {results + 1} of {count}"
    else:
        assert turn.say == f"(simulated) All {count} turns are done."


def test_the_same_request_gets_the_same_answer_with_the_same_call_ids():
    talk = _talk("sim:turns:3", 1)
    assert answer(talk, LIBRARY) == answer(talk, LIBRARY)
    ids = {part.id for n in range(3) for part in answer(_talk("sim:turns:3", n), LIBRARY).calls}
    assert len(ids) == 3


def test_a_new_prompt_starts_its_own_script_whatever_came_before():
    items = (*_talk("sim:turns:3", 3).items, Said(role=MODEL, text="done"), Said(role=USER, text="now sim:turns:2"))
    talk = Conversation(system="", items=items, tools=CAMEL)
    assert "turn 1 of 2" in answer(talk, LIBRARY).say


def test_an_agents_own_remarks_are_no_prompt():
    remark = Said(role=USER, text="<system-reminder>Remember sim:hello.</system-reminder>")
    beside = Said(role=USER, text="The file changed, see sim:hello", aside=True)
    talk = Conversation(system="", items=(*_talk("sim:turns:3", 1).items, beside, remark), tools=CAMEL)
    assert "turn 2 of 3" in answer(talk, LIBRARY).say


def test_a_prompt_without_an_address_gets_the_default_or_the_repair_of_a_test():
    assert "simulated model" in answer(_talk("what is this?"), LIBRARY).say
    assert answer(_talk("Please fix the failing test"), LIBRARY).scenario == "fix-test"
    assert answer(_talk("Please fix the failing test", tools=()), LIBRARY).scenario == "default"


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ("sim:nothing", "there is none of that name; there are ask,"),
        ("sim:turns:many", "'many' is no number (parameter count)"),
        ("sim:hello:1", "takes at most 0 parameters"),
    ],
)
def test_an_address_that_makes_no_sense_is_answered_in_words(prompt, word):
    assert word in answer(_talk(prompt), LIBRARY).say


def test_titles_are_answered_aside():
    system = "You are a title generator."
    talk = Conversation(system=system, items=(Said(role=USER, text="Generate a title for:\nsim:turns:3"),), tools=())
    assert answer(talk, LIBRARY).say == "Simulated: turns"
    as_json = Conversation(system="x", items=(Said(role=USER, text="sim:turns:3"),), tools=(), wants_json=True)
    assert json.loads(answer(as_json, LIBRARY).say) == {"title": "Simulated: turns"}


def test_a_title_is_handed_in_by_the_tool_that_is_there_for_it():
    tool = Tool(name="respond_in_schema", schema={"type": "object", "properties": {"title": {"type": "string"}}})
    told = answer(Conversation(system="x", items=(Said(role=USER, text="sim:turns:3"),), tools=(tool,)), LIBRARY)
    assert [part.call.arguments for part in told.calls] == [{"title": "Simulated: turns"}]


def test_a_summary_of_a_conversation_carries_the_script_on():
    asked = Said(role=USER, text="Your task is to create a detailed summary of the conversation so far.")
    told = answer(Conversation(system="s", items=(*_talk("sim:turns:9", 4).items, asked), tools=()), LIBRARY)
    assert told.scenario == "summary"
    after = (
        Said(role=USER, text="What did we do so far?"),
        Said(role=MODEL, text=told.say),
        Said(role=USER, text="Continue if you have next steps."),
        Called(id="c", name="bash"),
        Returned(id="c", text=""),
    )
    assert "turn 6 of 9" in answer(Conversation(system="", items=after, tools=CAMEL), LIBRARY).say


def test_a_summary_of_a_conversation_told_as_text_carries_the_script_on():
    history = "[User]: sim:turns:9\n\n[Assistant tool call]: bash({})\n[Tool result]: 1\n[Tool result]: 2\n"
    order = "Create a new anchored summary from the conversation history in the <conversation> tags above."
    first = Said(role=USER, text=f"<conversation>\n{history}</conversation>\n{order}\n" + "rule. " * 60)
    told = answer(Conversation(system="You are a context summarization agent", items=(first,), tools=()), LIBRARY)
    assert "[sim-progress turns:9 2]" in told.say
    later = "[User]: Continue.\n[Tool result]: 3\n"
    second = Said(role=USER, text=f"{later}<prior-summary>{told.say}</prior-summary>\n{order}\n" + "rule. " * 60)
    again = answer(Conversation(system="You are a context summarization agent", items=(second,), tools=()), LIBRARY)
    assert "[sim-progress turns:9 3]" in again.say


def test_a_new_prompt_after_a_summary_is_a_new_script():
    items = (Said(role=MODEL, text="[sim-progress turns:9 4]"), Said(role=USER, text="now sim:hello"))
    assert answer(Conversation(system="", items=items, tools=CAMEL), LIBRARY).say == "Hello from the simulated model."


@pytest.mark.parametrize(
    "text",
    [
        "<env>\n  Working directory: /w/my project\n  Workspace root folder: /w\n</env>",
        "<environment_context>\n  <cwd>/w/my project</cwd>\n</environment_context>",
        "I'm currently working in the directory: /w/my project\nMore",
        "Primary working directory: /w/my project\n",
        "- **Workspace Directories:**\n  - /w/my project\n",
    ],
)
def test_the_working_directory_is_found_where_agents_state_it(text):
    assert Conversation(system=text, items=(), tools=()).directory() == "/w/my project"
    in_user = (Said(role=USER, text=text),)
    assert Conversation(system="", items=in_user, tools=()).directory() == "/w/my project"


def test_rules_are_echoed_from_wherever_they_stand():
    talk = _talk("sim:echo-rules", system="Follow RULES-MARKER-abc and RULES-MARKER-abc.")
    assert answer(talk, LIBRARY).say == "(simulated) I found: RULES-MARKER-abc"


def test_the_report_of_the_repair_tells_the_truth():
    good = _talk("sim:fix-test", 5)
    passed = Conversation(
        system="", items=(*good.items[:-1], Returned(id="c4", text="Ran 3 tests\n\nOK\n")), tools=CAMEL
    )
    assert "three tests pass" in answer(passed, LIBRARY).say
    assert "does not pass" in answer(good, LIBRARY).say
