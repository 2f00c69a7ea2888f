"""Sentences for people that can be said in any language: a template in English and what to fill in.

Whoever finds something out writes ``told("order {order} is late", order=order.id)``; ``str()`` of it is the English
sentence, which APIs, logs and the ledger carry. A page says the same in the language of its reader with a `Teller` of
its own. What a person wrote stays a plain `str`: it is not translated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Any


@dataclass(frozen=True)
class Told:
    """A sentence from a template.

    Attributes
    ----------
    template
        English, with ``{name}`` or ``{name:kind}`` where a value goes; the kinds are those of `Teller.say`.
    values
        By name. They are plain enough to be kept in a database: times in ISO 8601, lengths of time in seconds.
    """

    template: str
    values: Mapping[str, str | int | float | Told | tuple[str, ...] | None] = field(default_factory=dict)

    def __str__(self) -> str:
        return ENGLISH.tell(self)


Text = Told | str
"""What is shown to people: told by Forerun, or written by a person."""


def told(template: str, **values: Any) -> Told:
    """Return the sentence of `template`; its texts are extracted for translation wherever this is called."""
    return Told(template, {name: _plain(value) for name, value in values.items()})


def listed(texts: Sequence[Told]) -> Told:
    """Return at least one text as an enumeration."""
    first, *others = texts
    for other in others:
        first = told("{first}, {next}", first=first, next=other)
    return first


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(str(entry) for entry in value)
    return value if value is None or isinstance(value, bool | int | float | Told) else str(value)


class Teller(Formatter):
    """Fills in templates, in English; another language overrides `translated` and what it says differently."""

    def tell(self, text: Text) -> str:
        """Return the whole sentence."""
        if isinstance(text, str):
            return text
        return self.vformat(self.translated(text.template), (), text.values)

    def translated(self, message: str) -> str:
        """Return a template or a word in this language."""
        return message

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        """Return the value of that name; a template reaches no deeper into it."""
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a value as its kind is said."""
        if isinstance(value, Told):
            return self.tell(value)
        if value is None:
            return self.nothing()
        return self.say(value, format_spec)

    def say(self, value: Any, kind: str) -> str:
        """Return a value of a kind.

        ``moment`` (ISO 8601), ``span`` (seconds), ``percent`` (a share), ``count``, ``hours``, ``word`` (a text of the
        catalogue), ``words`` (several of them, or names), or none: as it is.
        """
        if kind == "":
            return str(value)
        ways: dict[str, Callable[[Any], str]] = {
            "moment": lambda moment: self.moment(datetime.fromisoformat(moment)),
            "span": self.span,
            "percent": self.percent,
            "count": self.count,
            "hours": self.hours,
            "word": self.translated,
            "words": self.words,
        }
        return ways[kind](value)

    def words(self, words: Sequence[str]) -> str:
        """Return several words as an enumeration."""
        return ", ".join(self.translated(word) for word in words)

    def nothing(self) -> str:
        """Say that there is no value."""
        return "–"

    def moment(self, moment: datetime) -> str:
        """Return weekday, day and time, in the zone the moment was told in."""
        return f"{moment:%a %-d %b %H:%M}"

    def span(self, seconds: float) -> str:
        """Return a length of time as a planner says it: minutes, hours or days."""
        minutes, hours = round(seconds / 60), seconds / 3600
        if minutes < 90:
            return f"{minutes} min"
        return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"

    def percent(self, share: float) -> str:
        """Return a share as a percentage."""
        return f"{share * 100:g} %"

    def count(self, number: float) -> str:
        """Return a number of things."""
        return f"{number:,}"

    def hours(self, hours: float) -> str:
        """Return a sum of hours."""
        return f"{hours:,.1f} h"


ENGLISH = Teller()
