"""The option of commands that write for people to read: in which language."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def _locale() -> str:
    """Return the language of the terminal's locale: zh or en."""
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if named.startswith("zh") else "en"


def _language(wanted: str) -> str:
    """Return the language, or say which there are."""
    from dashboard.words import LANGUAGES
    from plant.errors import InvalidInput

    if wanted not in LANGUAGES:
        raise InvalidInput(f"--language {wanted}: there are {', '.join(LANGUAGES)}")
    return wanted


Language = Annotated[
    str, typer.Option(callback=_language, default_factory=_locale, help="en or zh [default: the terminal's]")
]
