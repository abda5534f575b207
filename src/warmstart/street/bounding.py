"""The best model that is shown to forget no more than a limit (`--max-forgetting 1pt`).

From the source to the tuned model there is a way of mixed weights, which costs no training. Its models are
tried from the safest on, and a model passes if the rows that choose show that it loses less than the limit;
the first that does not ends the way (evaluate/limit.py). Where the best that passed is behind what unbounded
tuning gives, trainings that forget less are made, each a way of its own. Of all that passed the best on the
validation rows of the new task is taken; the source's own body with a new head, which loses nothing, is
always among them.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json
from warmstart.base.forgetting import Bounded, Mix
from warmstart.base.tables import checked, to_table
from warmstart.base.types import Bundle, Measure, Plan, Proof, Reason, Run
from warmstart.evaluate.arms import best_seed
from warmstart.evaluate.limit import LEVEL, p_value, rows_needed, upper
from warmstart.models.inputs import digest
from warmstart.models.load import Pretrained
from warmstart.street import kept as files
from warmstart.street import training
from warmstart.street.folder import Trip
from warmstart.street.forgetting import right, scores, share
from warmstart.street.grafting import Way, way_to
from warmstart.street.proofs._ledger import Ledger
from warmstart.street.proofs._tick import Scene, absent
from warmstart.street.retention import Remembered
from warmstart.street.stops import task_of
from warmstart.street.training import Ready
from warmstart.tune.job import Split
from warmstart.tune.retained import Retained

NAME = "bounded"
ALPHAS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
REPLAY = {"name": "replay", "share": 1.0, "soft": True}  # a row to remember for each new one
ENOUGH = 0.98  # of what unbounded tuning gives: nothing more is trained for
GENTLE = 0.3  # times the learning rates
SHARES = {"replay": 0.4}  # of the level, by way; the plan's own has as much, and the others divide the rest
OWN = 0.4
UNITS = {"pt": "points", "%": "percent", "nat": "nats"}

NOTHING = Measure("", 0.0, 0.0, 1.0, 0)
UNSEEN = Mix("", 0.0, NOTHING, 0.0, NOTHING, False)

Floats = NDArray[np.float64]
Memo = dict[tuple[str, float, int, bool], "tuple[Floats, Tried]"]


@dataclass(frozen=True)
class Limit:
    """How much may be lost."""

    text: str
    amount: float
    unit: str  # "points" of accuracy, "percent" of what was there before, or "nats"

    def of(self, before: float) -> float:
        """As a share of rows, where so much was right before."""
        return self.amount * before if self.unit == "percent" else self.amount


def limit_of(text: str) -> Limit:
    """ "1pt", "5%" or "0.05nat"; WarmstartError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(pt|%|nat)s?\s*", text)
    if found is None or float(found[1]) <= 0 or (found[2] != "nat" and float(found[1]) >= 100):
        raise WarmstartError(
            f"--max-forgetting {text}", "give points as 1pt, a share as 5%, or nats as 0.05nat", "wrong-value"
        )
    amount = float(found[1]) / (1 if found[2] == "nat" else 100)
    return Limit(text.strip(), amount, UNITS[found[2]])


@dataclass(frozen=True)
class Tried:
    """A model on a way, and which head it had."""

    mix: Mix
    way: Way
    run: Run  # to whose model the way leads
    solved: bool  # the head was solved anew above the mixed body


@dataclass(frozen=True, eq=False)
class Search:
    """What every way is walked with."""

    trip: Trip
    bundle: Bundle
    ready: Ready
    source: Pretrained
    kept: Remembered
    limit: Limit
    memo: Memo = field(default_factory=dict)  # what was seen of a model already, whatever the limit

    def walked(self, run: Run, choosing: Sequence[Split], level: float) -> Iterator[Tried]:
        """The models on the way to a run, from the safest on; the first that is not within is the last."""
        way = way_to(self.trip, run.name, run.plan, self.bundle, self.source)
        before = [scores(self.source, rows.inputs) for rows in choosing]
        bar = self.bar(before, choosing)
        for alpha in ALPHAS if way.moves else ALPHAS[-1:]:
            key = way.name, alpha, len(choosing), self.limit.unit == "nats"
            if key not in self.memo:
                way.stand(alpha)
                self.memo[key] = (
                    self.lost(way, before, choosing),
                    self.best_head(Tried(UNSEEN, way, run, False), alpha),
                )
            lost_N, seen = self.memo[key]
            changed = alpha > 0 and way.moves
            within = not changed or p_value(lost_N, bar) <= level
            mean, high = float(lost_N.mean()), upper(lost_N, level) if changed else 0.0
            amount = Measure("lost", mean, mean, high, len(lost_N), f"one-sided, level {level:.3g}")
            yield replace(seen, mix=replace(seen.mix, lost=amount, within=within))
            if not within:
                return

    def bar(self, before: Sequence[Tensor], choosing: Sequence[Split]) -> float:
        """The limit as a share of rows, or in nats."""
        rows = [right(was, rows.targets) for was, rows in zip(before, choosing, strict=True)]
        return self.limit.of(float(np.concatenate(rows).mean()))

    def lost(self, way: Way, before: Sequence[Tensor], choosing: Sequence[Split]) -> Floats:
        """Before minus after of each row: right or not; in nats after minus before of its loss."""
        found = []
        for was, rows in zip(before, choosing, strict=True):
            now = scores(way.source, rows.inputs)
            if self.limit.unit == "nats":
                found.append((losses(now, rows.targets) - losses(was, rows.targets)).numpy())
            else:
                found.append(right(was, rows.targets) - right(now, rows.targets))
        return np.concatenate(found)

    def best_head(self, tried: Tried, alpha: float) -> Tried:
        """With the head as it was tuned, or solved anew above this body: by the new validation rows."""
        there = replace(tried, mix=replace(tried.mix, path=tried.way.name, alpha=alpha))
        heads = [self.seen(there)]
        if alpha < 1 and there.way.solve(self.ready):
            heads.append(self.seen(replace(there, solved=True)))
        return max(heads, key=merit)

    def seen(self, tried: Tried) -> Tried:
        """With what it answers to the new task's validation rows, where it stands."""
        rows = self.ready.splits["validation"]
        said = tried.way.new_scores(rows.inputs)
        loss = float(losses(said, rows.targets).mean())
        return replace(tried, mix=replace(tried.mix, new=share(right(said, rows.targets)), new_loss=loss))


def merit(tried: Tried) -> tuple[float, float]:
    """By what models are chosen: accuracy on the validation rows of the new task, then log-loss."""
    return tried.mix.new.value, -tried.mix.new_loss


def losses(scores_NK: Tensor, truth_N: Tensor) -> Tensor:
    return cross_entropy(scores_NK.cpu().double(), truth_N, reduction="none")


def bounded(
    trip: Trip,
    plan: Plan,
    arms: Mapping[str, Sequence[Run]],
    bundle: Bundle,
    ready: Ready,
    source: Pretrained,
    kept: Remembered,
    memo: Memo | None = None,
) -> tuple[Run, Bounded]:
    """The run that is within the limit, and how it was found. Leaves training/bounded/.

    A `memo` that is handed from one limit to the next spares looking twice at the same models.
    """
    limit, folder = limit_of(trip.options.max_forgetting), trip.path("training", NAME)
    mark = digest(files.fingerprint(plan, bundle).encode(), f"{limit.text} {kept.plain}".encode())
    done = files.read_run(folder, mark)
    if done is not None:
        table = read_table(folder / "bounded.json", "delete the folder, and it is made anew", "bad-run")
        return done, checked(Bounded, table, str(folder))
    shutil.rmtree(folder, ignore_errors=True)
    search = Search(trip, bundle, ready, source, kept, limit, {} if memo is None else memo)
    trip.tell({"event": "stop", "stop": "tune", "what": f"within {limit.text} of forgetting"})
    started = time.perf_counter()
    goal = best_seed(arms[plan.strategy])
    found = ways(search, plan, goal)
    taken = max((t for t in found if t.mix.within), key=merit)
    run = shipped(search, taken, time.perf_counter() - started)
    told = account(search, found, taken, goal)
    write_json(folder / "bounded.json", to_table(told))
    files.write_run(folder, run, mark)
    return run, told


def ways(search: Search, plan: Plan, goal: Run) -> list[Tried]:
    """All models that were tried: on the plan's own way, and where that falls short on those of remedies."""
    kept, wanted = search.kept, ENOUGH * accuracy(goal)
    every = (kept.choosing, kept.teaching)
    found = list(search.walked(goal, every, LEVEL * OWN))
    others = remedies(plan)
    levels = shares(others)
    for name, other in others.items():
        if max(t.mix.new.value for t in found if t.mix.within) >= wanted:
            break
        called = f"{NAME}-{name}"
        run = training.carry_out(search.trip, called, other, search.bundle, teaching(search, other))
        rows = (kept.choosing,) if learns_again(other) else every
        found += search.walked(run, rows, LEVEL * levels[name])
    return found


def accuracy(run: Run) -> float:
    said = run.predictions["validation"]
    return float((said.answers == said.truth).mean())


def shares(names: Iterable[str]) -> dict[str, float]:
    """Of the level, for each remedy: likely ones are tested more generously. They and OWN add up to 1."""
    rest = [name for name in names if name not in SHARES]
    spare = (1 - OWN - sum(SHARES.values())) / max(1, len(rest))
    return SHARES | dict.fromkeys(rest, spare)


def remedies(plan: Plan) -> dict[str, Plan]:
    """Trainings that forget less, the likeliest to help first."""
    gentle = tuple(
        replace(phase, lr=phase.lr * GENTLE) if phase.solver == "adamw" else phase for phase in plan.phases
    )
    return {
        "replay": replace(plan, guards=(*plan.guards, REPLAY)),
        "lwf": replace(plan, guards=(*plan.guards, {"name": "lwf"})),
        "gentle": replace(plan, phases=gentle),
    }


def learns_again(plan: Plan) -> bool:
    """Does it learn from retained rows?"""
    return any(guard["name"] == "replay" for guard in plan.guards)


def teaching(search: Search, plan: Plan) -> Ready:
    """The rows, with what the source knew beside them."""
    rows = search.kept.teaching if learns_again(plan) else None
    return replace(search.ready, retained=Retained(search.source.anatomy, rows))


def shipped(search: Search, taken: Tried, seconds: float) -> Run:
    """The model that was taken, saved, and what it answers. Leaves training/bounded/model."""
    way, mix = taken.way, taken.mix
    way.stand(mix.alpha)
    if taken.solved:
        way.solve(search.ready)
    trip, task = search.trip, task_of(search.bundle)
    run = replace(
        taken.run,
        name=NAME,
        predictions=training.answer(way.model, taken.run.plan, task, search.ready),
        seconds=seconds,
        proofs={"mix": mix.alpha, "way": way.name, "head_solved": taken.solved},
    )
    folder = trip.path("training", NAME)
    training.save_model(way.model, folder / "model")
    scene = Scene(run.plan, task, search.bundle, search.ready, way.model, run=run, saved=folder / "model")
    return replace(run, ticks=proved(scene))


def proved(scene: Scene) -> tuple[Proof, ...]:
    """That the saved model is the one that was measured; the rest was proved of the trainings."""
    ledger = Ledger(NAME)
    for name in set(ledger.open) - {"saved_is_the_same"}:
        ledger.settle(
            name, absent("its weights lie between those of trainings, which have proofs of their own")
        )
    ledger.at("shipped", scene)
    return ledger.ticks


def account(search: Search, found: list[Tried], taken: Tried, goal: Run) -> Bounded:
    """How it was found, in words and numbers."""
    limit, first = search.limit, found[0].mix
    before = scores(search.source, search.kept.choosing.inputs)
    value = limit.of(float(right(before, search.kept.choosing.targets).mean()))
    said = goal.predictions["validation"]
    unbounded = share((said.answers == said.truth).astype(np.float64))
    mix = taken.mix
    saw = (
        f"{len(found)} models on {len({t.mix.path for t in found})} ways, "
        f"{sum(t.mix.within for t in found)} shown to lose less than {limit.text}"
    )
    if mix.alpha == 0:
        so = "nothing of the body could be moved: the source's own features with a new head"
    else:
        so = f"{mix.alpha:.0%} of the way to {mix.path}: the best of them on the new task's validation rows"
    return Bounded(
        limit=limit.text,
        value=value,
        unit="nats" if limit.unit == "nats" else "points",
        mixes=tuple(t.mix for t in found),
        chosen=mix,
        met=mix.alpha > 0,
        unbounded=unbounded,
        why=Reason("forgetting: the best that is shown to be within the limit", saw, so),
        tried=tuple(dict.fromkeys(t.mix.path for t in found)),
        rows=first.lost.n,
        needed=0 if limit.unit == "nats" else rows_needed(value, LEVEL * OWN),
    )
