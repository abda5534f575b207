"""Bad input through the real command line: one error, one advice, an exit code, nothing left half done."""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from bad_inputs import BAD_INPUTS, BadInput

import street_world
from warmstart.cli.main import main


class Case(NamedTuple):
    """`words` gives the command line in a folder of its own, where `given` holds what all may use."""

    name: str
    code: str
    words: Callable[["Given"], list[str]]


class Given(NamedTuple):
    place: Path
    world: Path
    run: Path  # a copy of a finished run on texts
    image_run: Path  # of one on pictures, for reading only


CASES: list[Case] = []


def case(code: str):
    def listed(words: Callable[[Given], list[str]]):
        CASES.append(Case(words.__name__, code, words))
        return words

    return listed


def run_from(given: Given, model: Path | str, *more: str) -> list[str]:
    return ["run", str(given.world / "reviews.csv"), "--from", str(model), *more]


def changed_model(given: Given, change: Callable[[Path], object], name: str = "text-model") -> list[str]:
    """`run` from a copy of a good model to which something was done."""
    folder = Path(shutil.copytree(given.world / name, given.place / "model"))
    change(folder)
    return run_from(given, folder)


# Models


@case("no-model")
def model_that_is_not_there(given):
    return run_from(given, given.place / "no-such-model")


@case("offline")
def hub_id_without_a_network(given):
    return run_from(given, "someone/some-model")


@case("no-model")
def zoo_model_that_is_not_there(given):
    return run_from(given, "zoo:lettres")


@case("no-config")
def file_for_a_model(given):
    return run_from(given, given.world / "reviews.csv")


@case("no-config")
def model_without_a_config(given):
    return changed_model(given, lambda folder: (folder / "config.json").unlink())


@case("bad-config")
def model_with_half_a_config(given):
    return changed_model(given, lambda folder: (folder / "config.json").write_text('{"model_type": "be'))


@case("bad-config")
def model_of_an_unknown_kind(given):
    return changed_model(given, lambda folder: (folder / "config.json").write_text('{"model_type": "brt"}'))


@case("bad-weights")
def weights_cut_short(given):
    def cut(folder):
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-5000])

    return changed_model(given, cut)


@case("bad-weights")
def weights_that_are_rubbish(given):
    return changed_model(given, lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 4000))


@case("bad-weights")
def weights_of_no_bytes(given):
    return changed_model(given, lambda folder: (folder / "model.safetensors").write_bytes(b""))


@case("no-weights")
def model_without_weights(given):
    return changed_model(given, lambda folder: (folder / "model.safetensors").unlink())


@case("pickle")
def weights_in_a_pickle(given):
    def pickled(folder):
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/warmstart-owned'\ntR.")

    return changed_model(given, pickled)


@case("no-processor")
def model_without_a_tokenizer(given):
    def forget(folder):
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).unlink()

    return changed_model(given, forget)


@case("unfit-model")
def text_model_for_pictures(given):
    return ["run", str(given.world / "shapes"), "--from", str(given.world / "text-model")]


@case("unfit-model")
def image_model_for_texts(given):
    return run_from(given, given.world / "image-model")


@case("same-candidate-twice")
def one_model_twice(given):
    return run_from(given, given.world / "text-model", "--from", str(given.world / "text-model"))


# Flags and settings


@case("no-such-strategy")
def unknown_strategy(given):
    return run_from(given, given.world / "text-model", "--strategy", "fulll")


@case("no-such-task")
def unknown_task(given):
    return run_from(given, given.world / "text-model", "--task", "text")


@case("unfit-task")
def task_of_other_data(given):
    return run_from(given, given.world / "text-model", "--task", "image_classification")


@case("no-such-score")
def unknown_score(given):
    return run_from(given, given.world / "text-model", "--set", "score=lep")


@case("unknown-key")
def unknown_setting(given):
    return run_from(given, given.world / "text-model", "--set", "learning_rate=1e-4")


@case("unknown-key")
def unknown_setting_of_a_phase(given):
    return run_from(given, given.world / "text-model", "--set", "phases.0.lrr=1e-4")


@case("unknown-key")
def setting_of_a_phase_that_is_not_there(given):
    return run_from(given, given.world / "text-model", "--set", "phases.9.lr=1e-4")


@case("wrong-value")
def setting_of_a_wrong_type(given):
    return run_from(given, given.world / "text-model", "--set", "batch=many")


@case("wrong-value")
def setting_out_of_range(given):
    return run_from(given, given.world / "text-model", "--set", "phases.0.lr=-1")


@case("wrong-value")
def seed_that_is_no_number(given):
    return run_from(given, given.world / "text-model", "--set", "seed=luck")


@case("usage")
def setting_without_a_value(given):
    return run_from(given, given.world / "text-model", "--set", "batch")


@case("usage")
def model_as_a_setting(given):
    return run_from(given, given.world / "text-model", "--set", "model=x")


@case("usage")
def rows_below_zero(given):
    return run_from(given, given.world / "text-model", "--rows", "-5")


@case("limit-too-small")
def too_few_rows(given):
    return run_from(given, given.world / "text-model", "--rows", "3")


@case("missing-column")
def label_that_is_no_column(given):
    return run_from(given, given.world / "text-model", "--label", "moood")


@case("missing-file")
def file_of_test_rows_that_is_not_there(given):
    return run_from(given, given.world / "text-model", "--test", str(given.place / "test.csv"))


@case("usage")
def unknown_verb(given):
    return ["runn", str(given.world / "reviews.csv")]


@case("usage")
def unknown_flag(given):
    return run_from(given, given.world / "text-model", "--epochs", "3")


@case("usage")
def flag_without_a_value(given):
    return run_from(given, given.world / "text-model", "--label")


@case("usage")
def rows_that_are_no_number(given):
    return run_from(given, given.world / "text-model", "--rows", "all")


@case("usage")
def verb_without_data(given):
    return ["run"]


@case("no-such-family")
def unknown_family(given):
    return ["list", "strategy"]


@case("no-such-part")
def unknown_part(given):
    return ["explain", "l3_sp"]


@case("no-such-schema")
def unknown_schema(given):
    return ["schema", "results"]


@case("wrong-value")
def demo_of_no_digits(given):
    return ["demo", "--labels", "0"]


# Plans and run folders


def with_plan(given: Given, text: str) -> list[str]:
    (given.run / "plan.yaml").write_text(text)
    return ["run", str(given.run)]


@case("unknown-key")
def plan_with_an_unknown_key(given):
    return with_plan(given, (given.run / "plan.yaml").read_text() + "\nbatches: 3\n")


@case("bad-yaml")
def plan_that_is_no_yaml(given):
    return with_plan(given, "strategy: [full\nphases: }")


@case("yaml-trick")
def plan_that_is_an_alias_bomb(given):
    rows = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    rows += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return with_plan(given, "\n".join(rows))


@case("yaml-trick")
def plan_that_would_run_code(given):
    return with_plan(given, "strategy: !!python/object/apply:os.system ['touch /tmp/warmstart-owned']")


@case("no-plan")
def empty_plan(given):
    return with_plan(given, "")


@case("bad-encoding")
def plan_of_rubbish(given):
    (given.run / "plan.yaml").write_bytes(bytes(range(256)))
    return ["run", str(given.run)]


@case("bad-run")
def run_folder_with_half_a_run_json(given):
    (given.run / "run.json").write_text('{"options": {"data": "revi')
    return ["run", str(given.run)]


@case("unknown-key")
def run_folder_of_another_version(given):
    (given.run / "run.json").write_text('{"options": {"data": "x", "colour": "red"}, "created": ""}')
    return ["run", str(given.run)]


@case("begun-already")
def run_folder_with_other_wishes(given):
    return ["run", str(given.run), "--strategy", "frozen"]


@case("no-run")
def proof_of_what_was_not_run(given):
    return ["prove", str(given.world / "reviews.csv")]


@case("no-run")
def tuning_of_what_was_not_planned(given):
    return ["tune", str(given.place)]


@case("no-result")
def report_on_an_unfinished_run(given):
    (given.run / "result.json").unlink()
    return ["report", str(given.run)]


@case("no-such-form")
def report_in_an_unknown_form(given):
    return ["report", str(given.run), "--form", "pdf"]


@case("no-file")
def explanation_of_a_plan_that_is_not_there(given):
    return ["explain", str(given.place / "plan.yaml")]


@case("no-such-guard")
def explanation_of_a_plan_with_an_unknown_guard(given):
    text = (given.run / "plan.yaml").read_text()
    (given.run / "plan.yaml").write_text(text.replace("name: early_stop", "name: late_stop"))
    return ["explain", str(given.run)]


# Predictions


@case("no-model")
def prediction_without_a_model(given):
    return ["predict", str(given.place), "a text"]


@case("bad-config")
def prediction_of_a_broken_model(given):
    (given.run / "model" / "config.json").write_text("[")
    return ["predict", str(given.run), "a text"]


@case("no-head")
def prediction_of_an_untrained_model(given):
    folder = Path(shutil.copytree(given.world / "text-model", given.place / "model"))
    table = json.loads((folder / "config.json").read_text())
    table["architectures"] = ["BertForSequenceClassification"]
    (folder / "config.json").write_text(json.dumps(table))
    return ["predict", str(folder), "a text"]


@case("no-task")
def prediction_of_a_model_without_a_head(given):
    return ["predict", str(given.world / "text-model"), "a text"]


@case("no-input")
def prediction_of_a_missing_picture(given):
    return ["predict", str(given.image_run), str(given.place / "cat.jpg")]


@case("no-input")
def prediction_of_a_folder_without_pictures(given):
    return ["predict", str(given.image_run), str(given.place)]


@case("broken-image")
def prediction_of_a_broken_picture(given):
    (given.place / "cat.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return ["predict", str(given.image_run), str(given.place / "cat.jpg")]


@case("no-input")
def prediction_of_a_missing_table(given):
    return ["predict", str(given.run), "reviws.csv"]


@case("missing-column")
def prediction_of_a_table_of_other_columns(given):
    path = street_world.write_csv(given.place / "x.csv", [("a", "b")] * 3, header=("comment", "name"))
    return ["predict", str(given.run), str(path)]


@case("wrong-encoding")
def prediction_of_a_text_file_that_is_no_text(given):
    (given.place / "x.txt").write_bytes(b"caf\xe9")
    return ["predict", str(given.run), str(given.place / "x.txt")]


@pytest.fixture
def given(world, text_copy, image_run, tmp_path) -> Given:
    place = tmp_path / "place"
    place.mkdir()
    return Given(place, world, text_copy, image_run.folder)


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_what_cannot_be_done_ends_in_one_error_with_advice(bad: Case, given, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = bad.words(given)
    before = street_world.stamps(tmp_path)
    assert_refused(words, bad.code, capsys)
    after = {path: when for path, when in street_world.stamps(tmp_path).items() if ".cache" not in path.parts}
    assert after == before, "something was written half"
    assert not Path("/tmp/warmstart-owned").exists()


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.name)
def test_data_that_cannot_be_learned_from_end_in_one_error(bad: BadInput, world, tmp_path, capsys):
    source, out = bad.build(tmp_path), tmp_path / "out"
    words = ["run", source, "--from", str(world / "text-model"), "--out", str(out)]
    assert_refused(words, bad.code, capsys)
    assert not out.exists()


def test_there_are_enough_kinds_of_bad_input():
    assert len(CASES) + len(BAD_INPUTS) > 100
    assert len({c.name for c in CASES} | {b.name for b in BAD_INPUTS}) == len(CASES) + len(BAD_INPUTS)


def assert_refused(words: list[str], code: str, capsys, exit_code: int = 2) -> None:
    """By two lines on standard error, and with --json by one object on standard output."""
    assert main(words) == exit_code, capsys.readouterr().err
    said = capsys.readouterr()
    assert not said.out
    check_lines(said.err)
    flag = [] if "schema" in words and "--json" in words else ["--json"]
    assert main([*words[:1], *flag, *words[1:]]) == exit_code
    said = capsys.readouterr()
    table = json.loads(said.out)
    assert table["error"].keys() == {"code", "wrong", "do"}
    assert table["error"]["code"] == code, table
    assert not said.err, "where a program listens, only the answer is printed"


def check_lines(told: str) -> None:
    assert "Traceback" not in told
    lines = told.splitlines()
    assert [line.lstrip().split(" ")[0] for line in lines[-2:]] == ["error:", "do:"], told
    assert sum(line.lstrip().startswith(("error:", "do:")) for line in lines) == 2
    assert all(len(line) > 12 for line in lines[-2:])
    assert all(line.split()[0] in ("data", "select", "tune") for line in lines[:-2]), told


@pytest.mark.parametrize("which", ["missing file", "unknown verb", "broken plan"])
def test_the_same_in_a_process_of_its_own(which, given):
    words = {
        "missing file": ["run", str(given.place / "reviews.csv")],
        "unknown verb": ["runn"],
        "broken plan": with_plan(given, "strategy: [full"),
    }[which]
    if which == "broken plan":
        words = ["explain", str(given.run)]
    done = subprocess.run([sys.executable, "-m", "warmstart", *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    check_lines(done.stderr)


def test_a_place_that_cannot_hold_runs_is_a_matter_of_resources(world, tmp_path, capsys):
    (tmp_path / "runs").write_text("a file")
    words = run_from(Given(tmp_path, world, tmp_path, tmp_path), world / "text-model")
    assert_refused([*words, "--out", str(tmp_path / "runs")], "no-folder", capsys, exit_code=5)


def test_a_disk_without_room_is_a_matter_of_resources(world, tmp_path, capsys):
    words = run_from(Given(tmp_path, world, tmp_path, tmp_path), world / "text-model")
    with no_file_above(2000):
        assert_refused([*words, "--out", str(tmp_path / "runs")], "disk", capsys, exit_code=5)
    assert not list(tmp_path.glob("runs/*/data.json"))


def test_a_disk_that_fills_while_models_are_written_is_a_matter_of_resources(world, tmp_path, capsys):
    """The folder stays, with what is whole, and the run goes on once there is room."""
    words = run_from(Given(tmp_path, world, tmp_path, tmp_path), world / "text-model", "--rows", "40")
    words = [*words, "--strategy", "frozen", "--out", str(tmp_path / "runs"), "--json"]
    with no_file_above(40_000):
        assert main(words) == 5
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "disk"
    folder = tmp_path / "runs" / "reviews-1"
    assert not (folder / "training" / "frozen" / "run.json").exists()
    assert main(["tune", str(folder), "--json"]) == 0


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Writes beyond so many bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_broken_picture_among_good_ones_is_put_aside_and_said(world, tmp_path, capsys):
    folder = Path(shutil.copytree(world / "shapes", tmp_path / "shapes"))
    (folder / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    assert main(["check", str(folder), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    found = [f for f in table["findings"] if f["check"] == "unreadable_images"]
    assert [(f["count"], f["where"]) for f in found] == [(1, ["red/broken.jpg"])]
    assert table["data"]["rows"] == 42
    assert main(["check", str(folder)]) == 0
    assert "1 image" in capsys.readouterr().out
