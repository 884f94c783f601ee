"""`before(table, ...)`: an iamd before backends of these tables, which ends with the test."""

import json
import urllib.request
from contextlib import ExitStack

import pytest
from running import AWS, Credentials, Server

OTHER = "222233334444"


class Before(AWS):
    """An iamd before backends of a test's own."""

    def states(self):
        """How the backends are, by `/_iamd/health`."""
        with urllib.request.urlopen(f"{self.endpoint}/_iamd/health", timeout=10) as answer:
            return json.load(answer)["backends"]

    def account(self, number=OTHER):
        """The administrator of another account."""
        return Credentials.of(self.iamd("CreateAccount", Name=f"a{number}", AccountId=number))


@pytest.fixture
def before(tmp_path):
    with ExitStack() as ending:

        def begin(*tables, backend="none", options=()):
            config = tmp_path / "iamd.toml"
            config.write_text("\n".join(tables))
            given = ("--backend", backend, "--config", str(config), *options)
            return Before(ending.enter_context(Server.serving(tmp_path / "data", *given)))

        yield begin
