"""Guards on tiny models: a job to hand them, batches to ask them about, and trainings to compare."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

import tune_worlds as worlds
from warmstart.tune.batch import Batch, Seen
from warmstart.tune.guards import GUARDS
from warmstart.tune.loop import new_job
from warmstart.tune.retained import Retained

SLOW = {"lr": 1e-5, "schedule": "constant", "warmup": 0.0}  # rounding stays small in what Adam makes of it
CLASSES = 5  # of the head that a model came with


def calm(name="bert", seed=0, **changes):
    """A model without dropout."""
    return worlds.pretrained(name, seed, **({**worlds.CALM, **changes} if name == "bert" else changes))


def source(name="bert", **changes):
    """The body of `calm` under a head of other classes, at rest."""
    other = calm(name, **changes)
    linear = torch.nn.Linear(other.anatomy.head()[1].in_features, CLASSES)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    other.module.set_submodule(other.anatomy.head()[0], linear)
    other.module.config.num_labels = CLASSES
    return other.with_module(other.module)


def retained(name="bert", rows=None, **changes):
    split = worlds.split(name, rows, 9) if rows else None
    if split is not None:
        split = replace(split, targets=torch.arange(rows) % CLASSES)
    return Retained(source(name, **changes).anatomy, split)


def job_for(model, *phases, known=None, **options):
    plan = worlds.plan(*(phases or (worlds.phase(),)), **options)
    splits = worlds.splits(model.source)
    job = new_job(model.anatomy, plan, worlds.task(model.source), splits, lambda event: None)
    job.retained = known
    return job


def begun(model, table, *phases, known=None, **options):
    """A guard that has begun, and its job at the steps of the first phase."""
    job, guard = job_for(model, *phases, known=known, **options), GUARDS.build(table)
    guard.begin(job)
    job.anatomy.set_learning(job.plan.phases[0].learn, "frozen")
    guard.enter(job)
    return guard, job


def batch_of(job, rows=(0, 3, 5, 2, 7), start=0):
    """These training rows, before group `start`."""
    rows = np.array(rows)
    split = job.splits["train"]
    with torch.no_grad():
        state = job.anatomy.run(split.inputs.batch(rows), 0, start)
    return Batch(state, start, split.targets[rows], rows)


def seen(job, batch):
    below = batch.below_head(job.anatomy)
    return Seen(below, job.anatomy.logits(below, len(job.anatomy.groups) - 1).float())


def moved(model, by=0.1, seed=7):
    """All parameters a little elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.add_(by * torch.randn(parameter.shape, generator=generator))


def body_of(model, weights=None):
    """Name -> parameter below the head (or what `weights` has under that name)."""
    head = {id(p) for p in model.anatomy.groups[-1].parameters()}
    named = {n: p for n, p in model.module.named_parameters() if id(p) not in head}
    return named if weights is None else {n: weights[n] for n in named}


@contextmanager
def in_double(model) -> Iterator[None]:
    model.module.double()
    yield
    model.module.float()
