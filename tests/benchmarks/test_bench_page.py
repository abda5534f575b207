"""The study read back: its figures, its tables, its page; and the runs that leave its records."""

import json
from xml.etree import ElementTree

import pytest
from study_world import DIGITS, write_cell_record, write_ranking

from benchmarks.decisions import figures, outlay, page, ranking, seconds, study, tables
from benchmarks.decisions.cell import VERSION, setting_out, starting
from benchmarks.decisions.measured import decide, records_without
from benchmarks.decisions.policies import FIXED, MEASURED, PRIORS
from benchmarks.decisions.pools import races
from benchmarks.decisions.read import read_all
from benchmarks.decisions.worlds import Cell, world
from warmstart.select.scores import SCORES


def test_only_proving_rows_count_and_all_strategies_have_them_in_one_order(tmp_path):
    write_cell_record(tmp_path, Cell("digits", DIGITS[0], 50, 0))
    write_cell_record(tmp_path, Cell("digits", DIGITS[1], 50, 0), version=VERSION - 1)
    (found,) = read_all(tmp_path)
    assert found.right["full"].tolist() == [True, False, True]
    assert found.right["frozen"].tolist() == [True, False, False]
    assert found.validated["full"].merit == (0.5, pytest.approx(-1.05))
    assert found.validated["full"].right.tolist() == [False, True], "in one order for all"
    assert races([found])[0].lacking == DIGITS[1:], "an older record is not of this study"


@pytest.fixture
def place(tmp_path):
    """Two ranked pools, one whole and one that lacks a candidate."""
    for seed, models in ((0, DIGITS), (1, DIGITS[:2])):
        for model in models:
            write_cell_record(tmp_path, Cell("digits", model, 50, seed))
        write_ranking(tmp_path, f"digits--50--{seed}")
    return tmp_path


def test_what_deciding_takes_is_counted_beside_the_plan_and_its_rivals(place):
    (cell, *_) = read_all(place)
    known = records_without([cell], "digits")
    strategy = decide(cell, known).strategy
    names = {strategy, "frozen", "scratch"}
    found = outlay.outlay(cell, known)
    assert (found.trials, found.tried) == (0.0, False)
    assert found.timing == pytest.approx(0.3 / (2.0 * len(names)))
    cell.table["seconds"]["timing"] = 1.8
    seen = outlay.summed([cell], 100)["all"]
    assert (seen["timing"], seen["within"]) == (pytest.approx(0.9 / len(names)), 0.0)


def test_figures_are_json_without_holes_and_say_which_pools_are_not_whole(place):
    found = figures.figures(place, quick=True)
    json.dumps(found, allow_nan=False)
    assert found["pools"] == {"judged": ["digits--50--0"], "lacking": {"digits--50--1": [DIGITS[2]]}}
    assert found["rankings"]["groups"]["all"]["leep"] is None
    assert found["decisions"]["image"][PRIORS]["cells"] == 5
    assert set(found["decisions"]) == {"all", "image", "image, up to 100 rows"}
    again = figures.figures(place, quick=True, incomplete=True)
    assert again["pools"] == found["pools"], "two candidates are no order"


def test_tables_name_every_score_and_every_way_to_decide(place):
    said = tables.tables(figures.figures(place, quick=True))
    assert all(name in said for name in (*tables.NAMES.values(), *FIXED, MEASURED) if name != "always LoRA")
    for name, drawn_ in tables.plots(figures.figures(place, quick=True)).items():
        assert name.endswith(".svg")
        assert ElementTree.fromstring(drawn_).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_page_begins_with_what_does_not_hold_and_follows_the_records(place, capsys):
    path = place / "docs" / "decisions.md"
    words = ["--out", str(place), "--quick"]
    study.main([*words, "--page", str(path)])
    first = path.read_text()
    assert first.index("## What does not hold") < first.index("## Rankings")
    assert "digits--50--1 is not judged" in first
    assert "The default score is not shown to be better than LogME" in first
    assert (path.parent / "decisions-rankings.svg").is_file()
    write_cell_record(place, Cell("digits", DIGITS[2], 50, 1))
    study.main([*words, "--page", str(path)])
    assert "not judged" not in path.read_text()
    study.main([*words, "--tables", "--json"])
    assert json.loads(capsys.readouterr().out)["figures"]["cells"] == 6


def test_a_study_without_records_says_so(tmp_path):
    assert "No pool" in tables.tables(figures.figures(tmp_path, quick=True))
    assert "No pool was ranked" in page.page(figures.figures(tmp_path, quick=True), "page", [], "asked")


def test_two_things_at_once_are_refused():
    with pytest.raises(SystemExit):
        study.asked(["--tables", "--rankings"])


# the runs themselves


def test_a_pool_is_ranked_on_the_rows_of_its_cells_and_not_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--rankings", "--sets", "digits", "--rows", "50", "--seeds", "0", "--out", str(tmp_path)]
    study.main(words)
    path = ranking.record(ranking.Pool("digits", 50, 0), tmp_path)
    table = json.loads(path.read_text())
    assert set(table["scores"]) == set(DIGITS)
    known = {s for s in SCORES.names() if s in figures.SCORES}
    assert all(known <= set(given) for given in table["scores"].values())
    assert {given["imagenet"] for given in table["scores"].values()} == {None}
    assert sorted(given["order"] for given in table["scores"].values()) == [-2, -1, 0]
    assert not list((tmp_path / "work").iterdir())
    path.write_text(json.dumps({"kept": True}))
    study.main(words)
    assert json.loads(path.read_text()) == {"kept": True}
    starting(world("digits"), DIGITS, ranking.Pool("digits", 50, 0), tmp_path, tmp_path / "a")
    setting_out(Cell("digits", DIGITS[0], 50, 0), tmp_path, tmp_path / "b")
    assert (tmp_path / "a" / "rows.csv").read_text() == (tmp_path / "b" / "rows.csv").read_text()


def test_networks_for_other_pictures_come_after_those_with_a_published_accuracy():
    from warmstart.base.types import Candidate

    sizes = {"mobilenet_v1_0.25_128": 1, "mobilenet_v2_1.0_224": 4, "mobilenet_v2_inat_bird": 3, "voc": 2}
    named = {name: name for name in sizes}
    found = ranking.blind([Candidate(name, name, size) for name, size in sizes.items()], named)
    assert [found[n]["imagenet"] for n in sizes] == [-2, -1, -3, -4]
    assert [found[n]["parameters"] for n in sizes] == [1, 4, 3, 2]


def test_a_ranking_is_timed_beside_epochs_of_three_candidates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(seconds, "FIRST", 24)
    (found,) = seconds.run(["digits"], 0, tmp_path, rounds=1, rows=60)
    assert (found["rows"], found["candidates"], len(found["epochs"])) == (60, 3, 3)
    assert all(e["cpu"] >= e["tuning"] > 0 for e in found["epochs"])
    assert found["ranking"]["cpu"] > 0
    assert not list((tmp_path / "work").iterdir())
    said = "\n".join(tables.seconds_parts({"seconds": figures.seconds(tmp_path)}))
    assert "one epoch of" in said
