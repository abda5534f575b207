"""Which encoding a text file is in.

What is not Unicode is refused with a guess: a wrong guess taken silently would teach the model garbage.
"""

import codecs
import shlex
from pathlib import Path
from typing import BinaryIO

from warmstart.base.errors import WarmstartError

CHUNK = 1 << 20
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins the same
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAGIC = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"BZh9": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PAR1": "a parquet file",
    b"ARROW1": "an arrow file",
    b"SQLite format 3": "an SQLite database",
    b"\x80\x04": "a Python pickle",
}


def encoding_of(path: Path) -> str:
    """The encoding to open `path` with: "utf-8", "utf-8-sig", "utf-16" or "utf-32".

    Raises WarmstartError for an empty file, a file that is not text, and text in any other encoding (with the
    byte offset, the line and the best guess).
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            if not head:
                raise empty(path)
            encoding = next((name for mark, name in MARKS if head.startswith(mark)), "utf-8")
            _refuse_binary(path, head, encoding)
            file.seek(0)
            bad = _first_bad_byte(file, encoding)
    except OSError as error:
        raise cannot_open(path, error) from None
    if bad is not None:
        raise _wrong_encoding(path, encoding, bad)
    return encoding


def read_text(path: Path) -> str:
    """The whole text of a file, line ends as they are."""
    with path.open(encoding=encoding_of(path), newline="") as file:
        return file.read()


def empty(path: Path) -> WarmstartError:
    """The error for a file with nothing in it, or nothing but blanks."""
    return WarmstartError(f"{path.name} is empty", "add rows, or name another file", "file-empty")


def cannot_open(path: Path, error: OSError) -> WarmstartError:
    """The error for a file that the system will not open."""
    why = error.strerror or type(error).__name__
    return WarmstartError(
        f"{path.name} cannot be opened: {why.lower()}", "check the path and its permissions", "unreadable"
    )


def _refuse_binary(path: Path, head: bytes, encoding: str) -> None:
    for magic, kind in MAGIC.items():
        if head.startswith(magic) and (0 in head or not magic.isalnum()):  # a column may be called PAR1
            raise WarmstartError(
                f"{path.name} is {kind}, not text", "unpack or convert it, then name the result", "not-text"
            )
    if encoding == "utf-8" and head.count(0) * 4 > len(head):
        raise WarmstartError(
            f"{path.name} is not text: {head.count(0):,} of its first {len(head):,} bytes are NUL",
            "if it is UTF-16 without a byte-order mark: iconv -f UTF-16LE -t UTF-8 in > out",
            "not-text",
        )


def _first_bad_byte(file: BinaryIO, encoding: str) -> int | None:
    """Offset of the first byte that `encoding` cannot read; None if there is none."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    fed = 0
    while True:
        chunk = file.read(CHUNK)
        fed += len(chunk)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return fed - len(error.object) + error.start  # the decoder had kept an unfinished character back
        if not chunk:
            return None


def _wrong_encoding(path: Path, encoding: str, bad: int) -> WarmstartError:
    line, around = _line_at(path, bad)
    with path.open("rb") as file:
        file.seek(bad)
        byte = file.read(1)
    name = encoding.upper().removesuffix("-SIG")
    line_name = f", line {line}" if name == "UTF-8" else ""  # of wider characters no byte is a line end
    where = f"{path.name}{line_name}: byte 0x{byte.hex()} at offset {bad:,} is not {name}"
    guess = _guess(path)
    if encoding != "utf-8" or guess is None:
        return WarmstartError(
            f"{where}, and no other encoding fits", "write the file again as UTF-8", "wrong-encoding"
        )
    shown = " ".join(around.decode(guess, errors="replace").split())
    return WarmstartError(
        f"{where}; it looks like {guess}, which would read {shown!r}",
        f"if that reads well: iconv -f {guess} -t UTF-8 {shlex.quote(path.name)} > utf8{path.suffix}",
        "wrong-encoding",
    )


def _line_at(path: Path, offset: int) -> tuple[int, bytes]:
    """The line number of a byte, and some 60 bytes around it."""
    line, left = 1, offset
    with path.open("rb") as file:
        while left > 0:
            chunk = file.read(min(CHUNK, left))
            line, left = line + chunk.count(b"\n"), left - len(chunk)
        start = max(0, offset - 30)
        file.seek(start)
        return line, file.read(60 + offset - start - 30)


def _guess(path: Path) -> str | None:
    """The most likely encoding of the lines that are not plain ASCII."""
    from charset_normalizer import from_bytes

    telling = bytearray()
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if not line.isascii():
                telling += line[:2000]
            if len(telling) > 20_000 or number > 200_000:
                break
    best = from_bytes(bytes(telling)).best()
    return None if best is None else best.encoding
