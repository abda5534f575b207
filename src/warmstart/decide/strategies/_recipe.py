"""What the strategies share: how well they suit, how fast and how long they learn.

The numbers hold before anything was measured on the user's rows. Evidence: head first, then all (LP-FT, Kumar
et al. 2022, arXiv 2202.10054); a number of steps rather than of epochs where rows are few (Mosbach et al.
2021, arXiv 2006.04884); slower towards the input (Howard and Ruder 2018, arXiv 1801.06146).
"""

from dataclasses import dataclass, replace
from math import ceil

from warmstart.base.types import Facts, Phase, Reason

SIMILAR = 0.7  # share of the way from floor to perfect that frozen features must carry
SIZES = ((10, "few"), (100, "some"), (1001, "many"))  # labelled rows per class: under 10, 100, 1,001
STEPS = 400  # of the optimiser, that a fine-tuning needs
EPOCHS = (3, 20)  # at least and at most
SCARCE = 5  # rows of the median class; with fewer, texts do not come back from a head that says little
CLEAR = 0.8  # from here on a strategy is the table's first choice


@dataclass(frozen=True)
class Prior:
    """How well a strategy suits, 0 to 1: (on similar data, on distant data) by labelled rows per class."""

    few: tuple[float, float]  # under 10
    some: tuple[float, float]  # 10 to 99
    many: tuple[float, float]  # 100 to 1,000
    plenty: tuple[float, float]  # more
    first: str  # what follows where it is the first choice
    otherwise: str

    def ask(self, facts: Facts) -> tuple[float, Reason]:
        """The entry for these facts, and why; 0 where there is no model to start from."""
        if not facts.pretrained:
            return 0.0, Reason(
                "strategy: weights to keep", "no pretrained model", "only training from scratch is left"
            )
        value = getattr(self, size(facts))[0 if similar(facts) else 1]
        so = self.first if value >= CLEAR else self.otherwise
        return value, Reason("strategy: labelled rows per class, similarity of the data", seen(facts), so)


def size(facts: Facts) -> str:
    """The band that the labelled rows per class fall into: few, some, many or plenty."""
    return next((name for limit, name in SIZES if facts.median_per_class < limit), "plenty")


def similar(facts: Facts) -> bool:
    """Features that could not be measured count as similar: to keep them is the smaller risk."""
    return not facts.measured or facts.similarity >= SIMILAR


def seen(facts: Facts) -> str:
    kind = "similar" if similar(facts) else "distant"
    rows = f"{facts.median_per_class:,g} rows in the median class, {facts.rows:,} in all"
    if not facts.measured:
        return f"{rows}, too few to probe the frozen features"
    return (
        f"{rows}; similarity "
        f"{facts.similarity:.2f} is {kind} (frozen probe {facts.probe:.3f}, floor {facts.floor:.3f}, "
        f"similar from {SIMILAR})"
    )


@dataclass(frozen=True)
class Habit:
    """Rates of a modality: `rate` at `parameters`, higher for smaller models, within low and high."""

    rate: float
    parameters: float
    low: float
    high: float
    decay: float  # per group towards the input
    leave: float  # share of the loss that the head leaves to the body
    scarce: float  # the same where the median class has fewer than SCARCE rows


HABITS = {
    "text": Habit(2e-5, 110e6, 1e-5, 1e-3, 0.95, 0.5, 0.1),
    "image": Habit(1e-4, 25e6, 3e-5, 1e-3, 0.9, 0.95, 0.95),
}


def rate(facts: Facts) -> float:
    """The learning rate of the topmost group when everything learns, to two digits."""
    habit = HABITS[facts.modality]
    return clipped(habit.rate * (habit.parameters / max(1, facts.parameters)) ** 0.4, habit.low, habit.high)


def clipped(value: float, low: float, high: float) -> float:
    """`value` within low and high, rounded to the two digits that such a rule is good for."""
    return float(f"{min(max(value, low), high):.2g}")


def decay(facts: Facts) -> float:
    return HABITS[facts.modality].decay


def steps_per_epoch(facts: Facts) -> int:
    return max(1, ceil(facts.rows / facts.batch))


def epochs(facts: Facts) -> int:
    """Enough for STEPS steps, within EPOCHS."""
    low, high = EPOCHS
    return min(max(ceil(STEPS / steps_per_epoch(facts)), low), high)


def frozen_head(facts: Facts) -> Phase:
    """The head alone on frozen features, as good as it gets: solved exactly where it is linear."""
    learn = facts.groups[-1:]
    if facts.head_is_linear:
        return Phase(learn, lr=1e-3, epochs=1, solver="logistic")
    return Phase(learn, lr=1e-3, epochs=30)


def head_first(facts: Facts) -> tuple[Phase, ...]:
    """The head before the body learns: the best one, then one that points the way and no more.

    Early stopping keeps the first where nothing later beats it on the validation rows. A head that fits its
    rows perfectly leaves no loss, and the body nothing to learn, hence the second; that of pictures may say
    hardly anything, as their bodies learn fast (EXPERIMENTS.md, section 15).
    """
    best = frozen_head(facts)
    if best.solver != "logistic":
        return (replace(best, epochs=3),)
    habit = HABITS[facts.modality]
    return best, replace(best, leave=habit.scarce if facts.median_per_class < SCARCE else habit.leave)


def fine_phase(facts: Facts, *learn: str, length: int = 0) -> Phase:
    """These groups at the rate of the modality, for `length` epochs (0: as many as the rule says)."""
    return Phase(learn, lr=rate(facts), epochs=length or epochs(facts), decay=decay(facts))
