"""Which processor computes."""

import pytest
import torch

from nas_isp.compute import compute_device
from nas_isp.errors import InputError


def test_the_processor_is_the_gpu_where_there_is_one() -> None:
    assert compute_device() == ("cuda" if torch.cuda.is_available() else "cpu")
    assert compute_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["nowhere", "tpu", "pixel4-gpu", "cuda:99"])
def test_a_processor_that_is_not_here_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(InputError, match=f"compute '{name}' cannot be used here; give auto or cpu") as caught:
        compute_device(name)
    assert caught.value.parameters == ("compute",)
    assert "ipu" not in str(caught.value)
