"""Every built-in sampler conforms, and faulty ones do not."""

import pytest
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler

from nas_isp.search.samplers import SAMPLERS
from nas_isp.testing.samplers import SamplerConformance


class TestBuiltInSamplers(SamplerConformance):
    @pytest.fixture(params=list(SAMPLERS), autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


def _without_seed(seed: int) -> BaseSampler:
    return RandomSampler()


def _of_one_mind(seed: int) -> BaseSampler:
    class First(RandomSampler):
        def sample_independent(self, study, trial, param_name, param_distribution):  # type: ignore[no-untyped-def]
            single = getattr(param_distribution, "choices", None)
            return single[0] if single else param_distribution.low

    return PartialFixedSampler({}, First(seed))


@pytest.mark.parametrize(
    ("make", "test", "message"),
    [
        (_without_seed, "test_its_seed_decides_what_it_suggests", "two runs of one seed differ"),
        (_of_one_mind, "test_it_does_not_keep_to_one_suggestion", "1 different members in 30"),
    ],
)
def test_a_faulty_one_is_found(make: object, test: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLERS._registered, "faulty", make)
    conformance = SamplerConformance()
    conformance.name = "faulty"
    with pytest.raises(AssertionError, match=message):
        getattr(conformance, test)()
