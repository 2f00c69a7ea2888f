"""`operations.plants`: a plant is imported as a version, into a database of its own site."""

from __future__ import annotations

from dataclasses import replace

import pytest

from historian.database import Historian
from operations import plants
from plant.actor import SYSTEM
from plant.errors import Conflict
from plant.version import version_of
from tests.operations.shop import PLANT


async def test_a_changed_plant_takes_the_place_of_the_one_before(historian: Historian) -> None:
    await plants.import_plant(historian, SYSTEM, PLANT)
    changed = replace(PLANT, name="Bigger shop")
    await plants.import_plant(historian, SYSTEM, changed)
    assert (await plants.current(historian, SYSTEM)).plant == changed
    assert (await plants.get(historian, SYSTEM, version_of(PLANT).id)).plant == PLANT


async def test_the_plant_of_another_site_is_refused_with_what_to_do(historian: Historian) -> None:
    await plants.import_plant(historian, SYSTEM, PLANT)
    with pytest.raises(Conflict) as refused:
        await plants.import_plant(historian, SYSTEM, replace(PLANT, site="works"))
    assert f"the plant's site is 'works', and this database holds '{PLANT.site}'" in str(refused.value)
    assert "FORERUN_DATA_DIR" in str(refused.value)
    assert (await plants.current(historian, SYSTEM)).plant == PLANT
