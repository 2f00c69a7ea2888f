"""Settings of every test."""

from __future__ import annotations

from hypothesis import settings

# A slow machine is no failure; what fails is printed so that it can be run again.
settings.register_profile("forerun", deadline=None, print_blob=True)
settings.load_profile("forerun")
