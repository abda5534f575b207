"""A model between its source and what tuning made of it, and what the source's own head says above that body.

Weights are mixed name by name (WiSE-FT: Wortsman et al. 2022, arXiv 2109.01903): body = (1 - alpha) * start +
alpha * tuned, norm statistics too. A head for the new classes has no start worth keeping: where it is linear
it is solved anew on the features of the mixed body, so that alpha = 0 is the frozen model and alpha = 1 keeps
what was tuned. The source's own function is that of the source with all weights that it shares with the body.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from warmstart.adapt.apply import apply
from warmstart.adapt.merge import merge_adapters
from warmstart.base.types import Bundle, Plan
from warmstart.models.anatomy import Anatomy
from warmstart.models.features import before_head
from warmstart.models.inputs import Inputs
from warmstart.models.load import Pretrained, load
from warmstart.street import training
from warmstart.street.folder import Trip
from warmstart.street.training import Ready
from warmstart.tune.head import solve_head
from warmstart.tune.memory import Limits, logits_in_parts, looking

State = dict[str, Tensor]


def body_names(anatomy: Anatomy) -> set[str]:
    """Names of all numbers below the head: weights, and statistics of norms."""
    head = {id(t) for part in anatomy.groups[-1].modules for t in part.state_dict(keep_vars=True).values()}
    state = anatomy.model.state_dict(keep_vars=True)
    return {name for name, t in state.items() if id(t) not in head and t.is_floating_point()}


def names_of(anatomy: Anatomy, group: str) -> set[str]:
    """Names of the numbers of a group."""
    parts = anatomy.groups[anatomy.index(group)].modules
    inside = {id(t) for part in parts for t in part.state_dict(keep_vars=True).values()}
    state = anatomy.model.state_dict(keep_vars=True)
    return {name for name, t in state.items() if id(t) in inside and t.is_floating_point()}


def body_of(pretrained: Pretrained) -> State:
    """Copies of these numbers."""
    state = pretrained.module.state_dict()
    return {name: state[name].detach().clone() for name in sorted(body_names(pretrained.anatomy))}


def mixed(start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], alpha: float) -> State:
    """(1 - alpha) * start + alpha * tuned; exactly the one or the other at the ends."""
    if alpha in (0, 1):
        return dict(tuned if alpha else start)
    return {name: torch.lerp(start[name], tuned[name], alpha) for name in start}


@torch.no_grad()
def put(pretrained: Pretrained, weights: Mapping[str, Tensor]) -> int:
    """Set the numbers of the body that have these names and shapes; how many had."""
    state, names = pretrained.module.state_dict(), body_names(pretrained.anatomy)
    found = [n for n in names if n in weights and weights[n].shape == state[n].shape]
    for name in found:
        state[name].copy_(weights[name])
    return len(found)


@dataclass
class Way:
    """From a source to what one tuning made of it. `model` and `source` stand wherever they were put last."""

    name: str  # of the training
    model: Pretrained  # with the new head
    source: Pretrained  # with its own
    start: State
    tuned: State
    shared: frozenset[str]  # names of numbers with which the source itself begins
    head: dict[str, Tensor] = field(repr=False)  # as it was tuned

    @property
    def moves(self) -> bool:
        """Did tuning change anything below the head?"""
        return any(not self.start[name].equal(self.tuned[name]) for name in self.start)

    def stand(self, alpha: float) -> None:
        """Put both models at this share of the way, the new head as it was tuned."""
        weights = mixed(self.start, self.tuned, alpha)
        put(self.model, weights)
        put(self.source, {name: weights[name] for name in self.shared})
        self.model.module.load_state_dict(self.head, strict=False)

    def solve(self, ready: Ready) -> bool:
        """Solve the new head on the features of the body as it stands; False where it is not linear."""
        found = self.model.anatomy.head()
        if found is None or not self.model.anatomy.head_is_linear:
            return False
        features = {
            name: (self.read(ready.splits[name].inputs), ready.splits[name].targets)
            for name in ("train", "validation")
        }
        solve_head(found[1], features["train"], features["validation"], found[1].out_features)
        return True

    @property
    def top(self) -> str:
        """The highest group that the tuned model has of the source: edits may have cut or added above it."""
        found = self.source.anatomy.names[0]
        for name in self.source.anatomy.names[:-1]:
            if not names_of(self.source.anatomy, name) <= self.shared:
                break
            found = name
        return found

    def read(self, inputs: Inputs) -> Tensor:
        """What the head reads of all rows."""
        return looking(Limits(), inputs, lambda rows: before_head(self.model.anatomy, rows, 0))

    def new_scores(self, inputs: Inputs) -> Tensor:
        """N x C scores of the new classes."""
        return logits_in_parts(self.model.anatomy, inputs, 0, Limits()).cpu()

    def old_scores(self, inputs: Inputs) -> Tensor:
        """N x K scores of the source's own classes."""
        return logits_in_parts(self.source.anatomy, inputs, 0, Limits()).cpu()


def way_to(trip: Trip, name: str, plan: Plan, bundle: Bundle, source: Pretrained) -> Way:
    """The way to the finished training of this name, whose plan it was; `source` is left as it is."""
    task = source.modality
    loaded = training.load_for(trip, plan, task)
    adapted = apply(loaded, plan.edits, bundle.labels, plan.seed).pretrained
    start = body_of(merge_adapters(adapted))  # adapters begin as nothing
    model = load(str(trip.path("training", name, "model")), task, device=trip.device)
    tuned = body_of(model)
    apart = sorted(set(start) ^ set(tuned))
    assert not apart, f"the start has other weights than {name}: {apart[:3]}"
    head = {n: t.clone() for n, t in model.module.state_dict().items() if n not in tuned}
    own = source.with_module(copy.deepcopy(source.module))
    theirs = body_of(own)
    shared = frozenset(n for n, t in start.items() if n in theirs and t.equal(theirs[n]))
    return Way(name, model, own, start, tuned, shared, head)
