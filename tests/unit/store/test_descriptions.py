"""A description with a mistake is refused when it is read: file, line, key and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.settings import AgentSettings
from moor.errors.config import ConfigError
from moor.store.settings_parse import parse_settings
from moor.store.settings_tables import parse_toml

SOUND = """
[agents.mine]
command = ["mine"]
dialects = ["openai-chat"]
"""

INSTALLED = """
[agents.mine]
command = ["{install}/node_modules/mine/cli.js"]
dialects = ["openai-chat"]
install = { npm = "mine@1.2.3" }
"""


def parsed(text: str) -> AgentSettings:
    return parse_settings(*parse_toml(Path("config.toml"), text.encode())).agents["mine"]


def mistake(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parsed(text)
    assert caught.value.hint
    return caught.value


def test_a_sound_description_is_taken() -> None:
    assert parsed(SOUND).command == ("mine",)
    assert parsed(INSTALLED).install == {"npm": "mine@1.2.3"}
    long = SOUND + "[agents.mine.files]\n'a.json' = '''\n{\"url\": \"{openai_url}\",\n\t\"key\": \"{key}\"}\n'''\n"
    assert "{key}" in parsed(long).files["a.json"]


@pytest.mark.parametrize("field", ["command", "headless", "acp", "terminal", "trusted"])
def test_the_key_is_refused_where_everybody_could_read_it(field: str) -> None:
    text = SOUND.replace('command = ["mine"]', "") if field == "command" else SOUND
    error = mistake(f'{text}{field} = ["mine", "--key={{key}}"]\n')
    assert error.key == f"agents.mine.{field}"
    assert "everybody on this machine can read a command line" in error.problem
    assert "env or files" in error.hint


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[agents.mine]\nmodel_flag = "-m"\n', "agents.mine.command", "must be given where an agent is described"),
        ('[agents.mine]\ncommand = ["x"]\n', "agents.mine.dialects", "must be given"),
        (SOUND.replace("openai-chat", "openai"), "agents.mine.dialects", "'openai', which is no dialect"),
        (SOUND + "[agents.mine.env]\nX = '{prompt}'\n", "agents.mine.env.X", "{prompt}, which there is not"),
        (SOUND + "[agents.mine.env]\nX = '{gatway}'\n", "agents.mine.env.X", "{gatway}"),
        (SOUND + "[agents.mine.files]\n'/etc/x' = ''\n", "agents.mine.files./etc/x", "is not a private path"),
        (SOUND + "[agents.mine.files]\n'a/../../x' = ''\n", "agents.mine.files.a/../../x", "is not a private path"),
        (SOUND + "[agents.mine.files]\n'{cwd}/x' = ''\n", "agents.mine.files.{cwd}/x", "is not a private path"),
        (SOUND + "[agents.mine.copies]\n'~/x' = ''\n", "agents.mine.files.~/x", "is not a private path"),
        (SOUND + "[agents.mine.fatal_status]\nbudget = 500\n", "agents.mine.fatal_status.budget", "from 400 to 499"),
        (SOUND + "[agents.mine.fatal_status]\nmoney = 403\n", "agents.mine.fatal_status.money", "is not known"),
        (SOUND + "[agents.mine.fatal_status]\nbudget = 'x'\n", "agents.mine.fatal_status", "a table of numbers"),
        (SOUND + "[agents.mine.tools]\nsh = 'shell'\n", "agents.mine.tools.sh", "must be one of read, write"),
        (SOUND + "[agents.mine.side_models]\n'x-*' = 'tiny'\n", "agents.mine.side_models.x-*", "main, small"),
        (SOUND + "works = ['1']\n", "agents.mine.works", "must be two versions"),
        (SOUND + "install = { npm = 'mine' }\n", "agents.mine.install.npm", "must name one exact version"),
        (SOUND + "install = { cargo = 'mine@1.0.0' }\n", "agents.mine.install", "must name one source"),
        (SOUND + "install = { npm = 'mine@1.2.3' }\n", "agents.mine.command", "a program of the package"),
        (SOUND.replace("mine\"]", "{install}/x\"]"), "agents.mine.command", "but install is not given"),
        (INSTALLED.replace('["{', '["{node}", "{'), "agents.mine.command", "but install names no node"),
        (SOUND + "[agents.mine.by_dialect.chat]\nx = 'y'\n", "agents.mine.by_dialect", "which is no dialect"),
        (
            SOUND + "[agents.mine.by_dialect.openai-chat]\nkey = 'y'\n",
            "agents.mine.by_dialect.openai-chat.key",
            "is a name of moor's own",
        ),
        (
            SOUND + "[agents.mine.by_dialect.openai-chat]\nx = 'y'\n[agents.mine.by_dialect.openai-responses]\n",
            "agents.mine.by_dialect.openai-responses",
            "lacks x",
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_named(text: str, key: str, words: str) -> None:
    error = mistake(text)
    assert error.key == key
    assert words in error.message
    assert "config.toml line" in error.message
