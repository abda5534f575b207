"""A folder of classes again: the files that stay, each in the folder of its class."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from warmstart.data.readers._table import WHERE
from warmstart.data.readers.class_folder import LABEL, ClassFolderReader
from warmstart.data.writers import Copied, Edit


@dataclass(frozen=True)
class ClassFolderWriter:
    """Files that are no rows are not copied. A class that is spelled otherwise is a folder of that name."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        places = ClassFolderReader().rows(source).column(WHERE).to_pylist()
        labels = edit.cells.get(LABEL, {})
        for row, place in enumerate(places):
            if row not in edit.dropped:
                inside = Path(place)
                split, name = self._parts(inside, source)
                class_name = labels.get(row, name)
                rest = inside.relative_to(split / name)
                self._one(source / inside, target / split / class_name / rest)
        return Copied(len(places))

    def _parts(self, inside: Path, folder: Path) -> tuple[Path, str]:
        """The folder of the split ("." if there is none) and the name of the class."""
        depth = 1 if ClassFolderReader().has_splits(folder) else 0
        return Path(*inside.parts[:depth]), inside.parts[depth]

    def _one(self, source: Path, target: Path) -> None:
        """Copy a file; where another class had one of its name, a number is added."""
        number, free = 1, target
        while free.exists():
            number += 1
            free = target.with_name(f"{target.stem}-{number}{target.suffix}")
        free.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, free)


WRITER = ClassFolderWriter
