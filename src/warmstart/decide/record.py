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
            "frozen": Trend(at=-0.1002, rows=0.0022, similar=0.0025, ahead=0.0045, spread=0.1023),
            "partial": Trend(at=-0.0161, rows=0.0004, similar=0.0003, ahead=0.0006, spread=0.0277),
            "gradual": Trend(at=-0.0101, rows=0.0002, similar=-0.0, ahead=0.0003, spread=0.024),
            "scratch": Trend(at=-0.1694, rows=0.0511, similar=0.1842, ahead=-0.2538, spread=0.1343),
        },
        rows=(4.0, 100.0),
        parameters=3_533_054,
        cells=200,
    ),
    "text": Record(
        {
            "frozen": Trend(at=-0.0414, rows=0.0003, similar=0.0003, ahead=0.0026, spread=0.0626),
            "partial": Trend(at=-0.0428, rows=0.017, similar=-0.0059, ahead=0.0658, spread=0.0405),
            "gradual": Trend(at=-0.0069, rows=0.0, similar=-0.0, ahead=-0.0002, spread=0.0326),
            "lora": Trend(at=-0.0047, rows=-0.0036, similar=0.0126, ahead=-0.022, spread=0.0307),
            "scratch": Trend(at=-0.1145, rows=0.0006, similar=-0.0005, ahead=-0.0001, spread=0.1135),
        },
        rows=(4.0, 98.5),
        parameters=22_713_986,
        cells=100,
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
