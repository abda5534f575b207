"""From what the stops found out to the Result that every report and `--json` shows."""

from __future__ import annotations

import base64
import io
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

import warmstart
from warmstart.base.forgetting import Forgetting
from warmstart.base.probed import Probed
from warmstart.base.result import Confusion, Mistake, RankedModel, Reproduce, Result, RunSummary
from warmstart.base.types import (
    Bundle,
    Evidence,
    Facts,
    Finding,
    Option,
    Plan,
    Ranking,
    Run,
    Scored,
    SeedScore,
)
from warmstart.data.bundle import summary as data_summary
from warmstart.data.images import open_image
from warmstart.decide.expect import expected
from warmstart.evaluate.arms import best_seed
from warmstart.evaluate.calibrate import calibrated
from warmstart.street import again
from warmstart.street.budget import elapsed
from warmstart.street.charting import chart
from warmstart.street.deciding import command
from warmstart.street.folder import Trip
from warmstart.street.proofs._gather import findings as failed
from warmstart.street.proofs._gather import gathered
from warmstart.street.silent import silent

MISTAKES = 20
THUMBNAIL = 160  # pixels of the longer side
SHOWN_TEXT = 600  # characters
VERSIONS = ("torch", "transformers", "numpy", "scikit-learn", "pyarrow")


def result(
    trip: Trip,
    bundle: Bundle,
    ranking: Ranking,
    facts: Facts,
    plan: Plan,
    options: Sequence[Option],
    arms: Mapping[str, Sequence[Run]],
    evidence: Evidence,
    findings: Sequence[Finding],
    probed: Probed,
    forgetting: Forgetting | None = None,
) -> Result:
    """Everything in one value."""
    every = [run for arm in arms.values() for run in arm]
    recommended = best_seed(arms[evidence.recommended])
    counts = confusion(recommended, bundle.labels)
    return Result(
        run=str(trip.folder),
        version=warmstart.__version__,
        created=trip.created,
        seconds=elapsed(trip),
        task=bundle.task,
        verdict=evidence.verdict,
        headline=evidence.headline,
        recommended=evidence.recommended,
        why=evidence.why,
        primary=evidence.primary,
        data=data_summary(bundle),
        score=ranking.score,
        ranking=tuple(map(ranked, ranking.scored)),
        ranking_reasons=ranking.reasons,
        plan=plan,
        considered=tuple(options),
        anatomy=trip.path("training", plan.strategy, "anatomy.txt").read_text(encoding="utf-8"),
        runs={name: run_summary(name, arm, evidence, plan) for name, arm in arms.items()},
        gains=evidence.gains,
        overfitting=evidence.overfitting,
        detectable=evidence.detectable,
        confusion=counts,
        mistakes=mistakes(recommended, bundle),
        findings=(*told(every), *silent(counts, evidence.recommended), *findings),
        proofs=proofs(every, facts),
        reproduce=reproduce(trip, command(trip, facts, ranking, plan) + device_flag(trip), plan),
        baseline=ranking.baseline,
        race=ranking.race,
        facts=facts,
        expected=expected(facts),
        chart=chart(facts, plan.model),
        seeds=trip.options.seeds,
        shipped=next(
            (s for s in evidence.seeds.get(evidence.recommended, ()) if s.run == recommended.name), None
        ),
        labels=probed.labels,
        weights=probed.weights,
        forgetting=forgetting,
        ticks=gathered(every),
        random_labels=probed.random_labels,
        calibration=calibrated(recommended, plan.seed),
    )


def told(runs: Sequence[Run]) -> tuple[Finding, ...]:
    """Proofs that fail, and trainings that collapsed and were tried again."""
    return (*failed(runs), *(found for run in runs for found in again.finding(run)))


def ranked(scored: Scored) -> RankedModel:
    known = scored.candidate
    return RankedModel(
        name=known.name,
        source=known.source,
        score=scored.score.value,
        low=scored.score.low,
        high=scored.score.high,
        accuracy=scored.accuracy,
        opinions=scored.opinions,
        depths=scored.depths,
        parameters=known.parameters,
        prior=scored.prior,
        licence=known.licence,
        seconds=scored.seconds,
        scored=scored.score.n > 0,
        source_task=known.source_task,
        bytes=known.bytes,
        pace=scored.pace,
    )


def run_summary(name: str, arm: Sequence[Run], evidence: Evidence, plan: Plan) -> RunSummary:
    run, seeds = best_seed(arm), evidence.seeds.get(name, ())
    said = run.predictions["train"]
    return RunSummary(
        metrics=evidence.metrics[name],
        train_accuracy=float((said.answers == said.truth).mean()),
        seconds=float(np.mean([one.seconds for one in arm])),
        parameters=run.parameters,
        trained_parameters=run.trained_parameters,
        steps=run.steps,
        history=run.history,
        baseline=run.baseline,
        seeds=seeds,
        spread=spread(seeds),
        start=run.plan.model if run.plan.model and run.plan.model != plan.model else "",
        ticks=run.ticks,
    )


def spread(seeds: Sequence[SeedScore]) -> dict[str, float]:
    """The standard deviation of each metric over the seeds."""
    names = seeds[0].metrics if seeds else ()
    return {name: float(np.std([s.metrics[name].value for s in seeds], ddof=1)) for name in names}


def confusion(run: Run, labels: tuple[str, ...]) -> Confusion:
    said = run.predictions["test"]
    matrix = np.zeros((len(labels), len(labels)), int)
    np.add.at(matrix, (said.truth, said.answers), 1)
    return Confusion(labels, tuple(tuple(map(int, row)) for row in matrix))


def mistakes(run: Run, bundle: Bundle) -> tuple[Mistake, ...]:
    """Wrong test rows, those first to which the wrong answer was given most surely."""
    said = run.predictions["test"]
    wrong = np.flatnonzero(said.answers != said.truth)
    sure = said.probabilities.max(1)
    worst = sorted(wrong, key=lambda i: -sure[i])[:MISTAKES]
    rows = bundle.rows.take([int(said.rows[i]) for i in worst])
    return tuple(
        Mistake(
            where=str(row["_where"]),
            truth=bundle.labels[said.truth[i]],
            predicted=bundle.labels[said.answers[i]],
            probability=float(sure[i]),
            text=str(row[bundle.roles["text"]])[:SHOWN_TEXT] if "text" in bundle.roles else "",
            image=thumbnail(row[bundle.roles["image"]]) if "image" in bundle.roles else "",
        )
        for i, row in zip(worst, rows, strict=True)
    )


def thumbnail(value: Any) -> str:
    """A small JPEG as a data URI; tiny pictures are enlarged without smoothing, so that they can be seen."""
    from PIL import Image

    image = open_image(value)
    longest = max(image.size)
    if longest < THUMBNAIL // 2:
        factor = THUMBNAIL // 2 // longest
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def proofs(runs: Sequence[Run], facts: Facts) -> dict[str, Any]:
    """Checks that held, by run; the accuracy of the most frequent answer and of the probe beside them."""
    held = {f"{key} ({run.name})": value for run in runs for key, value in run.proofs.items()}
    held = {k: v for k, v in held.items() if not k.startswith(("notes", "prefix_cached", "kept_look"))}
    said = runs[0].predictions["test"].truth
    return {
        **held,
        "floor_accuracy": float(np.bincount(said).max() / len(said)),
        **({"probe_accuracy": facts.probe} if facts.measured else {}),
    }


def device_flag(trip: Trip) -> str:
    """What the command line has to say of the device: nothing where it would be the same."""
    from warmstart.models.device import choose

    return "" if trip.device in ("auto", str(choose())) else f" --device {trip.device}"


def reproduce(trip: Trip, words: str, plan: Plan) -> Reproduce:
    import torch

    from warmstart.models.device import choose, named

    versions = {"python": platform.python_version(), "warmstart": warmstart.__version__}
    machine = {
        "system": f"{platform.system()} {platform.machine()}",
        "threads": str(torch.get_num_threads()),
        "accelerator": named(choose(trip.device)),
    }
    return Reproduce(words, plan.seed, versions | {n: version(n) for n in VERSIONS}, machine)
