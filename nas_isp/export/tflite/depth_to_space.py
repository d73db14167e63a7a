"""PixelShuffle as one DEPTH_TO_SPACE operator.

litert-torch turns `pixel_shuffle` into reshapes and transposes of high rank, which phone GPUs refuse. Importing this
module teaches litert-torch an operator of our own that becomes `tfl.depth_to_space`. It touches private parts of
litert-torch 0.10.0, the pinned version.
"""

from typing import Any

import torch
from litert_converter.mlir import ir
from litert_torch.backend.experimental.torch_tfl import _lowerings as tfl
from litert_torch.backend.lowerings import registry, utils
from torch import Tensor


@torch.library.custom_op("nas_isp::depth_to_space", mutates_args=())
def depth_to_space(x: Tensor, block: int) -> Tensor:
    """Move channels into pixels: (B, h, w, c * block ** 2) -> (B, h * block, w * block, c).

    Channel ``(i * block + j) * c + k`` goes to row ``i``, column ``j``, channel ``k``: TensorFlow's order.
    """
    batch, height, width, channels = x.shape
    left = channels // (block * block)
    cells = x.reshape(batch, height, width, block, block, left).permute(0, 1, 3, 2, 4, 5)
    return cells.reshape(batch, height * block, width * block, left).contiguous()


@depth_to_space.register_fake
def _shape_only(x: Tensor, block: int) -> Tensor:
    batch, height, width, channels = x.shape
    return x.new_empty(batch, height * block, width * block, channels // (block * block))


@registry.lower(torch.ops.nas_isp.depth_to_space.default)
def _lower(context: Any, x: ir.Value, block: int) -> Any:
    size = ir.IntegerAttr.get(ir.IntegerType.get_signless(32), block)
    types = utils.node_meta_to_ir_types(context.node)
    return tfl._ir_operation("tfl.depth_to_space", results=types, operands=[x], attributes={"block_size": size})


def tensorflow_order(block: int, channels: int) -> Tensor:
    """PixelShuffle's channels in the order that DEPTH_TO_SPACE reads them.

    PixelShuffle reads channel ``k * block ** 2 + i * block + j`` where DEPTH_TO_SPACE reads
    ``(i * block + j) * channels + k``.
    """
    return torch.arange(channels * block * block).reshape(channels, block, block).permute(1, 2, 0).reshape(-1)
