"""The same plant always has the same version, and another plant another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum

import pytest

from plant.errors import InvalidInput
from plant.item import BomLine
from plant.version import PlantVersion, canonical, hash_of, version_of
from tests.plant.shops import small_shop

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Number(IntEnum):
    ONE = 1


def test_the_canonical_form_is_fixed() -> None:
    thing = {"b": [1, 2.5, None, True, "€"], "a": BomLine("bar", Decimal("0.10")), "c": (NOW, Number.ONE, {"y", "x"})}
    assert canonical(thing) == (
        '{"a":{"item":"bar","quantity":"0.1"},"b":[1,2.5,null,true,"€"],"c":["2026-11-23T00:00:00+00:00",1,["x","y"]]}'
    )
    assert hash_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_equal_things_have_equal_hashes_and_others_do_not() -> None:
    assert hash_of(BomLine("bar", Decimal("1"))) == hash_of(BomLine("bar", Decimal("1.000")))
    assert hash_of(BomLine("bar", Decimal("100"))) == hash_of(BomLine("bar", Decimal("1E+2")))
    assert hash_of(BomLine("bar", Decimal("1"))) != hash_of(BomLine("bar", Decimal("2")))


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical([float("nan")])


def test_a_plant_names_its_version() -> None:
    plant = small_shop()
    version = version_of(plant, NOW)
    assert version == PlantVersion(f"pv-{hash_of(plant)[:12]}", hash_of(plant), plant, NOW)
    assert version_of(small_shop()).id == version.id
    assert version_of(replace(plant, name="Another shop")).id != version.id


def test_a_version_is_imported_at_a_utc_time() -> None:
    with pytest.raises(InvalidInput, match="imported_at"):
        version_of(small_shop(), datetime(2026, 1, 1))  # noqa: DTZ001
