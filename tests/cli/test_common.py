"""What verbs share: times that a user may give, and outputs that are refused before any work."""

import subprocess
import sys
from pathlib import Path

import pytest

from nas_isp.cli.common import deadline_in, seconds_left, seconds_of
from nas_isp.cli.datasets import check_output
from nas_isp.errors import InputError


def test_a_time_is_read_in_seconds() -> None:
    assert [seconds_of(text) for text in ("90s", "1.5m", "2h")] == [90, 90, 7200]


@pytest.mark.parametrize("text", ["0", "0s", "40", "abc", "999999h"])
def test_where_only_a_time_makes_sense_the_message_offers_no_trials(text: str) -> None:
    with pytest.raises(InputError, match="takes a time above 0 such as 90s") as caught:
        seconds_of(text)
    assert "trial" not in str(caught.value)


def test_what_is_left_of_a_time_is_a_second_at_least_and_nothing_without_one() -> None:
    assert seconds_left(deadline_in(None)) is None
    assert seconds_left(deadline_in(-5.0)) == 1.0
    assert 3000 < (seconds_left(deadline_in(3600.0)) or 0.0) <= 3600


@pytest.mark.parametrize("arguments", [["train", "efficient-isp"], ["distill", "study"]])
def test_a_time_begins_before_the_imports_that_take_seconds(arguments: list[str]) -> None:
    program = f"""
import sys
from nas_isp.cli import {arguments[0]} as verb
from nas_isp.cli.app import main
def begin(seconds):
    print(seconds, "torch" in sys.modules)
    sys.exit()
verb.deadline_in = begin
sys.argv = ["nas-isp", *{arguments}, "--budget", "40s", "-o", "m.safetensors"]
main()
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert result.stdout == "40.0 False\n", result.stderr


def test_an_output_that_is_also_the_input_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"weights")
    (tmp_path / "link.safetensors").symlink_to(model)
    for source in (model, tmp_path / "link.safetensors"):
        with pytest.raises(InputError, match="is also what this command reads"):
            check_output(model, ".safetensors", source=str(source))
    check_output(model, ".safetensors", source="efficient-isp")
    check_output(tmp_path / "n.safetensors", ".safetensors", source=str(model))
