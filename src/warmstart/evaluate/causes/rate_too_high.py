"""Rate too high: the first steps undo what the weights knew, and what is learned instead are the rows."""

from dataclasses import dataclass
from typing import Any

from warmstart.base.types import Cause, Plan
from warmstart.evaluate.causes._case import Case
from warmstart.evaluate.roles import head_alone

TIMES = 3.0  # the usual rate, from which on it is called high
UNDONE, UNLEARNED, HIGH = 0.5, 0.15, 0.3  # strength that each sign adds


@dataclass(frozen=True)
class RateTooHigh:
    """Three signs: validation rows turn in the first look, training loss rises at first, an unusual rate.

    An unusual rate alone is no fault, as long as the validation rows do not suffer.
    """

    def look(self, case: Case) -> Cause | None:
        turn = case.onset
        if turn is None or not turn.kept or turn.epoch > 1:
            return None
        rate, usual = top_rate(case.run.plan), 0.0 if case.usual is None else top_rate(case.usual)
        high = usual > 0 and rate >= TIMES * usual
        if not high and (turn.epoch == 1 or not case.run.plan.pretrained):
            return None  # fresh weights know nothing that could be undone
        where = (
            f"{'before the first step' if turn.epoch == 0 else 'after the first epoch'} of phase {turn.phase}"
        )
        why = [f"the validation loss was lowest {where} and rose by {turn.rise.value:.3f} nats"]
        seen, strength = {"rise, nats": turn.rise.value, "rate": rate}, UNDONE
        if (jump := first_jump(case.run.history, turn.phase)) > 0:
            why.append(f"the first epoch's training loss was {jump:.3f} nats above what it began with")
            seen["training loss above its start, nats"], strength = jump, strength + UNLEARNED
        if high:
            why.append(f"the rate of {rate:g} is {rate / usual:.0f} times the usual one")
            seen["times the usual rate"], strength = rate / usual, strength + HIGH
        better = usual if high else float(f"{rate / TIMES:.1g}")
        do = f"--set phases.{turn.phase - 1}.lr={better:g}"
        return Cause("rate too high", "; ".join(why), seen, min(0.95, strength), do)


def top_rate(plan: Plan) -> float:
    """The highest rate of the phases in which more than the head learns; 0 where there is none."""
    return max((p.lr for p in plan.phases if p.solver == "adamw" and not head_alone(p)), default=0.0)


def first_jump(history: tuple[dict[str, Any], ...], phase: int) -> float:
    """Training loss of a phase's first epoch minus that with which it began, nats; 0 where it is unknown."""
    first = next((i for i, look in enumerate(history) if look.get("phase") == phase), 0)
    before, after = history[first - 1].get("train_loss") if first else None, history[first].get("train_loss")
    return 0.0 if before is None or after is None else float(after) - float(before)


CAUSE = RateTooHigh
