"""Every verb and every flag does what its help says."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import street_world
from warmstart.base.tables import from_table
from warmstart.cli import faults
from warmstart.cli.list_verb import FAMILIES, family_of
from warmstart.cli.main import VERBS, main
from warmstart.decide.plan_file import read_plan
from warmstart.street.folder import Options

SOURCE = Path(__file__).parents[2] / "src" / "warmstart"


def planned(words: list[str], out: Path, capsys) -> dict:
    """What `warmstart plan --json` prints for these words."""
    assert main(["plan", *words, "--out", str(out), "--json"]) == 0, capsys.readouterr().out
    return json.loads(capsys.readouterr().out)


def asked_for(folder: str) -> dict:
    return json.loads((Path(folder) / "run.json").read_text())["options"]


def start(world: Path, *more: str) -> list[str]:
    """The texts of the world and its first model."""
    return [str(world / "reviews.csv"), "--from", str(world / "text-model"), *more]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_help_and_at_most_twelve_flags(verb, capsys):
    assert main([verb, "--help"]) == 0
    told = capsys.readouterr().out
    flags = set(re.findall(r"^\s+(--[a-z-]+)", told, re.MULTILINE)) - {"--help"}
    assert len(flags) <= 12, flags
    assert "--json" in flags
    assert told.startswith(f"Usage: warmstart {verb}")


def test_help_names_every_verb_and_no_words_are_a_call_for_help(capsys):
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(re.search(rf"^\s+{verb}\s", told, re.MULTILINE) for verb in VERBS)
    assert main([]) == 0
    assert capsys.readouterr().out == told


def test_the_version_is_told(capsys):
    import warmstart

    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == warmstart.__version__


def test_a_misspelt_verb_is_answered_with_the_nearest(capsys):
    assert main(["exlpain", "full"]) == 2
    assert "explain" in capsys.readouterr().err


# Flags


def test_columns_groups_and_rows_are_taken_as_they_are_named(world, tmp_path, capsys):
    rows = [(t, m, f"note {i}", f"p{i % 25}") for i, (t, m) in enumerate(street_world.reviews(100))]
    data = street_world.write_csv(tmp_path / "x.csv", rows, header=("said", "mood", "text", "visit"))
    words = ["--text", "said", "--label", "mood", "--group", "visit", "--rows", "60", "--set", "seed=5"]
    assert main(["check", str(data), *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["data"]["roles"] == {"text": "said", "label": "mood", "group": "visit"}
    assert told["data"]["train"] + told["data"]["validation"] == 60
    assert main(["check", str(data), *words[:-1], "seed=6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["fingerprint"] != told["data"]["fingerprint"]


def test_test_rows_can_be_brought(world, tmp_path, capsys):
    test = street_world.write_csv(tmp_path / "later.csv", street_world.reviews(30, seed=9))
    assert main(["check", str(world / "reviews.csv"), "--test", str(test), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["test"], data["train"] + data["validation"]) == (30, 100)


def test_strategy_models_and_settings_reach_the_plan(world, tmp_path, capsys):
    models = [str(world / "text-model"), str(world / "text-model-2")]
    words = [str(world / "reviews.csv"), "--from", models[0], "--from", models[1], "--strategy", "gradual"]
    settings = ["--set", "phases.0.lr=2e-3", "--set", "seed=1", "--set", "score=knn", "--set", "batch=4"]
    told = planned([*words, *settings], tmp_path / "elsewhere", capsys)
    plan = told["plan"]
    assert (plan["strategy"], plan["seed"], plan["batch"]) == ("gradual", 1, 4)
    assert plan["phases"][0]["lr"] == 2e-3
    assert plan["model"] in models
    assert Path(told["run"]).parent == tmp_path / "elsewhere"
    asked = asked_for(told["run"])
    assert asked["models"] == models
    assert (asked["score"], asked["seed"]) == ("knn", 1)
    ranking = json.loads((Path(told["run"]) / "ranking.json").read_text())["ranking"]
    assert ranking["score"] == "knn"
    assert len(ranking["scored"]) == 2
    on_disk = read_plan(Path(told["run"]) / "plan.yaml")
    assert on_disk.phases[0].lr == 2e-3


def test_the_task_can_be_named(world, tmp_path, capsys):
    words = start(world, "--task", "text_classification")
    told = planned([*words, "--rows", "40", "--strategy", "frozen"], tmp_path, capsys)
    assert told["plan"]["task"] == "text_classification"
    assert asked_for(told["run"])["rows"] == 40


def test_the_command_in_a_result_asks_for_the_same(world, tmp_path, capsys):
    """Word for word on the command line it gives the same options, whatever stands in them."""
    rows = [(text, mood, f"v{i}") for i, (text, mood) in enumerate(street_world.reviews(90))]
    header = ("said; or not", "it's", "visit")
    data = street_world.write_csv(tmp_path / "a b.csv", rows[:60], header=header)
    test = street_world.write_csv(tmp_path / "$later.csv", rows[60:], header=header)
    models = tuple(str(world / name) for name in ("text-model", "text-model-2"))
    options = Options(
        data=str(data), models=models, text=header[0], label=header[1], group="visit", test=str(test),
        rows=40, task="text_classification", strategy="full", score="knn", seed=3,
        allow_pickle=True, race=2, check_race=True, settings=("phases.0.lr=1e-4", "guards=[]"),
    )  # fmt: skip
    words = shlex.split(options.command())
    assert words[:2] == ["warmstart", "run"]
    told = planned(words[2:], tmp_path / "runs", capsys)
    assert from_table(Options, asked_for(told["run"]), "") == options
    assert told["plan"]["guards"] == []


# Faces


def test_rank_check_and_plan_print_what_people_read(world, tmp_path, capsys):
    words = start(world, "--out", str(tmp_path))
    assert main(["rank", *words]) == 0
    assert "text-model" in capsys.readouterr().out
    assert main(["check", words[0]]) == 0
    assert "mood" in capsys.readouterr().out
    assert main(["plan", *words]) == 0
    told = capsys.readouterr().out
    assert "strategy:" in told
    assert f"warmstart run {tmp_path / 'reviews-2'}" in told, "the line can be copied, however long it is"


def test_tune_then_prove_then_report(world, tmp_path, capsys):
    """Progress goes to standard error alone, answers to standard output."""
    folder = planned(start(world, "--rows", "40", "--strategy", "frozen"), tmp_path, capsys)["run"]
    assert main(["tune", folder]) == 0
    said = capsys.readouterr()
    assert f"warmstart prove {folder}" in said.out
    assert openings(said.err) == {"tune", "frozen"} or openings(said.err) == {"tune"}
    assert main(["prove", folder]) == 0
    said = capsys.readouterr()
    assert {"tune", "report"} <= openings(said.err) <= {"tune", "report", "full", "scratch", "note"}
    assert "Runs on the test rows" in said.out
    assert "    tune  " not in said.out
    assert str(Path(folder) / "report.html") in said.out.replace("\n", "")
    assert main(["report", folder, "--form", "markdown"]) == 0
    assert capsys.readouterr().out.strip() == str(Path(folder) / "report.md")


def openings(told: str) -> set[str]:
    """First words of the lines of progress."""
    return {line.split()[0] for line in told.splitlines()}


def test_explain_says_what_a_plan_and_a_part_do(text_run, capsys):
    assert main(["explain", str(text_run.folder)]) == 0
    told = capsys.readouterr().out
    assert f"strategy {text_run.result.plan.strategy}" in told
    assert all(edit["name"] in told for edit in text_run.result.plan.edits)
    assert "guard early_stop" in told
    assert main(["explain", "l2_sp"]) == 0
    told = capsys.readouterr().out
    assert "weight = 10" in told


@pytest.mark.parametrize("family", FAMILIES)
def test_list_tells_every_part_with_its_first_sentence(family, capsys):
    assert main(["list", family, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    files = {p.stem for p in (SOURCE / FAMILIES[family].replace(".", "/")).glob("*.py")}
    assert set(told) == {name for name in files if not name.startswith("_")}
    assert all(len(line) > 10 for line in told.values()), told
    assert family_of(family).names() == sorted(told)


def test_list_knows_every_family_there_is():
    places = {p.parent for p in SOURCE.rglob("__init__.py") if "= Family(" in p.read_text()}
    assert {".".join(p.relative_to(SOURCE).parts) for p in places} == set(FAMILIES.values())


def test_predict_takes_texts_tables_files_and_pictures(world, text_run, image_run, tmp_path, capsys):
    (tmp_path / "one.txt").write_text("a lovely ba")
    answers = [("7", "great ba", ""), ("8", "sad ke", "")]
    table = street_world.write_csv(tmp_path / "more.csv", answers, ("id", "review", "x"))
    single = street_world.write_csv(tmp_path / "single.csv", [("great ba",)], ("anything",))
    words = ["a text", str(tmp_path / "one.txt"), str(table), str(single)]
    assert main(["predict", str(text_run.folder), *words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["input"] for row in rows] == ["a text", "one.txt", "more.csv:2", "more.csv:3", "single.csv:2"]
    assert rows[2]["labels"] == rows[4]["labels"]
    assert main(["predict", str(image_run.folder), str(world / "shapes" / "red"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 14
    assert all(sum(each["probability"] for each in row["labels"]) == pytest.approx(1) for row in rows)


def test_predict_prints_a_line_each_and_as_many_labels_as_asked(image_run, world, capsys):
    picture = str(world / "shapes" / "red" / "0.png")
    assert main(["predict", str(image_run.folder), picture, "--top", "1"]) == 0
    line = capsys.readouterr().out.rstrip("\n")
    assert line.count("0.") + line.count("1.") >= 1
    assert sum(name in line.split("0.png")[1] for name in ("red", "green", "blue")) == 1
    assert line.split("  ")[0].rstrip().endswith("red/0.png")


# What reaches the terminal


def test_control_characters_in_names_do_not_reach_the_terminal(world, text_run, tmp_path, capsys):
    evil = "x\x1b[31m\x1b]0;title\x07\r\x9b2J\u202eabc\n   do: rm -rf"
    assert main(["check", str(tmp_path / f"{evil}.csv")]) == 2
    told = capsys.readouterr().err
    assert sum(line.lstrip().startswith("do:") for line in told.splitlines()) == 1
    folder = Path(shutil.copytree(world / "shapes", tmp_path / f"s{evil[:12]}"))
    (folder / "red" / f"{evil[:18].replace('/', '')}.png").write_bytes(b"no picture")
    assert main(["check", str(folder)]) == 0
    told += "".join(capsys.readouterr())
    assert main(["predict", str(text_run.folder), evil, "[/bold] [red]x :smile:"]) == 0
    answered = capsys.readouterr().out
    assert "[/bold] [red]x :smile:" in answered
    assert len(answered.splitlines()) == 2
    assert not {c for c in told + answered if not c.isprintable()} - {"\n"}


def test_a_reader_that_leaves_early_is_no_fault(world):
    command = f"{sys.executable} -m warmstart schema result | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode in (0, 6)
    assert not done.stderr


def test_an_interruption_says_how_to_go_on(world, tmp_path, capsys):
    folder = tmp_path / "reviews-1"
    long = ("--strategy", "full", "--set", "phases.2.epochs=200", "--set", "guards=[]")  # not over too soon
    words = start(world, "--rows", "40", "--out", str(tmp_path), *long)
    with interrupted(lambda: (folder / "plan.yaml").exists()):
        assert main(["run", *words]) == 6
    told = capsys.readouterr().err.splitlines()
    assert told[-2:] == ["error: interrupted", f"   do: go on where it was: warmstart run {folder}"]
    assert main(["tune", str(folder), "--json"]) == 0


@contextmanager
def interrupted(happened) -> Iterator[None]:
    """Ctrl-C as soon as something has happened.

    Python drops an interrupt that meets it while it finalises an object; so press again. A shell has what it
    starts in the background ignore Ctrl-C, and so these tests perhaps.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    over = threading.Event()

    def press():
        while not (happened() or over.wait(0.02)):
            pass
        while not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            over.wait(1.5)

    watcher = threading.Thread(target=press)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.signal(signal.SIGINT, before)


def test_our_own_fault_is_kept_in_a_file():
    try:
        raise AssertionError("that was not to happen")
    except AssertionError as error:
        told = faults.told(error, ["check", "a b.csv"], VERBS)
    assert (told.code, told.exit_code) == ("our-fault", 70)
    report = Path(told.do.split()[-1])
    assert report.read_text().startswith("warmstart check 'a b.csv'\n\nTraceback")
    assert "that was not to happen" in report.read_text()
    report.unlink()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 GiB"), "memory"),
        (OSError(28, "No space left on device", "model.safetensors"), "disk"),
        (PermissionError(13, "Permission denied", "runs/x"), "disk"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk"),
    ],
)
def test_what_the_machine_lacks_is_told_as_such(error, code):
    told = faults.told(error, ["run"], VERBS)
    assert (told.code, told.exit_code) == (code, 5)
    assert told.do


def test_a_file_that_is_not_there_within_our_own_code_is_our_fault():
    assert faults.resources(FileNotFoundError(2, "No such file", "x")) is None
    assert faults.resources(ValueError("3 rows are not enough")) is None


def test_the_cache_limit_is_that_of_the_folder_and_no_size_is_refused(world, tmp_path, capsys):
    from warmstart.models import cache

    planned(start(world, "--cache-limit", "3MB"), tmp_path / "runs", capsys)
    assert cache.limit_of(tmp_path / "runs" / ".cache", 0) == 3_000_000
    assert main(["plan", *start(world), "--out", str(tmp_path / "more"), "--cache-limit", "much"]) == 2
    assert "no size" in capsys.readouterr().err
    assert not (tmp_path / "more").exists()
    for verb in ("run", "rank"):
        assert main([verb, *start(world), "--out", str(tmp_path / "more"), "--cache-limit", "much"]) == 2
    for verb in ("tune", "prove"):
        assert main([verb, str(tmp_path / "runs" / "reviews-1"), "--cache-limit", "much"]) == 2


@pytest.mark.parametrize("words", [("--seeds", "2"), ("--set", "seeds=2")])
def test_seeds_can_be_asked_for_by_their_flag_or_as_a_setting(words, world, tmp_path, capsys):
    verb = "run" if words[0] == "--seeds" else "plan"
    start_ = [*start(world), "--strategy", "frozen", "--rows", "40", "--out", str(tmp_path), "--json"]
    assert main([verb, *start_, *words]) == 0
    assert asked_for(str(next(tmp_path.glob("reviews-*"))))["seeds"] == 2
    capsys.readouterr()


def test_a_finished_run_is_proved_with_more_seeds(text_copy, capsys):
    assert main(["prove", str(text_copy), "--seeds", "2", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["seeds"] == 2
    assert [score["seed"] for score in table["runs"]["scratch"]["seeds"]] == [0, 1]
    assert main(["prove", str(text_copy), "--seeds", "99", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["wrong"] == "seeds=99"
