"""The whole street says why a run overfits, mends its probabilities, and predict and the card agree on it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from street_world import reviews, text_model, write_csv
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.tables import checked
from warmstart.base.types import Evidence
from warmstart.evaluate.temperature import at, fit
from warmstart.models.own_file import read_temperature, write_temperature
from warmstart.report.forms import model_card
from warmstart.report.read import read_result
from warmstart.street import kept
from warmstart.street.folder import reopen
from warmstart.street.pages import write_pages


def noisy(count, seed):
    """Reviews of which a quarter have the other label."""
    rng = np.random.default_rng(seed)
    other = {"bad": "good", "good": "bad"}
    return [(text, other[label] if rng.random() < 0.25 else label) for text, label in reviews(count, seed)]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A plan that goes to its end on noisy labels, and so is far too sure."""
    place = tmp_path_factory.mktemp("explained")
    write_csv(place / "rows.csv", noisy(300, 0))
    write_csv(place / "test.csv", noisy(300, 1))
    settings = ("phases.2.epochs=40", "phases.2.lr=0.003", "guards=[]")
    asked = {"strategy": "full", "baseline": False, "models": (str(text_model(place / "model")),)}
    with process.one_thread():
        return process.run(
            place / "rows.csv", runs=place, test=str(place / "test.csv"), settings=settings, **asked
        )


def saved_run(result, name):
    folder = Path(result.run, "training", name)
    table = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return kept.read_run(folder, table["fingerprint"])


def test_the_run_that_went_on_is_explained_and_its_evidence_holds_it(result):
    seen = result.overfitting["full"]
    assert seen.verdict == "strong"
    assert seen.causes
    assert f"likeliest cause: {seen.causes[0].name}" in seen.sentence
    evidence = json.loads(Path(result.run, "evidence.json").read_text(encoding="utf-8"))
    assert evidence["overfitting"]["full"]["sentence"] == seen.sentence
    assert seen.membership.low > 0.5, "it knows its rows by heart"


def test_a_result_is_read_back_with_all_of_it(result):
    assert read_result(Path(result.run, "result.json")) == result


def test_the_temperature_is_that_of_the_shipped_model_s_validation_rows(result):
    run = saved_run(result, result.recommended)
    assert result.calibration.run == result.recommended
    assert result.calibration.temperature == pytest.approx(fit(run.predictions["validation"]))


def test_predict_divides_by_the_temperature_and_changes_no_answer(result):
    """Whether or not it is used here: the file decides."""
    model = Path(result.run, "model")
    texts = ["awful boring moke", "great warm keba", "baba keke lili"]
    (model / "warmstart.json").unlink(missing_ok=True)
    plain = process.predict(result.run, texts)
    write_temperature(model, 3.0)
    mended = process.predict(result.run, texts)
    for (_, before), (_, after) in zip(plain, mended, strict=True):
        assert [label for label, _ in after] == [label for label, _ in before]
        probabilities = np.array([[p for _, p in before]])
        assert [p for _, p in after] == pytest.approx(at(probabilities, 3.0)[0].tolist())


def test_a_temperature_that_helps_is_in_the_model_folder_and_one_that_does_not_is_not(result):
    place = Path(result.run)
    table = json.loads((place / "evidence.json").read_text(encoding="utf-8"))
    evidence, trip = checked(Evidence, table, "evidence.json"), reopen(place)
    known = replace(result.calibration, used=True, temperature=2.5)
    write_pages(trip, replace(result, calibration=known), evidence)
    assert read_temperature(place / "model") == 2.5
    write_pages(trip, replace(result, calibration=replace(known, used=False)), evidence)
    assert read_temperature(place / "model") == 1.0


def test_the_card_says_that_probabilities_differ_where_they_do(result):
    known = replace(result.calibration, used=True, temperature=2.5)
    text = model_card.card(replace(result, calibration=known))
    assert "divides the logits by `2.5` first" in text
    for unused in (None, replace(known, used=False)):
        assert "divides the logits" not in model_card.card(replace(result, calibration=unused))


def test_a_temperature_that_is_none_is_refused(tmp_path):
    (tmp_path / "warmstart.json").write_text('{"temperature": 0}', encoding="utf-8")
    with pytest.raises(WarmstartError, match="temperature = 0"):
        read_temperature(tmp_path)
