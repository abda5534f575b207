"""Results as a finished run leaves them, built from seeded numbers: what the report's tests are fed with."""

from base64 import b64encode
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from warmstart.base.calibrated import Bin, Calibrated, Reliability
from warmstart.base.probed import (
    Dependency,
    Expected,
    Growth,
    LabelBudget,
    Learned,
    RandomLabels,
    Several,
    Start,
    Target,
    Worth,
)
from warmstart.base.result import (
    ClassCount,
    Confusion,
    DataSummary,
    Mistake,
    RankedModel,
    Reproduce,
    Result,
    RunSummary,
)
from warmstart.base.types import (
    Cause,
    Entrant,
    Finding,
    Gain,
    Lap,
    Measure,
    Onset,
    Option,
    Overfitting,
    Phase,
    Plan,
    Proof,
    Race,
    Reason,
    SeedScore,
)

TOPICS = (
    "arts",
    "business",
    "crime",
    "education",
    "health",
    "politics",
    "science",
    "sport",
    "travel",
    "weather",
)
HEADLINES = {
    "worth it": "Worth it: the full run answers 91.6 % of 500 test rows correctly, 37.5 points more than "
    "learning from scratch (95 % interval 33.1 to 41.6).",
    "not worth it": "Not worth it: the frozen run answers 88.2 % of 500 test rows correctly, 0.2 points less "
    "than learning from scratch (95 % interval −0.9 to +0.5); a gain of 1.0 points or more is ruled out.",
    "cannot tell": "Cannot tell: the full run answers 91.6 % of 500 test rows correctly, 1.2 points more "
    "than learning from scratch (95 % interval 1.9 less to 4.3 more); only true differences from 3.1 points "
    "up are likely to show on these rows.",
}
WORDS = (
    "the",
    "of",
    "report",
    "market",
    "team",
    "season",
    "court",
    "minister",
    "study",
    "rain",
    "coast",
    "price",
)
QUALITY = {"full": 0.916, "frozen": 0.882, "scratch": 0.541, "base": 0.118}


def example(
    classes: int = 10,
    verdict: str = "worth it",
    images: bool = False,
    findings: int = 4,
    base: bool = True,
    mistakes: int = 12,
    candidates: int = 3,
    seed: int = 0,
) -> Result:
    """A Result with everything in it: `candidates` ranked, runs full, frozen, scratch and perhaps base."""
    random = np.random.default_rng(seed)
    labels = (
        TOPICS[:classes]
        if classes <= len(TOPICS)
        else tuple(f"intent_{i:02}_{TOPICS[i % 10]}" for i in range(classes))
    )
    confusion = _confusion(random, labels)
    runs = {
        name: _run(random, name, q, rows(confusion)) for name, q in QUALITY.items() if base or name != "base"
    }
    recommended = "frozen" if verdict == "not worth it" else "full"
    return Result(
        run="runs/topics-3",
        version="0.1.0",
        created="2026-03-14T09:26:53Z",
        seconds=412.7,
        task="image_classification" if images else "text_classification",
        verdict=verdict,
        headline=HEADLINES[verdict],
        recommended=recommended,
        why=Reason(
            "lowest validation log-loss, or a cheaper run within one standard error of it",
            "validation log-loss on 489 rows: full 0.293, frozen 0.376 (+0.083, standard error 0.021)",
            recommended,
        ),
        primary="accuracy",
        data=_data(random, confusion, images),
        score="probe",
        ranking=_ranking(random, candidates),
        ranking_reasons=(
            Reason(
                "highest out-of-fold score",
                "minilm-l6 −0.412, bert-tiny −0.533",
                "minilm-l6 is the best start",
            ),
            Reason(
                "second opinions",
                "logme and knn agree; the prior had bert-base first",
                "the order is trusted",
            ),
        ),
        plan=_plan(),
        considered=_considered(),
        anatomy=_ANATOMY,
        runs=runs,
        gains=_gains(random, runs, recommended),
        overfitting={name: _overfitting(run) for name, run in runs.items()},
        detectable=0.031,
        confusion=confusion,
        mistakes=tuple(_mistake(random, labels, images, i) for i in range(mistakes)),
        findings=_findings(findings),
        proofs={
            "saved_model_answers_the_same": True,
            "frozen_unmoved": True,
            "test_rows_unseen": True,
            "largest_difference": 2.4e-7,
        },
        reproduce=_reproduce(),
        ticks=TICKS,
        race=_race(_ranking(np.random.default_rng(seed), candidates)),
    )


TICKS = (
    Proof(
        "loss_by_hand",
        True,
        "The loss is the cross-entropy: 4 rows together, and by hand (scratch)",
        4.7e-8,
        1e-4,
    ),
    Proof(
        "merged_is_the_same", None, "Merged adapters answer as unmerged ones: does not apply, there are none"
    ),
    Proof(
        "unseen_in_training",
        True,
        "No test row was seen in training: 400 test rows; those in both (full)",
        0,
        0,
    ),
)


def several_seeds() -> Result:
    """The example as five seeds leave it; the model of the fourth is shipped."""
    plain = example()
    runs = {
        name: replace(run, seeds=_seeds(name, run), spread={"accuracy": 0.013})
        for name, run in plain.runs.items()
    }
    runs["base"] = plain.runs["base"]  # nothing was trained
    gains = {
        name: replace(
            gain,
            p_holm=min(1.0, 2 * gain.p),
            by_seed=tuple(replace(s.metrics["accuracy"], value=gain.value) for s in runs["full"].seeds),
            p_seeds=0.004,
            p_signs=1 / 32,
        )
        for name, gain in plain.gains.items()
    }
    headline = "Worth it: over 5 seeds " + plain.headline.removeprefix("Worth it: ")
    return replace(plain, runs=runs, gains=gains, seeds=5, shipped=runs["full"].seeds[3], headline=headline)


def _seeds(name: str, run: RunSummary) -> tuple[SeedScore, ...]:
    scores = []
    for seed in range(5):
        own = {k: replace(m, value=m.value + 0.001 * (seed - 2)) for k, m in run.metrics.items()}
        folder = f"{name}-seed-{seed}" if seed else name
        scores.append(SeedScore(seed, folder, own, 0.3 + 0.01 * abs(seed - 3)))
    return tuple(scores)


def probed() -> Result:
    """The example with what labels and the pretrained weights are worth."""
    return replace(example(), labels=labels(), weights=weights())


def refused() -> Result:
    """The example with probes that found nothing to say."""
    falls = Reason(
        "learning curve: scores that do not fall", "91.0 % at 500 rows, 84.0 % at 1,000 rows", "no"
    )
    lost = Reason(
        "pretrained weights: a plan that starts from them", "scratch starts from fresh weights", "no"
    )
    none = replace(
        labels(), plan=Growth(labels().plan.measured, refused=falls), worth=(), targets=(), times=None
    )
    return replace(example(), labels=none, weights=Dependency("full", None, None, refused=lost))


def labels() -> LabelBudget:
    """An accuracy of 1 - 2 / sqrt(rows), and for scratch as with a quarter of the rows."""
    return LabelBudget(
        run="full",
        rows=2000,
        plan=_growth(1.0),
        scratch=_growth(0.25),
        worth=(Worth(500, Measure("gain", 0.008, 0.002, 0.015, 500, "90 %")),),
        targets=(
            Target(0.97, Several(4410.0, "", 3600.0, None, 0.9)),
            Target(0.98, refused=Reason("a target within the horizon", "98.0 %", "not within the horizon")),
        ),
        reached=0.955,
        times=Several(6.0, "", 3.0, None, 0.9),
        trainings=9,
        seconds=412.0,
    )


def _growth(share: float) -> Growth:
    def accuracy(rows: int) -> float:
        return 1 - 2 / float(np.sqrt(share * rows))

    sizes = [(250, 0), (250, 1), (500, 0), (1000, 0), (2000, 0)]
    measured = (Learned(n, s, _measure("accuracy", accuracy(n) + 0.01 * s, 0.02, 500)) for n, s in sizes)
    expected = (250, 500, 1000, 2000, 4000, 8000)
    return Growth(
        tuple(measured),
        tuple(Expected(n, _measure("score", accuracy(n), 0.015, 500, "90 %")) for n in expected),
    )


def weights() -> Dependency:
    """Three starts; from the worst the tuned model is shown to be worse."""
    found = (
        ("noise-0.3", 0.86, 0.912, 0.004),
        ("fresh-upper-half", 0.71, 0.85, 0.066),
        ("scratch", 0, 0.54, 0.37),
    )
    return Dependency(
        run="full",
        quality=_measure("accuracy", 0.882, 0.012, 2000),
        accuracy=_measure("accuracy", 0.916, 0.024, 500),
        starts=tuple(
            Start(
                name,
                f"{name} in words",
                _measure("accuracy", quality, 0.02, 2000) if quality else None,
                _measure("accuracy", reached, 0.03, 500),
                Gain(name, "accuracy", less, less - 0.02, less + 0.02, 0.03, 500, 0.09),
            )
            for name, quality, reached, less in found
        ),
        trainings=2,
        seconds=390.0,
    )


def overfitted() -> Result:
    """The example with causes, a temperature that is used, and the control with shuffled labels."""
    plain = example()
    seen = {**plain.overfitting, "full": explained()}
    return replace(plain, overfitting=seen, random_labels=shuffled(), calibration=calibrated())


def explained() -> Overfitting:
    """Strong, since epoch 3 of phase 2, for two reasons."""
    return Overfitting(
        _measure("train minus test accuracy", 0.12, 0.03, 500),
        "strong",
        "answers all; likeliest cause: label noise (a fifth)",
        Onset(2, 3, 5, Measure("rise", 0.2, 0.1, 0.3, 489, "paired"), True),
        (
            Cause("label noise", "a fifth", {"share": 0.2}, 0.8, "look at them"),
            Cause("too long", "it rose", {"rise": 0.2}, 0.5, "--set phases.1.epochs=3"),
        ),
        Measure("membership by loss", 0.71, 0.66, 0.76, 500, "DeLong"),
    )


def shuffled() -> RandomLabels:
    reached, true = (_measure("right", share, 0.02, 256) for share in (0.9, 0.98))
    return RandomLabels("full", 256, reached, true, 0.1, _measure("by heart", 0.889, 0.022, 256), 2, 61.0)


def calibrated() -> Calibrated:
    """Ten points too sure, mended by a temperature of 1.8."""
    changes = {
        "ece": (-0.08, 0.02),
        "adaptive_ece": (-0.07, 0.02),
        "log_loss": (-0.11, 0.04),
        "brier": (-0.02, 0.01),
    }
    return Calibrated(
        "full",
        reliability(0.1),
        Reason(
            "calibration",
            "temperature 1.80",
            "used by warmstart predict: the model is surer than it is right",
        ),
        1.8,
        True,
        489,
        _measure("log_loss", -0.1, 0.03, 489),
        reliability(0.02),
        {name: _measure(name, value, apart, 500) for name, (value, apart) in changes.items()},
    )


def reliability(off: float) -> Reliability:
    """Five bins of 100 rows, all this much surer than right."""
    bins = (Bin(100, sure, _measure("right", sure - off, 0.08, 100)) for sure in (0.5, 0.6, 0.7, 0.8, 0.9))
    known = (_measure(name, value, 0.02, 500) for name, value in (("ece", off), ("adaptive_ece", off)))
    chance = Measure("ece by chance", 0.03, 0.015, 0.05, 500, "draws")
    return Reliability(
        *known,
        chance,
        _measure("log_loss", 0.4 + off, 0.05, 500),
        _measure("brier", 0.2, 0.02, 500),
        tuple(bins),
    )


def long_names() -> Result:
    """The example with a class, a model, a run folder and a file whose names are very long."""
    plain = example()
    name = "Complaint about a delayed delivery of furniture that was ordered online " * 3
    labels = (name.strip(), *plain.confusion.labels[1:])
    counts = (replace(plain.data.classes[0], label=labels[0]), *plain.data.classes[1:])
    models = (
        replace(plain.ranking[0], name="a-very-long-organisation-name-" * 4, source="org/" + "x" * 90),
        *plain.ranking[1:],
    )
    wrong = tuple(
        replace(m, truth=labels[0], where="folder/" * 20 + "f.csv:1", text="w" * 600) for m in plain.mistakes
    )
    return replace(
        plain,
        run="runs/" + "y" * 120,
        data=replace(plain.data, classes=counts, source="/data/" + "deep/" * 30 + "reviews.csv"),
        confusion=replace(plain.confusion, labels=labels),
        ranking=models,
        mistakes=wrong,
        reproduce=replace(plain.reproduce, command="warmstart run " + "--set a=b " * 40),
    )


def bare() -> Result:
    """The least that a run can leave: two classes, no rivals, no findings, no mistakes, no history."""
    plain = example(classes=2, findings=0, base=False, mistakes=0, candidates=1)
    alone = replace(plain.runs["full"], history=())
    return replace(
        plain,
        runs={"full": alone},
        gains={},
        overfitting={},
        ranking_reasons=(),
        considered=(),
        anatomy="",
        proofs={},
        plan=replace(plain.plan, edits=(), guards=(), reasons=()),
        data=replace(plain.data, sample=()),
    )


def small() -> Result:
    """Every field filled, as little as possible of each: for tests that need many pages."""
    plain = example(classes=2, findings=1, mistakes=1, candidates=1)
    picture = example(classes=2, images=True, mistakes=1).mistakes
    runs = {name: plain.runs[name] for name in ("full", "frozen")}
    known = {
        "labels": labels(),
        "weights": weights(),
        "random_labels": shuffled(),
        "calibration": calibrated(),
    }
    return replace(
        plain, runs=runs, mistakes=picture + plain.mistakes, overfitting={"full": explained()}, **known
    )


VARIANTS = {
    "worth it": lambda: example(),
    "not worth it": lambda: example(verdict="not worth it"),
    "cannot tell": lambda: example(verdict="cannot tell"),
    "two classes": lambda: example(classes=2),
    "77 classes": lambda: example(classes=77),
    "images": lambda: example(images=True),
    "no findings": lambda: example(findings=0),
    "no base": lambda: example(base=False),
    "several seeds": several_seeds,
    "probed": probed,
    "probes refused": refused,
    "overfitted": overfitted,
    "long names": long_names,
    "bare": bare,
}


def rows(confusion: Confusion) -> int:
    return sum(map(sum, confusion.matrix))


def _measure(name: str, value: float, half: float, n: int, how: str = "Wilson, 95 %") -> Measure:
    return Measure(
        name, round(float(value), 6), round(float(value) - half, 6), round(float(value) + half, 6), n, how
    )


def _run(random: np.random.Generator, name: str, accuracy: float, n: int) -> RunSummary:
    half = 1.96 * float(np.sqrt(accuracy * (1 - accuracy) / n))
    bootstrap = "bootstrap over rows, 95 %"
    return RunSummary(
        metrics={
            "accuracy": _measure("accuracy", accuracy, half, n),
            "macro_f1": _measure("macro_f1", accuracy - 0.011, half * 1.1, n, how=bootstrap),
            "log_loss": _measure("log_loss", -np.log(accuracy) * 2.2 + 0.1, 0.043, n, how=bootstrap),
            "brier": _measure("brier", 1.6 * (1 - accuracy), 0.02, n, how=bootstrap),
            "ece": _measure("ece", 0.02 + 0.03 * float(random.random()), 0.011, n, how=bootstrap),
        },
        train_accuracy=round(min(1.0, accuracy + {"full": 0.07, "scratch": 0.31}.get(name, 0.01)), 4),
        seconds={"full": 181.4, "frozen": 6.2, "scratch": 166.0, "base": 0.0}[name],
        parameters=22_717_066,
        trained_parameters={"full": 22_717_066, "frozen": 3_850, "scratch": 22_717_066, "base": 0}[name],
        steps={"full": 250, "frozen": 50, "scratch": 250, "base": 0}[name],
        history=_history(random, name, accuracy),
    )


def _history(random: np.random.Generator, name: str, accuracy: float) -> tuple[dict[str, Any], ...]:
    steps = {"full": 250, "frozen": 50, "scratch": 250, "base": 0}[name]
    floor = -float(np.log(accuracy)) * 2 + 0.1
    before = {"phase": 0, "epoch": 0, "step": 0, "lr": 0.0, "train_loss": None, "validation_loss": 2.4}
    return (before,) * (steps > 0) + tuple(
        {
            "phase": 1 if name != "full" or step <= 50 else 2,
            "epoch": i + 1,
            "step": step,
            "train_loss": float(floor * 0.6 + 2.0 * np.exp(-step / 60) + 0.02 * random.standard_normal()),
            "validation_loss": float(floor + 1.8 * np.exp(-step / 60) + 0.02 * random.standard_normal()),
            "validation_accuracy": float(accuracy * (1 - np.exp(-step / 40))),
            "lr": 2e-5,
        }
        for i, step in enumerate(range(25, steps + 1, 25))
    )


def _data(random: np.random.Generator, confusion: Confusion, images: bool) -> DataSummary:
    labels, test = confusion.labels, [sum(row) for row in confusion.matrix]
    classes = tuple(ClassCount(label, 4 * t, t, t) for label, t in zip(labels, test, strict=True))
    train, validation, proven = 4 * sum(test), sum(test), sum(test)
    first = "image" if images else "text"
    return DataSummary(
        source="photos/" if images else "reviews.csv",
        rows=train + validation + proven,
        train=train,
        validation=validation,
        test=proven,
        roles={first: "file" if images else "headline", "label": "topic"},
        classes=classes,
        sample=tuple(
            {first: f"photos/{i}.png" if images else _sentence(random, 14), "label": labels[i % 2]}
            for i in range(3)
        ),
        fingerprint="sha256:9f2f9ac1c7d84e0ba3f1",
    )


def _sentence(random: np.random.Generator, words: int) -> str:
    return " ".join(random.choice(WORDS, words)).capitalize() + "."


def _ranking(random: np.random.Generator, candidates: int) -> tuple[RankedModel, ...]:
    names = (
        "minilm-l6",
        "bert-tiny",
        "distil-news",
        "albert-base",
        "electra-small",
        "mpnet-base",
        "rubert",
        "t5-enc",
    )
    return tuple(
        RankedModel(
            name=name,
            source=f"hub-user/{name}",
            score=-0.412 - 0.12 * i,
            low=-0.452 - 0.12 * i,
            high=-0.372 - 0.12 * i,
            accuracy=_measure("accuracy", 0.882 - 0.03 * i, 0.012, 2000, "repeated folds, 95 %"),
            opinions={"logme": -0.31 - 0.05 * i, "knn": 0.861 - 0.02 * i, "hscore": 4.21 - 0.3 * i},
            depths={f"block.{b}": -1.2 + 0.13 * b - 0.1 * i for b in range(6)} | {"pool": -0.41 - 0.12 * i},
            parameters=(22_713_216, 4_385_920, 66_362_880)[i % 3],
            prior=(2, 3, 1, 4, 5, 6, 7, 8)[i],
            licence=("apache-2.0", "mit", "")[i % 3],
            seconds=float(4 + 3 * random.random()),
            source_task=("sentence similarity", "", "text classification, 3 classes")[i % 3],
            bytes=(90_868_376, 17_547_912, 0)[i % 3],
            pace=(2.31, 0.42, 0.0)[i % 3],
        )
        for i, name in enumerate(names[:candidates])
    )


def _race(ranking: tuple[RankedModel, ...]) -> Race | None:
    """Of the first three; the first is shown to be before the second, and the third could not be trained."""
    if len(ranking) < 2:
        return None
    names = [model.name for model in ranking[:3]]
    entrants = []
    for i, model in enumerate(ranking[:3]):
        behind = Measure("log_loss", 0.21, 0.08, 0.35, 489, "95 % bootstrap, paired") if i else None
        laps = (
            Lap(
                256, _measure("accuracy", 0.86 - 0.05 * i, 0.05, 489, "bootstrap"),
                _measure("log_loss", 0.41 + 0.21 * i, 0.07, 489, "bootstrap"), behind, 12.5 + i,
            ),
        )  # fmt: skip
        out = ("", f"after 256 rows shown to be behind {names[0]}", "its weights are not finite")[i]
        failed = i == 2
        entrants.append(
            Entrant(
                model.name, model.source, model.parameters, 130.0, () if failed else laps, out, failed
            )  # fmt: skip
        )
    reasons = (
        Reason("race: 256 rows to learn from, 489 to judge", "log-loss 0.41, 0.62", f"{names[1]} is out"),
        Reason("race: the ranking in hindsight", ", ".join(names), f"the ranking had been right: {names[0]}"),
        Reason("race: the runner-up", "not tuned", f"whether {names[1]} would be better is not known"),
    )
    return Race(tuple(entrants), tuple(model.source for model in ranking[:3]), reasons, 26.0)


def _plan() -> Plan:
    return Plan(
        strategy="full",
        model="hub-user/minilm-l6",
        task="text_classification",
        phases=(
            Phase(learn=("head",), lr=1e-3, epochs=2),
            Phase(learn=("*",), lr=2e-5, epochs=8, decay=0.9, schedule="cosine"),
        ),
        edits=({"name": "new_head", "classes": 10}, {"name": "drop_blocks", "last": 1}),
        guards=({"name": "early_stop", "patience": 3}, {"name": "l2_sp", "weight": 0.01}),
        reasons=(
            Reason("enough rows", "2,050 training rows, 148 in the smallest class", "all layers can learn"),
            Reason(
                "near source",
                "a frozen probe reaches 0.88, 0.86 of the way to perfect",
                "start from the weights",
            ),
        ),
    )


def _considered() -> tuple[Option, ...]:
    return (
        Option(
            "full", 0.86, Reason("rows and similarity", "2,050 rows, probe 0.88", "room to gain 11 points")
        ),
        Option(
            "gradual", 0.71, Reason("rows and similarity", "6 groups", "slower, rarely better at this size")
        ),
        Option("frozen", 0.64, Reason("similarity", "probe 0.88", "cheap, and already good")),
        Option(
            "scratch", 0.05, Reason("rows per parameter", "0.0001", "far too few rows for 22.7 M weights")
        ),
    )


def _gains(random: np.random.Generator, runs: dict[str, RunSummary], recommended: str) -> dict[str, Gain]:
    best = runs[recommended].metrics["accuracy"].value
    return {
        name: Gain(
            rival=name,
            metric="accuracy",
            value=(gain := best - run.metrics["accuracy"].value),
            low=gain - 0.018,
            high=gain + 0.018,
            p=2e-12 if abs(gain) > 0.1 else 0.0008 + 0.01 * float(random.random()),
            n=run.metrics["accuracy"].n,
        )
        for name, run in runs.items()
        if name != recommended
    }


def _overfitting(run: RunSummary) -> Overfitting:
    gap = run.train_accuracy - run.metrics["accuracy"].value
    verdict = "strong" if gap > 0.2 else "some" if gap > 0.03 else "none seen"
    return Overfitting(
        gap=Measure("gap", gap, gap - 0.021, gap + 0.021, run.metrics["accuracy"].n, "two-sample, 95 %"),
        verdict=verdict,
        sentence=f"answers {100 * gap:.1f} points more of 500 training rows than of the test rows correctly",
    )


def _confusion(random: np.random.Generator, labels: tuple[str, ...]) -> Confusion:
    wrong = random.poisson(4.5 / len(labels), (len(labels), len(labels)))
    matrix = wrong + np.diag(random.integers(30, 60, len(labels)))
    return Confusion(labels, tuple(tuple(map(int, row)) for row in matrix))


def _mistake(random: np.random.Generator, labels: tuple[str, ...], images: bool, i: int) -> Mistake:
    truth, predicted = random.choice(len(labels), 2, replace=False)
    return Mistake(
        where=f"photos/{labels[truth]}/{i}.png" if images else f"reviews.csv:{int(random.integers(2, 3000))}",
        truth=labels[truth],
        predicted=labels[predicted],
        probability=0.995 - 0.02 * i,
        text="" if images else _sentence(random, 30),
        image=thumbnail(random) if images else "",
    )


def thumbnail(random: np.random.Generator, side: int = 160) -> str:
    """A small noisy picture as the data URI of a JPEG."""
    shades = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(shades).resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
    file = BytesIO()
    picture.save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + b64encode(file.getvalue()).decode()


def _findings(number: int) -> tuple[Finding, ...]:
    twice, blanks = ("reviews.csv:88", "reviews.csv:413"), ("reviews.csv:19",)
    known = (
        Finding("duplicates", "warning", "12 rows stand twice in reviews.csv.", "Kept once each.", 12, twice),
        Finding("labels", "warning", "“sport ” and “sport” are two labels.", "Read as one label.", 3, blanks),
        Finding("lengths", "note", "1.8 % of the texts are longer than the model reads.", "Cut at the end."),
        Finding("balance", "note", "The smallest class has 148 rows, the largest 316.", "Nothing to do."),
        Finding("truncated", "note", "One file ends inside a quoted field.", "Read to its end.", 1, blanks),
    )
    return known[:number]


def _reproduce() -> Reproduce:
    return Reproduce(
        command="warmstart run reviews.csv --seed 0",
        seed=0,
        versions={"warmstart": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0", "python": "3.11.7"},
        machine={"processor": "x86_64, 8 cores", "memory": "32 GB", "system": "Linux 6.1", "device": "cpu"},
    )


_ANATOMY = """before                                 after
embeddings        11,903,616           embeddings        11,903,616
block.0            1,774,464           block.0            1,774,464
block.1            1,774,464           block.1            1,774,464
...                                    ...
block.5            1,774,464           (dropped)
head.mlm          11,784,330           head (new)             3,850"""
