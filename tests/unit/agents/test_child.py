"""A process that speaks lines of JSON: what it says, how it ends, what it leaves."""

from __future__ import annotations

import asyncio
import gc
import sys
from pathlib import Path

import pytest

from moor.agents.child import Child
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentStartFailed
from moor.run import proc

ECHO = """
import sys
for line in sys.stdin:
    print("a word, not an object")
    print(line, end="", flush=True)
    print("secret sk-abcdefghijklmnopqrstuvwxyz", file=sys.stderr, flush=True)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{}', flush=True); time.sleep(60)"
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print('{"pid": %d}' % child.pid, flush=True)
time.sleep(60)
"""


def plan(code: str, cwd: Path, program: str = sys.executable) -> LaunchPlan:
    return LaunchPlan(argv=(program, "-c", code), env={"PATH": "/usr/bin:/bin"}, cwd=str(cwd))


def test_objects_come_back_and_other_words_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        child = await Child.start("someone", plan(ECHO, tmp_path))
        await child.send({"text": "ü" * 200_000})
        message = await child.receive()
        assert message == {"text": "ü" * 200_000}
        await child.close()
        assert await child.receive() is None
        assert "a word" in child.last_words

    asyncio.run(main())


def test_what_it_says_last_is_kept_though_its_output_closed_before(tmp_path: Path) -> None:
    code = "import os, sys, time; os.close(1); time.sleep(0.1); print('no luck', file=sys.stderr)"

    async def main() -> None:
        child = await Child.start("someone", plan(code, tmp_path))
        assert await child.receive() is None
        assert child.last_words == "no luck"
        await child.close()
        child = await Child.start("someone", plan(code, tmp_path))
        assert await child.wait(5.0)
        assert child.last_words == "no luck"
        await child.close()

    asyncio.run(main())


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(AgentStartFailed) as caught:
            await Child.start("someone", plan("", tmp_path, program="/nowhere/at/all"))
        assert "/nowhere/at/all" in caught.value.context

    asyncio.run(main())


def test_one_that_has_ended_takes_nothing_more(tmp_path: Path) -> None:
    async def main() -> None:
        child = await Child.start("someone", plan("print('bye')", tmp_path))
        assert await child.receive() is None
        assert await child.wait(5)
        with pytest.raises(AgentGone, match="ended"):
            await child.send({})
        await child.close()

    asyncio.run(main())


def test_one_that_ignores_the_end_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        child = await Child.start("someone", plan(DEAF, tmp_path))
        await child.receive()
        async with asyncio.timeout(5):
            await child.close(patience_s=0.1)
        assert not child.alive
        await child.close()

    asyncio.run(main())


def test_the_programs_that_a_launcher_starts_end_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        child = await Child.start("someone", plan(PARENT, tmp_path))
        message = await child.receive()
        assert message is not None
        await child.close(patience_s=0.1)
        for _ in range(100):
            if proc.start_time(message["pid"]) is None:
                break
            await asyncio.sleep(0.02)
        assert proc.start_time(message["pid"]) is None

    asyncio.run(main())


def test_one_that_ends_before_it_has_read_its_input_prints_nothing_by_itself(tmp_path: Path) -> None:
    """Seen with asyncio of Python 3.11.2: a traceback on the user's terminal."""
    told: list[object] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        child = await Child.start("someone", plan("import os, time; time.sleep(0.05); os._exit(7)", tmp_path))
        with pytest.raises(AgentGone):
            await child.send({"text": "x" * 10_000_000})
        await child.close()
        del child
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    assert told == []
