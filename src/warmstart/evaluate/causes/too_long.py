"""Too long: the training went on after the validation rows had turned, and its last weights were kept."""

from dataclasses import dataclass

from warmstart.base.types import Cause, Onset, Run
from warmstart.evaluate.causes._case import Case
from warmstart.evaluate.intervals import newcombe

LEAST, FURTHER = 0.4, 0.2  # of the strength: for the turn, and for the share that came after it


@dataclass(frozen=True)
class TooLong:
    """By the share of the log-loss gap that came about after the turn.

    It stays below what is wrong with the rows, where that is clear: wrong labels and a handful of rows, too,
    are learned by heart in the later epochs, and stopping early is no cure for them.
    """

    def look(self, case: Case) -> Cause | None:
        turn = case.onset
        if turn is None or not turn.kept or turn.epoch == 0 or answers_grew_better(case.run, turn):
            return None
        share = min(1.0, turn.rise.value / case.loss_gap) if case.loss_gap > 0 else 0.0
        why = (
            f"after epoch {turn.epoch} of phase {turn.phase} the validation loss rose by "
            f"{turn.rise.value:.3f} nats, {100 * share:.0f} % of the log-loss gap"
        )
        seen = {"rise, nats": turn.rise.value, "share of the gap": share, "epoch": float(turn.epoch)}
        shorter = f"--set phases.{turn.phase - 1}.epochs={turn.epoch}"
        do = f"{shorter}, or keep the best weights (guards: early_stop)"
        return Cause("too long", why, seen, LEAST + FURTHER * share, do)


def answers_grew_better(run: Run, turn: Onset) -> bool:
    """Are surely more validation rows answered right at the end than at the turn?

    Then the later epochs taught something, and the loss rose because the model is too sure: a matter of
    temperature. The shares are of the same rows; taken for independent, their difference is doubted more.
    """
    looks = [look for look in run.history if look.get("validation_accuracy") is not None]
    place = (turn.phase, turn.epoch)
    then = [look["validation_accuracy"] for look in looks if (look["phase"], look["epoch"]) == place]
    if not then:
        return False
    n, end = turn.rise.n, float(looks[-1]["validation_accuracy"])
    return newcombe(end * n, n, float(then[0]) * n, n)[0] > 0


CAUSE = TooLong
