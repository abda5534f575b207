"""Any other transformers model: its repeated blocks are found by looking, and its own forward runs them.

The row of like modules (a ModuleList or Sequential) that holds most of the weights gives the blocks.
A stretch of them is run by the model's own forward with stand-ins: blocks before the stretch hand on the
kept activations without work, and the forward is left as soon as the stretch has ended. So masks,
positions and whatever else the architecture computes by itself are right without being known. Each split
is tried out on a dummy input before it is believed.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomies._image import CannotCut
from warmstart.models.anatomy import Anatomy, Group, State, at_rest, in_float32

DO = "choose another model, or add a file to warmstart/models/anatomies that knows this one"


@dataclass(frozen=True)
class General(CannotCut):
    model_types = ()

    def anatomy(self, model: nn.Module) -> Anatomy:
        return GeneralAnatomy(model, self)

    def groups(self, model: nn.Module) -> list[Group]:
        return list(self.anatomy(model).groups)


class GeneralAnatomy(Anatomy):
    """stem, block.0 ... block.n, neck (what follows the blocks), head (the linear layer of the logits).

    Where the head is not shown to be one linear layer over one vector a row, neck and head are one group.
    Where no row of blocks can be run piece by piece, all below such a head is one group, "body". With
    neither, a WarmstartError (code "unknown-anatomy").
    """

    def __init__(self, model: nn.Module, part: General) -> None:
        self.model = model
        self.linear = find_head(model)
        self.split = head_stands_alone(model, self.linear)
        for self.blocks, self.tuples in find_chains(model):
            super().__init__(model, part, self.look())
            if self.holds():
                return
        self.blocks, self.tuples = [], []
        super().__init__(model, part, self.look())
        if not (self.split and self.holds()):
            raise unknown(model, "no row of blocks that can be run one by one, and no linear head alone")

    @property
    def total(self) -> int:
        return len(self.groups)

    @property
    def head_is_linear(self) -> bool:
        """Only a head that was seen to stand alone reads one vector a row."""
        return self.split and super().head_is_linear

    def look(self) -> list[Group]:
        """The groups; whatever belongs to no block and is not the head is stem or neck, by its place."""
        inner = {id(m) for part in (*self.blocks, self.linear) for m in part.modules()}
        order = {id(m): i for i, m in enumerate(leaves(self.model))}
        last = max((order[id(m)] for b in self.blocks[-1:] for m in leaves(b)), default=len(order))
        rest = [m for m in leaves(self.model) if id(m) not in inner]
        stem = tuple(alone(m, inner) for m in rest if order[id(m)] < last)
        neck = tuple(alone(m, inner) for m in rest if order[id(m)] > last)
        tops = [("neck", neck), ("head", (self.linear,))] if self.split else [("head", (*neck, self.linear))]
        blocks = [(f"block.{i}", (block,)) for i, block in enumerate(self.blocks)]
        parts = [("stem", stem), *blocks, *tops] if blocks else [("body", stem), *tops[-1:]]
        return [Group(name, modules, self.step(i)) for i, (name, modules) in enumerate(parts)]

    def step(self, number: int) -> Any:
        return lambda state: self.run(state, number, number + 1)

    def carry(self, state: State, start: int, stop: int) -> State:
        """One forward of the model from group `start` up to `stop`, whatever lies between."""
        if start >= stop:
            return state
        if start == 0 and stop == self.total:
            return {"logits": self.model(**state).logits}
        if self.split and start == self.total - 1:
            return {"logits": self.linear(in_float32(state)["pooled"])}
        given = {k: v for k, v in state.items() if k != "hidden"}
        with ExitStack() as stack:
            if start > 1:
                stack.enter_context(self.stand_in(start - 1, state["hidden"]))
            caught = stack.enter_context(self.leave_at(stop))
            try:
                return {"logits": self.model(**given).logits}
            except Left:
                return {**given, **caught} if "hidden" in caught else caught

    @contextmanager
    def stand_in(self, count: int, hidden: Tensor) -> Iterator[None]:
        """The first `count` blocks do no work; the last of them hands on `hidden`."""
        own = [block.__dict__.get("forward") for block in self.blocks[:count]]
        try:
            for block, length in zip(self.blocks[:count], self.tuples[:count], strict=True):
                block.forward = constant(hidden, length)
            yield
        finally:
            for block, forward in zip(self.blocks[:count], own, strict=True):
                del block.forward
                if forward is not None:
                    block.forward = forward

    @contextmanager
    def leave_at(self, stop: int) -> Iterator[State]:
        """Leave the forward before group `stop`, keeping what stands there."""
        caught: State = {}

        def keep(name: str, value: Any) -> None:
            caught[name] = bare(value)
            raise Left

        hook: Any = None
        if self.split and stop == self.total - 1:
            hook = self.linear.register_forward_pre_hook(lambda m, args: keep("pooled", args))
        elif stop == 1:
            hook = self.blocks[0].register_forward_pre_hook(
                lambda m, args, kwargs: keep("hidden", first(args, kwargs)), with_kwargs=True
            )
        elif stop < self.total:
            hook = self.blocks[stop - 2].register_forward_hook(lambda m, args, out: keep("hidden", out))
        try:
            yield caught
        finally:
            if hook is not None:
                hook.remove()

    @torch.no_grad()
    def holds(self) -> bool:
        """Has each parameter one group, and do runs behind kept activations end in the model's logits?"""
        owned = [id(p) for group in self.groups for p in group.parameters()]
        if sorted(owned) != sorted(id(p) for p in self.model.parameters()):
            return False
        with at_rest(self.model):
            given = dummy_inputs(self.model)
            whole = self.model(**given).logits
            cuts = {min(2, self.total - 1), max(1, len(self.blocks)), self.total - 1}
            try:
                return all(torch.equal(self.run(self.run(given, 0, c), c)["logits"], whole) for c in cuts)
            except Exception:  # blocks that hand on more than their activations: any error may follow
                return False


class Left(Exception):
    """The forward was left on purpose."""


def constant(hidden: Tensor, length: int) -> Any:
    """A forward that gives `hidden`, as the first of `length` values where the block gives a tuple."""
    return lambda *args, **kwargs: (hidden, *[None] * (length - 1)) if length else hidden


def bare(value: Any) -> Any:
    """The activations in what a block gives or takes."""
    return value[0] if isinstance(value, tuple) else value


def first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else kwargs.get("hidden_states")


@torch.no_grad()
def head_stands_alone(model: Any, linear: nn.Linear) -> bool:
    """Does the model, tried on a dummy input, give exactly what `linear` gives for one vector a row?"""
    seen: list[Tensor] = []
    hook = linear.register_forward_hook(lambda m, args, out: seen.extend((args[0], out)))
    try:
        output = try_out(model)
    finally:
        hook.remove()
    return len(seen) == 2 and seen[0].dim() == 2 and torch.equal(seen[1], output.logits)


def try_out(model: Any) -> Any:
    """The output of one forward in eval mode on a dummy input."""
    with at_rest(model):
        try:
            return model(**dummy_inputs(model))
        except Exception as error:  # any architecture may come here, and raise what it likes
            reason = str(error).strip().split("\n")[0][:160]
            raise unknown(model, f"no answer to a dummy input ({reason})") from None


def dummy_inputs(model: Any) -> State:
    """Rows that fit the configuration: two, or one where a text model has no padding token to tell apart."""
    config, device = model.config, next(model.parameters()).device
    if model.main_input_name == "pixel_values":
        size = getattr(config, "image_size", None) or 64
        height, width = size if isinstance(size, (list, tuple)) else (size, size)
        shape = (2, getattr(config, "num_channels", 3), height, width)
        return {"pixel_values": torch.linspace(-1, 1, prod(shape), device=device).reshape(shape)}
    ids = torch.tensor([[3, 4, 5], [4, 3, 6]], device=device) % config.vocab_size
    ids = ids if getattr(config, "pad_token_id", None) is not None else ids[:1]
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def leaves(module: nn.Module) -> list[nn.Module]:
    """Modules with parameters or buffers of their own, and dropouts, in the order of their definition."""
    return [
        m
        for m in module.modules()
        if isinstance(m, nn.Dropout)
        or next(m.parameters(recurse=False), None) is not None
        or next(m.buffers(recurse=False), None) is not None
    ]


def alone(module: nn.Module, inner: set[int]) -> nn.Module:
    """The module; of one that has blocks or the head inside, only what it holds itself."""
    if not any(id(m) in inner for m in module.modules()):
        return module
    own = nn.Module()
    for name, parameter in module.named_parameters(recurse=False):
        own.register_parameter(name, parameter)
    for name, buffer in module.named_buffers(recurse=False):
        own.register_buffer(name, buffer)
    return own


def find_chains(model: nn.Module) -> Iterator[tuple[list[nn.Module], list[int]]]:
    """Rows of like modules, each reading what the one before it gave; those with most weights first.

    Beside each module the length of the tuple that it gives; 0 where it gives its activations bare.
    """
    rows = [list(m.children()) for m in model.modules() if isinstance(m, (nn.ModuleList, nn.Sequential))]
    rows = [row for row in rows if len(row) > 1 and len({type(m) for m in row}) == 1]
    rows = [row for row in rows if not isinstance(row[0], nn.ModuleList)]  # which has no forward
    rows.sort(key=lambda row: sum(p.numel() for m in row for p in m.parameters()), reverse=True)
    for row in rows:
        tuples = chain(model, row)
        if tuples is not None:
            yield row, tuples


@torch.no_grad()
def chain(model: Any, row: Sequence[nn.Module]) -> list[int] | None:
    """Lengths of the tuples that the modules of a row give; None unless each is called once, in its place.

    In its place: with the very tensor that the one before it gave.
    """
    given: list[Any] = []
    taken: list[Any] = []

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        taken.append(first(args, kwargs))
        given.append(output)

    hooks = [m.register_forward_hook(note, with_kwargs=True) for m in row]
    try:
        try_out(model)
    finally:
        for hook in hooks:
            hook.remove()
    linked = all(bare(a) is b for a, b in zip(given[:-1], taken[1:], strict=True))
    if len(given) != len(row) or not linked:
        return None
    return [len(output) if isinstance(output, tuple) else 0 for output in given]


def find_head(model: nn.Module) -> nn.Linear:
    """The last linear layer whose width is the number of classes."""
    wide = model.config.num_labels  # type: ignore[union-attr]
    fitting = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == wide]
    if not fitting:
        raise unknown(model, f"no linear layer with {wide} outputs")
    return fitting[-1]


def unknown(model: nn.Module, why: str) -> WarmstartError:
    return WarmstartError(
        f"the layers of a {type(model).__name__} cannot be told apart: {why}", DO, "unknown-anatomy"
    )


ANATOMY = General
