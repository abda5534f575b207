"""What is known of a model without running it: where it lies, size, licence, published accuracy."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Candidate
from warmstart.models.weight_files import count_parameters

ZOO = "zoo:"


def zoo_names() -> list[str]:
    """Names of the tiny models that come with the package."""
    folder = Path(str(files("warmstart.models.zoo")))
    return sorted(p.parent.name for p in folder.glob("*/config.json"))


def locate(source: str) -> str:
    """The folder of a source, or the hub id itself where there is no such folder."""
    if source.startswith(ZOO):
        name = source.removeprefix(ZOO)
        if name not in zoo_names():
            raise WarmstartError(f"no model {name!r} in the zoo", did_you_mean(name, zoo_names()), "no-model")
        return str(Path(str(files("warmstart.models.zoo"))) / name)
    path = Path(source).expanduser()
    if path.is_file():
        raise WarmstartError(
            f"{source} is a file, not a model folder", "give the folder that holds config.json", "no-config"
        )
    if path.is_dir():
        return str(path.resolve())
    if source.count("/") > 1 or source.startswith((".", "/", "~")):
        raise WarmstartError(f"{source}: no such folder", "check the path of the model", "no-model")
    return source


def candidate(source: str) -> Candidate:
    """Size from the header of the weights, licence and accuracy from the card; a hub id is taken as it is."""
    where = Path(locate(source))
    name = source.removeprefix(ZOO).rstrip("/").rsplit("/", 1)[-1]
    if not where.is_dir():
        return Candidate(name, source, 0)
    front = front_matter(where)
    return Candidate(name, source, count_parameters(where), str(front.get("license", "")), accuracy(front))


def front_matter(folder: Path) -> dict[str, Any]:
    """The YAML head of README.md; empty if there is none or it cannot be read."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if not text.startswith("---"):
        return {}
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        front = YAML(typ="safe").load(text.split("---")[1])
    except YAMLError:
        return {}
    return front if isinstance(front, dict) else {}


def accuracy(front: dict[str, Any]) -> float | None:
    """The first published accuracy of the card's model-index, as a share."""
    try:
        for model in front.get("model-index", []):
            for result in model.get("results", []):
                for metric in result.get("metrics", []):
                    if metric.get("type") == "accuracy":
                        value = float(metric["value"])
                        return value / 100 if value > 1 else value
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return None
