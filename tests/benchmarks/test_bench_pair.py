"""One tiny pair from end to end: two processes of their own, the same rows, one line of JSON."""

import json

import pytest

from benchmarks import rows
from benchmarks.__main__ import asked, measure, suite, table
from benchmarks.rows import OURS, PLAIN, Row, Trial, all_rows

TINY = Trial("bert-2x64", "bert-2x64", "texts:48:16", (OURS, PLAIN), 2, 1e-3, batch=8)
SPREAD = {"value", "low", "high"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    place = tmp_path_factory.mktemp("bench")
    return measure(Row("P0", "a tiny pair", (TINY,)), 1, place, threads=1, seed=0).table()


def test_a_pair_gives_the_json_that_is_promised(pair):
    assert set(pair) == {"id", "ratios", "memory", "same_result", "figures"}
    assert json.loads(json.dumps(pair)) == pair
    assert set(pair["ratios"]["bert-2x64/plain loop"]) == SPREAD
    assert isinstance(pair["same_result"], bool)
    assert pair["memory"]["bert-2x64/plain loop"] > 0


def test_both_sides_of_a_pair_cost_and_learn(pair):
    for side in ("warmstart", "plain loop"):
        figures = pair["figures"][f"bert-2x64/{side}"]
        assert figures["process_cpu_seconds"]["value"] > figures["cpu_seconds"]["value"] > 0
        assert figures["last_loss"] < figures["first_loss"] + 0.05


def test_a_pair_can_be_read_as_a_table(pair):
    text = table("a tiny pair", pair)
    assert "## P0: a tiny pair" in text and "| bert-2x64/plain loop |" in text


def test_both_sides_begin_with_the_same_layers_frozen(tmp_path):
    network = tmp_path / "net-0"
    network.mkdir()
    names = ["embeddings", *(f"layer.{i}" for i in range(6)), "pooler", "head"]
    (network / "layers.json").write_text(json.dumps([[name, [f"{name}.weight"]] for name in names]))
    trial = Trial("top", "net", "texts:8:8", (OURS,), 1, 1e-3, top=2)
    learn, frozen = trial.layers(network)
    assert learn == ("layer.4", "layer.5", "pooler", "head")
    assert frozen == ("embeddings.weight", *(f"layer.{i}.weight" for i in range(4)))


def test_a_missing_library_is_said_in_the_row(tmp_path):
    absent = rows.peer("peer", "nothing", needs=("no_such_library",))
    row = Row("P0", "nobody", (Trial("net", "bert-2x64", "texts:8:8", (absent,), 1, 1e-3),))
    said = measure(row, 1, tmp_path, threads=1, seed=0).table()
    assert said["figures"]["missing"] == ["net/peer: no_such_library not installed"]
    assert "no_such_library not installed" in table("nobody", said)


@pytest.mark.parametrize("quick", [True, False])
def test_the_suite_has_nine_rows(quick):
    assert list(all_rows(quick)) == [f"P{n}" for n in range(1, 10)]


@pytest.mark.parametrize("words", [["P99"], ["--quick", "--update"]])
def test_what_makes_no_sense_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        asked(words)
    assert "P99" in capsys.readouterr().err or "--update" in words


def test_a_quick_suite_of_no_rows_asks_for_all(monkeypatch, capsys):
    seen = []

    def measured(row, *_):
        seen.append(row.id)
        from benchmarks.figures import Figures

        return Figures(row.id)

    monkeypatch.setattr("benchmarks.__main__.measure", measured)
    assert suite(asked(["--quick", "--json"])) == []
    assert seen == list(all_rows(True))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == seen


def test_peers_can_be_left_out_by_name_and_we_cannot(capsys):
    row = all_rows(quick=False)["P1"].without(["plain loop", "fastai"])
    assert [side.name for side in row.trials[0].contenders] == [
        *("warmstart", "trainer", "trainer grouped bf16", "lightning")
    ]
    for name in ("warmstart", "nobody"):
        with pytest.raises(SystemExit):
            asked(["P1", "--without", name])
        assert f"no peer {name!r}" in capsys.readouterr().err
