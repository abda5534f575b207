"""Overfitting: does a run do better on rows that it learned from than on rows that it never saw?"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from warmstart.base.types import Measure, Onset, Overfitting, Run
from warmstart.evaluate.intervals import newcombe
from warmstart.evaluate.memorised import membership
from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.evaluate.onset import in_words, onset
from warmstart.evaluate.roles import did_not_learn, keeps_best
from warmstart.evaluate.words import Words

ALARM = 0.05  # of accuracy: a gap surely larger than this is one sign of strong overfitting
GLARING = 0.2  # a gap surely larger than this needs no other sign
RISES = 2  # evaluations that the validation loss stayed above its minimum: the other sign


def overfitting(run: Run, taught: int = 0) -> Overfitting | None:
    """Train minus test accuracy, and what to think of it; None for a run without a sample of training rows.

    `taught` is the number of rows that it learned from; 0: unknown, far more than the sample.
    "strong": the gap's interval lies above 20 points; or above 5 and the weights that were kept are of after
    the validation loss had surely turned, or it stayed above its minimum for two evaluations or more at the
    end of a training whose last weights were kept; "some": the interval lies above 0; else "none seen".
    """
    if not seen(run):
        return None
    gap, turn = accuracy_gap(run, taught), onset(run)
    rises = 0 if keeps_best(run) or turn is not None else rises_since_minimum(run.history)
    strong = gap.low > GLARING or gap.low > ALARM and (rises >= RISES or turn is not None and turn.kept)
    verdict = "strong" if strong else "some" if gap.low > 0 else "none seen"
    sentence = _sentence(run, gap, rises, turn)
    return Overfitting(gap, verdict, sentence, turn, membership=membership(run))


def seen(run: Run) -> bool:
    """Is there a sample of the rows that it learned from?"""
    return "train" in run.predictions and len(run.predictions["train"].rows) > 0


def accuracy_gap(run: Run, taught: int = 0) -> Measure:
    """Train minus test accuracy with Newcombe's interval: different rows, so each side has its own doubt.

    The training rows are those that it learned from and no sample of others: asked about all of them, its
    accuracy on them is known.
    """
    (right, n), (rival_right, rival_n) = _right(run, "train"), _right(run, "test")
    left_out = max(0.0, 1 - n / taught) if taught else 1.0
    low, high = newcombe(right, n, rival_right, rival_n, left_out)
    value = right / n - rival_right / rival_n
    rows = f"{n:,} of {taught:,} training rows" if taught else f"{n:,} training rows"
    return Measure("train minus test accuracy", value, low, high, rival_n, f"Newcombe; {rows}")


def rises_since_minimum(history: Sequence[Mapping[str, Any]]) -> int:
    """Evaluations after the one of lowest validation loss (the last of equals)."""
    losses = [float(h["validation_loss"]) for h in history if h.get("validation_loss") is not None]
    losses = [loss for loss in losses if isfinite(loss)]
    return losses[::-1].index(min(losses)) if losses else 0


def _right(run: Run, split: str) -> tuple[float, int]:
    said = run.predictions[split]
    return float(Accuracy().rows(said.truth, said.probabilities).sum()), len(said.rows)


def _sentence(run: Run, gap: Measure, rises: int, turn: Onset | None) -> str:
    (right, n), (rival_right, rival_n) = _right(run, "train"), _right(run, "test")
    words = Words(Accuracy())
    text = (
        f"answers {words.value(right / n)} of {n:,} training rows and "
        f"{words.value(rival_right / rival_n)} of {rival_n:,} test rows correctly, "
        f"a gap of {words.number(gap.value)} points "
        f"(95 % interval {words.interval(gap.low, gap.high)})"
    )
    if turn is not None:
        text += f"; {in_words(turn)}"
    elif rises >= RISES:
        text += f"; the validation loss was above its minimum in the last {rises} evaluations"
    if gap.low <= 0 and gap.value > ALARM:
        text += "; so few rows leave open whether that is chance"
    return text + ("; it did not learn" if did_not_learn(run) else "")
