"""Memory that was freed stays with the process: asking the system for it again costs more than filling it.

Maps of pictures are larger than what the C library keeps back, so that each layer would begin on pages that
the system first has to clear: on a CPU that took half of the time of a small network.
"""

import ctypes
from contextlib import suppress
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # their numbers in malloc.h of the GNU C library
KEPT = 1 << 29  # bytes of free memory that are not given back
LARGEST = 1 << 30  # bytes of one piece that is taken from what is kept


@cache
def keep_pages() -> bool:
    """From now on keep up to KEPT bytes of freed memory; False where the C library has no such setting."""
    with suppress(OSError, AttributeError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        return bool(set_option(MMAP_THRESHOLD, LARGEST)) and bool(set_option(TRIM_THRESHOLD, KEPT))
    return False
