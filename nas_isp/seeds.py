"""Which seeds there are."""

from nas_isp.errors import InputError

LARGEST_SEED = 2**32 - 1
"""Optuna's samplers draw by NumPy's `RandomState`, which takes no larger one."""


def checked_seed(seed: int) -> int:
    """The seed, if it is one.

    Raises:
        InputError: it is not.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"seed {seed}: give a number from 0 to {LARGEST_SEED}", "seed")
    return seed
