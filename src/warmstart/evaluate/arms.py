"""An arm is a plan and what came of it: one run, or several that differ in their seed alone."""

from collections.abc import Mapping, Sequence

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Run
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.roles import did_not_learn

Arms = Mapping[str, tuple[Run, ...]]


def arms_of(runs: Mapping[str, Run | Sequence[Run]]) -> dict[str, tuple[Run, ...]]:
    """Every arm with its runs. Arms with several must have the same seeds in the same order, to be paired."""
    arms = {name: (given,) if isinstance(given, Run) else tuple(given) for name, given in runs.items()}
    several = {name: seeds_of(arm) for name, arm in arms.items() if len(arm) > 1}
    for name, seeds in several.items():
        if seeds != next(iter(several.values())) or len(set(seeds)) < len(seeds):
            wrong = f"run {name!r} has the seeds {', '.join(map(str, seeds))}, others have not"
            raise WarmstartError(wrong, "prove them again, all with the same seeds", "seeds-differ")
    return arms


def seeds_of(arm: Sequence[Run]) -> tuple[int, ...]:
    return tuple(run.plan.seed for run in arm)


def best_seed(arm: Sequence[Run]) -> Run:
    """The run of lowest log-loss on the validation rows; of equals the first. The test rows have no say."""
    return min(arm, key=validation_loss)


def validation_loss(run: Run) -> float:
    said = run.predictions["validation"]
    return float(LogLoss().rows(said.truth, said.probabilities).mean())


def is_idle(arm: Sequence[Run]) -> bool:
    """Is it from scratch, and did half of its runs or more not learn? Then a gain over it proves nothing."""
    return 2 * sum(did_not_learn(run) for run in arm) >= len(arm)
