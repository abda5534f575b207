"""The order of a model's layers, from input to head: the one map that everything else reads.

A model is a row of groups. Each group owns its parameters and carries a state on: a dict of tensors that
begins as the model's inputs and ends with "logits". Between them it holds "hidden" (tokens B x L x D with
"attention_mask" B x L, or maps B x C x H x W), then "pooled" (B x D), what a head reads. Rows laid end to end
(1 x T x D) come with their Layout.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.models.precision import FP32, computing
from warmstart.models.row_attention import laid_out
from warmstart.models.rows import LAYOUT, layout_of, row_means

State = dict[str, Tensor]  # what begins with "_" is made once a batch and never kept
OUTPUT = "output"  # name of the last group of a language model, which turns states into scores of words
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class Group:
    """Layers that learn or rest together; `run` carries the state through them."""

    name: str
    modules: tuple[nn.Module, ...]
    run: Callable[[State], State]
    exact: bool = False  # computes in float32 whatever the precision below: small, and what it says decides
    brief: Callable[[State], State] | None = None  # of rows laid end to end, only what the next group reads
    read: Callable[[State], Tensor] | None = None  # B x D features after it, where the plain mean is not best

    def parameters(self) -> Iterator[nn.Parameter]:
        """Each parameter of the group once."""
        return iter({id(p): p for m in self.modules for p in m.parameters()}.values())


class AnatomyPart(Protocol):
    """What a file of the family of anatomies offers for one kind of architecture."""

    model_types: tuple[str, ...]  # config.model_type of the models that it knows
    can_cut: bool  # keep_layers works

    def groups(self, model: nn.Module) -> list[Group]: ...

    def keep_layers(self, model: nn.Module, keep: int) -> None: ...

    def can_pool(self, model: nn.Module) -> bool:
        """Does add_mean_layer work with this one?"""

    def add_mean_layer(self, model: nn.Module) -> None: ...


class Anatomy:
    """A model seen as a row of groups, the head last."""

    precision = FP32  # in which everything below the head computes

    def __init__(self, model: nn.Module, part: Any, groups: Sequence[Group]) -> None:
        self.model, self.part, self.groups = model, part, tuple(groups)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(g.name for g in self.groups)

    def index(self, name: str) -> int:
        if name not in self.names:
            raise WarmstartError(f"no layer group {name!r}", did_you_mean(name, self.names), "no-such-group")
        return self.names.index(name)

    @property
    def packs(self) -> bool:
        """Can rows go through it laid end to end, without padding?"""
        return bool(getattr(self.part, "packs", False))

    def run(self, state: State, start: int = 0, stop: int | None = None) -> State:
        """Carry `state` through groups `start` up to, not including, `stop` (all of them by default)."""
        last = len(self.groups) if stop is None else min(stop, len(self.groups))
        device = next(self.model.parameters()).device
        with laid_out(self.model.config, layout_of(state)), computing(self.precision, device):
            return self.carry(state, start, last)

    def carry(self, state: State, start: int, stop: int) -> State:
        """The groups one after the other."""
        for number in range(start, stop):
            group = self.groups[number]
            if group.exact:
                with torch.autocast(device_type(state), enabled=False):
                    state = group.run(in_float32(state))
            elif group.brief is not None and LAYOUT in state and number + 1 < stop:
                state = group.brief(state)
            else:
                state = group.run(state)
        return state

    def features(self, state: State, stop: int) -> Tensor:
        """B x D features of a state that stands before group `stop`."""
        return (self.groups[stop - 1].read or pooled)(state)

    def logits(self, state: State, start: int = 0) -> Tensor:
        """B x C scores of a state that stands before group `start`."""
        return self.run(state, start)["logits"]

    def chosen(self, learn: Iterable[str]) -> tuple[str, ...]:
        """Names of the groups that a phase asks for: "*" is all, "top:3" the head and the three below."""
        wanted: set[str] = set()
        for word in learn:
            if word == "*":
                wanted |= set(self.names)
            elif word.startswith("top:"):
                wanted |= set(self.names[-1 - whole_number(word) :])
            else:
                wanted.add(self.names[self.index(word)])
        return tuple(n for n in self.names if n in wanted)

    def boundary(self, learn: Iterable[str]) -> int:
        """How many groups from the input up rest in a phase: the frozen prefix."""
        chosen = self.chosen(learn)
        return self.index(chosen[0]) if chosen else len(self.groups)

    def set_learning(self, learn: Iterable[str], norm_statistics: str) -> tuple[str, ...]:
        """Let these groups learn and the rest stand still: no gradient, eval mode. Returns the chosen names.

        With `norm_statistics="frozen"` batch norm keeps its running statistics also where it learns.
        """
        chosen = set(self.chosen(learn))
        self.model.requires_grad_(False)
        self.model.eval()
        for group in self.groups:
            if group.name in chosen:
                for module in group.modules:
                    module.train()
                for parameter in group.parameters():
                    parameter.requires_grad_(may_learn(parameter))
        if norm_statistics == "frozen":
            for module in self.model.modules():
                if isinstance(module, BATCH_NORMS):
                    module.eval()
        return tuple(n for n in self.names if n in chosen)

    def parameters(self, name: str) -> list[nn.Parameter]:
        return list(self.groups[self.index(name)].parameters())

    def rates(self, learn: Iterable[str], decay: float) -> dict[str, float]:
        """Factor of the rate of each learning group: 1 for the topmost, times `decay` per group below it."""
        chosen = self.chosen(learn)
        return {name: decay ** (self.index(chosen[-1]) - self.index(name)) for name in chosen}

    def head(self) -> tuple[str, nn.Linear] | None:
        """Path and module of the linear layer that gives the logits; None if there is none."""
        inside = {id(m) for part in self.groups[-1].modules for m in part.modules()}
        linears = [
            (n, m) for n, m in self.model.named_modules() if isinstance(m, nn.Linear) and id(m) in inside
        ]
        return linears[-1] if linears else None

    @property
    def head_is_linear(self) -> bool:
        """Is the head nothing but one linear layer (and dropout) over what is read before it?"""
        parts = [m for part in self.groups[-1].modules for m in part.modules() if not list(m.children())]
        linears = [m for m in parts if isinstance(m, nn.Linear)]
        silent = all(isinstance(m, (nn.Linear, nn.Dropout, nn.Flatten, nn.Identity)) for m in parts)
        return silent and len(linears) == 1

    @property
    def head_dropout(self) -> float:
        """The share of what the head reads that dropout hides from it while it learns."""
        inside = [m for part in self.groups[-1].modules for m in part.modules()]
        return max((float(m.p) for m in inside if isinstance(m, nn.Dropout)), default=0.0)

    @property
    def has_batch_norm(self) -> bool:
        return any(isinstance(m, BATCH_NORMS) for m in self.model.modules())


def device_type(state: State) -> str:
    return next(value.device.type for value in state.values() if isinstance(value, Tensor))


def in_float32(state: State) -> State:
    """What came out in bfloat16, in the precision of the head's weights."""
    return {
        k: v.float() if isinstance(v, Tensor) and v.dtype == torch.bfloat16 else v for k, v in state.items()
    }


def may_learn(parameter: nn.Parameter) -> bool:
    """Adapters freeze the weights that they stand beside; that mark outlives a change of phase."""
    return not getattr(parameter, "warmstart_frozen", False)


def whole_number(word: str) -> int:
    number = word.split(":", 1)[1]
    if not (number.isascii() and number.isdecimal()):
        raise WarmstartError(
            f"learn: {word!r} is not a number of groups", "write for example top:3", "wrong-value"
        )
    return int(number)


def pooled(state: State) -> Tensor:
    """B x D features of a state: what the head reads, else the mean over real tokens or over the map."""
    if "pooled" in state:
        return state["pooled"]
    hidden = state["hidden"]
    layout = layout_of(state)
    if layout is not None:
        return row_means(hidden[0], layout)
    if hidden.dim() == 2:
        return hidden
    if hidden.dim() == 4:
        return hidden.mean((2, 3))
    if "attention_mask" not in state:
        return hidden.mean(1)
    mask_BL1 = state["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask_BL1).sum(1) / mask_BL1.sum(1).clamp(min=1)


def anatomy_of(model: nn.Module) -> Anatomy:
    """The anatomy of a transformers model: its family's if there is one, else the general one."""
    from warmstart.models.anatomies import ANATOMIES

    kind = model.config.model_type  # type: ignore[union-attr]
    for name in ANATOMIES.names():
        part = ANATOMIES.get(name)()
        if kind in part.model_types:
            return Anatomy(model, part, part.groups(model))
    return ANATOMIES.get("general")().anatomy(model)  # type: ignore[no-any-return]


def base_of(model: nn.Module) -> Any:
    """The body of a transformers model without its head."""
    return getattr(model, str(model.base_model_prefix))


def another(layer: nn.Module, config: Any) -> Any:
    """A copy of a layer of the model with this configuration, which stays the one of both."""
    return copy.deepcopy(layer, {id(config): config})


def frozen_names(anatomy: Anatomy, learn: Iterable[str]) -> set[str]:
    """Names in the state dict of everything that must not move while `learn` learns."""
    chosen = set(anatomy.chosen(learn))
    modules = [part for group in anatomy.groups if group.name in chosen for part in group.modules]
    owners = {id(m) for part in modules for m in part.modules()}
    moving = {id(p) for part in modules for p in part.parameters() if may_learn(p)}
    named = anatomy.model.named_parameters(remove_duplicate=False)  # tied weights have several names
    still = {name for name, parameter in named if id(parameter) not in moving}
    for prefix, module in anatomy.model.named_modules(remove_duplicate=False):
        if id(module) not in owners:
            still |= {f"{prefix}.{n}".lstrip(".") for n, _ in module.named_buffers(recurse=False)}
    return still & set(anatomy.model.state_dict())


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Eval mode for the while: no dropout, norm statistics stand still. Then every layer is as it was."""
    awake = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in awake:
            module.training = True


def drop(x: Tensor, rate: float, like: nn.Module) -> Tensor:
    """Dropout that rests when the layer it stands beside rests."""
    return torch.nn.functional.dropout(x, rate, training=like.training)
