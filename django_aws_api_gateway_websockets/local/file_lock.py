"""File lock: a file that one process has at a time, and that is free when the process has ended.

The system gives up the lock of a process that was killed, so a file that is left over locks
nobody out.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Windows lets nobody read what is locked, so the lock is far behind the text of the file.
_LOCKED_BYTE = 2**30


class FileLocked(Exception):
    """Somebody else has the lock; `holder` is the id of the process, if it is known."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class FileLock:
    """The file exists as long as the lock is held, and holds the id of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """True unless the lock was never acquired, or its file was moved or removed."""
        return self._descriptor is not None and self._is_at_path(self._descriptor)

    def acquire(self) -> None:
        """FileLocked if somebody else has it, OSError if the file cannot be opened."""
        self.release()
        descriptor = self._open_locked()
        while not self._is_at_path(descriptor):
            # The one who had the lock before has removed its file after it was opened here.
            os.close(descriptor)
            descriptor = self._open_locked()
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Harmless if the lock is not held."""
        if self._descriptor is None:
            return
        # It is removed while it is still locked: later, it might be somebody else's. Windows
        # removes no open file, and leaves it.
        with suppress(OSError):
            if self._is_at_path(self._descriptor):
                self._path.unlink()
        os.close(self._descriptor)
        self._descriptor = None

    def _open_locked(self) -> int:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
        except OSError as error:
            holder = os.read(descriptor, 20).decode(errors="replace")
            os.close(descriptor)
            if isinstance(error, (BlockingIOError, PermissionError)):
                raise FileLocked(holder) from None
            raise
        return descriptor

    def _is_at_path(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except OSError:
            return False


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
