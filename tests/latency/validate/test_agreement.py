import pytest

from nas_isp.latency.validate.agreement import agreement, agreement_left_out, kendall_tau


def test_errors_and_shares_are_relative_to_the_measured_time() -> None:
    found = agreement([104, 92, 100, 150], [100, 100, 100, 100])
    assert found.mean_error == pytest.approx((0.04 + 0.08 + 0 + 0.5) / 4)
    assert (found.within_5_percent, found.within_10_percent) == (0.5, 0.75)
    assert found.kendall_tau is None


def test_kendall_tau_counts_concordant_pairs() -> None:
    assert kendall_tau([1, 2, 3, 4], [10, 20, 30, 40]) == 1
    assert kendall_tau([1, 2, 3, 4], [4, 3, 2, 1]) == -1
    assert kendall_tau([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx((5 - 1) / 6)


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        agreement([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="0 measured"):
        agreement([], [])


def test_a_left_out_network_has_no_part_in_its_own_prediction() -> None:
    sums, counts = [1.0, 2.0, 3.0, 4.0], [2, 3, 5, 9]
    exact = [1.2 * total + 0.1 * count + 0.5 for total, count in zip(sums, counts, strict=True)]
    found = agreement_left_out(sums, counts, exact)
    assert found.mean_error == pytest.approx(0, abs=1e-5)
    assert found.kendall_tau == pytest.approx(1)
    odd = agreement_left_out(sums, counts, [*exact[:3], 2 * exact[3]])
    assert odd.mean_error >= 0.5 / 4  # the doubled one is predicted from the others, at half of what it takes
    with pytest.raises(ValueError, match="two or more"):
        agreement_left_out(sums[:1], counts[:1], exact[:1])
