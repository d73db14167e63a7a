"""What is left of a time that was allowed."""

from nas_isp.deadlines import deadline_in, seconds_left


def test_what_is_left_of_a_time_is_a_second_at_least_and_nothing_without_one() -> None:
    assert seconds_left(deadline_in(None)) is None
    assert seconds_left(deadline_in(-5.0)) == 1.0
    assert 3000 < (seconds_left(deadline_in(3600.0)) or 0.0) <= 3600
