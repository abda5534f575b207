"""Any other transformers model: its repeated blocks are found by looking, and its own forward runs them.

The row of like modules (a ModuleList or Sequential) that holds most of the weights gives the blocks.
A stretch of them is run by the model's own forward with stand-ins: blocks before the stretch hand on the
kept activations without work, and the forward is left as soon as the stretch has ended. So masks,
positions and whatever else the architecture computes by itself are right without being known.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomies._image import CannotCut
from warmstart.models.anatomy import Anatomy, Group, State

UNFIT = (ValueError, RuntimeError, TypeError, IndexError)  # what a model raises at a dummy that does not fit


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
    """

    def __init__(self, model: nn.Module, part: General) -> None:
        self.model = model
        self.blocks = find_blocks(model)
        self.linear = find_head(model)
        self.tuples: dict[int, int] = {}  # block -> length of the tuple that it returns; 0: a bare tensor
        self.split = head_stands_alone(model, self.linear)
        self.total = len(self.blocks) + (3 if self.split else 2)
        super().__init__(model, part, self.look())

    def look(self) -> list[Group]:
        """The groups; whatever belongs to no block and is not the head is stem or neck, by its place."""
        inner = {id(m) for b in self.blocks for m in b.modules()} | {id(m) for m in self.linear.modules()}
        order = [id(m) for m in leaves(self.model)]
        last = max(order.index(id(m)) for m in leaves(self.blocks[-1]))
        rest = [m for m in leaves(self.model) if id(m) not in inner]
        stem = tuple(m for m in rest if order.index(id(m)) < last)
        neck = tuple(m for m in rest if order.index(id(m)) > last)
        tops = [("neck", neck), ("head", (self.linear,))] if self.split else [("head", (*neck, self.linear))]
        parts = [("stem", stem), *((f"block.{i}", (b,)) for i, b in enumerate(self.blocks)), *tops]
        return [Group(name, modules, self.step(i)) for i, (name, modules) in enumerate(parts)]

    def step(self, number: int) -> Any:
        return lambda state: self.run(state, number, number + 1)

    def run(self, state: State, start: int = 0, stop: int | None = None) -> State:
        """One forward of the model from group `start` up to `stop`, whatever lies between."""
        stop = self.total if stop is None else min(stop, self.total)
        if start >= stop:
            return state
        if self.split and start == self.total - 1:
            return {"logits": self.linear(state["pooled"])}
        given = {k: v for k, v in state.items() if k != "hidden"}
        with ExitStack() as stack:
            if start > 1:
                stack.enter_context(self.stand_in(start - 1, state["hidden"]))
            catch = stack.enter_context(self.leave_at(start, stop))
            try:
                return {"logits": self.model(**given).logits}
            except Left:
                return {**given, **catch} if "hidden" in catch else dict(catch)

    @contextmanager
    def stand_in(self, count: int, hidden: Tensor) -> Iterator[None]:
        """The first `count` blocks do no work; the last of them hands on `hidden`."""
        originals = [b.forward for b in self.blocks[:count]]
        try:
            for i, block in enumerate(self.blocks[:count]):
                block.forward = self.constant(i, hidden)
            yield
        finally:
            for block, forward in zip(self.blocks, originals, strict=False):
                block.forward = forward

    def constant(self, number: int, hidden: Tensor) -> Any:
        length = self.tuples.get(number, self.tuples.get(0, 0))
        return lambda *args, **kwargs: (hidden, *[None] * (length - 1)) if length else hidden

    @contextmanager
    def leave_at(self, start: int, stop: int) -> Iterator[State]:
        """Leave the forward before group `stop`, keeping what stands there."""
        caught: State = {}

        def keep(name: str, value: Any) -> None:
            caught[name] = value[0] if isinstance(value, tuple) else value
            raise Left

        def note(number: int, output: Any) -> None:
            self.tuples[number] = len(output) if isinstance(output, tuple) else 0
            if stop == number + 2:
                keep("hidden", output)

        hooks = [
            block.register_forward_hook(lambda m, args, output, i=i: note(i, output))
            for i, block in enumerate(self.blocks)
            if i + 1 >= start
        ]
        if stop == 1:
            catch = partial(keep_input, keep)
            hooks.append(self.blocks[0].register_forward_pre_hook(catch, with_kwargs=True))
        if self.split and stop == self.total - 1:
            hooks.append(self.linear.register_forward_pre_hook(lambda m, args: keep("pooled", args)))
        try:
            yield caught
        finally:
            for hook in hooks:
                hook.remove()


class Left(Exception):
    """The forward was left on purpose."""


def keep_input(keep: Any, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """The hidden states that a block is called with: its first argument, by place or by name."""
    keep("hidden", first(args, kwargs))


def first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else kwargs.get("hidden_states")


@torch.no_grad()
def head_stands_alone(model: Any, linear: nn.Linear) -> bool:
    """Does the model, tried on a dummy input, give exactly what `linear` gives for one vector a row?"""
    seen: list[Tensor] = []
    hook = linear.register_forward_hook(lambda m, args, out: seen.extend((args[0], out)))
    try:
        logits = try_out(model).logits
        return len(seen) == 2 and seen[0].dim() == 2 and torch.equal(seen[1], logits)
    except UNFIT:
        return False
    finally:
        hook.remove()


def try_out(model: Any) -> Any:
    """One forward in eval mode on a dummy input."""
    training, _ = model.training, model.eval()
    try:
        return model(**dummy_inputs(model))
    finally:
        model.train(training)


def dummy_inputs(model: Any) -> dict[str, Tensor]:
    """Two rows that fit the configuration."""
    config = model.config
    if model.main_input_name == "pixel_values":
        size = getattr(config, "image_size", None) or 64
        height, width = size if isinstance(size, (list, tuple)) else (size, size)
        return {"pixel_values": torch.zeros(2, getattr(config, "num_channels", 3), height, width)}
    ids = torch.tensor([[3, 4, 5], [4, 3, 6]]) % config.vocab_size
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def leaves(module: nn.Module) -> list[nn.Module]:
    """Modules that hold parameters or buffers of their own, in the order of their definition."""
    return [
        m
        for m in module.modules()
        if any(True for _ in m.parameters(recurse=False))
        or any(True for _ in m.buffers(recurse=False))
        or isinstance(m, nn.Dropout)
    ]


def find_blocks(model: nn.Module) -> Sequence[nn.Module]:
    """The row of like modules, each reading what the one before it gave, that holds most of the weights."""
    rows = [list(m.children()) for m in model.modules() if isinstance(m, (nn.ModuleList, nn.Sequential))]
    rows = [row for row in rows if len(row) > 1 and len({type(m) for m in row}) == 1]
    rows = [row for row in rows if not isinstance(row[0], nn.ModuleList)]  # which has no forward
    rows.sort(key=lambda row: sum(p.numel() for m in row for p in m.parameters()), reverse=True)
    for row in rows:
        if is_chain(model, row):
            return row
    raise WarmstartError(
        f"no repeated blocks in a {type(model).__name__}",
        "choose another model, or add a file to warmstart/models/anatomies that knows this one",
        "unknown-anatomy",
    )


@torch.no_grad()
def is_chain(model: Any, row: Sequence[nn.Module]) -> bool:
    """Is each module of the row called once, with the very tensor that the one before it gave?"""
    given: list[Tensor] = []
    taken: list[Tensor] = []

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        taken.append(first(args, kwargs))
        given.append(output[0] if isinstance(output, tuple) else output)

    hooks = [m.register_forward_hook(note, with_kwargs=True) for m in row]
    try:
        try_out(model)
    except UNFIT:
        return False
    finally:
        for hook in hooks:
            hook.remove()
    return len(given) == len(row) and all(a is b for a, b in zip(given[:-1], taken[1:], strict=True))


def find_head(model: nn.Module) -> nn.Linear:
    """The last linear layer whose width is the number of classes."""
    wide = model.config.num_labels  # type: ignore[union-attr]
    fitting = [m for m in model.modules() if isinstance(m, nn.Linear) and m.out_features == wide]
    if not fitting:
        raise WarmstartError(
            f"no linear layer with {wide} outputs in a {type(model).__name__}",
            "choose another model, or add a file to warmstart/models/anatomies that knows this one",
            "unknown-anatomy",
        )
    return fitting[-1]


ANATOMY = General
