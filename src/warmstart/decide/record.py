"""What each strategy gave elsewhere, beside full fine-tuning: the study's table, and how far it reaches.

`python -m benchmarks decisions --record` fits it on the cells of the decision study: the difference in
accuracy from full fine-tuning, linear in the logarithm of rows per class, in the similarity, and in what the
frozen features are ahead of no network. The spread is that of cells of sets that the line was not fitted to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10

from warmstart.base.types import Facts

REFERENCE = "full"
MIDDLE = 10  # rows per class at which `at` holds
HALFWAY = 0.5  # similarity at which `at` holds


@dataclass(frozen=True)
class Trend:
    """Accuracy minus that of the reference, as a share: its line over cells, and their spread around it."""

    at: float  # with 10 rows per class and features halfway from floor to perfect
    rows: float  # more for each tenfold of rows per class
    similar: float  # more for features that are perfect instead of at the floor
    ahead: float  # more where the probe is ahead of no network by the whole of the accuracy
    spread: float  # standard deviation of a new cell around the line


@dataclass(frozen=True)
class Record:
    """What was found for a modality, and what was studied of it: beyond, the record says nothing."""

    trends: Mapping[str, Trend]  # by strategy
    rows: tuple[float, float]  # of the median class, from and to
    parameters: int  # of the largest model
    cells: int


@dataclass(frozen=True)
class Belief:
    """What is expected of a strategy's accuracy minus that of the reference."""

    mean: float
    sd: float


RECORDS = {
    "image": Record(
        {
            "frozen": Trend(at=-0.0995, rows=0.0766, similar=0.0669, ahead=0.1844, spread=0.0836),
            "partial": Trend(at=-0.027, rows=0.03, similar=-0.0312, ahead=0.0215, spread=0.0362),
            "gradual": Trend(at=-0.0139, rows=0.0146, similar=-0.0229, ahead=0.0045, spread=0.0323),
            "scratch": Trend(at=-0.1772, rows=0.0623, similar=0.0604, ahead=-0.079, spread=0.1536),
        },
        rows=(4.0, 100.0),
        parameters=3_533_054,
        cells=50,
    ),
    "text": Record(
        {
            "frozen": Trend(at=-0.0577, rows=0.0327, similar=0.0111, ahead=0.0041, spread=0.0739),
            "partial": Trend(at=-0.0398, rows=0.0486, similar=-0.03, ahead=-0.0167, spread=0.0713),
            "gradual": Trend(at=-0.0036, rows=0.01, similar=-0.0145, ahead=-0.0073, spread=0.0337),
            "lora": Trend(at=0.0117, rows=-0.0191, similar=-0.0152, ahead=-0.0255, spread=0.0421),
            "scratch": Trend(at=-0.0322, rows=-0.1189, similar=-0.0284, ahead=-0.1679, spread=0.1701),
        },
        rows=(4.5, 25.0),
        parameters=22_713_986,
        cells=19,
    ),
}
Records = Mapping[str, Record]
BEYOND = (
    2.0  # so many times fewer or more rows per class, or larger a model, than studied: still within reach
)


def within(facts: Facts, records: Records = RECORDS) -> bool:
    """Does the record reach these facts?"""
    record = records.get(facts.modality)
    if record is None or not (facts.pretrained and facts.measured):
        return False
    low, high = record.rows
    rows_fit = low / BEYOND <= facts.median_per_class <= BEYOND * high
    return rows_fit and facts.parameters <= BEYOND * record.parameters


def beliefs(facts: Facts, records: Records = RECORDS) -> dict[str, Belief]:
    """By strategy, the reference included; empty where the record does not reach."""
    return believed(facts, records) if within(facts, records) else {}


def believed(facts: Facts, records: Records = RECORDS) -> dict[str, Belief]:
    """The same on the record's lines, however far they are drawn out."""
    trends = records[facts.modality].trends
    return {REFERENCE: Belief(0.0, 0.0)} | {name: belief(trend, facts) for name, trend in trends.items()}


def belief(trend: Trend, facts: Facts) -> Belief:
    tens = log10(max(1.0, facts.median_per_class) / MIDDLE)
    ahead = 0.0 if facts.baseline is None else facts.probe - facts.baseline
    mean = trend.at + trend.rows * tens + trend.similar * (facts.similarity - HALFWAY) + trend.ahead * ahead
    return Belief(mean, trend.spread)
