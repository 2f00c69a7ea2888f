"""Files that commands write: whole or not at all, and tried before the long work whose result goes there."""

from __future__ import annotations

from pathlib import Path

from plant.errors import InvalidInput


def make_folder(folder: Path) -> None:
    """Make a folder and see that files can be written into it.

    Raises
    ------
    InvalidInput
        If one of the two cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InvalidInput(f"{folder} is not a folder; name another one with --out") from None
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be made: {error.strerror}; name another one with --out") from error
    require_writable(folder / "report.html")


def require_writable(file: Path) -> None:
    """Refuse a file that cannot be written; one that is there stays as it is.

    Raises
    ------
    InvalidInput
        If it is a folder, or nothing can be written beside it.
    """
    if file.is_dir():
        raise InvalidInput(f"{file} is a folder; name a file")
    fresh = _beside(file)
    try:
        fresh.touch()
        fresh.unlink()
    except OSError as error:
        raise _unwritable(file, error) from error


def write_whole(file: Path, text: str) -> None:
    """Write a file at once: whoever reads it sees the old one or the new one.

    Raises
    ------
    InvalidInput
        If it cannot be written; the old one is still there.
    """
    fresh = _beside(file)
    try:
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(file)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(file, error) from error


def _beside(file: Path) -> Path:
    return file.with_name(f".{file.name}.new")


def _unwritable(file: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"{file} cannot be written: {error.strerror}; make room there, or name another place")
