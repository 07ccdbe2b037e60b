"""What a container keeps, for a limited time, of what it has read.

Time is passed in, as everywhere below the API: whoever asks says what time it is. An entry is kept
for its limit at most, and each for a time of its own: containers that were started by the same
rush read the same items in the same second, and would otherwise do so again and again together.
"""

import random
import threading
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

SHORTEST = 0.6  # of the limit; the mean is 0.8 of it

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Entry(NamedTuple, Generic[V]):
    value: V
    read_at_s: float
    life_s: float


class TimedCache(Generic[K, V]):
    """Entries are shared by all who ask: read them, never change them."""

    def __init__(self, kept_s: float, entries_max: int) -> None:
        self.kept_s, self.entries_max = kept_s, entries_max
        self._entries: dict[K, _Entry[V]] = {}  # in the order in which they were read
        self._lock = threading.Lock()  # jobs drive several items at once

    def get(self, key: K, now_s: float) -> V | None:
        """Return what is kept under `key`, or None."""
        entry = self._fresh(key, now_s)
        return entry.value if entry else None

    def read(self, key: K, read: Callable[[], V], now_s: float) -> V:
        """Return what is kept under `key`; else call `read` and keep what it returns.

        When `read` raises, nothing is kept.
        """
        entry = self._fresh(key, now_s)
        if entry:
            return entry.value
        value = read()
        self.put(key, value, now_s)
        return value

    def put(self, key: K, value: V, now_s: float) -> None:
        """Keep `value`, read just now; a full cache drops what was read longest ago."""
        entry = _Entry(value, now_s, self.kept_s * random.uniform(SHORTEST, 1))
        with self._lock:
            self._entries.pop(key, None)
            if len(self._entries) >= self.entries_max:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = entry

    def drop(self, key: K) -> None:
        """Read `key` anew when it is next asked for: it was changed here."""
        with self._lock:
            self._entries.pop(key, None)

    def clear_cache(self) -> None:
        """Read everything anew."""
        with self._lock:
            self._entries.clear()

    def _fresh(self, key: K, now_s: float) -> _Entry[V] | None:
        entry = self._entries.get(key)
        # A clock that was set back makes nothing last longer.
        if entry is None or not 0 <= now_s - entry.read_at_s < entry.life_s:
            return None
        return entry
