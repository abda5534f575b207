"""Too long: the training went on after the validation rows had turned, and its last weights were kept."""

from dataclasses import dataclass

from warmstart.base.types import Cause
from warmstart.evaluate.causes._case import Case


@dataclass(frozen=True)
class TooLong:
    """One half, and more by the share of the log-loss gap that came about after the turn."""

    def look(self, case: Case) -> Cause | None:
        turn = case.onset
        if turn is None or not turn.kept or turn.epoch == 0:
            return None
        share = min(1.0, turn.rise.value / case.loss_gap) if case.loss_gap > 0 else 0.0
        why = (
            f"after epoch {turn.epoch} of phase {turn.phase} the validation loss rose by "
            f"{turn.rise.value:.3f} nats, {100 * share:.0f} % of the log-loss gap"
        )
        seen = {"rise, nats": turn.rise.value, "share of the gap": share, "epoch": float(turn.epoch)}
        shorter = f"--set phases.{turn.phase - 1}.epochs={turn.epoch}"
        do = f"{shorter}, or keep the best weights (guards: early_stop)"
        return Cause("too long", why, seen, min(0.95, 0.5 + share / 2), do)


CAUSE = TooLong
