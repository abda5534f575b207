"""What several seeds gave, as rows and sentences that every form shares. Nothing where there was one."""

from collections.abc import Iterator

from warmstart.base.result import Result, RunSummary
from warmstart.base.types import Gain
from warmstart.report.units import metric
from warmstart.report.words import chance, count, p_value


def several(result: Result) -> bool:
    return result.seeds > 1


def arms(result: Result) -> Iterator[tuple[str, RunSummary]]:
    """The runs that were trained with several seeds."""
    return ((name, run) for name, run in result.runs.items() if run.seeds)


def mean(result: Result, run: RunSummary) -> str:
    """The mean of the primary metric with its interval: "91.2 % [89.0, 93.1]"."""
    kind, found = metric(result.primary), run.metrics.get(result.primary)
    return kind.reading(found) if found else ""


def spread(result: Result, run: RunSummary) -> str:
    """The standard deviation of the primary metric over the seeds: "1.3 points"."""
    return metric(result.primary).gap(run.spread[result.primary]) if result.primary in run.spread else ""


def each(result: Result, run: RunSummary) -> Iterator[tuple[str, str]]:
    """Every seed with what its own model reaches: ("3", "92.0 % [89.1, 94.2]")."""
    for one in run.seeds:
        found = one.metrics.get(result.primary)
        yield str(one.seed), metric(result.primary).reading(found) if found else ""


def shipped(result: Result) -> str:
    """Which of the trained models lies in model/, why, and what it reaches; or nothing."""
    one = result.shipped
    if one is None or result.primary not in one.metrics:
        return ""
    kind, found = metric(result.primary), one.metrics[result.primary]
    return (
        f"The model in model/ is that of seed {one.seed} ({one.run}), of the {result.seeds} the one of "
        f"lowest validation log-loss ({one.validation_loss:.3f}): test {kind.title} {kind.reading(found)} by "
        "itself"
    )


def shipped_in_short(result: Result) -> str:
    """The same for a line of a terminal: "seed 3, of 5 the best on validation: accuracy 91.7 %"."""
    one = result.shipped
    if one is None or result.primary not in one.metrics:
        return ""
    kind = metric(result.primary)
    reading = kind.reading(one.metrics[result.primary])
    return f"seed {one.seed}, of {result.seeds} the best on validation: {kind.title} {reading}"


def explained(result: Result) -> str:
    """How to read means over seeds."""
    return (
        f"Means over {result.seeds} seeds on the same {count(result.data.test)} test rows. Intervals are over"
        " rows and seeds; rows are not counted once a seed. Spread is the standard deviation over seeds"
    )


def certainty(gain: Gain) -> str:
    """How sure a gain is: "p = 0.010, by Holm 0.030; over 5 seeds t 0.004, signs 0.031"."""
    parts = [p_value(gain.p)]
    if gain.p_holm is not None and chance(gain.p_holm) != chance(gain.p):
        parts.append(f"by Holm {chance(gain.p_holm)}")
    told = ", ".join(parts)
    if gain.p_seeds is None or gain.p_signs is None:
        return told
    by_seed = f"t {chance(gain.p_seeds)}, one-sided signs {chance(gain.p_signs)}"
    return f"{told}; over {len(gain.by_seed)} seeds {by_seed}"
