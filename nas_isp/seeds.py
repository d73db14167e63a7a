"""Which seeds there are."""

LARGEST_SEED = 2**32 - 1
"""Optuna's samplers draw by NumPy's `RandomState`, which takes no larger one."""
