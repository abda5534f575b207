"""READ FIRST. The whole process on one page, in order.

user's files -> Bundle -> Ranking -> Facts -> Plan -> adapted model -> Runs -> Evidence -> Result -> pages

Each stop takes values and leaves one artefact in the run folder, so that one can look at it, edit plan.yaml
and go on. A stop whose artefact is there already is not done again: that is how an interrupted run continues.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from warmstart.base.errors import WarmstartError
from warmstart.base.events import Tell, nobody
from warmstart.base.files import expanded
from warmstart.base.result import Result
from warmstart.base.tables import checked, from_table
from warmstart.base.types import Bundle, Plan, Ranking, Run
from warmstart.data.clean import Cleaned
from warmstart.data.digits import write_digits
from warmstart.decide.plan_file import read_plan
from warmstart.models.card import ZOO, zoo_names
from warmstart.models.device import CPU, choose, named, repeatable
from warmstart.models.pool import expand
from warmstart.report.read import read_result
from warmstart.serve import label_file
from warmstart.serve.answers import Said, answers
from warmstart.serve.predict import Answer, load
from warmstart.serve.questions import many, questions
from warmstart.serve.wanted import Wanted, wanted
from warmstart.street import (
    baseline,
    budget,
    checking,
    deciding,
    explaining,
    piloting,
    probing,
    racing,
    remembering,
    runner_up,
    stops,
    training,
)
from warmstart.street.asking import refuse, refuse_probes, refuse_seeds, refuse_task
from warmstart.street.folder import (
    Options,
    Trip,
    begin,
    bound,
    is_run,
    keep_options,
    locked,
    must_agree,
    reopen,
    run_folder,
    with_probes,
    with_seeds,
)
from warmstart.street.hands import Hands
from warmstart.street.pages import write_again, write_pages
from warmstart.street.summary import result as summarise
from warmstart.street.texts import ranking

RUNS = Path("runs")


def run(
    data: str | Path,
    *,
    runs: Path = RUNS,
    tell: Tell = nobody,
    allow_change: bool = False,
    cache_limit: str = "",
    processes: int = 1,
    shard: bool = False,
    device: str = "auto",
    **asked: Any,
) -> Result:
    """Select, decide, adapt, tune, evaluate and report; `data` is a file, a folder, a hub id or a run folder.

    `asked` are fields of warmstart.street.folder.Options: models, label, rows, strategy, seed, seeds, ...
    A run folder goes on from its last finished stop, by its plan.yaml; `allow_change` also goes on with a
    training that was begun with another plan, other data or another model. `cache_limit` ("20GB") bounds
    what runs/.cache holds, from now on. Several `processes` train one model together; with `shard` each of
    them holds but a part of weights, gradients and moments. `device` is "auto" (a graphics processor where
    there is one), "cpu", "cuda" or "cuda:1".
    """
    hands = Hands(processes, shard)
    device = hands.device(device)  # refused before a folder is made
    trip = replace(setting_out(data, runs, tell, asked), **walked(hands, device, allow_change))
    with locked(trip), repeatable(choose(trip.device)), hands:
        keep_options(trip)
        bound(trip, cache_limit)
        say_where(trip)
        if (done := finished(trip)) is not None:
            return done
        bundle = stops.read(trip)
        ranking, noticed = racing.run(trip, bundle, *stops.select(trip, bundle))
        ready = training.prepare(trip, bundle, deciding.opened(trip, bundle, ranking))
        facts, tried = piloting.facts_of(trip, bundle, ranking, ready)
        plan, options = deciding.decide(trip, facts, ranking)
        every = {plan.strategy: plan, **training.rival_plans(plan, facts)}
        ready = remembering.with_rows(trip, plan, bundle, ready)
        plans, dear = budget.affordable(every, facts, plan.strategy, trip.options.seeds)
        arms = training.carry_out_all(trip, plans, bundle, ready)  # name -> its runs, one for each seed
        base = training.base_run(trip, plan, bundle, ready)
        arms |= {} if base is None else {"base": (base,)}
        unaided, absent = baseline.baseline_run(trip, stops.task_of(bundle), bundle, ranking, plan.seed)
        arms |= {name: (run,) for name, run in unaided.items()}
        arms |= runner_up.runner_up(trip, bundle, ranking, plan)
        kept = remembering.kept(trip, plan, arms, bundle, ready)
        arms, evidence = kept.arms, remembering.weighed(kept, plan, bundle)
        ranking = runner_up.checked_by(ranking, plan, evidence)
        probed = probing.probe(trip, arms, plan, facts, bundle, ranking, ready)
        findings = (*bundle.findings, *noticed, *tried, *ready.findings, *dear, *absent)
        evidence = explaining.explain(evidence, arms, bundle, facts, findings, probed)
        everything = summarise(
            trip, bundle, ranking, facts, plan, options, arms, evidence, findings, probed, kept.forgetting
        )
        write_pages(trip, everything, evidence)
    return everything


def check(data: str | Path, *, runs: Path | None = None, tell: Tell = nobody, **asked: Any) -> Bundle:
    """Read the data, split it and look for trouble; without `runs` no folder is left behind.

    With `models` (or "default": those that a run would take) labels that features speak against are looked
    for as well. The findings of all are the bundle's, worst first.
    """
    with TemporaryDirectory(prefix="warmstart-", ignore_cleanup_errors=True) as passing:
        trip = setting_out(data, runs or Path(passing), tell, asked)
        with locked(trip):
            bundle = checking.checked(trip, stops.read(trip), passing=runs is None)
            len(bundle.rows)  # mapped now, they outlive their file
    return bundle


def clean(data: str | Path, out: str | Path, *, checked: Path | None = None, **asked: Any) -> Cleaned:
    """A cleaned copy of the data in the new folder `out`; `checked` is the run folder of their check."""
    return checking.cleaned(str(data), plainly(asked), expanded(out), checked)


def rank(
    data: str | Path,
    *,
    runs: Path = RUNS,
    tell: Tell = nobody,
    cache_limit: str = "",
    device: str = "auto",
    **asked: Any,
) -> Ranking:
    """The candidates from best to worst, measured on the user's own rows.

    rank("chats.jsonl", task="chat", models=["one", "other"])  # language models, by bits per byte
    rank("reviews.csv", models="models/", race=3)  # and try the first three by short trainings
    """
    tried = bool(asked.get("race"))
    device = str(choose(device))  # refused before a folder is made
    trip = replace(setting_out(data, runs, tell, asked, ranking=not tried), device=device)
    with locked(trip), repeatable(choose(trip.device)):
        bound(trip, cache_limit)
        say_where(trip)
        found, noticed = ranking(trip)
        return racing.run(trip, stops.read(trip), found, noticed)[0] if tried else found


def plan(
    data: str | Path,
    *,
    runs: Path = RUNS,
    tell: Tell = nobody,
    cache_limit: str = "",
    device: str = "auto",
    **asked: Any,
) -> tuple[Plan, Path]:
    """The plan, and the run folder in which it lies as plan.yaml to be looked at, edited and run."""
    device = str(choose(device))  # refused before a folder is made
    trip = replace(setting_out(data, runs, tell, asked), device=device)
    with locked(trip), repeatable(choose(trip.device)):
        bound(trip, cache_limit)
        say_where(trip)
        bundle = stops.read(trip)
        ranking, _ = racing.run(trip, bundle, *stops.select(trip, bundle))
        ready = training.prepare(trip, bundle, deciding.opened(trip, bundle, ranking))
        facts, _ = piloting.facts_of(trip, bundle, ranking, ready)
        decided, _ = deciding.decide(trip, facts, ranking)
    return decided, trip.folder


def tune(
    folder: str | Path,
    *,
    tell: Tell = nobody,
    allow_change: bool = False,
    cache_limit: str = "",
    processes: int = 1,
    shard: bool = False,
    device: str = "auto",
) -> Run:
    """Carry out the plan.yaml of a run folder: adapt and tune, no rivals."""
    hands = Hands(processes, shard)
    trip = replace(reopen(run_folder(folder), tell), **walked(hands, hands.device(device), allow_change))
    with locked(trip), repeatable(choose(trip.device)), hands:
        bound(trip, cache_limit)
        say_where(trip)
        bundle = stops.read(trip)
        ranking, _ = racing.run(trip, bundle, *stops.select(trip, bundle))
        ready = training.prepare(trip, bundle, deciding.opened(trip, bundle, ranking))
        facts, _ = piloting.facts_of(trip, bundle, ranking, ready)
        decided, _ = deciding.decide(trip, facts, ranking)
        return training.carry_out(trip, decided.strategy, decided, bundle, ready)


def prove(
    folder: str | Path,
    *,
    tell: Tell = nobody,
    allow_change: bool = False,
    cache_limit: str = "",
    processes: int = 1,
    shard: bool = False,
    device: str = "auto",
    seeds: int = 0,
    probes: Sequence[str] = (),
) -> Result:
    """Train the rivals of a run folder's plan, compare on the test rows and write the report.

    With `seeds` plan and rivals are trained so many times; what was trained already counts as the first.
    0: as many as the folder was begun with. `probes` ("labels", "weights") also say what more labels, and the
    pretrained weights, are worth, for some trainings more.
    """
    begun = reopen(run_folder(folder)).folder
    return run(
        begun,
        tell=tell,
        allow_change=allow_change,
        cache_limit=cache_limit,
        processes=processes,
        shard=shard,
        device=device,
        seeds=seeds or None,
        probes=probes,
    )


def report(folder: str | Path, form: str = "html") -> tuple[Result, Path]:
    """Write a page of a finished run again; returns what it shows and where it lies."""
    return write_again(folder, form)


def predict(folder: str | Path, what: str | Sequence[str], device: str = "auto") -> list[tuple[str, Answer]]:
    """What a finished run answers to texts, pictures, or each row of a table; with the name of each.

    A picture that cannot be read among others has an empty answer.
    """
    words = [what] if isinstance(what, str) else what
    return [(said.name, said.answer) for said in ask(folder, words, device)]


def ask(folder: str | Path, what: Sequence[str], device: str = "auto") -> list[Said]:
    """The same with the labels that a table gives, and why something cannot be answered."""
    predictor = load(run_folder(folder), device)
    asked = [q for word in what for q in questions(str(word), predictor.task.modality, predictor.learned)]
    return answers(predictor, asked)


def label(
    folder: str | Path, what: str | Sequence[str], *, count: int = 100, device: str = "auto"
) -> tuple[list[Wanted], Path]:
    """The rows of `what` whose labels would teach most, and label_next.csv of the run folder with them.

    label("runs/reviews-1", "unlabelled.csv", count=50)
    """
    place = run_folder(folder)
    predictor = load(place, device)
    words = [what] if isinstance(what, str) else what
    asked = [q for word in words for q in many(str(word), predictor.task.modality, predictor.learned)]
    rows = wanted(predictor, asked, count)
    return rows, label_file.write(predictor, rows, place)


def demo(
    runs: Path = RUNS, labels: Sequence[int] = (5, 20, 100), seed: int = 0, tell: Tell = nobody
) -> list[Result]:
    """The whole street on real handwritten digits with few labels, from three tiny models of the zoo."""
    models = tuple(f"{ZOO}{name}" for name in zoo_names())
    folders = [digits(runs / "data", count, seed) for count in labels]
    with one_thread():
        return [run(data, runs=runs, tell=tell, models=models, seed=seed) for data in folders]


@contextmanager
def one_thread() -> Iterator[None]:
    """For networks so small that a second thread costs more than it gives."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):  # those of numpy and scikit-learn
            yield
    finally:
        torch.set_num_threads(before)


def digits(place: Path, per_class: int, seed: int) -> Path:
    """The folder with the demo's pictures, written whole or not at all."""
    folder = place / f"digits-{per_class}-labels{f'-seed-{seed}' if seed else ''}"
    if not folder.is_dir():
        draft = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            write_digits(draft, per_class, seed).rename(folder)
        except (FileExistsError, NotADirectoryError):
            wrong = f"{place}: there is a file in the way of this folder"
            raise WarmstartError(wrong, "give another place with --out", "no-folder", 5) from None
    return folder


def setting_out(
    data: str | Path, runs: Path, tell: Tell, asked: Mapping[str, Any], ranking: bool = False
) -> Trip:
    """A new trip, or the one that a run folder has begun."""
    given = plainly(asked)
    if is_run(run_folder(data)):
        trip = reopen(run_folder(data), tell)
        must_agree(trip, {name: value for name, value in given.items() if name not in ("seeds", "probes")})
        if not ranking:
            refuse_task(trip.options)
        refuse_probes(given.get("probes", ()))
        trip = with_probes(trip, given.get("probes", ()))
        return with_seeds(trip, seeds_of(given)) if "seeds" in given else trip
    options = from_table(Options, {"data": str(data), **given}, "warmstart")
    refuse(options, ranking)
    return begin(options, Path(runs), tell)


def seeds_of(given: Mapping[str, Any]) -> int:
    """How many seeds are asked for."""
    seeds: int = checked(int, given["seeds"], "seeds")
    refuse_seeds(seeds)
    return seeds


def say_where(trip: Trip) -> None:
    """That a GPU is used, or that there is one which several processes leave alone."""
    if torch.cuda.is_available():
        idle = "a GPU is there; several processes train on CPUs alone so far"
        used = f"computing on {named(choose(trip.device))} ({trip.device})"
        several = trip.hands is not None and trip.hands.size > 1
        if several or trip.device != CPU:
            trip.tell({"event": "note", "what": idle if several else used})


def walked(hands: Hands, device: str, allow_change: bool) -> dict[str, Any]:
    """How a trip is made."""
    return {"hands": hands, "device": device, "allow_change": allow_change}


def plainly(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for and is not empty: paths as text, one model or a folder of models like several.

    "labels,weights" are two probes.
    """
    given = {name: str(value) if isinstance(value, Path) else value for name, value in asked.items()}
    if "models" in given:
        models = given["models"] or ()
        named = (models,) if isinstance(models, str) else map(str, models)
        given["models"] = tuple(model for name in named for model in expand(name))
    if "probes" in given:
        probes = given["probes"] or ()
        given["probes"] = tuple(probes.split(",") if isinstance(probes, str) else map(str, probes))
    return {name: value for name, value in given.items() if value not in (None, "", (), [])}


def finished(trip: Trip) -> Result | None:
    """The result that lies in the folder already, if it is of the plan that lies there, and whole."""
    if not all(trip.path(name).exists() for name in ("result.json", "plan.yaml", "model")):
        return None
    result = read_result(trip.path("result.json"))
    same = replace(result.plan, reasons=()) == read_plan(trip.path("plan.yaml"))
    all_there = result.seeds == trip.options.seeds and probing.answered(result, trip.options.probes)
    return result if same and all_there else None
