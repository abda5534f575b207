"""What Python hands over is taken as it comes, or refused in plain words."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import warmstart as ws
from warmstart.base.errors import WarmstartError


def test_report_and_predict_are_public(text_copy):
    result, path = ws.report(text_copy)
    assert (path, result.run) == (text_copy / "report.html", ws.report(text_copy, "json")[0].run)
    assert ws.predict(text_copy, "lovely ba") == ws.predict(text_copy, ["lovely ba"])
    assert ws.predict(text_copy, "lovely ba")[0][0] == "lovely ba"


@pytest.mark.parametrize("kind", [str, Path, lambda p: [p], lambda p: (str(p),)])
def test_one_model_is_taken_like_several_and_paths_like_words(kind, world, tmp_path):
    ranking = ws.rank(world / "reviews.csv", runs=tmp_path, models=kind(world / "text-model"), rows=40)
    assert [s.candidate.name for s in ranking.scored] == ["text-model"]


def test_a_check_leaves_no_folder_and_its_rows_can_still_be_read(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundle = ws.check(world / "reviews.csv")
    assert not list(tmp_path.iterdir())
    assert len(bundle.rows.take([0, 1])) == 2


def test_pictures_in_memory_are_answered_like_their_files(image_run, world):
    path = world / "shapes" / "red" / "0.png"
    image, predictor = Image.open(path), ws.load(image_run.folder)
    wanted = predictor.predict(path)
    assert predictor.predict(image) == wanted
    assert predictor.predict(np.asarray(image)) == wanted
    first, second = predictor.predict_all([path, image])
    assert first == second


@pytest.mark.parametrize(
    "value",
    [np.zeros((4, 4, 7), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4), np.uint8), np.zeros(4, np.uint8)],
)
def test_an_array_that_is_no_picture_is_refused(value, image_run):
    with pytest.raises(WarmstartError, match="is no picture"):
        ws.load(image_run.folder).predict(value)


@pytest.mark.parametrize("value", [b"bytes", ["a"], np.zeros((2, 2), np.uint8), Image.new("L", (2, 2))])
def test_a_text_run_takes_texts_alone(value, text_run):
    with pytest.raises(WarmstartError, match="answers texts"):
        ws.load(text_run.folder).predict(value)
