"""Every input that cannot be learned from ends in one error, which names the file and says what to do."""

import os
from pathlib import Path

import pytest
from bad_inputs import BAD_INPUTS, BadInput, written
from data_files import reviews, write_table

from warmstart.base.errors import WarmstartError
from warmstart.data.bundle import open_bundle


@pytest.mark.parametrize("case", BAD_INPUTS, ids=lambda case: case.name)
def test_a_bad_input_is_refused_with_its_name_and_advice(case: BadInput, tmp_path: Path):
    source = case.build(tmp_path)
    with pytest.raises(WarmstartError) as refused:
        open_bundle(source, tmp_path / "out")
    error = refused.value
    assert error.code == case.code, error
    assert Path(source).name[:80] in error.wrong or (not source and "no data" in error.wrong), error
    assert len(error.do) > 5 and error.exit_code == 2
    assert "Traceback" not in str(error) and len(str(error)) < 1200
    assert not (tmp_path / "out" / "data.json").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_refused(tmp_path: Path):
    path = write_table(tmp_path / "reviews.csv", reviews(40))
    path.chmod(0)
    with pytest.raises(WarmstartError, match="permission") as refused:
        open_bundle(str(path), tmp_path / "out")
    assert refused.value.code == "unreadable"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"label": "lable"}, "missing-column"),
        ({"text": "label"}, "no-label"),
        ({"image": "text", "text": "text"}, "two-inputs"),
        ({"text": "text", "label": "text"}, "no-label"),
        ({"text": "label", "label": "label"}, "two-roles"),
        ({"group": "label"}, "no-label"),
        ({"group": "text"}, "two-roles"),
        ({"limit": 0}, "limit-too-small"),
        ({"limit": 3}, "limit-too-small"),
        ({"test": "absent.csv"}, "missing-file"),
    ],
)
def test_a_wrong_option_is_refused(options, code, tmp_path: Path):
    source = write_table(tmp_path / "reviews.csv", reviews(40))
    with pytest.raises(WarmstartError) as refused:
        open_bundle(str(source), tmp_path / "out", **options)
    assert refused.value.code == code, refused.value


def test_a_misspelt_column_is_answered_with_the_nearest(tmp_path: Path):
    source = write_table(tmp_path / "reviews.csv", reviews(40))
    with pytest.raises(WarmstartError, match="did you mean 'label'"):
        open_bundle(str(source), tmp_path / "out", label="lable")


def test_a_misspelt_file_is_answered_with_the_nearest(tmp_path: Path):
    write_table(tmp_path / "reviews.csv", reviews(40))
    with pytest.raises(WarmstartError, match="did you mean 'reviews.csv'"):
        open_bundle(str(tmp_path / "reviws.csv"), tmp_path / "out")


def test_an_encoding_error_names_byte_offset_and_line(tmp_path: Path):
    content = "text,label\nplain,a\ncaf\u00e9 noir,b\n".encode("latin-1")
    written(tmp_path / "x.csv", content)
    with pytest.raises(WarmstartError) as refused:
        open_bundle(str(tmp_path / "x.csv"), tmp_path / "out")
    assert f"line 3: byte 0xe9 at offset {content.index(0xE9)}" in refused.value.wrong


def test_an_encoding_error_far_into_a_file_has_the_right_offset(tmp_path: Path):
    """The offset is right also behind the first chunk, and where the chunk ends inside a character."""
    good = ("text,label\n" + "\u4f60\u597d,a\n" * 200_000).encode()
    written(tmp_path / "x.csv", good + b"bad \xff,b\n")
    with pytest.raises(WarmstartError) as refused:
        open_bundle(str(tmp_path / "x.csv"), tmp_path / "out")
    assert f"line 200002: byte 0xff at offset {len(good) + 4:,}" in refused.value.wrong


def test_what_was_dropped_before_is_named_in_a_fatal_error(tmp_path: Path):
    rows = [*reviews(20, classes=("good",)), *((" ", "bad") for _ in range(5))]
    source = write_table(tmp_path / "reviews.csv", rows)
    with pytest.raises(WarmstartError, match="5 rows of 25 with no text") as refused:
        open_bundle(str(source), tmp_path / "out")
    assert refused.value.code == "one-class"


def test_an_earlier_bundle_does_not_survive_a_failure(tmp_path: Path):
    """Else the caller would go on with other data than those that were asked for."""
    open_bundle(str(write_table(tmp_path / "reviews.csv", reviews(40))), tmp_path / "out")
    assert (tmp_path / "out" / "data.json").exists()
    with pytest.raises(WarmstartError):
        open_bundle(str(tmp_path / "absent.csv"), tmp_path / "out")
    assert not (tmp_path / "out" / "data.json").exists()
