"""Freed memory stays in the process."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from nas_isp.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(8 << 20, np.uint8)
        np.ones(48 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
print(int(keep_freed_memory()))
faults()
print(usual, faults())
"""


def test_large_blocks_are_not_mapped_anew_each_time() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    kept, usual, later = map(int, done.stdout.split())
    if not kept:
        pytest.skip("this C library has no mallopt")
    assert later < usual / 10
