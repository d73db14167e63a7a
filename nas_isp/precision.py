"""In which numbers a model file stores weights, and a runtime computes."""

from typing import Literal

Precision = Literal["fp32", "fp16", "int8"]
FloatPrecision = Literal["fp32", "fp16"]
