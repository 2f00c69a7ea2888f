"""Translates the database driver's errors into ours, at the edge and with their cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout

from plant.errors import Conflict, InvalidInput, Unavailable


class Interfered(Conflict):
    """Two transactions got in each other's way; the same work done again may pass."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise our errors for the driver's while `doing` something.

    Raises
    ------
    Interfered
        Deadlock or serialization failure: `Historian.run` does the work again.
    Conflict
        A key exists already, or something else still refers to the row.
    InvalidInput
        A value the tables refuse.
    Unavailable
        The database does not answer.
    """
    try:
        yield
    except (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable) as error:
        raise Interfered(f"{doing}: another transaction interfered ({_first_line(error)}); try again") from error
    except (pg.UniqueViolation, pg.ExclusionViolation) as error:
        raise Conflict(f"{doing}: it exists already ({_first_line(error)})") from error
    except pg.ForeignKeyViolation as error:
        raise Conflict(f"{doing}: something it refers to does not exist ({_first_line(error)})") from error
    except (pg.DataError, pg.IntegrityError) as error:
        raise InvalidInput(f"{doing}: the database refuses a value ({_first_line(error)})") from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
        raise Unavailable(f"{doing}: the database does not answer ({_first_line(error)}); is it running?") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
