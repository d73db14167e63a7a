"""What verbs share: a time begins when the command does."""

import subprocess
import sys

import pytest


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
