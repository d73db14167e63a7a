"""A program for tests that need a process of their own: a simulated search on real Ray workers.

Arguments: study folder, number of trials, workers, seconds a step.
"""

import signal
import sys
from pathlib import Path

from nas_isp.search.budget import Budget
from nas_isp.search.ray_pool import RayPool
from nas_isp.search.simulated import SimulatedFactory
from tests.search.search_tools import search


def main(folder: Path, trials: int, workers: int, seconds_per_step: float) -> int:
    """Search; 130 on Ctrl-C, like the program."""
    pool = RayPool(SimulatedFactory(seconds_per_step), workers, folder)
    try:
        search(folder, Budget(trials=trials), pool=pool)
    except KeyboardInterrupt:
        return 130
    finally:
        pool.close()
    return 0


if __name__ == "__main__":
    # A test run in the background ignores Ctrl-C and hands that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
