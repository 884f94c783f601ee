"""Dates as SigV4 writes them."""

import time
from functools import lru_cache


def amz_form(seconds: float) -> str:
    """Give epoch seconds as `20260131T120000Z`."""
    return _amz_form(int(seconds))


@lru_cache(maxsize=64)
def _amz_form(seconds: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
