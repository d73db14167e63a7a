"""Fixtures for tests that export many networks; a `conftest.py` beside such tests imports them."""

import hashlib
from typing import Any

import pytest
from torch import nn

from nas_isp.export import calibration_set
from nas_isp.export.onnx import exporter as onnx_exporter
from nas_isp.export.tflite import convert
from nas_isp.generators.deployed import DeployedConv

_conversions: dict[str, bytes] = {}


@pytest.fixture(autouse=True)
def each_network_is_converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Converters take seconds; a network's forms (fp16, int8, any size, integer ends) share one conversion."""
    for module, name in ((convert, "_convert"), (onnx_exporter, "export_onnx")):
        monkeypatch.setattr(module, name, _once(getattr(module, name)))


@pytest.fixture(autouse=True)
def ranges_are_observed_on_few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for every rule of an int8 export, at a sixth of the time."""
    monkeypatch.setattr(calibration_set, "CALIBRATION_FILES", 4)


def _once(convert: Any) -> Any:
    def converted(net: nn.Module, *arguments: object) -> bytes:
        weights = b"".join(tensor.numpy().tobytes() for tensor in net.state_dict().values())
        unseen = [(layer.activation, layer.residual_from) for layer in net.modules() if isinstance(layer, DeployedConv)]
        what = repr((convert.__name__, net, unseen, arguments)).encode() + weights
        key = hashlib.sha256(what).hexdigest()
        if key not in _conversions:
            _conversions[key] = convert(net, *arguments)
        return _conversions[key]

    return converted
