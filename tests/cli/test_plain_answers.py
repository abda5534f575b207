"""Small things that a user stumbles over are answered truly: kept weights, edited plans, unfinished runs."""

import json
import re
from pathlib import Path

import pytest

import street_world
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.cli.main import main
from warmstart.data.source import read_all
from warmstart.street.stale import stale

SMALL = {"rows": 40}


def told(words, capsys, code=0):
    assert main([str(word) for word in words]) == code
    return capsys.readouterr()


@pytest.fixture
def begun(world, tmp_path):
    models = (str(world / "text-model"),)
    return process.plan(world / "reviews.csv", runs=tmp_path, models=models, strategy="partial", **SMALL)


def test_tune_tells_the_accuracy_of_the_weights_that_were_kept(begun, capsys):
    _, folder = begun
    said = told(["tune", folder], capsys).out
    predictions = process.tune(folder).predictions["validation"]
    right = (predictions.answers == predictions.truth).mean()
    assert f"validation accuracy {right:.1%}" in said


def test_a_strategy_that_was_asked_for_is_not_said_to_have_been_chosen(begun):
    plan, _ = begun
    assert (plan.reasons[0].rule, plan.reasons[0].so) == ("strategy: asked for", "it was asked for")
    assert not any("similarity" in reason.rule for reason in plan.reasons)


def test_an_edited_plan_is_noticed_by_report_and_predict(text_copy, capsys):
    assert stale(text_copy) == ""
    path = text_copy / "plan.yaml"
    path.write_text(re.sub(r"(?m)^batch: 16", "batch: 4", path.read_text()))
    for words in (["report", text_copy], ["predict", text_copy, "lovely"]):
        said = told(words, capsys)
        assert "warning: plan.yaml was edited since this run ended" in said.err
        assert "warning" not in said.out


def test_a_report_can_be_asked_for_by_the_result_itself(text_copy, capsys):
    said = told(["report", text_copy / "result.json", "--form", "markdown"], capsys)
    assert said.out.strip() == str(text_copy / "report.md")


def test_a_report_of_an_unfinished_run_says_how_to_go_on(begun, capsys):
    _, folder = begun
    said = told(["report", folder], capsys, code=2)
    assert "not finished" in said.err
    assert f"warmstart run {folder}" in said.err


def test_a_run_folder_that_is_not_there_is_not_taken_for_another(world, tmp_path):
    (tmp_path / "nosuch-1-1").mkdir()
    (tmp_path / "nosuch-1-1" / "run.json").write_text("{}")
    with pytest.raises(WarmstartError) as refused:
        read_all(str(tmp_path / "nosuch-1"), None, None)
    assert refused.value.do == "check the path"


def test_no_flag_is_named_that_does_not_exist(world, tmp_path, capsys):
    source = str(world / "reviews.csv")
    with pytest.raises(WarmstartError) as refused:
        process.check(source, runs=tmp_path, validation=source)
    assert "--validation" not in str(refused.value)
    assert "--set validation=" in refused.value.wrong
    said = json.loads(told(["check", world / "shapes", "--json"], capsys).out)
    assert "--image" not in json.dumps(said)


def test_a_loss_that_is_not_finite_names_the_rows_as_the_user_knows_them(world, tmp_path):
    table = street_world.write_csv(tmp_path / "x.csv", street_world.reviews(60))
    settings = ("phases.2.lr=1e30", "phases.2.warmup=0", "guards=[]", "clip=1e30")
    with pytest.raises(WarmstartError, match=r"rows: x\.csv:\d+, x\.csv:\d+") as refused:
        process.run(
            table, runs=tmp_path / "runs", models=(str(world / "text-model"),), strategy="full",
            settings=settings,
        )  # fmt: skip
    assert refused.value.code == "not-finite"
    assert Path(table).is_file()
