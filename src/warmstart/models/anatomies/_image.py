"""What the image networks share: maps that flow through blocks one after the other."""

from collections.abc import Callable
from typing import Any

from torch import nn

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import Group, State


def block(name: str, *modules: nn.Module) -> Group:
    """Modules that take a map (or tokens) and give one, in a row."""

    def run(state: State) -> State:
        hidden = state["hidden"]
        for module in modules:
            hidden = module(hidden)
        return {"hidden": hidden}

    return Group(name, modules, run)


def stem(name: str, *modules: nn.Module) -> Group:
    """The first modules: from pixels (B x 3 x H x W) to a map."""
    inner = block(name, *modules)
    return Group(name, modules, lambda s: inner.run({"hidden": s["pixel_values"]}))


def head(*modules: nn.Module) -> Group:
    """Modules over the pooled features that end in logits."""

    def run(state: State) -> State:
        x = state["pooled"]
        for module in modules:
            x = module(x)
        return {"logits": x}

    return Group("head", modules, run, exact=True)


def average(*modules: nn.Module) -> Callable[[State], State]:
    """The mean over the map, then `modules`."""

    def run(state: State) -> State:
        x = state["hidden"].mean((2, 3))
        for module in modules:
            x = module(x)
        return {"pooled": x}

    return run


class CannotCut:
    """Architectures without a depth in their configuration: a shorter one could not be loaded again."""

    can_cut = False

    def keep_layers(self, model: Any, keep: int) -> None:
        raise WarmstartError(
            f"a {model.config.model_type} cannot lose layers: its configuration has no depth",
            "leave the edit drop_layers out, or choose another model",
            "cannot-cut",
        )

    def can_pool(self, model: Any) -> bool:
        return False

    def add_mean_layer(self, model: Any) -> None:
        raise no_place(model.config)


def no_place(config: Any) -> WarmstartError:
    return WarmstartError(
        f"a {config.model_type} already averages, or has no place for a layer that does",
        "leave the edit mean_pool out",
        "cannot-pool",
    )


def name_stages(config: Any, count: int) -> None:
    """Tell a configuration how many stages are left: it names them, and names one as its output."""
    config.stage_names = ["stem", *(f"stage{i}" for i in range(1, count + 1))]
    config.out_features = [config.stage_names[-1]]


def last_block(group: Group, *modules: nn.Module, then: Callable[[State], State]) -> Group:
    """A group that ends the body: it also pools, so that what follows reads "pooled"."""
    return Group(group.name, (*group.modules, *modules), lambda s: then(group.run(s)))
