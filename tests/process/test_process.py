"""The whole street, on texts and on pictures: what it leaves, what it promises, how it goes on."""

import json
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from street_world import same_findings, stamps
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_json
from warmstart.base.rows import Rows
from warmstart.base.types import Bundle, Ranking, Run
from warmstart.decide.plan_file import read_plan
from warmstart.report.read import read_result

ARTEFACTS = (
    *("run.json", "data.json", "rows.arrow", "ranking.json", "plan.yaml", "events.jsonl", "evidence.json"),
    *("result.json", "report.html", "report.md", "model/README.md", "model/config.json"),
    "model/model.safetensors",
)
RIVALS = {"frozen": {"full", "scratch"}}
SMALL = {"strategy": "frozen", "rows": 40}


@pytest.fixture(params=["text_run", "image_run"])
def walk(request):
    return request.getfixturevalue(request.param)


def test_every_stop_leaves_its_artefact(walk):
    missing = [name for name in ARTEFACTS if not (walk.folder / name).is_file()]
    assert not missing
    assert all((walk.folder / name).stat().st_size for name in ARTEFACTS)
    assert not list(walk.folder.rglob("*.tmp")), "a draft was left behind"


def test_the_stops_are_told_in_order(walk):
    stops = list(dict.fromkeys(event["stop"] for event in walk.told if event["event"] == "stop"))
    assert stops == ["data", "select", "tune", "report"]


def test_the_result_on_disk_is_the_one_that_was_returned(walk):
    assert read_result(walk.folder / "result.json") == walk.result
    assert read_json(walk.folder / "evidence.json")["verdict"] == walk.result.verdict


def test_the_verdict_is_one_of_three_and_names_numbers(walk):
    result = walk.result
    assert result.verdict in ("worth it", "not worth it", "cannot tell")
    assert any(c.isdigit() for c in result.headline)
    assert result.recommended in result.runs
    assert 0 < result.detectable <= 1


def test_every_metric_has_an_interval_over_all_test_rows(walk):
    for run in walk.result.runs.values():
        assert {"accuracy", "macro_f1", "log_loss", "ece"} <= set(run.metrics)
        for measure in run.metrics.values():
            assert measure.low <= measure.value <= measure.high
            assert measure.n == walk.result.data.test
            assert measure.how


def test_the_plan_has_scratch_and_frozen_beside_it(walk):
    plan = walk.result.plan.strategy
    rivals = RIVALS.get(plan, {"frozen", "scratch"})
    assert set(walk.result.runs) == {plan, *rivals, "baseline"}
    assert set(walk.result.gains) == set(walk.result.runs) - {walk.result.recommended}


def test_scratch_is_the_same_network_from_fresh_weights(walk):
    scratch = read_json(walk.folder / "training" / "scratch" / "run.json")["run"]
    assert scratch["plan"]["pretrained"] is False
    assert scratch["plan"]["seed"] == walk.result.plan.seed
    assert scratch["trained_parameters"] == scratch["parameters"] > 0


def test_rivals_have_the_plan_s_guards_against_overfitting(walk):
    """Scratch alone may wait longer, since the loss of fresh weights rises before it falls."""
    (wanted,) = walk.result.plan.guards
    for name in networks(walk.result):
        plan = read_json(walk.folder / "training" / name / "run.json")["run"]["plan"]
        (guard,) = plan["guards"]
        assert plan["batch"] == walk.result.plan.batch
        assert guard.keys() == wanted.keys()
        assert guard == wanted or name == "scratch" and guard["patience"] > wanted["patience"]


def test_test_rows_never_teach_or_choose(walk):
    answers = {name: predictions(walk.folder, name) for name in walk.result.runs}
    for said in answers.values():
        rows = {split: set(said[f"{split}.rows"].tolist()) for split in ("train", "validation", "test")}
        assert not any(rows[a] & rows[b] for a, b in combinations(rows, 2))
        assert len(rows["test"]) == walk.result.data.test
        assert rows["test"] == set(next(iter(answers.values()))["test.rows"].tolist())


def test_no_content_is_in_two_splits(walk):
    rows, role = Rows(walk.folder / "rows.arrow"), walk.result.data.roles
    column = role.get("text", role.get("image"))
    content = [Path(v).read_bytes() if "image" in role else v for v in rows.column(column)]
    by_split: dict[str, set] = {}
    for split, value in zip(rows.column("_split"), content, strict=True):
        by_split.setdefault(split, set()).add(value)
    assert set(by_split) == {"train", "validation", "test"}
    assert not any(by_split[a] & by_split[b] for a, b in combinations(by_split, 2))


def test_the_numbers_in_the_result_follow_from_the_kept_predictions(walk):
    for name, run in walk.result.runs.items():
        said = predictions(walk.folder, name)
        hits = said["test.probs"].argmax(1) == said["test.truth"]
        assert run.metrics["accuracy"].value == pytest.approx(hits.mean())
        assert np.allclose(said["test.probs"].sum(1), 1)
    best = predictions(walk.folder, walk.result.recommended)
    wrong = int((best["test.probs"].argmax(1) != best["test.truth"]).sum())
    assert len(walk.result.mistakes) == min(20, wrong)
    assert sum(map(sum, walk.result.confusion.matrix)) == walk.result.data.test


def test_what_was_promised_is_proved_for_every_run(walk):
    proofs = walk.result.proofs
    for name, run in networks(walk.result).items():
        assert proofs[f"saved_equals_measured ({name})"] <= 1e-5
        assert proofs[f"frozen_unmoved ({name})"] is True, run


def test_the_model_folder_is_the_recommended_run_s_model(walk):
    shipped = (walk.folder / "model" / "model.safetensors").read_bytes()
    trained = walk.folder / "training" / walk.result.recommended / "model" / "model.safetensors"
    assert shipped == trained.read_bytes()


def test_no_checkpoints_are_left_of_a_finished_training(walk):
    assert not list(walk.folder.glob("training/*/checkpoints"))


def test_running_the_run_folder_again_does_nothing_anew(walk):
    before, events = stamps(walk.folder), (walk.folder / "events.jsonl").read_text().splitlines()
    again = process.run(walk.folder)
    assert again == walk.result
    assert stamps(walk.folder) == before
    more = (walk.folder / "events.jsonl").read_text().splitlines()[len(events) :]
    assert [json.loads(line)["event"] for line in more] == ["sitting"]


def test_a_lost_report_is_written_again_without_training(text_copy, text_run):
    (text_copy / "result.json").unlink()
    before = stamps(text_copy / "training")
    again = process.run(text_copy)
    assert stamps(text_copy / "training") == before
    assert same_findings(again, text_run.result)
    assert (text_copy / "result.json").is_file()


def test_a_damaged_training_is_done_again_and_gives_the_same(text_copy, text_run):
    (text_copy / "result.json").unlink()
    (text_copy / "training" / "frozen" / "run.json").write_text('{"fingerprint": ')
    before = stamps(text_copy / "training" / "scratch")
    again = process.run(text_copy)
    assert stamps(text_copy / "training" / "scratch") == before
    assert same_findings(again, text_run.result)


def test_the_same_seed_gives_the_same_evidence(image_run, world, tmp_path):
    again = process.run(world / "shapes", runs=tmp_path, models=(str(world / "image-model"),))
    assert same_findings(again, image_run.result)
    first, second = (read_json(folder / "evidence.json") for folder in (image_run.folder, Path(again.run)))
    assert first == second


def test_an_edited_plan_is_followed_and_said(text_copy, text_run):
    path, last = text_copy / "plan.yaml", len(text_run.result.plan.phases) - 1
    phase = text_run.result.plan.phases[last]
    text = path.read_text().replace(f"epochs: {phase.epochs}", "epochs: 2")
    path.write_text(text.replace(f"lr: {phase.lr}", "lr: 3e-4"))
    frozen = stamps(text_copy / "training" / "frozen")
    result = process.run(text_copy)
    assert result.plan == replace(read_plan(path), reasons=result.plan.reasons)
    assert result.plan.phases[last] == replace(phase, epochs=2, lr=3e-4)
    by_hand = [reason.so for reason in result.plan.reasons if reason.rule == "phases: set by hand"]
    assert by_hand == ["it is 0.0003", "it is 2"]
    assert f"--set phases.{last}.lr=0.0003 --set phases.{last}.epochs=2" in result.reproduce.command
    assert result.runs[result.plan.strategy].history[-1]["epoch"] == 2
    assert stamps(text_copy / "training" / "frozen") == frozen, "it does not hang on the plan's phases"
    assert result.runs["scratch"].history[-1]["epoch"] <= 4, "it takes twice the plan's steps"


def test_another_rate_in_the_plan_leaves_the_rivals_as_they_are(text_copy, text_run):
    path, phase = text_copy / "plan.yaml", text_run.result.plan.phases[-1]
    path.write_text(path.read_text().replace(f"lr: {phase.lr}", "lr: 3e-4"))
    rivals = stamps(text_copy / "training" / "frozen") | stamps(text_copy / "training" / "scratch")
    process.run(text_copy)
    assert stamps(text_copy / "training" / "frozen") | stamps(text_copy / "training" / "scratch") == rivals


def test_a_plan_that_was_not_edited_keeps_its_reasons(text_copy, text_run):
    (text_copy / "result.json").unlink()
    assert process.run(text_copy).plan == text_run.result.plan


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("strategy: ", "strategy: ../../", "no-such-strategy"),
        ("task: text_classification", "task: image_classification", "unfit-task"),
        ("model: ", "model: /no/such/", "unranked-model"),
        ("name: early_stop", "name: early_stopp", "no-such-guard"),
        ("name: new_head", "name: newhead", "no-such-edit"),
        ("mode: supervised", "mode: unsupervised", "no-such-mode"),
        ("learn: ['*']", "learn: [layer.77]", "no-such-group"),
    ],
)
def test_an_edit_that_cannot_be_followed_is_refused_and_harms_nothing(text_copy, old, new, code):
    path = text_copy / "plan.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    before = stamps(text_copy / "training" / "scratch")
    with pytest.raises(WarmstartError) as refused:
        process.run(text_copy)
    assert refused.value.code == code
    assert stamps(text_copy / "training" / "scratch") == before


def test_a_begun_run_keeps_what_it_was_begun_with(text_copy):
    with pytest.raises(WarmstartError, match="strategy cannot be changed") as refused:
        process.run(text_copy, strategy="frozen")
    assert refused.value.code == "begun-already"


def test_the_plan_can_start_from_another_ranked_model(world, tmp_path):
    models = (str(world / "text-model"), str(world / "text-model-2"))
    plan, folder = process.plan(world / "reviews.csv", runs=tmp_path, models=models, **SMALL)
    other = next(m for m in models if m != plan.model)
    path = folder / "plan.yaml"
    path.write_text(re.sub(r"(?m)^model: .*$", f"model: {other}", path.read_text()))
    done = process.tune(folder)
    assert done.plan.model == other


def test_the_faces_of_the_process_share_one_folder(world, tmp_path):
    asked = {"models": (str(world / "text-model"),), "seed": 3, **SMALL}
    bundle = process.check(world / "reviews.csv", runs=tmp_path, label="mood")
    assert isinstance(bundle, Bundle)
    assert bundle.labels == ("bad", "good")
    ranking = process.rank(world / "reviews.csv", runs=tmp_path, models=asked["models"])
    assert isinstance(ranking, Ranking)
    assert [s.candidate.name for s in ranking.scored] == ["text-model"]
    plan, folder = process.plan(world / "reviews.csv", runs=tmp_path, **asked)
    assert (plan.strategy, plan.seed) == ("frozen", 3)
    assert not (folder / "training").exists()
    run = process.tune(folder / "plan.yaml")
    assert isinstance(run, Run)
    assert sorted(p.name for p in (folder / "training").iterdir()) == ["frozen"]
    kept = stamps(folder / "training" / "frozen")
    result = process.prove(folder)
    assert stamps(folder / "training" / "frozen") == kept
    assert set(result.runs) == {"frozen", "full", "scratch", "baseline"}
    assert sorted(p.name for p in tmp_path.glob("reviews-*")) == ["reviews-1", "reviews-2", "reviews-3"]


def test_only_a_run_folder_can_be_tuned_or_proved(world, tmp_path):
    for face in (process.tune, process.prove):
        with pytest.raises(WarmstartError) as refused:
            face(world / "reviews.csv")
        assert refused.value.code == "no-run"


def test_a_page_can_be_written_again(text_copy, text_run):
    (text_copy / "report.md").unlink()
    result, path = process.report(text_copy, "markdown")
    assert path == text_copy / "report.md"
    assert path.read_text() == (text_run.folder / "report.md").read_text()
    assert result == text_run.result


def test_predictions_are_named_and_sum_to_one(text_run):
    answers = process.predict(text_run.folder, ["a lovely warm ba", "awful"])
    assert [name for name, _ in answers] == ["a lovely warm ba", "awful"]
    for _, said in answers:
        assert {label for label, _ in said} == {"bad", "good"}
        assert sum(p for _, p in said) == pytest.approx(1)
        assert said == sorted(said, key=lambda pair: -pair[1])


def test_relative_paths_hold_wherever_the_run_is_taken_up(world, tmp_path, monkeypatch):
    monkeypatch.chdir(world)
    asked = {"models": ("text-model",), "strategy": "frozen", "settings": ("guards=[]",)}
    _, folder = process.plan("reviews.csv", runs=tmp_path, **asked)
    monkeypatch.chdir(tmp_path)
    assert process.tune(folder).plan.model == "text-model"


def test_a_model_that_knows_all_classes_is_compared_untouched(world, tmp_path):
    import street_world

    known = street_world.text_model(tmp_path / "known", seed=2, classes=("good", "bad"))
    result = process.run(world / "reviews.csv", runs=tmp_path, models=(str(known),), **SMALL)
    assert result.runs["base"].trained_parameters == 0
    assert result.proofs["saved_equals_measured (base)"] <= 1e-5
    assert "base" in result.gains or result.recommended == "base"
    kept = stamps(Path(result.run) / "training")
    (Path(result.run) / "result.json").unlink()
    assert same_findings(process.run(result.run), result)
    assert stamps(Path(result.run) / "training") == kept


def networks(result):
    return {name: run for name, run in result.runs.items() if not run.baseline}


def predictions(folder: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(folder / "training" / name / "predictions.npz", allow_pickle=False) as arrays:
        return dict(arrays)


def planned(world, tmp_path, **asked):
    small = {**SMALL, **asked}
    return process.plan(world / "reviews.csv", runs=tmp_path, models=(str(world / "text-model"),), **small)


def change(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def test_a_strategy_changed_in_the_plan_brings_its_own_phases_and_that_is_said(world, tmp_path):
    _, folder = planned(world, tmp_path, strategy="full")
    change(folder / "plan.yaml", ("strategy: full", "strategy: frozen"), ("batch: 16", "batch: 8"))
    told = []
    result = process.run(folder, tell=told.append)
    asked, _ = planned(world, tmp_path, strategy="frozen")
    assert replace(result.plan, reasons=()) == replace(asked, reasons=(), batch=8)
    assert read_plan(folder / "plan.yaml") == replace(result.plan, reasons=())
    assert [e["what"] for e in told if e["event"] == "note"] == [
        "plan.yaml: phases and edits now follow frozen"
    ]
    assert set(networks(result)) == {"frozen", "full", "scratch"}
    assert "--strategy frozen" in result.reproduce.command
    assert "--set batch=8" in result.reproduce.command
    assert process.run(folder) == result, "and then it is done"


def test_a_plan_of_another_strategy_may_be_edited_further(world, tmp_path):
    _, folder = planned(world, tmp_path, strategy="frozen")
    change(folder / "plan.yaml", ("strategy: frozen", "strategy: partial"))
    process.tune(folder)
    phase = read_plan(folder / "plan.yaml").phases[-1]
    change(folder / "plan.yaml", (f"epochs: {phase.epochs}", "epochs: 2"))
    assert process.tune(folder).plan.phases[-1] == replace(phase, epochs=2)


def test_a_strategy_changed_along_with_its_phases_is_refused(world, tmp_path):
    plan, folder = planned(world, tmp_path, strategy="full")
    change(
        folder / "plan.yaml",
        ("strategy: full", "strategy: frozen"),
        (f"epochs: {plan.phases[-1].epochs}", "epochs: 2"),
    )
    with pytest.raises(WarmstartError, match="--strategy frozen") as refused:
        process.run(folder)
    assert refused.value.code == "mixed-strategy"


@pytest.mark.parametrize(("strategy", "pretrained"), [("frozen", "false"), ("scratch", "true")])
def test_fresh_weights_do_not_go_by_the_name_of_a_pretrained_strategy(world, tmp_path, strategy, pretrained):
    with pytest.raises(WarmstartError) as refused:
        planned(world, tmp_path, strategy=strategy, settings=(f"pretrained={pretrained}",))
    assert refused.value.code == "mixed-strategy"
