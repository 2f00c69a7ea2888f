"""How whoever watches a search ends it."""

from __future__ import annotations


class Enough(Exception):
    """Raised by a progress callback: stop searching and return the best plan so far."""
