"""Where overfitting began: the look from which on the validation loss is surely above its lowest.

The training loss of the history is a running mean in training mode, and no measure against the validation
loss. Validation losses are comparable with each other: the same rows, at rest, paired by row. The lowest of
many looks is low by chance too, hence a bar that is raised by the number of looks (Bonferroni) and a rise of
practical size.
"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from warmstart.base.types import Measure, Onset, Run
from warmstart.evaluate.intervals import LEVEL
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.words import Words

Looks = Sequence[Mapping[str, Any]]
HOW = "paired over validation rows, normal, corrected for the number of looks"


def onset(run: Run) -> Onset | None:
    """None where the last phase that was stepped through has no look surely above its lowest to the end."""
    history = [look for look in run.history if look.get("validation_loss") is not None]
    first, last = last_phase(history)
    looks = history[first:last]
    low = next((i for i in range(len(looks) - 1, -1, -1) if looks[i].get("rise") == 0.0), -1)
    after = looks[low + 1 :]
    if not after or any("rise_error" not in look for look in after):
        return None
    bar = NormalDist().inv_cdf(1 - (1 - LEVEL) / (2 * len(looks)))
    sure = first_of_the_end([surely_above(look, bar) for look in after])
    if sure is None:
        return None
    n = len(run.predictions["validation"].rows) if "validation" in run.predictions else 1
    end = after[-1]
    rise, error = float(end["rise"]), float(end["rise_error"])
    return Onset(
        phase=int(end["phase"]),
        epoch=int(looks[low]["epoch"]) if low >= 0 else 0,
        sure=int(after[sure]["epoch"]),
        rise=Measure(
            "validation loss above its lowest", rise, rise - bar * error, rise + bar * error, max(1, n), HOW
        ),
        kept=kept_number(run, history) > first + low,
    )


def last_phase(history: Looks) -> tuple[int, int]:
    """First and last (exclusive) place of the looks of the last phase; looks of phase 0 belong to none."""
    if not history or not history[-1].get("phase"):
        return len(history), len(history)
    phase = history[-1]["phase"]
    return next(i for i, look in enumerate(history) if look.get("phase") == phase), len(history)


def surely_above(look: Mapping[str, Any], bar: float) -> bool:
    """Is the rise beyond its noise, and of practical size?"""
    rise = float(look["rise"])
    return rise > LogLoss().margin and rise > bar * float(look["rise_error"])


def first_of_the_end(sure: Sequence[bool]) -> int | None:
    """The place from which on all are true; None where the last is not."""
    if not sure or not sure[-1]:
        return None
    return next(i for i in range(len(sure)) if all(sure[i:]))


def kept_number(run: Run, history: Looks) -> int:
    """The place of the look whose weights the run ended with."""
    return int(run.proofs.get("kept_look", len(history) - 1))


def in_words(found: Onset) -> str:
    """ "the validation loss was lowest after epoch 3 of phase 2 and surely higher from epoch 5 on ..."."""
    where = f"after epoch {found.epoch} of" if found.epoch else "before the first step of"
    words = Words(LogLoss())
    interval = words.interval(found.rise.low, found.rise.high)
    text = (
        f"the validation loss was lowest {where} phase {found.phase} and surely higher from epoch "
        f"{found.sure} on, at the end by {words.difference(found.rise.value)} ({interval})"
    )
    return text + ("" if found.kept else "; weights from before that rise were kept")
