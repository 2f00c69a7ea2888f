"""Translates the database driver's errors into ours, at the edge and with their cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout

from plant.errors import Conflict, InvalidInput, Unavailable
from plant.text import told


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
        A key exists already, something else still refers to the row, or the tables have not been made.
    InvalidInput
        A value the tables refuse.
    Unavailable
        The database does not answer, or has no room left.
    """
    try:
        yield
    except (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable) as error:
        raise Interfered(
            told("{doing}: another transaction interfered ({cause}); try again", doing=doing, cause=_first_line(error))
        ) from error
    except (pg.UniqueViolation, pg.ExclusionViolation) as error:
        raise Conflict(told("{doing}: it exists already ({cause})", doing=doing, cause=_first_line(error))) from error
    except pg.ForeignKeyViolation as error:
        raise Conflict(
            told("{doing}: something it refers to does not exist ({cause})", doing=doing, cause=_first_line(error))
        ) from error
    except pg.UndefinedTable as error:
        raise Conflict(
            told("{doing}: the database has not been prepared; run `forerun prepare` first", doing=doing)
        ) from error
    except (pg.DataError, pg.IntegrityError) as error:
        raise InvalidInput(
            told("{doing}: the database refuses a value ({cause})", doing=doing, cause=_first_line(error))
        ) from error
    except UnicodeEncodeError as error:
        raise InvalidInput(
            told("{doing}: {text} holds what is no character; write it in UTF-8", doing=doing, text=ascii(error.object))
        ) from error
    except pg.DiskFull as error:
        raise Unavailable(
            told(
                "{doing}: the disk of the database is full ({cause}); make room", doing=doing, cause=_first_line(error)
            )
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, PoolClosed) as error:
        raise Unavailable(
            told(
                "{doing}: the database does not answer ({cause}); is it running?", doing=doing, cause=_first_line(error)
            )
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
