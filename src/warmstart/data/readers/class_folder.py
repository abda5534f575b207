"""One sub-folder per class, of images or of .txt files, with or without train, validation, test above."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.decode import read_text
from warmstart.data.readers._folders import (
    IMAGES,
    files_below,
    folders_in,
    kind_of,
    split_folders,
    split_named,
)
from warmstart.data.readers._table import finish, strings

LABEL = "label"  # the column that holds the class
NO_CLASSES = ("images", "imgs", "jpegimages", "masks", "labels", "annotations", "segmentationclass")
Item = tuple[Path, str, str | None]  # file, class, split


@dataclass(frozen=True)
class ClassFolderReader:
    """Rows of a folder of classes: the file's path (or its text) and the class."""

    def fits(self, path: Path) -> bool:
        return path.is_dir() and kind_of(path) == "classes"

    def rows(self, path: Path) -> Any:
        items = list(_items(path))
        kinds = Counter(_kind(file) for file, _, _ in items)
        kind = "text" if kinds["text"] > kinds["image"] else "image"
        chosen = [item for item in items if _kind(item[0]) == kind]
        findings = [*_passed_over([f for f, _, _ in items if _kind(f) != kind], path)]
        if kind == "text":
            return _texts(chosen, path, findings)
        files = [str(file.absolute()) for file, _, _ in chosen]
        return _table("image", files, chosen, path, findings)

    def has_splits(self, path: Path) -> bool:
        """Do the sub-folders name splits, and have the classes in them?"""
        splits = split_folders(path)
        return bool(splits) and len(splits) == len(
            [f for f in folders_in(path) if next(files_below(f), None)]
        )


def _items(folder: Path) -> list[Item]:
    """Every file with its class and split; splits are meant if all sub-folders are named so."""
    if ClassFolderReader().has_splits(folder):
        splits = split_folders(folder)
        if not any(folders_in(s) for s in splits):
            raise WarmstartError(
                f"{folder.name} holds {', '.join(s.name for s in splits)} but no folders of classes in them",
                f"put the files of each class in a folder: {folder.name}/train/<class>/",
                "no-classes",
            )
        pairs = [(c, split_named(s.name)) for s in splits for c in folders_in(s)]
    else:
        pairs = [(c, None) for c in folders_in(folder)]
    _refuse_other_tasks(folder, {c.name for c, _ in pairs})
    return [(file, c.name, split) for c, split in pairs for file in files_below(c)]


def _refuse_other_tasks(folder: Path, names: set[str]) -> None:
    """Folders of detection and segmentation sets would otherwise be learned as classes."""
    telling = sorted(name for name in names if name.lower() in NO_CLASSES)
    if telling:
        raise WarmstartError(
            f"{folder.name} has folders {', '.join(sorted(names))[:100]}; {telling[0]!r} is no class",
            "put the images of each class in a folder of its name, or add metadata.csv with file_name, label",
            "no-classes",
        )


def _kind(file: Path) -> str:
    suffix = file.suffix.lower()
    return "image" if suffix in IMAGES else "text" if suffix == ".txt" else ""


def _passed_over(files: list[Path], folder: Path) -> list[Finding]:
    """A note of the files in class folders that are not read."""
    if not files:
        return []
    kinds = Counter(f.suffix.lower() or "no suffix" for f in files).most_common(4)
    shown = ", ".join(f"{number:,} {kind}" for kind, number in kinds)
    return [
        Finding(
            check="readable",
            level="note",
            what=f"{len(files):,} files of other kinds in the class folders: {shown}",
            do=f"not read; images are {', '.join(IMAGES)}",
            count=len(files),
            where=tuple(f.relative_to(folder).as_posix() for f in files[:5]),
        )
    ]


def _texts(items: list[Item], folder: Path, findings: list[Finding]) -> Any:
    """The rows of a folder of .txt files; a file that cannot be decoded is left out."""
    texts: list[str] = []
    good: list[Item] = []
    bad: list[str] = []
    for item in items:
        try:
            texts.append(read_text(item[0]) if item[0].stat().st_size else "")
            good.append(item)
        except WarmstartError as error:
            bad.append(f"{item[0].relative_to(folder).as_posix()}: {error.wrong}")
    if len(bad) > len(good):
        raise WarmstartError(
            f"{len(bad):,} of {len(items):,} files cannot be read; {bad[0]}", "correct them", "not-text"
        )
    if bad:
        what = f"{len(bad):,} text files cannot be read; {bad[0]}"
        where = tuple(b.split(": ")[0] for b in bad[:5])
        findings = [*findings, Finding("readable", "warning", what, "left out", len(bad), where)]
    return _table("text", texts, good, folder, findings)


def _table(role: str, values: list[str], items: list[Item], folder: Path, findings: list[Finding]) -> Any:
    columns = strings({role: list(values), LABEL: [c for _, c, _ in items]})
    where = [file.relative_to(folder).as_posix() for file, _, _ in items]
    return finish(columns, where, folder, folder.name, [split for _, _, split in items], findings)


READER = ClassFolderReader
