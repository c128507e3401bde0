"""Is the process that wrote a line still alive? Asked of a lock that no killed process can leave behind.

Each writing process keeps a small SQLite file locked for as long as it lives; the system lets go of the lock when the
process ends, however it ends. A process id would be taken by another program some day, and cannot be asked safely on
Windows.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

_FOLDER: Final = "sessions"
_OLD: Final = 86_400.0


class Session:
    """This process as a writer of the journal."""

    def __init__(self, folder: Path) -> None:
        """Lock a new session file below `folder`. Raises OSError and sqlite3.Error."""
        self.id = str(uuid4())
        self._file = _file(folder, self.id)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        self._lock = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        try:
            self._lock.execute("CREATE TABLE alive (id)")
            self._lock.execute("BEGIN EXCLUSIVE")
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Let go of the lock and remove the file."""
        self._lock.close()
        self._file.unlink(missing_ok=True)


def alive(folder: Path, session: str) -> bool:
    """The process of that session still runs."""
    try:
        file = _file(folder, str(UUID(session)))
    except ValueError:
        return False
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as asked:
            asked.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    except sqlite3.Error:
        return False
    return False


def _sweep(folder: Path) -> None:
    """Remove what killed processes left; a young file may be one that is just being locked."""
    for file in (folder / _FOLDER).glob("*.lock"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _OLD and not alive(folder, file.stem):
                file.unlink()


def _file(folder: Path, session: str) -> Path:
    return folder / _FOLDER / f"{session}.lock"
