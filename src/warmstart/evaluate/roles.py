"""What a run stands for in the comparison: from scratch, pretrained and untouched, or fine-tuned."""

from typing import Any

import numpy as np

from warmstart.base.types import Phase, Run
from warmstart.evaluate.intervals import wilson

FITTED = 0.5  # share of the loss of the class shares


def without_network(run: Run) -> bool:
    """Is it the baseline, which answers without any network? A reference that is never recommended."""
    return bool(run.baseline)


def as_it_is(run: Run) -> bool:
    """Is it the pretrained model that learned nothing here? No phases in its plan, or nothing trained."""
    return not without_network(run) and (not run.plan.phases or run.trained_parameters == 0)


def from_scratch(run: Run) -> bool:
    """Did it learn from fresh weights?"""
    return not (run.plan.pretrained or as_it_is(run) or without_network(run))


def fine_tuned(run: Run) -> bool:
    """Did it learn, starting from pretrained weights? Frozen features with a new head count."""
    return run.plan.pretrained and not (as_it_is(run) or without_network(run))


def cost(run: Run) -> tuple[int, int]:
    """What it takes to train and to trust a run: base < frozen < partial, adapters < full < scratch.

    The baseline is the cheapest of all.
    """
    if without_network(run):
        return -1, run.trained_parameters
    return 0 if as_it_is(run) else 2 if from_scratch(run) else 1, run.trained_parameters


def did_not_learn(run: Run) -> bool:
    """Is it a run from scratch that learned nothing? Then a gain over it proves nothing.

    So it is where its accuracy on its own training rows is not shown to be above that of the most frequent
    class, or where no look at the validation rows was better than the one before the first step; but not
    where it did come to fit its training rows: that this carries over to no others is what few rows give.
    """
    idle = at_the_floor(run) or never_better_than_untrained(run)
    return from_scratch(run) and idle and not came_to_fit(run)


def came_to_fit(run: Run) -> bool:
    """Did its training loss fall below half of what always giving the shares of the classes costs?"""
    said = run.predictions.get("train")
    if said is None or not len(said.rows):
        return False
    shares = np.unique(said.truth, return_counts=True)[1] / len(said.rows)
    losses = [look["train_loss"] for look in run.history if look.get("train_loss") is not None]
    return bool(losses) and min(losses) < FITTED * float(-(shares * np.log(shares)).sum())


def at_the_floor(run: Run) -> bool:
    """Not shown to answer its own training rows better than always with their most frequent class."""
    said = run.predictions.get("train")
    if said is None or not len(said.rows):
        return False
    right, n = int((said.answers == said.truth).sum()), len(said.rows)
    return wilson(right, n)[0] <= np.bincount(said.truth).max() / n and right < n


def never_better_than_untrained(run: Run) -> bool:
    """Is the validation loss before the first step, where there was a look, the lowest of all?"""
    losses = [look["validation_loss"] for look in run.history]
    return len(losses) > 1 and run.history[0].get("step") == 0 and losses[0] <= min(losses[1:])


def keeps_best(run: Run) -> bool:
    """Could it end with the weights of its best look instead of its last?"""
    return any(guard["name"] == "early_stop" for guard in run.plan.guards)


def kept_look(run: Run) -> dict[str, Any] | None:
    """The look at the validation rows whose weights the run ended with."""
    looks = [look for look in run.history if look.get("validation_loss") is not None]
    if "kept_look" in run.proofs:
        return run.history[int(run.proofs["kept_look"])]
    if not keeps_best(run):
        return looks[-1] if looks else None
    trained = looks if run.plan.pretrained else [look for look in looks if look.get("step")]
    return min(trained, key=lambda look: float(look["validation_loss"]), default=None)


def never_improved(run: Run) -> bool:
    """Is a tuned run nothing but its frozen head, since no later look at the validation rows was better?"""
    heads = next((i for i, phase in enumerate(run.plan.phases) if not head_alone(phase)), None)
    kept = kept_look(run)
    if heads is None or kept is None or not (heads and fine_tuned(run) and keeps_best(run)):
        return False
    return bool(kept.get("phase", 0) <= heads)


def head_alone(phase: Phase) -> bool:
    return phase.solver == "logistic" or phase.learn == ("head",)
