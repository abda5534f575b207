"""Images with a table beside them again: the table without some rows, and the images that it still names."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from warmstart.data.images import is_file
from warmstart.data.readers import reader_for, reader_name
from warmstart.data.readers._folders import metadata_in
from warmstart.data.readers.image_folder import HOLDS_NAME
from warmstart.data.writers import WRITERS, Copied, Edit


@dataclass(frozen=True)
class ImageFolderWriter:
    """Paths in the table stay as they are; images that lie elsewhere are not copied."""

    def copy(self, source: Path, target: Path, edit: Edit) -> Copied:
        rows, lost = 0, []
        for metadata in metadata_in(source):
            inside = metadata.relative_to(source)
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            here = edit.after(rows)
            done = WRITERS.get(reader_name(metadata))().copy(metadata, target / inside, here)
            self._images(metadata, target / inside, here)
            above = "" if inside.parent == Path() else f"{inside.parent.as_posix()}/"
            lost += [(f"{above}{place}", why) for place, why in done.lost]
            rows += done.rows
        return Copied(rows, tuple(lost))

    def _images(self, metadata: Path, copy: Path, edit: Edit) -> None:
        reader = reader_for(metadata)
        assert reader is not None, metadata
        names = reader.rows(metadata).column(HOLDS_NAME).to_pylist()
        for row, name in enumerate(names):
            if row in edit.dropped or not name or Path(name).is_absolute() or ".." in Path(name).parts:
                continue
            image, place = metadata.parent / name, copy.parent / name
            if is_file(image) and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(image, place)


WRITER = ImageFolderWriter
