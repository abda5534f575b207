"""label_next.csv: the rows that are worth a label, with a column to write it into."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from warmstart.base.files import write_text
from warmstart.serve.predict import Predictor
from warmstart.serve.wanted import Wanted

FILE = "label_next.csv"
TOLD = ("where", "predicted", "probability", "margin", "cluster", "alike")


def write(predictor: Predictor, rows: Sequence[Wanted], folder: Path) -> Path:
    """Write `folder`/label_next.csv, whole or not at all, and return its path.

    Input and label have the names of the table that was learned from, so that the file, once filled in,
    can be learned from like it; the label is left empty.
    """
    modality, learned = predictor.task.modality, predictor.learned
    taken = (learned.column or modality, learned.label or "label")
    where, *told = (f"{name}_" if name in taken else name for name in TOLD)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([where, *taken, *told])
    for row in rows:
        value = row.value if isinstance(row.value, str) else ""  # a picture that lies in the table itself
        numbers = (f"{row.probability:.4f}", f"{row.margin:.4f}", row.cluster, row.alike)
        table.writerow([row.name, value, "", row.predicted, *numbers])
    path = folder / FILE
    write_text(path, text.getvalue())
    return path
