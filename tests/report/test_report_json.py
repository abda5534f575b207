"""result.json there and back, and everything that is not a result."""

import json
from dataclasses import replace

import numpy as np
import pytest
from example_results import VARIANTS, example
from hostile_texts import AWKWARD, SCRIPTS, poisoned

from warmstart.base.errors import WarmstartError
from warmstart.report.forms.json import Json
from warmstart.report.read import read_result


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_written_is_read_back_equal(variant, tmp_path):
    result = VARIANTS[variant]()
    assert read_result(Json().write(result, tmp_path)) == result


@pytest.mark.parametrize("texts", [SCRIPTS, AWKWARD], ids=["scripts", "awkward"])
def test_every_text_comes_back_as_it_was(texts, tmp_path):
    """Also half a surrogate pair, which stands for a byte of a file name that is not UTF-8."""
    result = poisoned(example(classes=3), texts)
    assert read_result(Json().write(result, tmp_path)) == result


def test_numpy_numbers_become_plain_ones(tmp_path):
    result = replace(example(), seconds=np.float64(1.5), detectable=np.float32(0.25))
    back = read_result(Json().write(result, tmp_path))
    assert (back.seconds, back.detectable) == (1.5, 0.25)


def test_numbers_that_json_cannot_hold_are_refused_with_their_place(tmp_path):
    result = example()
    broken = replace(result.ranking[1], opinions={"logme": float("nan")})
    with pytest.raises(ValueError, match=r"ranking\.1\.opinions\.logme"):
        Json().write(replace(result, ranking=(result.ranking[0], broken)), tmp_path)
    assert not list(tmp_path.iterdir())


def changed(tmp_path, change):
    """result.json of the example after `change` has been at its table."""
    path = Json().write(example(), tmp_path)
    table = json.loads(path.read_text("utf-8"))
    change(table)
    path.write_text(json.dumps(table), "utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        (lambda t: t.update(colour="red"), "unknown-key", "colour"),
        (lambda t: t.pop("verdict"), "missing-key", "verdict"),
        (lambda t: t.update(seconds="long"), "wrong-value", "seconds"),
        (lambda t: t["plan"].update(colour="red"), "wrong-result", "plan.colour"),
        (lambda t: t["plan"].pop("strategy"), "wrong-value", "strategy"),
        (lambda t: t["runs"]["full"].update(steps="250"), "wrong-result", "runs.full.steps"),
        (lambda t: t["ranking"][0].update(score=True), "wrong-result", "ranking.0.score"),
        (lambda t: t["gains"]["frozen"].update(p=float("nan")), "wrong-result", "gains.frozen.p"),
        (lambda t: t.update(runs=[]), "wrong-value", "runs"),
    ],
)
def test_a_result_with_a_stray_value_is_refused_with_its_place(tmp_path, change, code, place):
    with pytest.raises(WarmstartError) as error:
        read_result(changed(tmp_path, change))
    assert error.value.code == code
    assert place in error.value.wrong


def test_a_result_without_a_field_that_has_a_default_is_read(tmp_path):
    path = changed(tmp_path, lambda table: table["findings"][0].pop("count"))
    assert read_result(path).findings[0].count == 0


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (b"", "broken-result", "line 1, column 1"),
        (b'{"run": 1,\n  oops}', "broken-result", "line 2, column 3"),
        (b"[]", "input", "result.json"),
        (b"null", "input", "result.json"),
        (b'{"run": "\xff"}', "broken-result", "byte 9"),
        (b"[" * 100_000, "broken-result", "result.json"),
    ],
)
def test_what_is_no_result_is_refused_with_its_place(tmp_path, text, code, place):
    path = tmp_path / "result.json"
    path.write_bytes(text)
    with pytest.raises(WarmstartError) as error:
        read_result(path)
    assert error.value.code == code
    assert place in error.value.wrong


def test_a_missing_result_is_named(tmp_path):
    for path in (tmp_path / "result.json", tmp_path):
        with pytest.raises(WarmstartError, match="there is no result at"):
            read_result(path)
