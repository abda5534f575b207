"""Layer norm that hands on half precision where products compute in it.

autocast lets layer norm give single precision, which every layer behind it then converts again, once for
each of its products, and keeps for the gradient. Mean and variance are taken in single precision either way,
and weights stay in it. A stream of residuals that passes by a norm is not touched.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm


class LayerNorm(nn.LayerNorm):
    """torch's LayerNorm; under autocast on a processor what it gives is in the precision of the products."""

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu") or self.weight is None:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            half = x.to(torch.get_autocast_dtype("cpu"))
            return layer_norm(half, self.normalized_shape, self.weight, self.bias, self.eps)


def quicken(model: nn.Module) -> None:
    """Put such norms in the places of a model's plain ones, with their weights."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.LayerNorm:
                norm = LayerNorm(child.normalized_shape, child.eps, child.weight is not None)
                norm.weight, norm.bias = child.weight, child.bias
                setattr(parent, name, norm.train(child.training))
