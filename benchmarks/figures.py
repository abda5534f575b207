"""From paired runs to the figures of a row: ratios with their range, memory, and whether both sides agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import median, variance
from typing import Any

from benchmarks.pairs import Ran, ratio

RISEN = 1.05  # times the first loss: more is no learning; few rows and steps leave it where it was
DOUBT = 3.0  # standard errors by which accuracies may differ
APART = 0.01  # of the loss: so much validation losses of language models may differ
PRECISION = 4  # digits of what is written


@dataclass
class Figures:
    """All that a row of the suite says; `table` is what --json prints."""

    id: str
    ratios: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    agree: list[bool] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def table(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "ratios": self.ratios,
            "memory": self.memory,
            "same_result": bool(self.agree) and all(self.agree),
            "figures": self.figures,
        }

    def note(self, kind: str, what: str) -> None:
        """Something to be said beside the numbers: "missing" contenders, for example."""
        self.figures.setdefault(kind, []).append(what)

    def add(
        self,
        network: str,
        rounds: Sequence[Sequence[Ran]],
        names: Sequence[str],
        ours: str | None,
        held: int,
    ) -> None:
        """Take in the rounds of one network; `held` is the number of rows that the accuracy is of."""
        by_round = [{ran.name: ran for ran in ran_in_it} for ran_in_it in rounds]
        for name in names:
            runs = [each[name] for each in by_round if name in each]
            if len(runs) < len(by_round):
                self.note("failed", f"{network}/{name}: {len(by_round) - len(runs)} of {len(by_round)} runs")
            if runs:
                self.figures["device"] = runs[0].device
                self.figures[f"{network}/{name}"] = figures_of(runs)
            if ours is not None and name != ours:
                pairs = [(each[ours], each[name]) for each in by_round if ours in each and name in each]
                self.compare(f"{network}/{name}", pairs, held)

    def compare(self, key: str, pairs: Sequence[tuple[Ran, Ran]], held: int) -> None:
        """The other side against ours, within each round."""
        if not pairs:
            return
        ours, theirs = zip(*pairs, strict=True)
        self.ratios[key] = spread([ratio(our, their) for our, their in pairs])
        our, their = (peak_of(side) for side in (ours, theirs))
        if our and their:
            self.memory[key] = rounded(our / their)
        self.agree.append(same_result(ours, theirs, held))


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"value": rounded(median(values)), "low": rounded(min(values)), "high": rounded(max(values))}


def rounded(value: float) -> float:
    return float(f"{value:.{PRECISION}g}")


def peak_of(runs: Sequence[Ran]) -> float | None:
    """MB at the peak, the median of the rounds; None where a run did not say."""
    known = [r.memory for r in runs if r.memory is not None]
    return median(known) if known and len(known) == len(runs) else None


def figures_of(runs: Sequence[Ran]) -> dict[str, Any]:
    """Medians over the rounds, with the range of each that is a cost."""
    peak = peak_of(runs)
    said: dict[str, Any] = {
        "cpu_seconds": spread([float(r.said["cpu"]) for r in runs]),
        "wall_seconds": spread([float(r.said["wall"]) for r in runs]),
        "process_cpu_seconds": spread([r.process_cpu for r in runs]),
        "process_wall_seconds": spread([r.process_wall for r in runs]),
        "peak_mb": None if peak is None else rounded(peak),
    }
    if all(r.said.get("losses") for r in runs):
        said["first_loss"] = rounded(median(r.said["losses"][0] for r in runs))
        said["last_loss"] = rounded(median(r.said["losses"][-1] for r in runs))
    if all("validation_loss" in r.said for r in runs):
        said["validation_loss"] = rounded(median(r.said["validation_loss"] for r in runs))
    if all("accuracy" in r.said for r in runs):
        said["accuracy"] = rounded(median(r.said["accuracy"] for r in runs))
    if all("amount" in r.said for r in runs):
        rates = [r.said["amount"] / r.said[r.clock] / 1e9 for r in runs]
        said[f"gflops_per_{runs[0].clock}_second"] = spread(rates)
    return said


def same_result(ours: Sequence[Ran], theirs: Sequence[Ran], held: int) -> bool:
    """Did both learn, and are their accuracies as near as other rows and other seeds would bring them?

    `held` rows were asked about; how much seeds matter is seen where there is more than one round.
    Language models are compared by their losses on the validation rows, which both sides look at. Scripts
    that do not learn to an end (a first step, a matrix product) agree by having come through.
    """
    both = [*ours, *theirs]
    if all("validation_loss" in ran.said for ran in both):
        return near_losses(ours, theirs) and all(learned(ran) for ran in both)
    if not all("accuracy" in ran.said for ran in both):
        return all(learned(ran) for ran in both)
    one, other = ([r.said["accuracy"] for r in side] for side in (ours, theirs))
    middle = (median(one) + median(other)) / 2
    of_rows = 2 * max(middle * (1 - middle), 1 / held) / held
    of_seeds = (variance(one) + variance(other)) / len(one) if len(one) > 1 else 0.0
    near = abs(median(one) - median(other)) <= DOUBT * sqrt(of_rows + of_seeds)
    return near and all(learned(ran) for ran in both)


def near_losses(ours: Sequence[Ran], theirs: Sequence[Ran]) -> bool:
    """Are the losses on the same validation rows within APART, or as near as seeds would bring them?"""
    one, other = ([float(r.said["validation_loss"]) for r in side] for side in (ours, theirs))
    of_seeds = (variance(one) + variance(other)) / len(one) if len(one) > 1 else 0.0
    apart = abs(median(one) - median(other))
    return apart <= max(APART * median(other), DOUBT * sqrt(of_seeds))


def learned(ran: Ran) -> bool:
    """Did the loss not rise from the first epoch to the last?"""
    losses = ran.said.get("losses", ())
    return len(losses) < 2 or losses[-1] < RISEN * losses[0]
