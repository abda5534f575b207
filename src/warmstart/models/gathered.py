"""A tensor of which each process holds a part, and what it is as a whole."""

from __future__ import annotations

import sys

from torch import Tensor

SHARDED = "torch.distributed.tensor"  # imported by whoever shards, and dear to import


def gathered(tensor: Tensor) -> Tensor:
    """The whole of a sharded tensor, for which all processes must ask; any other as it is."""
    if SHARDED not in sys.modules:
        return tensor
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def held(tensor: Tensor) -> Tensor:
    """What this process holds of a sharded tensor; any other as it is."""
    if SHARDED not in sys.modules:
        return tensor
    from torch.distributed.tensor import DTensor

    return tensor.to_local() if isinstance(tensor, DTensor) else tensor
