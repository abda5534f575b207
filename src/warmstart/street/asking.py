"""What can be seen to be wrong in a wish before anything is read: cheaper now than after an hour."""

from __future__ import annotations

from collections.abc import Iterable

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.tables import known_keys
from warmstart.base.types import Phase, Plan
from warmstart.decide.choose import GUARDS
from warmstart.decide.plan_file import apply_setting
from warmstart.decide.strategies import STRATEGIES
from warmstart.models.pool import refuse_twice
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import judges
from warmstart.street.bounding import limit_of
from warmstart.street.budget import seconds_of
from warmstart.street.folder import Options
from warmstart.street.parts import check_parts
from warmstart.street.probing import NAMES
from warmstart.tasks import TASKS

LATER = ("edits", "guards")  # their settings can be checked only where the plan is known
MOST_PHASES = 50
MOST_SEEDS = 20  # all their signs are gone through


def refuse(asked: Options, ranking: bool = False) -> None:
    """Raises WarmstartError for a part, setting or model folder that does not exist.

    `ranking` is all that is wished for: that goes for tasks too which cannot go on from there.
    """
    for family, name in ((TASKS, asked.task), (SCORES, asked.score), (STRATEGIES, asked.strategy)):
        if name:
            family.module_of(name)
    if not ranking:
        refuse_task(asked)
    refuse_score(asked)
    refuse_seeds(asked.seeds)
    refuse_race(asked.race)
    refuse_probes(asked.probes)
    if asked.budget:
        seconds_of(asked.budget)
    if asked.max_forgetting:
        limit_of(asked.max_forgetting)
    for setting in asked.settings:
        refuse_setting(setting)
    refuse_twice(asked.models)


def refuse_task(asked: Options) -> None:
    """A task that the whole street cannot take."""
    if asked.task and not TASKS.get(asked.task).whole_street:
        raise WarmstartError(
            f"--task {asked.task}: its models can be ranked, and it can be learned from Python so far "
            "(warmstart.tune.loop.tune), with no rivals or report",
            f"choose one of {', '.join(n for n in TASKS.names() if TASKS.get(n).whole_street)}",
            "task-from-python",
        )


def refuse_score(asked: Options) -> None:
    """A score of other things than the task's own judges."""
    if asked.score == Options.score:
        return
    own = TASKS.get(asked.task).score if asked.task else Options.score
    wanted, kind = judges(SCORES.get(own)), judges(SCORES.get(asked.score))
    if kind != wanted:
        fit = ", ".join(name for name in SCORES.names() if judges(SCORES.get(name)) == wanted)
        raise WarmstartError(
            f"--set score={asked.score}: it judges {kind}, and here {wanted} are judged",
            f"choose one of {fit}",
            "unfit-score",
        )


def refuse_seeds(seeds: int) -> None:
    if not 1 <= seeds <= MOST_SEEDS:
        raise WarmstartError(f"seeds={seeds}", f"give 1 to {MOST_SEEDS}; 5 make a claim", "wrong-value")


def refuse_race(candidates: int) -> None:
    if candidates < 0:
        raise WarmstartError(f"race={candidates}", "give how many are tried; 0 is none", "wrong-value")


def refuse_probes(probes: Iterable[str]) -> None:
    for name in probes:
        if name not in NAMES:
            raise WarmstartError(f"no probe {name!r}", did_you_mean(name, NAMES), "no-such-probe")


def refuse_setting(setting: str) -> None:
    """Try it on a plan of no account, which has all that a plan can have but edits and guards."""
    path = setting.partition("=")[0].strip().split(".")
    known = {*known_keys(Plan), *known_keys(Options)} - {"reasons", "data", "models", "settings", "model"}
    if path[0] == "model":
        raise WarmstartError(f"--set {setting}: a model is ranked first", "name it with --from", "usage")
    if path[0] not in known:
        raise WarmstartError(
            f"--set {setting}: no setting is called {path[0]!r}", did_you_mean(path[0], known), "unknown-key"
        )
    if path[0] in LATER:
        refuse_part(setting, path)
    else:
        phase = int(path[1]) if len(path) > 1 and path[1].isdecimal() else 0
        phases = (Phase(("head",), lr=1e-3, epochs=1),) * (1 + min(phase, MOST_PHASES))
        check_parts(apply_setting(Plan("", None, "", phases), setting))


def refuse_part(setting: str, path: list[str]) -> None:
    """Parts given whole, and settings of the guard that every plan has; others wait until they are known."""
    phases = (Phase(("head",), lr=1e-3, epochs=1),)
    plan = Plan("", None, "", phases, guards=tuple(dict(guard) for guard in GUARDS))
    if len(path) == 1 or path[:2] == ["guards", "0"]:
        check_parts(apply_setting(plan, setting))
