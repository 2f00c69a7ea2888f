"""A database and the `forerun` command that works on it, as an administrator meets it."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from historian.database import Historian
from runtime import cli


class Installation:
    """A database and the command that works on it."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._url = url
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, typed: str = "") -> tuple[int, str, str]:
        """Run the command; return exit code, standard output and standard error."""
        self._monkeypatch.setattr(sys, "argv", ["forerun", *arguments])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return int(end.value.code or 0), said.out, " ".join(said.err.split())

    def ask(self, question: Callable[[Historian], Coroutine[Any, Any, Any]]) -> Any:
        """Ask the running installation something."""

        async def run() -> Any:
            historian = await Historian.open(self._url, connections=1)
            try:
                return await question(historian)
            finally:
                await historian.close()

        return asyncio.run(run())
