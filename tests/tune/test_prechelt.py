"""Prechelt's criteria, by his formulas computed in another way, and as early stopping uses them."""

import numpy as np
import pytest

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.tune.guards import GUARDS
from warmstart.tune.prechelt import generalisation_loss, progress, rises, stops


def epochs(seed, count=30):
    source = np.random.default_rng(seed)
    training = np.linspace(1.0, 0.3, count) + 0.05 * source.random(count)
    validation = 0.7 + 0.3 * (np.linspace(-1, 1.6, count) ** 2) + 0.08 * source.random(count)
    return validation, training


def first_stop(criterion, alpha, strip, validation, training):
    """The first epoch, from 1, after which the criterion stops; None if it never does."""
    for t in range(1, len(validation) + 1):
        if stops(criterion, alpha, strip, list(validation[:t]), list(training[:t])):
            return t
    return None


def by_the_book(criterion, alpha, k, validation, training):
    """The definitions as the paper has them, with E(t) for t = 1, 2, ..., and UP by its recursion."""
    va, tr = (lambda t: validation[t - 1]), (lambda t: training[t - 1])

    def gl(t):
        return 100 * (va(t) / min(va(i) for i in range(1, t + 1)) - 1)

    def p(t):
        strip = [tr(i) for i in range(t - k + 1, t + 1)]
        return 1000 * (np.mean(strip) / np.min(strip) - 1)

    def up(s, t):
        grown = t - k >= 1 and va(t) > va(t - k)
        return grown if s == 1 else grown and up(s - 1, t - k)

    tests = {
        "GL": lambda t: gl(t) > alpha,
        "PQ": lambda t: t % k == 0 and gl(t) / p(t) > alpha,
        "UP": lambda t: t % k == 0 and up(int(alpha), t),
    }
    return next((t for t in range(1, len(validation) + 1) if tests[criterion](t)), None)


ALPHAS = {"GL": (1, 5, 20, 90), "PQ": (0.01, 0.1, 0.5, 3), "UP": (1, 2, 3, 4)}
STRIPS = [("GL", 5), ("PQ", 3), ("PQ", 5), ("UP", 1), ("UP", 3), ("UP", 5)]


@pytest.mark.parametrize(("criterion", "strip"), STRIPS)
def test_each_criterion_stops_where_the_paper_does(criterion, strip):
    found = []
    for seed in range(8):
        curves = epochs(seed)
        for alpha in ALPHAS[criterion]:
            found.append(first_stop(criterion, alpha, strip, *curves))
            assert found[-1] == by_the_book(criterion, alpha, strip, *curves), (seed, alpha)
    assert len(set(found)) > 3


def test_the_three_numbers_by_hand():
    assert generalisation_loss([2.0, 1.0, 1.5]) == pytest.approx(50)
    assert progress([9.0, 2.0, 1.0, 3.0], 3) == pytest.approx(1000)
    assert rises([3, 1, 2, 2, 5, 6], 2) == 2  # ends of strips: 1, 2, 6
    assert rises([3, 1, 2, 2, 5, 2], 2) == 0
    assert not stops("none", 1, 1, [1, 9], [1, 1])


def watch(guard, looks, phase=0):
    """Whether the job is stopped after each look (validation loss, accuracy, training loss) of a phase."""
    job = guarded.job_for(guarded.calm(), worlds.phase(), worlds.phase())
    job.phase, job.steps, found = phase, 1, []
    for loss, accuracy, training in looks:
        scores = {"validation_loss": loss, "validation_accuracy": accuracy}
        job.history.append({"phase": phase + 1, "train_loss": training, **scores})
        guard.watch(job, scores)
        found.append(job.stop)
    return found


def test_a_phase_ends_by_its_criterion_before_patience_is_at_its_end():
    looks = [(1.0, 0.5, 1.0), (0.9, 0.5, 0.9), (0.92, 0.5, 0.8), (0.96, 0.5, 0.7)]
    guard = GUARDS.build({"name": "early_stop", "patience": 9, "criterion": "GL", "alpha": 5.0})
    assert watch(guard, looks) == [False, False, False, True]  # 2.2 %, then 6.7 % above 0.9
    assert watch(GUARDS.build({"name": "early_stop", "patience": 9}), looks) == [False] * 4


def test_on_accuracy_the_best_answers_are_kept_and_of_equal_ones_the_lower_loss():
    guard = GUARDS.build({"name": "early_stop", "patience": 2, "on": "accuracy"})
    looks = [(0.5, 0.7, 1.0), (0.9, 0.8, 1.0), (0.8, 0.8, 1.0), (0.4, 0.7, 1.0), (0.85, 0.8, 1.0)]
    assert watch(guard, looks) == [False, False, False, False, True]
    assert guard.kept == 2


def test_whole_trainings_end_by_their_criterion():
    phases = (worlds.phase(lr=3e-3, epochs=12, schedule="constant"),)
    for criterion, alpha in (("GL", 0.5), ("UP", 1.0), ("PQ", 0.01)):
        guard = {"name": "early_stop", "patience": 99, "criterion": criterion, "alpha": alpha, "strip": 2}
        _, trained = worlds.run("bert", worlds.plan(*phases, guards=(guard,)))
        looks = trained.history[1:]
        curves = [np.array([x[n] for x in looks]) for n in ("validation_loss", "train_loss")]
        stop = by_the_book(criterion, alpha, 2, *curves)
        assert stop == (len(looks) if len(looks) < 12 or stop == 12 else None)
        assert criterion == "PQ" or len(looks) < 12
