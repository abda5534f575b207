"""Adapt and tune one plan, and ask the tuned model about every split: the plan and its rivals alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.adapt.apply import apply
from warmstart.adapt.describe import describe
from warmstart.adapt.edits._labels import match
from warmstart.adapt.merge import merge_adapters
from warmstart.base.files import write_text
from warmstart.base.seeds import generator
from warmstart.base.tables import to_table
from warmstart.base.types import Bundle, Facts, Finding, Phase, Plan, Predictions, Run
from warmstart.decide.choose import patient, plan_for
from warmstart.models.config import quiet
from warmstart.models.inputs import Some
from warmstart.models.load import Pretrained, load
from warmstart.models.precision import AUTO
from warmstart.models.whole import whole_folder
from warmstart.street import again, kept
from warmstart.street.folder import Trip
from warmstart.street.precision import settle
from warmstart.street.proofs._ledger import Ledger
from warmstart.street.proofs._tick import Scene
from warmstart.street.stops import task_of
from warmstart.tune.check import batch_statistics, steps
from warmstart.tune.crew import ALONE, Crew
from warmstart.tune.finite import check_answers
from warmstart.tune.guards import GUARDS
from warmstart.tune.job import Split
from warmstart.tune.loop import Trained, tune
from warmstart.tune.memory import Limits, logits_in_parts
from warmstart.tune.trunk import Keeping

RIVALS = ("frozen", "scratch")
ADAPTERS = ("lora",)  # edits that only help to train: the finished network has its shape without them
LEARNED_FROM = ("train", "validation")
SPLITS = (*LEARNED_FROM, "test")
TRAIN_SAMPLE = 1000  # training rows that the finished model is asked about
AGAIN = "again"  # folder of a second try


@dataclass(frozen=True)
class Ready:
    """The rows of every split as a model reads them."""

    splits: Mapping[str, Split]
    numbers: Mapping[str, tuple[int, ...]]
    precision: str  # "fp32" or "bf16", where a plan leaves it open
    findings: tuple[Finding, ...]


def prepare(trip: Trip, bundle: Bundle, pretrained: Pretrained, names: Sequence[str] = SPLITS) -> Ready:
    """Tokenise or decode every split, or those named, once; the plan and its rivals share it."""
    numbers = {name: bundle.split(name) for name in names}
    splits, findings = {}, []
    for name in names:
        splits[name], noticed = split_of(trip, bundle, pretrained, name)
        findings += [replace(f, what=f"{name}: {f.what}") for f in noticed]
    precision = settle(trip, pretrained, splits["train"].inputs)
    return Ready(splits, numbers, precision, tuple(findings))


def split_of(trip: Trip, bundle: Bundle, pretrained: Pretrained, name: str) -> tuple[Split, list[Finding]]:
    """The rows of a split as the model reads them, and what was noticed on the way."""
    task, numbers = task_of(bundle), bundle.split(name)
    inputs, noticed = task.inputs(pretrained, bundle, numbers, trip.cache)
    return Split(inputs, task.targets(bundle, numbers), naming(bundle, numbers)), noticed


def naming(bundle: Bundle, numbers: Sequence[int]) -> Callable[[int], str]:
    """What the user calls a row of a split: the file and line that it came from."""
    return lambda place: str(bundle.rows.take([numbers[place]])[0]["_where"])


def rival_plans(plan: Plan, facts: Facts) -> dict[str, Plan]:
    """By name: scratch and frozen beside the plan, full too beside a frozen one; same seed and guards.

    A rival that is the plan itself is left out; one that merely shares its name is called "<name>-default".
    A plan that was made longer or shorter than the rule has it makes learning from scratch so too.
    """
    share = effort(plan) / effort(plan_for(plan.strategy, facts, plan.model, seed=plan.seed))
    fair = tuple(g for g in plan.guards if GUARDS.get(g["name"]).mitigates == "overfitting")
    found = {}
    for name in ["full", *RIVALS] if plan.strategy == "frozen" else RIVALS:
        rival = fair_rival(plan_for(name, facts, plan.model, seed=plan.seed), plan, fair)
        if not rival.pretrained and name != plan.strategy:
            rival = replace(rival, phases=longer(rival.phases, share))
        if replace(rival, reasons=()) != replace(plan, reasons=()):
            found[f"{name}-default" if name == plan.strategy else name] = rival
    return found


def effort(plan: Plan) -> int:
    """Epochs in which a plan takes steps; 1 where it takes none."""
    return sum(phase.epochs for phase in plan.phases if phase.solver == "adamw") or 1


def longer(phases: tuple[Phase, ...], share: float) -> tuple[Phase, ...]:
    """The same phases with so many times the epochs."""
    return tuple(replace(phase, epochs=max(1, round(phase.epochs * share))) for phase in phases)


def fair_rival(rival: Plan, plan: Plan, guards: tuple[dict[str, Any], ...]) -> Plan:
    """The rival with the plan's batches and guards; from scratch also with the plan's network."""
    shape = rival.edits if rival.pretrained else tuple(e for e in plan.edits if e["name"] not in ADAPTERS)
    return replace(
        rival,
        edits=shape,
        guards=patient(guards, rival.phases, rival.pretrained),
        batch=plan.batch,
        micro_batch=plan.micro_batch,
    )


def carry_out_all(
    trip: Trip, plans: Mapping[str, Plan], bundle: Bundle, ready: Ready
) -> dict[str, tuple[Run, ...]]:
    """Every plan once for each seed: all with the first, then all with the next."""
    arms: dict[str, tuple[Run, ...]] = dict.fromkeys(plans, ())
    for number in range(trip.options.seeds):
        for name, plan in plans.items():
            again = replace(plan, seed=plan.seed + number)
            arms[name] += (carry_out(trip, called(name, again, number), again, bundle, ready),)
    return arms


def called(name: str, plan: Plan, number: int) -> str:
    """What the run of a plan's seed is called: "full", then "full-seed-1", "full-seed-2"."""
    return f"{name}-seed-{plan.seed}" if number else name


def carry_out(trip: Trip, name: str, plan: Plan, bundle: Bundle, ready: Ready) -> Run:
    """Train by `plan` and ask about every split; where it collapses, once more at lower rates.

    Leaves training/<name>/ with the model and its answers.
    """
    folder, mark = trip.path("training", name), kept.fingerprint(plan, bundle)
    done = kept.read_run(folder, mark)
    if done is not None:
        return done
    if (folder / "run.json").is_file():  # of another plan, or damaged
        shutil.rmtree(folder)
    run = attempt(trip, name, plan, bundle, ready, name)
    if again.worth(trip, run):
        trip.tell({"event": "note", "what": again.announced(run, bundle)})
        run = twice(trip, run, bundle, ready)
    kept.write_run(folder, run, mark)
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    shutil.rmtree(folder / AGAIN, ignore_errors=True)
    return run


def twice(trip: Trip, first: Run, bundle: Bundle, ready: Ready) -> Run:
    """The better of a run and of a second try at lower rates; its model is that of the run's folder."""
    folder = trip.path("training", first.name)
    second = attempt(trip, first.name, again.slower(first.plan), bundle, ready, f"{first.name}/{AGAIN}")
    run = again.better(first, second)
    if run.plan == second.plan:
        shutil.rmtree(folder / "model")
        (folder / AGAIN / "model").rename(folder / "model")
    return run


def attempt(trip: Trip, name: str, plan: Plan, bundle: Bundle, ready: Ready, place: str) -> Run:
    """Train once by `plan`, with all its proofs. Leaves the model in training/<place>/."""
    folder, task, ledger = trip.path("training", place), task_of(bundle), Ledger(name)
    started = load_for(trip, plan, task.modality)
    adapted = apply(started, plan.edits, bundle.labels, plan.seed)
    anatomy = describe(started.anatomy, adapted.pretrained.anatomy, plan, adapted.notes)
    write_text(folder / "anatomy.txt", anatomy)
    scene = Scene(plan, task, bundle, ready, adapted.pretrained)
    ledger.at("begun", replace(scene, source=started))
    del started  # on a GPU another copy of the weights is dear
    trained = learn(trip, name, adapted.pretrained, plan, bundle, ready, place)
    ledger.at("learned", scene)
    finished = merge_adapters(adapted.pretrained)
    run = Run(
        name=name,
        plan=plan,
        predictions=answer(finished, plan, task, ready),
        seconds=trained.seconds,
        parameters=finished.parameters,
        trained_parameters=trained.trained_parameters,
        steps=trained.steps,
        history=trained.history,
        proofs={**trained.proofs, "precision": precision_of(plan, ready), "notes": list(adapted.notes)},
    )
    save_model(finished, folder / "model")
    ledger.at("shipped", replace(scene, model=finished, run=run, saved=folder / "model"))
    saved = ledger.settled["saved_is_the_same"].seen
    return replace(run, proofs={**run.proofs, "saved_equals_measured": saved}, ticks=ledger.ticks)


def learn(
    trip: Trip, name: str, pretrained: Pretrained, plan: Plan, bundle: Bundle, ready: Ready, place: str = ""
) -> Trained:
    """Tune in place; a plan without phases leaves the model as it is.

    Checkpoints lie in training/<place>/, or where no place is given in training/<name>/.
    """
    if not plan.phases:
        return Trained(0.0, 0, 0, (), {})
    trip.tell({"event": "stop", "stop": "tune", "what": name})

    def tell(event: dict[str, Any]) -> None:
        trip.tell({"run": name, **event})

    splits = {n: ready.splits[n] for n in LEARNED_FROM}
    plan, place = replace(plan, precision=precision_of(plan, ready)), place or name
    with helped(trip, name, place, plan, pretrained) as crew:
        return tune(pretrained, plan, task_of(bundle), splits, keeping(trip, place), tell, crew)


def helped(
    trip: Trip, name: str, place: str, plan: Plan, pretrained: Pretrained
) -> AbstractContextManager[Crew]:
    """The processes that this training is divided among, where there are several and it can be."""
    if trip.hands is None or trip.hands.size == 1 or not steps(plan):
        return nullcontext(ALONE)
    if batch_statistics(plan, pretrained.anatomy):
        what = f"{name} learns in one process: its norms need all rows of a batch together"
        trip.tell({"event": "note", "what": f"{what} (norm_statistics: learn)"})
        return nullcontext(ALONE)
    order = {
        "folder": str(trip.folder.absolute()),
        "name": place,
        "plan": to_table(replace(plan, reasons=())),
    }
    return trip.hands.at({**order, "allow_change": trip.allow_change})


def keeping(trip: Trip, name: str) -> Keeping:
    """Where a training keeps activations and checkpoints."""
    checkpoints = trip.path("training", name, "checkpoints")
    return Keeping(trip.cache, checkpoints=checkpoints, allow_change=trip.allow_change)


def precision_of(plan: Plan, ready: Ready) -> str:
    return ready.precision if plan.precision == AUTO else plan.precision


def base_run(trip: Trip, plan: Plan, bundle: Bundle, ready: Ready) -> Run | None:
    """The pretrained model as it came, where its own head knows all the user's classes."""
    plain = replace(
        plan, strategy="base", pretrained=True, edits=({"name": "new_head"},), phases=(), guards=()
    )
    started = load_for(trip, plain, task_of(bundle).modality)
    if len(match(bundle.labels, started.labels)) < len(bundle.labels):
        return None
    return carry_out(trip, "base", plain, bundle, ready)


def load_for(trip: Trip, plan: Plan, modality: str) -> Pretrained:
    assert plan.model is not None
    model, allow_pickle = trip.locate(plan.model), trip.options.allow_pickle
    return load(
        model,
        modality,
        weights=plan.pretrained,
        seed=plan.seed,
        allow_pickle=allow_pickle,
        device=trip.device,
    )


def answer(pretrained: Pretrained, plan: Plan, task: Any, ready: Ready) -> dict[str, Predictions]:
    """What the model says about validation and test rows and a sample of the training rows."""
    chosen = {name: sample(name, len(ready.splits[name]), plan.seed) for name in SPLITS}
    out, limits = {}, Limits()
    for name, places in chosen.items():
        split = ready.splits[name]
        logits = logits_in_parts(pretrained.anatomy, Some(split.inputs, places), 0, limits)
        check_answers(split, places, logits)
        rows = np.asarray(ready.numbers[name], np.int64)[places]
        out[name] = Predictions(rows, split.targets.numpy()[places], task.probabilities(logits))
    return out


def sample(name: str, rows: int, seed: int) -> NDArray[np.int64]:
    """Places of the rows of a split that a finished run is asked about: of many training rows some."""
    if name != "train" or rows <= TRAIN_SAMPLE:
        return np.arange(rows)
    return np.sort(generator(seed, "train-sample").choice(rows, TRAIN_SAMPLE, replace=False))


def save_model(pretrained: Pretrained, folder: Path) -> None:
    """A plain folder of transformers, written whole or not at all."""
    shutil.rmtree(folder, ignore_errors=True)
    with whole_folder(folder) as draft, quiet():
        pretrained.module.save_pretrained(draft)
        pretrained.processor.save_pretrained(draft)
