"""The caches of a container, emptied as a cold start would."""

from chalicelib.services.catalogue import catalogue_cache
from chalicelib.services.people import shop_cache


def clear_caches() -> None:
    catalogue_cache.clear_cache()
    shop_cache.clear_cache()
