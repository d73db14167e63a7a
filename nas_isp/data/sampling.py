"""Which RAW and photo patches a training step sees."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RAW_STREAM, PHOTO_STREAM, FLIP_STREAM = 1, 2, 3

MOST_PATCHES = 2000
"""So many patches are cut of the captures, and so many of the photos, unless a recipe or a user says otherwise."""


def step_indices(stream: int, count: int, batch: int, seed: int, step: int) -> NDArray[np.intp]:
    """Which of `count` patches a step (0, 1, ...) sees, `(batch,)`.

    Every patch comes once in each pass over its set, in an order shuffled anew each pass. A batch is a function of
    the seed and the step alone, so a resumed training sees what it would have seen without the break.

    Args:
        stream: sets of equal size are drawn alike in one stream, and independently of each other in different ones.
    """
    places = np.arange(step * batch, (step + 1) * batch)
    chosen = np.empty(batch, np.intp)
    for turn in np.unique(places // count):
        order = _order(seed, stream, int(turn), count)
        now = places // count == turn
        chosen[now] = order[places[now] % count]
    return chosen


class UnpairedSampler:
    """Endless batches of RAW and photo indices that are independent of each other; see `step_indices`."""

    def __init__(self, n_raw: int, n_photos: int, batch: int, seed: int) -> None:
        if min(n_raw, n_photos, batch) < 1:
            raise ValueError(f"{n_raw} RAW patches, {n_photos} photos, batches of {batch}: each must be at least 1")
        self.n_raw, self.n_photos, self.batch, self.seed = n_raw, n_photos, batch, seed

    def indices(self, step: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Indices of the RAW patches and of the photos of a step (0, 1, ...), each `(batch,)`."""
        raw = step_indices(RAW_STREAM, self.n_raw, self.batch, self.seed, step)
        return raw, step_indices(PHOTO_STREAM, self.n_photos, self.batch, self.seed, step)

    def flips(self, step: int) -> NDArray[np.bool_]:
        """Which photos of a step to mirror left-right, `(batch,)`; RAW is never mirrored."""
        return np.random.default_rng([self.seed, FLIP_STREAM, step]).random(self.batch) < 0.5


@lru_cache(maxsize=6)
def _order(seed: int, stream: int, turn: int, count: int) -> NDArray[np.intp]:
    """The order of a pass; the current passes of RAW, photos and synthetic RAW, and the next ones, are kept."""
    return np.random.default_rng([seed, stream, turn]).permutation(count)
