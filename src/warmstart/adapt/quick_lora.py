"""peft's LoRA layer with its products in one step: no copies of the input, nothing kept but what is needed.

peft casts the input to float32 and, under autocast, back, for each adapter; scales and adds in passes of
their own; and autograd keeps every copy. Here input and low-rank state are kept, and the rest is added up in
place. Whatever else peft's layers can do (dropout, variants, merging, several adapters) they still do.
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn


class LoraProduct(torch.autograd.Function):
    """x W + b + scale * (x A) B for weights W that rest: W is in x out, A rank x in, B out x rank."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        low = x @ a.t()
        out = x @ weight if bias is None else torch.addmm(bias, x, weight)
        ctx.save_for_backward(x, weight, a, b, low)
        ctx.scale = scale
        return out.addmm_(low, b.t(), alpha=scale)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, weight, a, b, low = ctx.saved_tensors
        g, g_x = grads[0], None
        g_low = (g @ b).mul_(ctx.scale)
        if ctx.needs_input_grad[0]:
            g_x = (g @ weight.t()).addmm_(g_low, a)
        return g_x, None, None, g_low.t() @ x, (g.t() @ low).mul_(ctx.scale), None


class QuickLinear(Linear):  # type: ignore[misc]  # peft has no types
    """peft's Linear, quick in its plain form."""

    transposed = True  # a linear layer's weights are out x in

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        name = self.plain_adapter()
        if name is None or args or kwargs:
            found: Tensor = super().forward(x, *args, **kwargs)
            return found
        a, b, base = self.lora_A[name].weight, self.lora_B[name].weight, self.get_base_layer()
        weight = base.weight.t() if self.transposed else base.weight
        device = x.device.type
        kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        bias = None if base.bias is None else base.bias.to(kind)
        parts = (x.reshape(-1, x.shape[-1]).to(kind), weight.to(kind), bias, a.to(kind), b.to(kind))
        with torch.autocast(device, enabled=False):
            out: Tensor = LoraProduct.apply(*parts, self.scaling[name])  # type: ignore[no-untyped-call]
        return out.view(*x.shape[:-1], -1)

    def plain_adapter(self) -> str | None:
        """The one adapter that is active, where it does nothing out of the ordinary."""
        if self.disable_adapters or self.merged or len(self.active_adapters) != 1:
            return None
        name: str = self.active_adapters[0]
        still = not any(p.requires_grad for p in self.get_base_layer().parameters())
        silent = isinstance(self.lora_dropout[name], nn.Identity) or not self.training
        plain = name in self.lora_A and name not in self.lora_variant and self.lora_B[name].bias is None
        return name if still and silent and plain else None


class QuickConv1D(QuickLinear):
    """The same beside GPT-2's linear layer, whose weights are in x out."""

    transposed = False

    def __init__(self, base_layer: nn.Module, adapter_name: str, config: Any, **kwargs: Any) -> None:
        config.fan_in_fan_out = True
        super().__init__(base_layer, adapter_name, config=config, is_target_conv_1d_layer=True, **kwargs)
