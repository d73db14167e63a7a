"""An action without matrix tiles runs to its end, and leaves the process as it was."""

import signal
import threading

import pytest

from nas_isp.runtimes.amx import has_matrix_tiles, run_without_matrix_tiles

pytestmark = pytest.mark.skipif(not has_matrix_tiles(), reason="this processor has no matrix tiles")


def test_what_the_action_raises_is_raised() -> None:
    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_without_matrix_tiles(fail)


def test_no_signal_comes_to_the_small_stack() -> None:
    masks: list[set[int]] = []
    run_without_matrix_tiles(lambda: masks.append(set(signal.pthread_sigmask(signal.SIG_BLOCK, []))))
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGCHLD} <= masks[0]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_the_action_is_over_when_the_call_returns() -> None:
    before = threading.active_count()
    done: list[bool] = []
    run_without_matrix_tiles(lambda: done.append(True))
    assert done == [True]
    assert threading.active_count() == before
