"""What a plan will take, before any of it is paid: steps, looks and passes, timed once (tune/pace.py).

The price is that of a training that goes to its last epoch. A frozen prefix is run once where several epochs
read it, and in every epoch where one does.
"""

from collections.abc import Mapping
from math import ceil

from warmstart.base.types import Cost, Facts, Pace, Phase, Plan
from warmstart.decide.strategies._depth import depth

WEIGHT = 4  # bytes of a number
MOMENTS = 2  # of the optimiser, for each weight
SLOWER = 1.1  # a step of a training beside one that is timed alone
PASSES = 1.6  # looks at all training rows, whatever the plan: to prepare, and to see where it begins
PHASE, SOLVED = 0.07, 0.11  # seconds of a phase, and of a head that is solved, however small
COPY = 1.4  # times the network beside itself: the one that it was adapted from, and what is kept
LOOKED = 0.7  # times what a step keeps: a look at many rows at once
ALWAYS = 11_000_000  # bytes
REFRESHED = 512  # rows that norm statistics of fresh weights are measured on before each look


def price(plan: Plan, facts: Facts, pace: Pace, validation: int) -> Cost:
    """Seconds and memory of a plan's training on the rows of `facts`; `validation` rows are looked at."""
    body = depth(facts, plan.edits)
    starts = [boundary(phase, body) for phase in plan.phases]
    seconds = looks_before(pace, starts, validation)
    done = 0  # groups whose answers are kept already
    for phase, start in zip(plan.phases, starts, strict=True):
        passes = 1 if phase.epochs > 1 or phase.solver == "logistic" or done >= start else phase.epochs
        below = 0.0 if start <= done else at(pace.look, 0) - at(pace.look, start)
        seconds += passes * below * (facts.rows + validation)
        done = start if start < body or done == 0 else done
        if phase.solver != "logistic":
            seconds += phase.epochs * epoch(plan, facts, pace, start, validation)
            done = 0 if start == 0 else done
    solved = sum(phase.solver == "logistic" for phase in plan.phases)
    cut = max(0.0, at(pace.look, body) - at(pace.look, len(facts.body)))  # what the edits took off the top
    whole = at(pace.look, 0) - cut
    overhead = PASSES * facts.rows * whole + SOLVED * solved + PHASE * (len(plan.phases) - solved)
    return Cost(SLOWER * seconds + overhead, memory(plan, pace, starts, facts.parameters))


def looks_before(pace: Pace, starts: list[int], validation: int) -> float:
    """The look before the first step."""
    return validation * at(pace.look, min(starts))


def epoch(plan: Plan, facts: Facts, pace: Pace, start: int, validation: int) -> float:
    """Seconds of an epoch behind a prefix: steps, the optimiser, and a look."""
    steps = ceil(facts.rows / plan.batch)
    fresh = not plan.pretrained and facts.has_batch_norm and plan.norm_statistics == "learn"
    looked = validation * at(pace.look, start) + (
        min(facts.rows, REFRESHED) * at(pace.look, 0) if fresh else 0
    )
    return facts.rows * at(pace.step, start) + steps * pace.move * weights(pace, start) + looked


def memory(plan: Plan, pace: Pace, starts: list[int], parameters: int) -> int:
    """Gradients and moments of the phase that moves most, copies of weights, and activations.

    The factors were fitted to what 445 trainings of the decision study took (EXPERIMENTS.md).
    """
    rows = plan.micro_batch or plan.batch
    always = ALWAYS + COPY * WEIGHT * parameters + LOOKED * rows * pace.saved
    trained = [s for s, phase in zip(starts, plan.phases, strict=True) if phase.solver != "logistic"]
    if not trained:
        return int(always)
    start = min(trained)
    share = at(pace.step, start) / max(1e-12, at(pace.step, min(pace.step)))
    copies = 1 + MOMENTS + bool(plan.guards)
    return int(always + copies * WEIGHT * weights(pace, start) + rows * pace.saved * share)


def boundary(phase: Phase, body: int) -> int:
    """Groups that rest below a phase's lowest learning group, in a network of `body` groups and a head."""
    tops = [int(word.removeprefix("top:")) for word in phase.learn if word.startswith("top:")]
    if "*" in phase.learn:
        return 0
    return max(0, body - max(tops)) if tops else body


def weights(pace: Pace, start: int) -> int:
    return round(at(pace.weights, start))


def at(known: Mapping[int, float], place: int) -> float:
    """The value at a group, on the line between the measured ones beside it."""
    below = max((k for k in known if k <= place), default=min(known))
    above = min((k for k in known if k >= place), default=max(known))
    if above == below:
        return known[below]
    return known[below] + (known[above] - known[below]) * (place - below) / (above - below)
