"""``python -m dashboard.catalogue`` brings the translators' files up to date with the texts in the code."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from dashboard.words import CATALOGUES, LANGUAGES

KEYWORDS = {"say": None, "mark": None, "plural": (1, 2)}
"""How texts are marked on pages: ``say("...")``, ``mark("...")``, ``say.plural("...", "...", n)``."""
TELLING = {"told": None}
"""How all others mark what they tell people: ``told("...")``."""
TELLERS = ("plant", "methods", "scheduler", "twin", "historian", "operations", "runtime")


def extract() -> Catalog:
    """Return every text that pages show, with the files it stands in."""
    template = Catalog(project="Forerun", charset="utf-8")
    root = Path(__file__).parents[1]
    for package, keywords in ((Path(__file__).parent.name, KEYWORDS), *((name, TELLING) for name in TELLERS)):
        found = extract_from_dir(str(root / package), method_map=[("**.py", "python")], keywords=keywords)
        for file, _line, message, _comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
            template.add(message, locations=[(f"{package}/{file}", 0)], context=context)
    return template


def path_of(language: str) -> Path:
    """Return where the texts in `language` stand."""
    return CATALOGUES / language / "LC_MESSAGES" / "forerun.po"


def read(language: str) -> Catalog:
    """Return the translations into `language`."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> Catalog:
    """Add what is new, drop what is gone, keep what is translated; nothing is guessed."""
    translations = read(language)
    translations.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
    translations.obsolete.clear()
    with path_of(language).open("wb") as file:
        write_po(file, translations, width=120, include_lineno=False, omit_header=False)
    return translations


def main() -> None:
    """Update every language but English, which is what the code is written in."""
    for language in LANGUAGES:
        if language != "en":
            open_ = [str(message.id) for message in update(language) if message.id and not message.string]
            print(f"{language}: {len(open_)} to translate", *open_, sep="\n  ")


if __name__ == "__main__":
    main()
