"""Keeps freed memory in the process, where the next step of a training wants it again."""

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT = 1 << 30


@cache
def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks of up to 1 GiB; whether it does. Other C libraries are left as they are.

    By default glibc gives large blocks back as soon as they are free. A training asks for the same ones in every step,
    and the system then has to map and clear their pages anew: a tenth to a quarter of a step's time on a CPU.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all(mallopt(name, LARGEST_KEPT) == 1 for name in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD))
