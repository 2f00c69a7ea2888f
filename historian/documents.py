"""Value objects to JSON documents and back, lossless: decimals, UTC times, tuples, enumerations, nested objects."""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from psycopg.types.json import Jsonb
from pydantic import TypeAdapter, ValidationError

from plant.errors import InvalidInput
from plant.text import Text, Told

T = TypeVar("T")


@cache
def _adapter(cls: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(cast(Any, cls))


def document(thing: Any) -> Any:
    """Return `thing`, an instance of one of our frozen dataclasses, as JSON-ready dicts, lists, texts and numbers."""
    return _adapter(cast(Hashable, type(thing))).dump_python(thing, mode="json")


def restore(cls: type[T], doc: Any) -> T:
    """Return the `cls` that `document` made `doc` of.

    Raises
    ------
    InvalidInput
        When `doc` is not the document of a `cls`.
    """
    try:
        restored: T = _adapter(cast(Hashable, cls)).validate_python(doc)
    except ValidationError as error:
        raise InvalidInput(f"not the document of a {cls.__name__}: {error}") from error
    return restored


def text_document(text: Text) -> Jsonb:
    """Wrap a text for a query parameter: a JSON string, or the template and its values."""
    return jsonb(text if isinstance(text, str) else document(text))


def text_of(doc: Any) -> Text:
    """Return the text that was kept as `doc`."""
    return doc if isinstance(doc, str) else restore(Told, doc)


def jsonb(doc: Any) -> Jsonb:
    """Wrap a JSON-ready document for a query parameter.

    Raises
    ------
    InvalidInput
        When it holds NaN or an infinity, which JSON does not know.
    """
    return Jsonb(doc, dumps=_dumps)


def _dumps(doc: Any) -> str:
    try:
        return json.dumps(doc, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise InvalidInput(f"a document must hold finite numbers only: {error}") from error
