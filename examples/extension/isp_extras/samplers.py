"""A sampler: quasi-random points, which spread more evenly over a space than random ones."""

from optuna.samplers import BaseSampler, QMCSampler, RandomSampler


def make_quasi(seed: int) -> BaseSampler:
    """Optuna's, with random answers to questions that its first trial was not asked."""
    return QMCSampler(seed=seed, independent_sampler=RandomSampler(seed), warn_independent_sampling=False)
