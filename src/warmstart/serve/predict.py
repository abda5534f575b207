"""A finished run answers: labels with probabilities for texts or pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.models.features import logits_of
from warmstart.models.load import AUTO, Pretrained
from warmstart.models.load import load as load_model
from warmstart.tasks import TASKS
from warmstart.tasks._classification import Classification

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
Answer = list[tuple[str, float]]  # labels with probabilities, most likely first


@dataclass(frozen=True)
class Predictor:
    """The recommended model of a run.

    warmstart.load("runs/reviews-1").predict("what a film")  # [("positive", 0.97), ("negative", 0.03)]
    """

    pretrained: Pretrained
    task: Classification

    def predict(self, value: object) -> Answer:
        """Labels with probabilities for one text, picture (a path, bytes) or whatever the task takes."""
        return self.predict_all([value])[0]

    def predict_all(self, values: Sequence[object]) -> list[Answer]:
        """The same for many, in their order."""
        if not values:
            return []
        inputs, _ = self.task.encode(self.pretrained, values, None)
        probabilities = self.task.probabilities(logits_of(self.pretrained.anatomy, inputs))
        labels = self.pretrained.labels
        return [
            sorted(zip(labels, map(float, row), strict=True), key=lambda pair: -pair[1])
            for row in probabilities
        ]


def load(run: str | Path) -> Predictor:
    """The predictor of a run folder, or of a model folder that warmstart wrote."""
    folder = Path(run)
    model = folder / "model" if (folder / "model").is_dir() else folder
    if not (model / "config.json").is_file():
        raise WarmstartError(
            f"{run}: no finished model here",
            "give a run folder whose run has ended, or go on with `warmstart run` on it",
            "no-model",
        )
    task = task_of(model)
    return Predictor(load_model(str(model), task.modality), task)


def task_of(model: Path) -> Classification:
    """The task that the model's architecture was made for."""
    names = json.loads((model / "config.json").read_text(encoding="utf-8")).get("architectures") or [""]
    for name in TASKS.names():
        task: Classification = TASKS.get(name)()
        if names[0].endswith(AUTO[task.modality].removeprefix("AutoModel")):
            return task
    raise WarmstartError(f"{model}: a {names[0]} does no task known here", "give a run folder", "no-task")


def questions(word: str, modality: str) -> list[tuple[str, object]]:
    """What a word of the command line asks about: each row of a table, a picture, or the word itself."""
    path = Path(word)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
    except OSError:  # a long text is no file name
        is_file = is_folder = False
    if modality == "image":
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in PICTURES) if is_folder else [path]
        if not files or not (is_file or is_folder):
            raise WarmstartError(f"{word}: no such picture", "give a picture or a folder of them", "no-input")
        return [(str(file), str(file)) for file in files]
    if is_file and path.suffix.lower() not in (".txt", ""):
        return rows_of(path)
    return [(path.name, path.read_text(encoding="utf-8", errors="replace"))] if is_file else [(word, word)]


def rows_of(path: Path) -> list[tuple[str, object]]:
    """The texts of a table: its column "text", or its only one, or the one with the longest texts."""
    from warmstart.data.readers import READERS

    reader = next((r for r in (READERS.get(n)() for n in READERS.names()) if r.fits(path)), None)
    if reader is None:
        raise WarmstartError(f"{path}: no reader for this file", "give a text or a table", "no-reader")
    table = reader.rows(path)
    columns = [c for c in table.column_names if not c.startswith("_")]
    lengths = {c: sum(len(str(v)) for v in table.column(c).to_pylist()) for c in columns}
    column = "text" if "text" in columns else max(lengths, key=lambda c: lengths[c])
    return list(zip(table.column("_where").to_pylist(), table.column(column).to_pylist(), strict=True))
