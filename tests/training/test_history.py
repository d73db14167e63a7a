"""A history that is taken up again holds the rows until the checkpoint, whatever a kill has left after them."""

from pathlib import Path

import pytest

from nas_isp.errors import InputError
from nas_isp.training.history import History
from tests.full_disk import REASON, room_for


@pytest.mark.parametrize(
    "left",
    [
        b"",
        b'{"step": 60, "l1": 0.1}\n',
        b'{"step": 60, "l1"',
        b'{"step": 40, "l1": 0.1}',  # of the right step, but its end is missing
        b"\xff\xfe\n",
        b"[1]\n",
    ],
)
def test_only_whole_rows_until_the_step_stay(tmp_path: Path, left: bytes) -> None:
    history = History(tmp_path / "history.jsonl")
    for step in (20, 40):
        history.append({"step": step, "l1": 1 / 3, "bad": float("nan")})
    kept = history.path.read_bytes()
    history.path.write_bytes(kept + left)
    history.cut_after(40)
    assert history.path.read_bytes() == kept
    assert kept.splitlines()[0] == b'{"step": 20, "l1": 0.33333, "bad": null}'
    history.cut_after(39)
    assert history.path.read_bytes() == kept.splitlines(keepends=True)[0]


def test_a_history_that_is_not_there_yet_is_none(tmp_path: Path) -> None:
    History(tmp_path / "history.jsonl").cut_after(0)
    assert not (tmp_path / "history.jsonl").exists()


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.append({"step": 20})
    whole = history.path.read_bytes()

    with room_for(len(whole) + 5), pytest.raises(InputError, match=rf"history\.jsonl: cannot be written \({REASON}\)"):
        history.append({"step": 40})

    history.cut_after(20)
    assert history.path.read_bytes() == whole
