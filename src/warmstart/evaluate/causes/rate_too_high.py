"""Rate too high: the steps undo what the weights knew, and what is learned instead are the rows.

The rate is only to blame where the validation rows suffered: their loss turned surely, or the frozen rival,
from the same weights, answers them surely better. Then three signs speak for it: a rate far above what the
rule gives, a first epoch that makes both losses worse, and training losses that go up and down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warmstart.base.types import Cause, Plan
from warmstart.evaluate.causes._case import Case
from warmstart.evaluate.intervals import Z
from warmstart.evaluate.roles import fine_tuned, head_alone

TIMES = 3.0  # the usual rate, from which on it is called high
HIGH, UNDONE, UNSTEADY = 0.6, 0.45, 0.15  # strength that each sign adds
SETBACK, SETBACKS = 0.1, 0.15  # of the training loss within an epoch; share of the epochs that have one


@dataclass(frozen=True)
class RateTooHigh:
    """The sum of its signs; none without harm to the validation rows, or without one of the first two."""

    def look(self, case: Case) -> Cause | None:
        looks = stepped(case.run.history)
        if not fine_tuned(case.run) or len(looks) < 2 or not (hurt := harm(case)):
            return None
        rate, usual = top_rate(case.run.plan), 0.0 if case.usual is None else top_rate(case.usual)
        high = usual > 0 and rate >= TIMES * usual
        undone = first_epoch_undoes(looks)
        if not high and not undone:
            return None
        why, seen, strength = [hurt], {"rate": rate}, 0.0
        if high:
            why.append(f"the rate of {rate:g} is {rate / usual:.0f} times the usual one")
            seen["times the usual rate"], strength = rate / usual, strength + HIGH
        if undone:
            why.append(undone)
            strength += UNDONE
        if (share := setbacks(looks)) >= SETBACKS:
            why.append(f"the training loss rose again in {100 * share:.0f} % of the epochs")
            seen["share of epochs with a setback"], strength = share, strength + UNSTEADY
        better = usual if high else float(f"{rate / TIMES:.1g}")
        do = f"--set phases.{looks[-1]['phase'] - 1}.lr={better:g}"
        return Cause("rate too high", "; ".join(why), seen, min(0.95, strength), do)


def harm(case: Case) -> str:
    """How the validation rows suffered, surely; nothing where they did not."""
    turn, ahead = case.onset, case.frozen_ahead
    if ahead is not None and ahead.low > 0:
        return f"the frozen head answers validation rows better by {ahead.value:.3f} nats"
    if turn is not None and turn.kept:
        return f"the validation loss rose by {turn.rise.value:.3f} nats after epoch {turn.epoch}"
    return ""


def top_rate(plan: Plan) -> float:
    """The highest rate of the phases in which more than the head learns; 0 where there is none."""
    return max((p.lr for p in plan.phases if p.solver == "adamw" and not head_alone(p)), default=0.0)


def stepped(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The look that the last phase began with, and those of the phase."""
    phase = history[-1].get("phase") if history else None
    first = next((i for i, look in enumerate(history) if phase and look.get("phase") == phase), 0)
    return list(history[first - 1 :]) if first else []


def first_epoch_undoes(looks: Sequence[Mapping[str, Any]]) -> str:
    """Did the first epoch make the validation loss surely worse, and the training loss worse too?"""
    begun, first = looks[:2]
    rise, error = first.get("rise", 0.0), first.get("rise_error")
    known = begun.get("train_loss") is not None and first.get("train_loss") is not None
    if error is None or not known or rise <= Z * error or first["train_loss"] <= begun["train_loss"]:
        return ""
    return (
        f"the first epoch of phase {first['phase']} raised the validation loss by {rise:.3f} nats and the "
        f"training loss from {begun['train_loss']:.3f} to {first['train_loss']:.3f}"
    )


def setbacks(looks: Sequence[Mapping[str, Any]]) -> float:
    """The share of the epochs whose training loss is more than a tenth above that of the one before."""
    losses = [float(look["train_loss"]) for look in looks[1:] if look.get("train_loss") is not None]
    rose = [b > (1 + SETBACK) * a for a, b in zip(losses, losses[1:], strict=False)]
    return sum(rose) / len(rose) if rose else 0.0


CAUSE = RateTooHigh
