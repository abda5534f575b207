"""Each process holds a part of weights, gradients and moments; layers are whole only while they run.

Zhao et al. 2023, "PyTorch FSDP" (arXiv 2304.11277), in its second form: torch.distributed.fsdp.fully_shard,
one group of the anatomy at a time. Between phases, and in checkpoints, everything is whole, so that a
training goes on with any number of processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import Anatomy, Group, State
from warmstart.tune.crew import Crew

MIXED = "mixed torch.Tensor and DTensor"  # how torch says that weights were not gathered where they are read


class Layers(nn.Module):
    """The layers of a group as one module, which gathers its weights when it is called."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self.parts, self.group = nn.ModuleList(group.modules), group

    def forward(self, state: State, brief: bool) -> State:
        out = self.group.brief(state) if brief and self.group.brief else self.group.run(state)
        return {name: apart(value) for name, value in out.items()}


class Shards:
    """The parts that this process holds, each also as a plain parameter that an optimiser can move."""

    def __init__(self, anatomy: Anatomy, start: int, crew: Crew) -> None:
        check(anatomy, start)
        self.crew, self.plain = crew, [place for g in anatomy.groups[start:] for place in places_of(g)]
        self.hooks = [(m, m._load_state_dict_post_hooks.copy()) for m, _, _ in self.plain]
        sharded = [shard(group, crew) for group in anatomy.groups[start:]]
        self.whole_groups, anatomy.groups = anatomy.groups, (*anatomy.groups[:start], *sharded)
        self.anatomy = anatomy
        self.parts: dict[int, tuple[Any, nn.Parameter]] = {}  # id of a sharded parameter -> it, and its part
        for whole in self.sharded():
            local = nn.Parameter(whole.detach().to_local(), requires_grad=whole.requires_grad)
            self.parts.setdefault(id(whole), (whole, local))
        for _, _, parameter in self.plain:
            parameter.data = parameter.data.new_empty(0)

    def part(self, parameter: nn.Parameter) -> nn.Parameter:
        """What this process holds of a parameter, in the same memory."""
        return self.parts[id(parameter)][1]

    def take_gradients(self) -> None:
        """Hand the summed gradients on to the parts that the optimiser moves."""
        for whole, local in self.parts.values():
            local.grad, whole.grad = None if whole.grad is None else whole.grad.to_local(), None

    def whole_moments(self, stepper: Optimizer, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The optimiser's tensors as one process would have them; all processes must ask."""
        return {n: self.whole_moment(self.owner(stepper, n), tensor) for n, tensor in tensors.items()}

    def own_moments(self, stepper: Optimizer, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The parts of these that belong to this process."""
        return {n: self.own_moment(self.owner(stepper, n), tensor) for n, tensor in tensors.items()}

    def owner(self, stepper: Optimizer, name: str) -> Any:
        """The sharded parameter whose moment has this name, which begins with its number."""
        numbered = [id(p) for table in stepper.param_groups for p in table["params"]]
        wholes = {id(local): whole for whole, local in self.parts.values()}
        return wholes[numbered[int(name.split(".", 1)[0])]]

    def whole_moment(self, owner: Any, tensor: Tensor) -> Tensor:
        from torch.distributed.tensor import DTensor

        if tensor.dim() == 0:
            return tensor
        mesh, shape = owner.device_mesh, {"shape": owner.shape, "stride": owner.stride()}
        return DTensor.from_local(tensor, mesh, owner.placements, run_check=False, **shape).full_tensor()

    def own_moment(self, owner: Any, tensor: Tensor) -> Tensor:
        if tensor.dim() == 0:
            return tensor
        chunks = tensor.chunk(self.crew.size)
        return chunks[self.crew.rank] if self.crew.rank < len(chunks) else tensor[:0]

    def gather(self) -> None:
        """Make the model whole again, in every process."""
        self.put_back([whole.detach().full_tensor() for whole in self.sharded()])

    def spoil(self) -> None:
        """Put back parameters that nobody can take for weights, where the others may be gone."""
        self.put_back([torch.full(whole.shape, math.nan) for whole in self.sharded()])

    def sharded(self) -> list[Any]:
        return [module._parameters[name] for module, name, _ in self.plain]

    def put_back(self, tensors: list[Tensor]) -> None:
        for (module, name, parameter), tensor in zip(self.plain, tensors, strict=True):
            parameter.data, parameter.grad, module._parameters[name] = tensor, None, parameter
        for module, hooks in self.hooks:  # fully_shard has left one for each parameter
            module._load_state_dict_post_hooks = hooks
        self.anatomy.groups = self.whole_groups


@contextmanager
def sharded(anatomy: Anatomy, start: int, crew: Crew) -> Iterator[Shards | None]:
    """Meanwhile each process holds a part of the groups from `start` up, if the crew shards at all."""
    if not crew.sharded:
        yield None
        return
    shards = Shards(anatomy, start, crew)
    try:
        yield shards
    except BaseException as error:
        shards.spoil()
        if MIXED in str(error):
            raise refused("some of its weights are read outside their own layers") from error
        raise
    shards.gather()


def shard(group: Group, crew: Crew) -> Group:
    """The same group, whose weights are gathered while it runs and whose gradients are added up."""
    if not places_of(group):
        return group
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (crew.size,))
    layers: Any = fully_shard(Layers(group), mesh=mesh, reshard_after_forward=True)
    layers.set_gradient_divide_factor(1.0)  # sums: what they are divided by is known when all are there
    layers.set_force_sum_reduction_for_comms(True)  # gloo adds, and nothing else
    run = partial(run_layers, layers)
    return replace(group, run=partial(run, brief=False), brief=group.brief and partial(run, brief=True))


def run_layers(layers: nn.Module, state: State, brief: bool) -> State:
    """Gathered weights outlive a look at rows: they must not be tensors that can never learn again."""
    learning = torch.is_grad_enabled()
    with torch.inference_mode(False), torch.set_grad_enabled(learning):
        out: State = layers(state, brief)
    return out


def apart(value: Any) -> Any:
    """A tensor of its own: changing a view in place would take away the hook that gathers the weights."""
    return value.clone() if isinstance(value, Tensor) and value._is_view() else value


def places_of(group: Group) -> list[tuple[nn.Module, str, nn.Parameter]]:
    """The group's parameters, with the modules and names under which they stand."""
    modules = {id(m): m for part in group.modules for m in part.modules()}.values()
    return [(m, name, p) for m in modules for name, p in m._parameters.items() if p is not None]


def check(anatomy: Anatomy, start: int) -> None:
    """Raises WarmstartError for a model whose weights cannot be divided group by group."""
    if type(anatomy) is not Anatomy:
        raise refused(f"the layers of {type(anatomy.model).__name__} are known from outside alone")
    owners: dict[int, str] = {}
    for group in anatomy.groups[start:]:
        for parameter in group.parameters():
            if owners.setdefault(id(parameter), group.name) != group.name:
                raise refused(f"{group.name} and {owners[id(parameter)]} share weights")
            if parameter.dim() == 0:
                raise refused(f"{group.name} has a weight that is a single number")
    known = {(id(m), name) for group in anatomy.groups[start:] for m, name, _ in places_of(group)}
    for path, module in anatomy.model.named_modules():
        for name, weight in module._parameters.items():
            if weight is not None and id(weight) in owners and (id(module), name) not in known:
                raise refused(f"{path}.{name} is also a weight of {owners[id(weight)]}")


def refused(why: str) -> WarmstartError:
    return WarmstartError(f"this model cannot be sharded: {why}", "leave out --shard", "cannot-shard")
