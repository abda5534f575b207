"""Runs that overfit for a reason that is known, built from numbers: what the tests of causes are fed with."""

from dataclasses import replace

import numpy as np
from evaluate_worlds import first, predictions, run

from warmstart.base.types import Measure, Phase, Predictions
from warmstart.evaluate.causes._case import Case
from warmstart.evaluate.onset import onset
from warmstart.evaluate.overfit import accuracy_gap

USUAL = 1e-4
TUNED = (Phase(("head",), 1e-3, 1, solver="logistic"), Phase(("*",), USUAL, 10))


def looks(rises, train=(), error=0.02, begun=0.5):
    """A solved head, then an epoch for each rise of the validation loss above its lowest."""
    head = {"phase": 1, "epoch": 1, "step": 1, "train_loss": begun, "validation_loss": 0.6,
            "validation_accuracy": 0.8, "rise": 0.0, "rise_error": 0.0}  # fmt: skip
    losses = [*train] or [begun / (i + 2) for i in range(len(rises))]
    return (
        head,
        *(
            {
                "phase": 2,
                "epoch": i + 1,
                "step": 10 * i,
                "train_loss": loss,
                "validation_loss": 0.6 + rise,
                "validation_accuracy": 0.8,
                "rise": rise,
                "rise_error": error if rise else 0.0,
            }
            for i, (rise, loss) in enumerate(zip(rises, losses, strict=True))
        ),
    )


def case(
    train=1.0,
    validation=0.8,
    test=0.7,
    sizes=(300, 200, 400),
    history=None,
    per_class=100.0,
    rows=300,
    frozen=0.5,
    rate=USUAL,
    findings=(),
):
    """A tuned run with these accuracies beside a frozen rival; both are 90 % sure of each answer."""
    history = looks([0.0]) if history is None else history
    tuned = run("full", answers(sizes, train, validation, test), history=history)
    tuned = replace(tuned, plan=with_rate(tuned.plan, rate))
    rival = run("frozen", answers(sizes, 0.9, frozen, 0.7))
    gap = accuracy_gap(tuned, rows)
    usual = with_rate(tuned.plan, USUAL)
    return Case(tuned, gap, rows, per_class, onset(tuned), {"frozen": rival}, findings, usual=usual)


def answers(sizes, *shares):
    """Which rows of each split are right."""
    splits = ("train", "validation", "test")
    return {name: first(n, share) for name, n, share in zip(splits, sizes, shares, strict=True)}


def with_rate(plan, rate):
    return replace(plan, phases=(TUNED[0], replace(TUNED[1], lr=rate)))


def spread_sure(right, seed=0):
    """Answers that are right or wrong as given, more or less sure, independently of that."""
    rng, plain = np.random.default_rng(seed), predictions(right, "validation")
    sure = rng.uniform(0.5, 0.99, len(right))
    probabilities = np.repeat(((1 - sure) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(len(right)), plain.answers] = sure
    return Predictions(plain.rows, plain.truth, probabilities)


def measure(value, low, high, n=100):
    return Measure("gain", value, low, high, n, "90 %")
