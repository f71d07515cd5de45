# SPDX-License-Identifier: MIT
"""The cache folder: what was built for a key, whole or not at all. Knows nothing of what is in it.

    programs/<key>/         an entry; its file .entry holds its size in bytes, its time the last use
    locks/<two letters>     held while an entry is made or removed
    making/                 where entries are made, before they are renamed into place

Who uses an entry holds a shared lock on its .entry, so that it is not evicted meanwhile. Locks are
the system's (flock): they end with the process that holds them, however it ends.
"""
from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager

from pto_wsp.errors import PtoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator

_DEFAULT_MIB = 1024
_ABANDONED = 3600  # seconds after which a folder in making/ without a lock is nobody's


class Entry:
    """An entry in use. path: its folder."""

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self._lock: int | None = lock

    def close(self) -> None:
        """It may be evicted from now on."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    __del__ = close


def _folder() -> str:
    given = os.environ.get("PTOWSP_CACHE_DIR")
    if given:
        return os.path.abspath(given)
    user = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(user, "ptowsp")


def _limit() -> int:
    text = os.environ.get("PTOWSP_CACHE_SIZE", "")
    if not text:
        return _DEFAULT_MIB << 20
    if not text.isdigit():
        raise PtoError(f"error: PTOWSP_CACHE_SIZE is '{text}', expected a number of MiB\n"
                       f"  fix: set it to a whole number, or unset it ({_DEFAULT_MIB})")
    return int(text) << 20


class Cache:
    """The cache folder: PTOWSP_CACHE_DIR, else ptowsp in the user's cache folder. Beyond
    PTOWSP_CACHE_SIZE MiB (1024) the entries that were not used for longest go."""

    def __init__(self) -> None:
        self.folder = _folder()
        self._limit = _limit()

    def take(self, key: str, make: Callable[[str, str], None]) -> Entry:
        """The entry of a key. When there is none, make(scratch, result) makes the folder `result`;
        `scratch` is a folder for whatever else it needs. Processes that it starts are to inherit
        files (close_fds=False)."""
        made = False
        try:
            while True:
                entry = self._open(key)
                if entry is not None:
                    break
                with self._locked(key):
                    if not os.path.exists(self._marker(key)):
                        self._make(key, make)
                        made = True
            if made:
                self._evict()
        except OSError as error:
            if error.filename is not None and not str(error.filename).startswith(self.folder):
                raise
            raise PtoError(f"error: the cache folder {self.folder} cannot be used: {error}\n"
                           "  fix: set PTOWSP_CACHE_DIR to a folder that can be written") from None
        return entry

    def discard(self, key: str) -> None:
        """Removes an entry that turned out to be damaged."""
        with self._locked(key):
            self._remove(key)

    def _path(self, key: str) -> str:
        return os.path.join(self.folder, "programs", key)

    def _marker(self, key: str) -> str:
        return os.path.join(self._path(key), ".entry")

    def _open(self, key: str) -> Entry | None:
        marker = self._marker(key)
        try:
            lock = os.open(marker, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            # Removed between open and lock?
            if os.path.samestat(os.stat(marker), os.fstat(lock)):
                try:
                    os.utime(lock)
                except PermissionError:
                    pass  # a cache that others fill: its order of use is theirs
                entry, lock = Entry(self._path(key), lock), -1
                return entry
        except FileNotFoundError:
            pass
        finally:
            if lock >= 0:
                os.close(lock)
        return None

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        # A few files for all keys, never removed, so that all agree on which one to lock.
        folder = os.path.join(self.folder, "locks")
        os.makedirs(folder, exist_ok=True)
        lock = os.open(os.path.join(folder, key[:2]), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _scratch(self) -> Iterator[str]:
        import shutil
        import tempfile
        making = os.path.join(self.folder, "making")
        os.makedirs(making, exist_ok=True)
        self._sweep(making)
        folder = tempfile.mkdtemp(dir=making)
        lock = os.open(os.path.join(folder, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.set_inheritable(lock, True)  # who writes here holds the lock, even without a parent
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    @staticmethod
    def _sweep(making: str) -> None:
        # What processes left that were killed: their locks are free, once the compilers that they
        # started have ended, too.
        import shutil
        for name in os.listdir(making):
            folder = os.path.join(making, name)
            try:
                lock = os.open(os.path.join(folder, ".lock"), os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                try:
                    if time.time() - os.stat(folder).st_mtime > _ABANDONED:
                        shutil.rmtree(folder, ignore_errors=True)
                except OSError:
                    pass
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            except OSError:
                pass
            finally:
                os.close(lock)

    def _make(self, key: str, make: Callable[[str, str], None]) -> None:
        with self._scratch() as scratch:
            result = os.path.join(scratch, "result")
            make(scratch, result)
            size = 0
            for folder, _, files in os.walk(result):
                size += sum(os.lstat(os.path.join(folder, file)).st_blocks * 512 for file in files)
            with open(os.path.join(result, ".entry"), "w", encoding="ascii") as file:
                file.write(str(size))
            self._remove(key)  # one that lost its .entry
            os.makedirs(os.path.dirname(self._path(key)), exist_ok=True)
            os.rename(result, self._path(key))

    def _remove(self, key: str) -> None:
        # First out of the way as a whole, so that nobody meets a half of it.
        with self._scratch() as scratch:
            try:
                os.rename(self._path(key), os.path.join(scratch, "removed"))
            except FileNotFoundError:
                pass

    def _evict(self) -> None:
        entries = []
        for key in os.listdir(os.path.join(self.folder, "programs")):
            try:
                with open(self._marker(key), encoding="ascii") as file:
                    used = os.fstat(file.fileno()).st_mtime_ns
                    entries.append((used, int(file.read() or 0), key))
            except (OSError, ValueError):
                continue
        total = sum(size for _, size, _ in entries)
        for _, size, key in sorted(entries):
            if total <= self._limit:
                break
            if self._remove_unused(key):
                total -= size

    def _remove_unused(self, key: str) -> bool:
        with self._locked(key):
            try:
                lock = os.open(self._marker(key), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return True
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                self._remove(key)
                return True
            finally:
                os.close(lock)
