"""Inputs that cannot be learned from, each with the code of its error, which names the file."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from data_files import image_bytes, picture, reviews, sentence, write_pictures, write_table


class BadInput(NamedTuple):
    """`build` writes the input below a folder and returns what to give as the source."""

    name: str
    build: Callable[[Path], str]
    code: str


BAD_INPUTS: list[BadInput] = []


def bad(code: str) -> Callable[[Callable[[Path], str | Path]], Callable[[Path], str | Path]]:
    """Put a builder on the list under its own name."""

    def listed(build: Callable[[Path], str | Path]) -> Callable[[Path], str | Path]:
        BAD_INPUTS.append(BadInput(build.__name__, lambda folder: str(build(folder)), code))
        return build

    return listed


def written(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@bad("missing-file")
def missing_file(folder: Path) -> Path:
    return folder / "reviews.csv"


@bad("missing-file")
def missing_file_in_a_missing_folder(folder: Path) -> Path:
    return folder / "nowhere" / "reviews.csv"


@bad("missing-file")
def no_name_at_all(folder: Path) -> str:
    return ""


@bad("missing-file")
def file_of_a_user_who_is_not_known(folder: Path) -> str:
    return "~nobody-of-that-name/reviews.csv"


@bad("unreadable")
def name_longer_than_a_file_system_allows(folder: Path) -> Path:
    return folder / ("a" * 5000 + ".csv")


@bad("file-empty")
def empty_file(folder: Path) -> Path:
    return written(folder / "reviews.csv", b"")


@bad("file-empty")
def only_blank_lines(folder: Path) -> Path:
    return written(folder / "reviews.csv", "\n \n\n")


@bad("file-empty")
def only_a_byte_order_mark(folder: Path) -> Path:
    return written(folder / "reviews.csv", b"\xff\xfe")


@bad("file-empty")
def json_of_blanks(folder: Path) -> Path:
    return written(folder / "reviews.json", b"\xef\xbb\xbf \n")


@bad("file-empty")
def json_lines_of_blanks(folder: Path) -> Path:
    return written(folder / "reviews.jsonl", b"\n\n")


@bad("file-empty")
def empty_parquet(folder: Path) -> Path:
    return written(folder / "reviews.parquet", b"")


@bad("no-rows")
def header_only(folder: Path) -> Path:
    return written(folder / "reviews.csv", "text,label\n")


@bad("no-rows")
def empty_json_list(folder: Path) -> Path:
    return written(folder / "reviews.json", "[]")


@bad("no-header")
def rows_without_a_header(folder: Path) -> Path:
    rows = reviews(30)
    return write_table(folder / "reviews.csv", rows[1:], header=rows[0])


@bad("wrong-encoding")
def latin_1(folder: Path) -> Path:
    rows = "".join(f"Le caf\u00e9 du coin {i} est ferm\u00e9 pour l'\u00e9t\u00e9,non\n" for i in range(30))
    return written(folder / "reviews.csv", ("text,label\n" + rows).encode("latin-1"))


@bad("wrong-encoding")
def gbk(folder: Path) -> Path:
    rows = "".join(f"\u8fd9\u5bb6\u9910\u9986\u7684\u83dc\u5f88\u597d\u5403{i},\u597d\n" for i in range(30))
    return written(folder / "reviews.csv", ("text,label\n" + rows).encode("gbk"))


@bad("not-text")
def utf_16_without_a_mark(folder: Path) -> Path:
    return written(folder / "reviews.csv", "text,label\ngood film,yes\nbad film,no\n".encode("utf-16-le"))


@bad("wrong-encoding")
def utf_16_cut_in_a_character(folder: Path) -> Path:
    return written(folder / "reviews.csv", "text,label\ngood film,yes\n".encode("utf-16") + b"\x00\xd8")


@bad("not-text")
def excel_workbook_called_csv(folder: Path) -> Path:
    return written(folder / "reviews.csv", b"PK\x03\x04" + bytes(range(256)) * 20)


@bad("not-text")
def binary_rubbish_called_csv(folder: Path) -> Path:
    return written(folder / "reviews.csv", bytes(3000) + bytes(range(256)))


@bad("ragged-rows")
def nul_bytes_in_most_rows(folder: Path) -> Path:
    rows = "".join(f"{sentence(i)}\0,{'yes' if i % 2 else 'no'}\n" for i in range(20))
    return written(folder / "reviews.csv", "text,label\n" + rows)


@bad("ragged-rows")
def ragged_everywhere(folder: Path) -> Path:
    rows = "".join(f"{sentence(i)},yes,more{',more' * (i % 3)}\n" for i in range(20))
    return written(folder / "reviews.csv", "text,label\n" + rows)


@bad("ragged-rows")
def quote_that_never_closes_in_the_header(folder: Path) -> Path:
    return written(folder / "reviews.csv", '"text,label\ngood film,yes\nbad film,no\n')


@bad("duplicate-column")
def duplicated_column_names(folder: Path) -> Path:
    rows = [(text, label, label) for text, label in reviews(20)]
    return write_table(folder / "reviews.csv", rows, header=("text", "label", "label"))


@bad("reserved-column")
def column_with_a_reserved_name(folder: Path) -> Path:
    rows = [(text, label, "x") for text, label in reviews(20)]
    return write_table(folder / "reviews.csv", rows, header=("text", "label", "_where"))


@bad("no-label")
def one_column(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", [(sentence(i),) for i in range(20)], header=("text",))


@bad("no-label")
def label_column_of_unique_values(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", [(sentence(i), f"case {i}") for i in range(40)])


@bad("no-label")
def label_column_of_continuous_numbers(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", [(sentence(i), str(i * 0.37)) for i in range(40)])


@bad("no-label")
def label_column_of_lists(folder: Path) -> Path:
    lines = [json.dumps({"text": sentence(i), "label": ["a", "b"][: i % 2 + 1]}) for i in range(40)]
    return written(folder / "reviews.jsonl", "\n".join(lines))


@bad("labels-missing")
def all_labels_empty(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", [(sentence(i), " " * (i % 3)) for i in range(40)])


@bad("no-input")
def nothing_but_numbers(folder: Path) -> Path:
    rows = [(str(i * 1.5), str(i * 2.5), "ab"[i % 2]) for i in range(40)]
    return write_table(folder / "table.csv", rows, header=("width", "height", "label"))


@bad("one-class")
def one_class(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", reviews(40, classes=("good",)))


@bad("class-too-small")
def class_of_one_row_that_leaves_one_class(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", [*reviews(40, classes=("good",)), ("a bad one", "bad")])


@bad("class-too-small")
def class_of_copies_of_one_row(folder: Path) -> Path:
    copies = [(f"The very same long sentence about a broken bottle {'!' * i}", "bad") for i in range(9)]
    return write_table(folder / "reviews.csv", [*reviews(40, classes=("good",)), *copies])


@bad("no-rows-left")
def texts_of_ten_megabytes(folder: Path) -> Path:
    rows = [(f"word {number} " * 1_500_000, "good") for number in range(2)]
    return write_table(folder / "reviews.csv", rows)


@bad("no-rows-left")
def all_texts_empty(folder: Path) -> Path:
    rows = [(" ", str(i), "yes" if i % 2 else "no") for i in range(40)]
    return write_table(folder / "reviews.csv", rows, header=("text", "id", "label"))


@bad("no-rows-left")
def every_text_with_two_labels(folder: Path) -> Path:
    return write_table(folder / "reviews.csv", [(sentence(i // 2), "ab"[i % 2]) for i in range(40)])


@bad("broken-json")
def broken_json_lines_everywhere(folder: Path) -> Path:
    return written(folder / "reviews.jsonl", '{"text": "good film", "label": \n' * 20)


@bad("broken-json")
def broken_json_document(folder: Path) -> Path:
    return written(
        folder / "reviews.json", '[{"text": "good film", "label": "yes"},\n {"text": "bad film" "label"}]'
    )


@bad("broken-json")
def json_nested_without_end(folder: Path) -> Path:
    return written(folder / "reviews.json", '[{"text": ' + "[" * 100_000)


@bad("broken-json")
def json_lines_that_are_no_objects(folder: Path) -> Path:
    return written(folder / "reviews.jsonl", '"good film"\n3\n["bad film"]\n')


@bad("unknown-layout")
def json_without_rows(folder: Path) -> Path:
    return written(folder / "reviews.json", '{"version": 3, "author": "me"}')


@bad("unknown-suffix")
def unknown_suffix(folder: Path) -> Path:
    return written(folder / "reviews.docx", b"PK\x03\x04 a document")


@bad("unknown-suffix")
def archive(folder: Path) -> Path:
    return written(folder / "reviews.csv.gz", b"\x1f\x8b\x08\x00 an archive")


@bad("broken-parquet")
def parquet_with_rubbish_inside(folder: Path) -> Path:
    return written(folder / "reviews.parquet", b"PAR1" + bytes(range(256)) * 8 + b"PAR1")


@bad("broken-arrow")
def truncated_arrow_file(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.feather

    path = folder / "reviews.arrow"
    texts, labels = zip(*reviews(200), strict=True)
    pyarrow.feather.write_feather(
        pa.table({"text": texts, "label": labels}), path, compression="uncompressed"
    )
    return written(path, path.read_bytes()[:-400])


@bad("nothing-readable")
def empty_folder(folder: Path) -> Path:
    (folder / "photos").mkdir()
    return folder / "photos"


@bad("nothing-readable")
def folder_without_images(folder: Path) -> Path:
    written(folder / "photos" / "cats" / "notes.docx", b"about cats")
    written(folder / "photos" / "dogs" / "notes.docx", b"about dogs")
    return folder / "photos"


@bad("nothing-readable")
def folder_named_like_a_csv(folder: Path) -> Path:
    (folder / "reviews.csv").mkdir()
    return folder / "reviews.csv"


@bad("no-classes")
def images_without_classes(folder: Path) -> Path:
    for i in range(4):
        written(folder / "photos" / f"{i}.png", image_bytes(picture(i)))
    return folder / "photos"


@bad("no-classes")
def images_and_masks(folder: Path) -> Path:
    return write_pictures(folder / "photos", ("images", "masks"), 4)


@bad("broken-images")
def all_images_broken(folder: Path) -> Path:
    for i in range(8):
        whole = image_bytes(picture(i), "JPEG")
        broken = (b"", whole[: len(whole) // 2], b"not an image at all", whole[:20])[i % 4]
        written(folder / "photos" / "ab"[i // 4] / f"{i}.jpg", broken)
    return folder / "photos"


@bad("broken-images")
def metadata_of_files_that_do_not_exist(folder: Path) -> Path:
    rows = [(f"{i}.png", "ab"[i % 2]) for i in range(20)]
    return write_table(folder / "photos" / "metadata.csv", rows, header=("file_name", "label")).parent


@bad("missing-column")
def metadata_without_file_names(folder: Path) -> Path:
    rows = [(f"{i}.png", "ab"[i % 2]) for i in range(20)]
    return write_table(folder / "photos" / "metadata.csv", rows, header=("filename", "label")).parent


@bad("broken-images")
def image_bombs(folder: Path) -> Path:
    """Small files whose headers ask for 400 million pixels each."""
    for i in range(8):
        written(folder / "photos" / "ab"[i % 2] / f"{i}.png", png_of_size(20_000, 20_000))
    return folder / "photos"


@bad("several-tables")
def two_data_sets_in_a_folder(folder: Path) -> Path:
    for shop in ("amazon", "yelp"):
        for split in ("train", "test"):
            write_table(folder / "reviews" / f"{shop}_{split}.csv", reviews(20))
    return folder / "reviews"


@bad("two-tables")
def two_training_files(folder: Path) -> Path:
    write_table(folder / "reviews" / "train.csv", reviews(20))
    write_table(folder / "reviews" / "training.csv", reviews(20))
    return folder / "reviews"


@bad("no-training-rows")
def only_test_rows(folder: Path) -> Path:
    return write_table(folder / "reviews" / "test.csv", reviews(20)).parent


@bad("missing-column")
def splits_with_different_columns(folder: Path) -> Path:
    write_table(folder / "reviews" / "train.csv", reviews(40))
    write_table(folder / "reviews" / "test.csv", reviews(20, start=99), header=("sentence", "label"))
    return folder / "reviews"


@bad("groups-too-few")
def class_in_two_groups_only(folder: Path) -> Path:
    rows = [
        (sentence(i), "ab"[i % 2], f"p{i % 2 + 2 * (i % 4 // 2) if i % 2 else i % 12}") for i in range(60)
    ]
    return write_table(folder / "visits.csv", rows, header=("text", "label", "patient"))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG file that says it is this large and holds almost nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + rows
