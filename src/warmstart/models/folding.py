"""Convolution, resting norm and activation in one walk over the map, while frozen layers are run.

A norm whose statistics stand still is a factor and a shift per channel, which a convolution's weights and
bias can take over. Which norm alone reads which convolution is seen by running one row. Weights are not
touched: for the while the three layers have another `forward`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from warmstart.models.anatomy import Anatomy, State
from warmstart.models.precision import BF16

CLOSE = 1e-4  # largest difference beside the largest number; fifty layers of plain rounding come to a third
JOINS: dict[type, tuple[str, list[float]]] = {
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.SiLU: ("swish", []),
}  # activations that can follow a convolution within one product, as the library calls them


@dataclass(frozen=True)
class Chain:
    """Layers of which each alone reads what the one before it gave."""

    convolution: nn.Conv2d
    norm: nn.BatchNorm2d
    activation: nn.Module | None


@contextmanager
def folded(anatomy: Anatomy, state: State, stop: int, start: int = 0) -> Iterator[int]:
    """Meanwhile groups `start` up to `stop` run with few walks over their maps; gives the folded norms.

    `state` is one row before group `start`. The model must be at rest. Where a try shows other numbers, or
    there is nothing to fold, everything stays as it is.
    """
    chains = find(anatomy, state, stop, start) if can_fold(anatomy, stop) else []
    if not chains or not same(anatomy, state, start, stop, chains):
        yield 0
        return
    with in_one(chains, anatomy.precision == BF16):
        yield len(chains)


def can_fold(anatomy: Anatomy, stop: int) -> bool:
    """Has it a norm of the right kind below `stop`, and none that still moves?"""
    return any(isinstance(m, nn.BatchNorm2d) for m in modules_below(anatomy, stop))


def modules_below(anatomy: Anatomy, stop: int) -> Iterator[nn.Module]:
    """Every module of the groups below `stop`, once."""
    found = {id(m): m for g in anatomy.groups[:stop] for part in g.modules for m in part.modules()}
    return iter(found.values())


class Uses(TorchFunctionMode):
    """Counts the functions that read each tensor; all are kept alive, so that no id comes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[int] = Counter()
        self.alive: list[Any] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if list(tensors_in([out])):
            self.note(tensors_in([args, list((kwargs or {}).values())]))
        return out

    def note(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            self.alive.append(tensor)
            self.count[id(tensor)] += 1


def tensors_in(values: Iterable[Any]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


Calls = dict[nn.Module, list[tuple[Tensor, Tensor]]]  # what a module was given and gave, call by call


@torch.inference_mode()
def find(anatomy: Anatomy, state: State, stop: int, start: int = 0) -> list[Chain]:
    """The chains among groups `start` up to `stop`, seen by running `state` through them."""
    calls: Calls = defaultdict(list)
    uses = Uses()

    def note(module: nn.Module, args: tuple[Any, ...], out: Any) -> None:
        if len(args) == 1 and isinstance(args[0], Tensor) and isinstance(out, Tensor):
            uses.alive += [args[0], out]
            calls[module].append((args[0], out))

    known = (nn.Conv2d, nn.BatchNorm2d, *JOINS)
    hooks = [m.register_forward_hook(note) for m in modules_below(anatomy, stop) if type(m) in known]
    try:
        with uses:
            for number in range(start, stop):
                state = anatomy.carry(state, number, number + 1)
                uses.note(tensors_in(state.values()))
    finally:
        for hook in hooks:
            hook.remove()
    return list(chains_in(calls, uses))


def chains_in(calls: Calls, uses: Uses) -> Iterator[Chain]:
    norms = [m for m in calls if isinstance(m, nn.BatchNorm2d) and m.running_mean is not None]
    for norm in norms:
        convolution = only_source(norm, calls, uses, nn.Conv2d)
        if convolution is None or not (plain(convolution) and plain(norm)):
            continue
        readers = [
            m for m in calls if type(m) in JOINS and only_source(m, calls, uses, nn.BatchNorm2d) is norm
        ]
        activation = readers[0] if len(readers) == 1 and plain(readers[0]) else None
        yield Chain(cast(nn.Conv2d, convolution), norm, activation)


def only_source(reader: nn.Module, calls: Calls, uses: Uses, kind: type[nn.Module]) -> nn.Module | None:
    """The one module of this kind all of whose outputs are read by `reader`, and by nothing else."""
    makers = {id(out): m for m, seen in calls.items() if type(m) is kind for _, out in seen}
    read = [id(given) for given, _ in calls[reader]]
    found = {makers.get(number) for number in read}
    source = found.pop() if len(found) == 1 else None
    if source is None or len(calls[source]) != len(read) or any(uses.count[number] != 1 for number in read):
        return None
    return source


def plain(module: nn.Module) -> bool:
    """Does it stand still, and run its class's own forward and nothing else?"""
    hooks = module._forward_hooks or module._forward_pre_hooks
    return not (module.training or hooks or "forward" in vars(module))


@torch.inference_mode()
def same(anatomy: Anatomy, state: State, start: int, stop: int, chains: Sequence[Chain]) -> bool:
    """Do the folded layers give in float32 what the plain ones give?"""
    expected = anatomy.carry(state, start, stop)
    with in_one(chains, half=False):
        found = anatomy.carry(state, start, stop)
    return all(is_close(found[name], tensor) for name, tensor in expected.items())


def is_close(found: Tensor, expected: Tensor) -> bool:
    scale = float(expected.abs().max())
    return bool(torch.isfinite(expected).all()) and float((found - expected).abs().max()) <= CLOSE * scale


@contextmanager
def in_one(chains: Sequence[Chain], half: bool) -> Iterator[None]:
    """Meanwhile the convolutions do the work of what follows them."""
    changed: list[nn.Module] = []
    try:
        for chain in chains:
            vars(chain.convolution)["forward"] = product(chain, half)
            changed.append(chain.convolution)
            for follower in filter(None, (chain.norm, chain.activation)):
                vars(follower)["forward"] = nothing
                changed.append(follower)
        yield
    finally:
        for module in changed:
            del vars(module)["forward"]


def nothing(x: Tensor) -> Tensor:
    return x


def has_joins(half: bool) -> bool:
    """Has this build of torch, on this processor, convolutions that end in an activation?"""
    joins = torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    return joins and (not half or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))


@torch.no_grad()
def product(chain: Chain, half: bool) -> Callable[[Tensor], Tensor]:
    """A forward of the convolution that gives what the last layer of the chain gives."""
    layer, activation = chain.convolution, chain.activation
    weight, bias = folded_weights(layer, chain.norm)
    kinds = (torch.float32, torch.bfloat16) if half else (torch.float32,)
    kept = {kind: (weight.to(kind), bias.to(kind)) for kind in kinds}
    where = (layer.padding, layer.stride, layer.dilation, layer.groups)
    joined = JOINS.get(type(activation), ("none", []))
    fused = weight.device.type == "cpu" and has_joins(half) and not isinstance(layer.padding, str)

    def forward(x: Tensor) -> Tensor:
        kind = torch.bfloat16 if torch.is_autocast_enabled(x.device.type) else torch.float32
        x = x.to(kind).contiguous(memory_format=torch.channels_last)
        if fused and layer.padding_mode == "zeros":
            return cast(Tensor, torch.ops.mkldnn._convolution_pointwise(x, *kept[kind], *where, *joined, ""))
        out = layer._conv_forward(x, *kept[kind])
        return out if activation is None else cast(Tensor, type(activation).forward(activation, out))

    return forward


def folded_weights(layer: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weights and bias of the convolution with the norm's factor and shift in them, in double precision."""
    mean, variance = cast(Tensor, norm.running_mean).double(), cast(Tensor, norm.running_var).double()
    factor = (variance + norm.eps).rsqrt()
    factor = factor if norm.weight is None else factor * norm.weight.double()
    before = torch.zeros_like(mean) if layer.bias is None else layer.bias.double()
    bias = (before - mean) * factor
    bias = bias if norm.bias is None else bias + norm.bias.double()
    weight = layer.weight.double() * factor[:, None, None, None]
    return weight.contiguous(memory_format=torch.channels_last), bias
