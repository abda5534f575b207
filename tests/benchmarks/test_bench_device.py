"""On a graphics processor: who is told, what is compared, and what is said where there is none."""

from dataclasses import replace

import pytest
import torch

from benchmarks.__main__ import asked, measure, suite, table
from benchmarks.figures import Figures
from benchmarks.pairs import Ran, visible
from benchmarks.rows import OURS, PLAIN, Row, Trial, all_rows
from benchmarks.work.work import Work, read_work

WORK = Work("text", "a network", "some data", 1, 1e-3)
TINY = Trial("bert-2x64", "bert-2x64", "texts:48:16", (OURS, PLAIN), 2, 1e-3, batch=8)


def ran(name, cpu, wall, gpu=None, device="cuda"):
    said = {"cpu": cpu, "wall": wall, "losses": [1.0, 0.5], "accuracy": 0.8}
    if gpu is not None:
        said["gpu_mb"] = gpu
    return Ran(name, said, cpu, wall, 1000.0, device)


def measured(*runs):
    figures = Figures("P0")
    figures.add("net", [runs], [run.name for run in runs], runs[0].name, 400)
    return figures.table()


@pytest.fixture
def with_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a card")


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_contender_is_told_the_device(tmp_path, device):
    for folder in ("bert-2x64-0", "texts-48-16"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    told = []

    def runner(contender, work, place):
        told.append(read_work(work.write(tmp_path / "work.json")).device)
        return ran(contender.name, 1, 1, device=work.device)

    said = measure(Row("P0", "a pair", (TINY,)).on(device), 1, tmp_path, 1, 0, runner).table()
    assert told == [device] * 2
    assert said["figures"]["device"] == device


def test_the_command_line_reaches_every_row_and_the_card_is_named(with_gpu, monkeypatch, capsys):
    seen = []

    def look(row, *_):
        seen.extend(trial.device for trial in row.trials)
        assert row.notes[-1].startswith("on a card")
        return Figures(row.id)

    monkeypatch.setattr("benchmarks.__main__.measure", look)
    assert suite(asked(["P1", "P6", "--device", "cuda", "--json"])) == []
    assert seen == ["cuda"] * 5


def test_wall_seconds_are_compared_on_a_gpu():
    ours, theirs = ran("ours", cpu=5, wall=1), ran("peer", cpu=5, wall=3)
    assert measured(ours, theirs)["ratios"]["net/peer"]["value"] == 3.0
    both = (replace(side, device="cpu") for side in (ours, theirs))
    assert measured(*both)["ratios"]["net/peer"]["value"] == 1.0


def test_operations_are_counted_by_wall_seconds_on_a_gpu():
    one = ran("peak", cpu=9, wall=2)
    one.said["amount"] = 4e9
    assert measured(one)["figures"]["net/peak"]["gflops_per_wall_second"]["value"] == 2.0


def test_memory_on_a_gpu_is_what_was_allocated_there():
    said = measured(ran("ours", 1, 1, gpu=50), ran("peer", 1, 1, gpu=200))
    assert said["memory"] == {"net/peer": 0.25}
    assert said["figures"]["net/ours"]["peak_mb"] == 50


def test_memory_that_a_side_did_not_tell_is_not_compared():
    said = measured(ran("ours", 1, 1), ran("peer", 1, 1, gpu=200))
    assert said["memory"] == {} and said["ratios"]
    assert "| net/ours | - | 1 | 1 | 1 | - | - |" in table("a pair", said)


@pytest.mark.parametrize(
    ("device", "heads"),
    [("cpu", "| | CPU ratio | CPU s | wall s | process CPU s | peak MB |"),
     ("cuda", "| | wall ratio | CPU s | wall s | process CPU s | peak MB allocated on the GPU |")],
)  # fmt: skip
def test_a_table_says_what_it_compares(device, heads):
    assert heads in table("a pair", measured(ran("ours", 1, 1, 1, device), ran("peer", 1, 1, 1, device)))


def test_larger_networks_are_for_a_gpu_and_for_the_whole_suite():
    def networks(quick, device, row):
        return {trial.network for trial in all_rows(quick, device)[row].trials}

    for row, network in (("P1", "bert-12x768"), ("P6", "gpt2-12x768")):
        assert network in networks(False, "cuda", row)
        assert network not in networks(True, "cuda", row) | networks(False, "cpu", row)


def test_a_contender_sees_one_gpu_or_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert visible(WORK) == ""
    assert visible(replace(WORK, device="cuda")) == "3"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible(replace(WORK, device="cuda")) == "0"


def test_a_gpu_that_is_not_there_is_refused(without_gpu, capsys):
    with pytest.raises(SystemExit):
        asked(["P1", "--device", "cuda"])
    assert "sees no GPU here" in capsys.readouterr().err


def test_a_gpu_gives_no_baseline(with_gpu, capsys):
    with pytest.raises(SystemExit):
        asked(["P1", "--device", "cuda", "--update"])
    assert "the baseline is that of processors" in capsys.readouterr().err
    assert asked(["P1", "--device", "cuda"]).device == "cuda"


def test_a_network_can_be_chosen_by_name(monkeypatch, capsys):
    seen = []

    def look(row, *_):
        seen.extend((row.id, trial.label) for trial in row.trials)
        return Figures(row.id)

    monkeypatch.setattr("benchmarks.__main__.measure", look)
    assert suite(asked(["P1", "P2", "P5", "--networks", "minilm-6x384", "resnet-18"])) == []
    assert seen == [("P1", "minilm-6x384"), ("P2", "minilm-6x384 top 2"), ("P5", "resnet-18")]
    assert suite(asked(["P3", "--networks", "minilm-6x384"])) == []
    assert "P3: none of its networks was asked for" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        asked(["--networks", "nobody"])
    assert "no network 'nobody'" in capsys.readouterr().err
