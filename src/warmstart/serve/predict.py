"""A finished run answers: labels with probabilities for texts or pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.base.files import expanded, read_table
from warmstart.models.features import logits_of
from warmstart.models.load import AUTO, Pretrained
from warmstart.models.load import load as load_model
from warmstart.models.own_file import read_temperature
from warmstart.serve.questions import UNKNOWN, Learned
from warmstart.serve.values import as_asked
from warmstart.tasks import TASKS
from warmstart.tasks._classification import Classification

ANEW = "take the folder anew"
Answer = list[tuple[str, float]]  # labels with probabilities, most likely first


@dataclass(frozen=True)
class Predictor:
    """The recommended model of a run.

    warmstart.load("runs/reviews-1").predict("what a film")  # [("positive", 0.97), ("negative", 0.03)]
    """

    pretrained: Pretrained
    task: Classification
    learned: Learned = UNKNOWN  # columns of the table that was learned from
    temperature: float = 1.0  # divides the logits, so that probabilities can be believed

    def predict(self, value: object) -> Answer:
        """Labels with probabilities for one text or picture: a path, bytes, an image of PIL, an array."""
        return self.predict_all([value])[0]

    def predict_all(self, values: Sequence[object]) -> list[Answer]:
        """The same for many, in their order."""
        if not values:
            return []
        plain = [as_asked(value, self.task.modality) for value in values]
        inputs, _ = self.task.encode(self.pretrained, plain, None)
        logits = logits_of(self.pretrained.anatomy, inputs)
        probabilities = self.task.probabilities(logits.double() / self.temperature)
        labels = self.pretrained.labels
        return [
            sorted(zip(labels, map(float, row), strict=True), key=lambda pair: -pair[1])
            for row in probabilities
        ]


def load(run: str | Path, device: str = "auto") -> Predictor:
    """The predictor of a run folder, or of a model folder that warmstart wrote; `device` as run() has it."""
    folder = expanded(run)
    model = folder / "model" if (folder / "model").is_dir() else folder
    if not (model / "config.json").is_file():
        raise WarmstartError(
            f"{run}: no finished model here",
            "give a run folder whose run has ended, or go on with `warmstart run` on it",
            "no-model",
        )
    task = task_of(model)
    pretrained = load_model(str(model), task.modality, device=device)
    if not pretrained.labels:
        raise WarmstartError(
            f"{model}: the head of this model was never trained",
            "give a run folder, or learn with `warmstart run --from` first",
            "no-head",
        )
    columns = learned_columns(folder / "data.json", task)
    return Predictor(pretrained, task, columns, read_temperature(model))


def task_of(model: Path) -> Classification:
    """The task that the model's architecture was made for."""
    names = read_table(model / "config.json", ANEW, "bad-config").get("architectures") or [""]
    for name in TASKS.names():
        task: Classification = TASKS.get(name)()
        if task.whole_street and str(names[0]).endswith(AUTO[task.modality].removeprefix("AutoModel")):
            return task
    raise WarmstartError(f"{model}: a {names[0]} does no task known here", "give a run folder", "no-task")


def learned_columns(data: Path, task: Classification) -> Learned:
    """Columns of the rows that the run learned from; a model folder alone does not know them."""
    if not data.is_file():
        return UNKNOWN
    roles = read_table(data, ANEW, "bad-run").get("roles", {})
    return Learned(str(roles.get(task.roles[0], "")), str(roles.get("label", "")))
