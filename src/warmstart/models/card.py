"""What is known of a model without running it: where it lies, size, licence, published accuracy."""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.files import read_json
from warmstart.base.types import Candidate
from warmstart.models.weight_files import count_parameters, size

ZOO = "zoo:"
HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
MOST_FRONT = 100_000  # characters
CONFIG = "config.json"
FOR = re.compile(r"For([A-Z]\w*)|(LMHead)")  # what a class of transformers is for, in its name
CLASSES = "classification"


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
    try:
        path = Path(source).expanduser()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, RuntimeError):  # too long for a name; no home to expand ~ to
        is_file = is_folder = False
    if is_file:
        raise WarmstartError(
            f"{source} is a file, not a model folder", "give the folder that holds config.json", "no-config"
        )
    if is_folder and source:
        return str(path.resolve())
    if not HUB_ID.fullmatch(source):
        raise WarmstartError(
            f"{source!r}: no such folder, and not the form of a hub id (owner/name)",
            "check the path of the model",
            "no-model",
        )
    return source


def candidate(source: str) -> Candidate:
    """Size from the header of the weights, licence and accuracy from the card; a hub id is taken as it is."""
    where = Path(locate(source))
    if not where.is_dir():
        return Candidate(source.rsplit("/", 1)[-1], source, 0)
    front = front_matter(where)
    return Candidate(
        name=where.name,
        source=source,
        parameters=count_parameters(where),
        licence=licence(front),
        source_accuracy=accuracy(front),
        source_task=source_task(front, config_of(where)),
        bytes=size(where),
    )


def config_of(folder: Path) -> dict[str, Any]:
    """config.json as a table; empty if it cannot be read."""
    try:
        table = read_json(folder / CONFIG)
    except (OSError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def source_task(front: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """What a model was made for, by its card, else by the class it was saved as; "" if neither says."""
    task = front.get("pipeline_tag")
    if not isinstance(task, str):
        task = made_for(config.get("architectures"))
    labels = config.get("id2label")
    counted = CLASSES in task and isinstance(labels, Mapping) and len(labels) > 1
    return task.replace("-", " ") + (f", {len(labels):,} classes" if counted and labels else "")


def made_for(architectures: Any) -> str:
    """ "image-classification" of ["ResNetForImageClassification"]; "" of one that has no head."""
    first = architectures[0] if isinstance(architectures, list) and architectures else ""
    found = FOR.search(first) if isinstance(first, str) else None
    if found is None:
        return ""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", found[1] or "CausalLM")
    return re.sub("-lm$", "-language-model", words.lower())


def front_matter(folder: Path) -> dict[str, Any]:
    """The YAML head of README.md; empty if there is none or it cannot be read."""
    path = folder / "README.md"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    head = text.removeprefix("---").split("\n---")[0]
    if not text.startswith("---") or len(head) > MOST_FRONT:
        return {}
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        front = YAML(typ="safe").load(head)
    except (YAMLError, ValueError, RecursionError):
        return {}
    return front if isinstance(front, dict) else {}


def licence(front: dict[str, Any]) -> str:
    """The licence that the card names; "" if none or if it is no plain name."""
    given = front.get("license")
    names = given if isinstance(given, list) else [given]
    return ", ".join(name for name in names if isinstance(name, str))


def accuracy(front: dict[str, Any]) -> float | None:
    """The first published accuracy of the card's model-index, as a share; None if there is none."""
    try:
        for model in front.get("model-index", []):
            for result in model.get("results", []):
                for metric in result.get("metrics", []):
                    if metric.get("type") == "accuracy":
                        value = float(metric["value"])
                        share = value / 100 if value > 1 else value
                        return share if 0 <= share <= 1 else None
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return None
