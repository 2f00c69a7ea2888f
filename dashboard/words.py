"""Texts, numbers and times in the reader's language; times in the plant's time zone.

The catalogue is the ``.po`` file itself, read once per process: there is no compiled file that could lag behind it.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from plant.text import Teller, Text

LANGUAGES = {"en": "English", "zh": "中文"}
COOKIE = "forerun_language"
CATALOGUES = Path(__file__).parent / "locale"

_LOCALES = {"en": Locale.parse("en_GB"), "zh": Locale.parse("zh_Hans_CN")}
_DASH = "–"


def mark(message: str) -> str:
    """Return `message` unchanged; marks a text that is translated where it is shown."""
    return message


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the translations into `language` (none are needed for English)."""
    path = CATALOGUES / language / "LC_MESSAGES" / "forerun.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        messages = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose_language(cookie: str | None, accept_language: str | None) -> str:
    """Return the language to speak: what was chosen before, else the browser's first that we have, else English."""
    if cookie in LANGUAGES:
        return cookie
    for part in (accept_language or "").split(","):
        code = re.split("[-;]", part.strip().lower())[0]
        if code in LANGUAGES:
            return code
    return "en"


@dataclass(frozen=True)
class Words:
    """Says things in one language. Called `say` wherever it is used; texts in ``say("...")`` are extracted."""

    language: str = "en"
    timezone: str = "UTC"

    def at(self, timezone: str) -> Words:
        """Return the same with times shown in this time zone."""
        return replace(self, timezone=timezone)

    def __call__(self, message: str, **values: object) -> str:
        """Translate `message` and fill in its ``{named}`` values."""
        translated = catalogue(self.language).gettext(message)
        return translated.format(**values) if values else translated

    def plural(self, singular: str, plural: str, n: int) -> str:
        """Translate the form that fits `n`, which stands in it as ``{n}``."""
        return catalogue(self.language).ngettext(singular, plural, n).format(n=self.number(n))

    def tell(self, text: Text) -> str:
        """Say a text from below; what a person wrote stays as it is."""
        return _Teller(self).tell(text)

    def listed(self, texts: Sequence[str]) -> str:
        """Return an enumeration."""
        return ("、" if self.language == "zh" else ", ").join(texts)

    @property
    def locale(self) -> Locale:
        """Babel's locale."""
        return _LOCALES[self.language]

    @property
    def browser_locale(self) -> str:
        """The locale as browsers name it."""
        return "zh-CN" if self.language == "zh" else "en-GB"

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return a number with its thousands separated, or a dash."""
        if value is None:
            return _DASH
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return str(numbers.format_decimal(value, format=pattern, locale=self.locale))

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Return a share as a percentage, or a dash."""
        if share is None:
            return _DASH
        return str(
            numbers.format_percent(
                share, format="#,##0" + ("." + "0" * digits if digits else "") + "%", locale=self.locale
            )
        )

    def likelihood(self, share: float) -> str:
        """Return a probability as a whole percentage; none is told as certain or impossible that is not."""
        whole = round(share * 100)
        if whole == 100 and share < 1:
            return f">\u00a0{self.percent(0.99)}"
        if whole == 0 and share > 0:
            return f"<\u00a0{self.percent(0.01)}"
        return self.percent(share)

    def local(self, moment: datetime) -> datetime:
        """Return `moment` on the plant's wall clock."""
        return moment.astimezone(ZoneInfo(self.timezone))

    def time(self, moment: datetime | None) -> str:
        """Return hours and minutes, plant time, or a dash."""
        return _DASH if moment is None else f"{self.local(moment):%H:%M}"

    def moment(self, moment: datetime | None) -> str:
        """Return weekday, day and time, plant time, or a dash."""
        return _DASH if moment is None else self.in_its_zone(self.local(moment))

    def in_its_zone(self, moment: datetime) -> str:
        """Return weekday, day and time on the clock that `moment` was read from."""
        return f"{self._date(moment)} {moment:%H:%M}"

    def day(self, moment: datetime) -> str:
        """Return weekday and day, plant time."""
        return self._date(self.local(moment))

    def _date(self, moment: datetime) -> str:
        return str(dates.format_skeleton("MMMEd", moment, locale=self.locale))

    def duration(self, seconds: float) -> str:
        """Return a length of time to the minute."""
        minutes = round(abs(seconds) / 60)
        sign = "−" if seconds < 0 and minutes else ""
        if minutes < 60:
            return sign + self("{m} min", m=minutes)
        if minutes < 60 * 24:
            return sign + self("{h} h {m} min", h=minutes // 60, m=f"{minutes % 60:02d}")
        return sign + self("{d} d {h} h", d=minutes // 1440, h=minutes % 1440 // 60)


class _Teller(Teller):
    """Tells what the floors below found out, in the language of `say`; moments come in the plant's time zone."""

    def __init__(self, say: Words) -> None:
        self._say = say

    def translated(self, message: str) -> str:
        return self._say(message) if message else ""

    def moment(self, moment: datetime) -> str:
        return self._say.in_its_zone(moment)

    def span(self, seconds: float) -> str:
        return self._say.duration(seconds)

    def percent(self, share: float) -> str:
        return str(numbers.format_percent(share, format="#,##0.#%", locale=self._say.locale))

    def count(self, number: float) -> str:
        return self._say.number(number)

    def hours(self, hours: float) -> str:
        say = self._say
        return say("{n} hours", n=say.number(hours, 1))

    def words(self, words: Sequence[str]) -> str:
        return self._say.listed([self._say(word) for word in words])


def epoch_ms(moment: datetime) -> int:
    """Return milliseconds since 1970, as browsers count."""
    return round(moment.astimezone(UTC).timestamp() * 1000)
