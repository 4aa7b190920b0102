"""What the demo plays on: a simulated workspace, a home of its own, a sign-in, a policy that refuses one model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.cli.context import Context
from moor.domain.session import HEADLESS
from moor.launch.prepare import Prepared, Request, prepare
from moor.store.credentials import CredentialStore
from moor.store.files import write_private
from moor.store.home import Home
from moor.store.settings import load_settings
from moor.upstreams import open_upstream
from moor.workspace.place import Place
from moor.workspace.signin import Conversation, sign_in

if TYPE_CHECKING:
    from moor.domain.models import Catalogue
    from moor.store.settings import Loaded

UPSTREAM: Final = "demo"
REFUSED: Final = "*opus*"
SCENARIO: Final = "fix-test"
PROMPT: Final = f"The test in this repository fails. Find out why and fix it. (sim:{SCENARIO})"
SIGN_IN_S: Final = 30.0


class Stage:
    """The demo's own MOOR_HOME below a temporary directory; agents are the user's installed ones."""

    def __init__(self, ctx: Context, root: Path, url: str) -> None:
        self.ctx = ctx
        self.url = url
        self.repository = root / "shop"
        self.environ = {name: value for name, value in ctx.environ.items() if not name.startswith("MOOR_")}
        self.environ["BROWSER"] = f"{sys.executable} -P -m moor.cli.demo.browser %s"
        self.home = Home(root / "moor", self.environ)
        self.home.agents_dir = ctx.home.agents_dir

    def sign_in(self) -> Catalogue:
        """Sign in as a person would, with a stand-in for the browser, and fetch the models."""
        self.home.ensure()
        write_private(self.home.config_path, self._config().encode())
        place = Place(self.url, environ=self.environ, clock=self.ctx.clock)
        talk = Conversation(self.ctx.out.detail, None, browser=True, wait_s=SIGN_IN_S)
        CredentialStore(self.home).save(UPSTREAM, sign_in(place, talk))
        settings = self._loaded().settings.upstreams[UPSTREAM]
        return open_upstream(UPSTREAM, settings, self.home, self.environ, self.ctx.clock).refresh_catalogue()

    def prepare(self, agent: str) -> Prepared:
        """A headless launch in the demo's repository."""
        environ = {**self.environ, **{k: v for k, v in self.ctx.environ.items() if k.startswith("MOOR_TEST_")}}
        request = Request(agent=agent, upstream=UPSTREAM, cwd=str(self.repository), seen=HEADLESS)
        return prepare(self.home, self._loaded(), environ, self.ctx.clock, request)

    def _loaded(self) -> Loaded:
        return load_settings(self.home, self.environ, self.repository.parent, {})

    def _config(self) -> str:
        return (
            f'[defaults]\nupstream = "{UPSTREAM}"\n\n[upstreams.{UPSTREAM}]\nkind = "databricks"\n'
            f'host = "{self.url}"\n\n[policy]\ndeny = ["{REFUSED}"]\n'
        )
