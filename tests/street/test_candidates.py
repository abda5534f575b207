"""Candidates as a user gives them: folders of folders, broken ones among good ones, and what is said."""

import json
import shutil

import pytest

from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_json


@pytest.fixture
def pool(world, tmp_path):
    """models/ with a good model, a copy without its weights, and a folder that is no model."""
    place = tmp_path / "models"
    shutil.copytree(world / "text-model", place / "good")
    shutil.copytree(world / "text-model-2", place / "broken")
    (place / "broken" / "model.safetensors").write_bytes(b"no weights")
    (place / "notes").mkdir()
    return place


def test_a_candidate_that_cannot_be_opened_costs_a_line_and_not_the_run(world, pool, tmp_path):
    ranking = process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=pool)
    assert [s.candidate.name for s in ranking.scored] == ["good"]
    (kept,) = (tmp_path / "runs").glob("*/ranking.json")
    (finding,) = (f for f in read_json(kept)["findings"] if f["check"] == "candidates")
    assert (finding["check"], finding["level"]) == ("candidates", "warning")
    assert "not a safetensors file" in finding["what"] and "passed over" in finding["do"]


def test_the_only_candidate_is_refused_as_it_always_was(world, pool, tmp_path):
    with pytest.raises(WarmstartError) as refused:
        process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=pool / "broken")
    assert refused.value.code == "bad-weights"


def test_where_none_of_several_can_be_opened_all_reasons_are_given(world, pool, tmp_path):
    shutil.copytree(pool / "broken", pool / "other")
    shutil.rmtree(pool / "good")
    with pytest.raises(WarmstartError) as refused:
        process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=pool)
    assert refused.value.code == "no-model"
    assert refused.value.wrong.count("not a safetensors file") == 2


def test_a_folder_of_folders_and_single_models_mix_and_are_written_down_one_by_one(world, pool, tmp_path):
    models = (pool, world / "text-model-2")
    process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=models)
    (options,) = (read_json(p)["options"] for p in (tmp_path / "runs").glob("*/run.json"))
    assert options["models"] == [str(pool / "broken"), str(pool / "good"), str(world / "text-model-2")]


def test_a_model_that_lies_in_a_folder_that_is_given_too_is_refused(world, pool, tmp_path):
    with pytest.raises(WarmstartError, match="given twice"):
        process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=(pool, pool / "good"))


def test_size_pace_and_source_task_are_in_the_table(world, tmp_path, capsys):
    from warmstart.cli.main import main

    words = ["rank", str(world / "shapes"), "--from", "zoo:letters", "--from", str(world / "image-model")]
    assert main([*words, "--out", str(tmp_path), "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["ranking"]}
    assert rows["letters"]["source_task"] == "image classification, 37 classes"
    assert rows["letters"]["licence"] == "apache-2.0"
    assert rows["letters"]["bytes"] > 100_000
    assert all(0 < row["pace"] < 100 for row in rows.values())
    assert rows["image-model"]["source_task"] == ""
    assert main([*words, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "s/1,000" in told and "made for" in told and "apache-2.0" in told


def test_models_of_one_name_are_told_apart(world, pool, tmp_path):
    other = shutil.copytree(world / "text-model-2", tmp_path / "elsewhere" / "good")
    ranking = process.rank(world / "reviews.csv", runs=tmp_path / "runs", models=(pool / "good", other))
    assert {s.candidate.name for s in ranking.scored} == {"models/good", "elsewhere/good"}
