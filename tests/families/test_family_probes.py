"""One contract for every probe: a new file in the folder is tested by existing."""

import json
from dataclasses import is_dataclass, replace

import numpy as np
import pytest

from warmstart.base.tables import to_table
from warmstart.base.types import Measure, Phase, Plan, Predictions, Run
from warmstart.evaluate.probes import PROBES


@pytest.fixture(params=PROBES.names())
def probe(request):
    return PROBES.get(request.param)()


def run(name, accuracy, rows=80, seed=0):
    rng = np.random.default_rng((seed, len(name)))
    said = {}
    for split, better in (("train", 0.2), ("validation", 0.0), ("test", 0.0)):
        truth = np.arange(rows) % 3
        answers = np.where(rng.random(rows) < accuracy + better, truth, (truth + 1) % 3)
        said[split] = Predictions(np.arange(rows), truth, 0.7 * np.eye(3)[answers] + 0.1)
    fresh = name == "scratch"
    plan = Plan(name, None if fresh else "zoo:letters", "image_classification", (Phase(("*",), 0.1, 1),),
                pretrained=not fresh)  # fmt: skip
    return Run(name, plan, said, 2.5, 1000, 900, 10)


RUNS = {"full": run("full", 0.7), "frozen": run("frozen", 0.6), "scratch": run("scratch", 0.4)}


def check(measures):
    assert all(isinstance(m, Measure) for m in measures)
    assert len({m.name for m in measures}) == len(measures)
    for m in measures:
        assert m.low <= m.value <= m.high
        assert m.n >= 1
        assert m.how
    json.dumps(to_table(measures), allow_nan=False)


def test_a_probe_measures_finite_numbers_each_with_a_name_and_an_interval(probe):
    assert is_dataclass(probe)
    measures = probe.measure("full", RUNS)
    assert measures
    check(measures)


def test_the_same_runs_give_the_same_measures(probe):
    assert probe.measure("full", RUNS) == type(probe)().measure("full", RUNS)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_single_run_and_a_handful_of_rows_are_enough(probe, rows):
    check(probe.measure("full", {"full": run("full", 1.0, rows)}))
    check(probe.measure("full", {"full": run("full", 1.0, rows), "scratch": run("scratch", 0.0, rows)}))


def named(name, recommended="full"):
    return {m.name: m for m in PROBES.get(name)().measure(recommended, RUNS)}


def accuracy(name, split):
    said = RUNS[name].predictions[split]
    return (said.probabilities.argmax(1) == said.truth).mean()


def test_gain_is_recommended_minus_rival():
    gain = named("gain")["accuracy: full minus scratch"]
    assert gain.value == pytest.approx(accuracy("full", "test") - accuracy("scratch", "test"))
    back = named("gain", "scratch")["log_loss: scratch minus full"]
    forth = named("gain")["log_loss: full minus scratch"]
    assert (back.value, back.low, back.high) == pytest.approx((-forth.value, -forth.high, -forth.low))


def test_gains_are_paired_by_row_number_whatever_the_order():
    said = RUNS["scratch"].predictions["test"]
    order = np.random.default_rng(0).permutation(80)
    mixed = Predictions(said.rows[order], said.truth[order], said.probabilities[order])
    scratch = replace(RUNS["scratch"], predictions=RUNS["scratch"].predictions | {"test": mixed})
    probe = PROBES.get("gain")()
    assert probe.measure("full", RUNS | {"scratch": scratch}) == probe.measure("full", RUNS)


def test_overfitting_is_train_minus_test():
    gaps = named("overfitting")
    gap = gaps["train minus test accuracy: frozen"]
    assert gap.value == pytest.approx(accuracy("frozen", "train") - accuracy("frozen", "test"))
    loss = {split: np.log(np.where(p.probabilities.argmax(1) == p.truth, 1 / 0.8, 1 / 0.1)).mean()
            for split, p in RUNS["frozen"].predictions.items()}  # fmt: skip
    assert gaps["test minus train log_loss: frozen"].value == pytest.approx(loss["test"] - loss["train"])


def test_the_log_loss_gap_has_independent_sides():
    """Its variance is the sum of the variances of both sides, even if both answer alike."""
    said = RUNS["full"].predictions["test"]
    alike = replace(RUNS["full"], predictions={"train": said, "test": said})
    gap = PROBES.get("overfitting")().measure("full", {"full": alike})[1]
    losses = -np.log(said.probabilities[np.arange(80), said.truth])
    assert gap.value == 0
    assert gap.high - gap.low == pytest.approx(2 * 1.96 * (2 * losses.var() / 80) ** 0.5, rel=0.1)


def test_cost_is_exact():
    costs = named("cost")
    assert (costs["seconds: full"].low, costs["seconds: full"].high) == (2.5, 2.5)
    assert costs["trained parameters: scratch"].value == 900


def test_calibration_says_how_much_surer_than_right_a_run_is():
    measures = named("calibration")
    excess = 0.8 - accuracy("scratch", "test")
    assert measures["confidence minus accuracy: scratch"].value == pytest.approx(excess)
    assert measures["ece: scratch"].value == pytest.approx(abs(excess))  # all confidences are in one bin
