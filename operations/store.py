"""The historian as the floors above hold it: handed from the wiring to use cases, opened by none but them."""

from historian.database import Historian as Store

__all__ = ["Store"]
