"""Compiled code that came with an installation, for whoever may not write where it stands.

numba keeps what it compiled beside the source, in ``__pycache__``. A process that may not write there (another user, a
read-only container) is given a folder of its own instead, and would compile everything again.

A kept function is found again by its signature, by the processor's name and features, and by a hash of the one file it
stands in (numba 0.68): on another kind of processor it is compiled anew, and a change in *another* file it was inlined
from goes unnoticed. So whoever installs a changed source removes what was kept (`runtime.compiling`).
"""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

SUFFIXES = (".nbc", ".nbi")
"""Of what numba keeps: the code, then the index that names it. In this order nobody reads a name without its code."""


def kept_beside(source: str) -> Path:
    """Return the folder in which compiled code is kept beside its source file."""
    return Path(source).parent / "__pycache__"


@lru_cache
def inherit(source: str, folder: str) -> None:
    """Copy what is kept beside a source file into the folder this process keeps it in, where that is older or absent.

    What cannot be read or written is left: it is compiled when it is needed.
    """
    kept = kept_beside(source)
    if kept == Path(folder):
        return
    for suffix in SUFFIXES:
        for file in kept.glob(f"{Path(source).stem}.*{suffix}"):
            _copy_newer(file, Path(folder) / file.name)


def _copy_newer(file: Path, target: Path) -> None:
    aside = target.with_name(f"{target.name}.{uuid4().hex}")  # others may be reading, or copying the same
    try:
        if not target.exists() or target.stat().st_mtime < file.stat().st_mtime:
            shutil.copy2(file, aside)
            os.replace(aside, target)
    except OSError:
        aside.unlink(missing_ok=True)
