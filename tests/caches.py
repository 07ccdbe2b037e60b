"""The caches of a container, as after a cold start, and as in one that has missed a change."""

from collections.abc import Mapping
from typing import Any

from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.people import shop_cache
from chalicelib.timed_cache import TimedCache


def clear_caches() -> None:
    catalogue_cache.clear_cache()
    shop_cache.clear_cache()


def snapshot(cache: TimedCache[Any, Any]) -> Mapping[Any, Any]:
    """Return what the cache holds, for `restore`."""
    return dict(cache._entries)


def restore(cache: TimedCache[Any, Any], before: Mapping[Any, Any]) -> None:
    """Let the cache hold what it did, as in a container that has missed what changed since."""
    cache._entries.update(before)
