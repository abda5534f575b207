"""What can be seen to be wrong in a wish before anything is read: cheaper now than after an hour."""

from __future__ import annotations

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.tables import known_keys
from warmstart.base.types import Plan
from warmstart.decide.strategies import STRATEGIES
from warmstart.models.card import locate
from warmstart.select.scores import SCORES
from warmstart.street.folder import Options
from warmstart.tasks import TASKS


def refuse(asked: Options) -> None:
    """Raises WarmstartError for a part, setting or model folder that does not exist."""
    for family, name in ((TASKS, asked.task), (SCORES, asked.score), (STRATEGIES, asked.strategy)):
        if name:
            family.module_of(name)
    for setting in asked.settings:
        refuse_setting(setting)
    for model in asked.models:
        locate(model)


def refuse_setting(setting: str) -> None:
    name = setting.partition("=")[0].split(".")[0].strip()
    known = {*known_keys(Plan), *known_keys(Options)} - {"reasons", "data", "models", "settings", "model"}
    if name == "model":
        raise WarmstartError(f"--set {setting}: a model is ranked first", "name it with --from", "usage")
    if name not in known:
        raise WarmstartError(
            f"--set {setting}: no setting is called {name!r}", did_you_mean(name, known), "unknown-key"
        )
