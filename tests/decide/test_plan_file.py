"""plan.yaml: nothing is lost on the way to the file and back, and a faulty file is refused with its line."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from decide_facts import TEXT, depths, image, text
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.base.errors import WarmstartError
from warmstart.base.tables import to_table
from warmstart.base.types import Option, Phase, Plan, Reason
from warmstart.decide.choose import choose, plan_for
from warmstart.decide.plan_file import read_plan, write_plan
from warmstart.decide.strategies import STRATEGIES

HUMP = text(depths=depths(0.50, 0.60, 0.70, 0.80, 0.75, 0.74, 0.73, pooler=0.70))
SMALL = """\
strategy: full
model: models/m
task: text_classification
phases:
- learn: [head]
  lr: 1e-3
  epochs: 2
- learn: ['*']
  lr: 2e-5
  epochs: 3
"""


def bare(plan: Plan) -> Plan:
    return replace(plan, reasons=())


def there_and_back(plan: Plan, path: Path) -> Plan:
    write_plan(plan, (), path)
    return read_plan(path)


def refused(tmp_path: Path, content: str | bytes) -> WarmstartError:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(WarmstartError) as caught:
        read_plan(path)
    return caught.value


@pytest.mark.parametrize("strategy", STRATEGIES.names())
@pytest.mark.parametrize("facts", [TEXT, HUMP, image(), text(head_is_linear=False)])
def test_every_plan_comes_back_as_it_was(strategy, facts, tmp_path):
    plan = plan_for(strategy, facts, "models/m", seed=7)
    assert there_and_back(plan, tmp_path / "plan.yaml") == bare(plan)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
positive = st.floats(0, exclude_min=True, allow_infinity=False)
shares = st.floats(0, 1)
phase_of = st.builds(
    Phase,
    learn=st.lists(words, min_size=1, max_size=4).map(tuple),
    lr=positive,
    epochs=st.integers(1, 10**9),
    decay=st.floats(0, 1, exclude_min=True),
    warmup=shares,
    schedule=st.sampled_from(["linear", "cosine", "constant"]),
    weight_decay=st.floats(0, allow_infinity=False),
    solver=st.sampled_from(["adamw", "logistic"]),
    leave=st.floats(0, 1, exclude_max=True),
    head_lr=st.floats(0, allow_infinity=False),
)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True)  # of settings: names of fields
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
parts = st.lists(
    st.dictionaries(names, plain, max_size=3).flatmap(lambda t: words.map(lambda name: t | {"name": name})),
    max_size=3,
).map(tuple)
plan_of_any_kind = st.builds(
    Plan,
    strategy=words,
    model=st.none() | words,
    task=words,
    phases=st.lists(phase_of, min_size=1, max_size=3).map(tuple),
    edits=parts,
    guards=parts,
    mode=words,
    pretrained=st.booleans(),
    batch=st.integers(1, 10**6),
    micro_batch=st.integers(0, 10**6),
    clip=positive,
    norm_statistics=st.sampled_from(["frozen", "learn"]),
    seed=st.integers(),
    reasons=st.lists(st.builds(Reason, words, words, words), max_size=2).map(tuple),
)
option = st.builds(Option, words, shares, st.builds(Reason, words, words, words))


@settings(max_examples=25, deadline=None)
@given(plan=plan_of_any_kind, options=st.lists(option, max_size=2))
def test_no_value_and_no_reason_can_change_what_is_read_back(plan, options, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    write_plan(plan, options, path)
    assert read_plan(path) == bare(plan)


@pytest.mark.parametrize(
    "word",
    ["?8-", "w\x85x", "a\u2028b", "- a", "a: b", "a #b", "*", "&a", "!x", "yes", "null", "1e-4", "0x1f", "~",
     "", "C:\\models\\m", "über/größe", "\ufeff", "\x00", "'\"", "x" * 300, "words " * 40, "\\ " * 80],
)  # fmt: skip
def test_no_word_is_taken_for_anything_else(word, tmp_path):
    phase = Phase((word, word), 1e-3, 1)
    plan = Plan(word, word, word, (phase,), edits=({"name": word, "to": word}, {"name": "x", "list": [word]}))
    assert there_and_back(plan, tmp_path / "plan.yaml") == plan


@pytest.mark.parametrize("strategy", STRATEGIES.names())
def test_another_yaml_reader_sees_the_same_numbers(strategy, tmp_path):
    plan = plan_for(strategy, text(parameters=110_000_000), "models/m")
    write_plan(plan, (), tmp_path / "plan.yaml")
    seen = yaml.safe_load((tmp_path / "plan.yaml").read_text())
    assert seen == {k: v for k, v in to_table(plan).items() if k != "reasons"}
    assert isinstance(seen["phases"][-1]["lr"], float)


def comments_above(written: str, key: str) -> str:
    """The comment lines that stand directly above `key`, in one line."""
    lines = written.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
    first = at
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return " ".join(" ".join(line.lstrip("# ") for line in lines[first:at]).split())


def test_reasons_stand_above_what_they_explain(tmp_path):
    plan, options = choose(replace(HUMP, median_per_class=5.0), "models/m", records={})
    ranked = Reason("model: highest out-of-fold score", "m 0.86, n 0.84", "m is the best start")
    loose = Reason("a rule of no field", "7 of 9", "it is so")
    write_plan(replace(plan, reasons=(*plan.reasons, ranked, loose)), options, tmp_path / "plan.yaml")
    written = (tmp_path / "plan.yaml").read_text()
    assert "warmstart tune plan.yaml" in written
    assert "highest out-of-fold score m 0.86, n 0.84 -> m is the best start" in comments_above(
        written, "model"
    )
    assert "keep 3 of 6 layers" in comments_above(written, "edits")
    assert "logistic regression finds its weights exactly" in comments_above(written, "phases")
    above = comments_above(written, "strategy")
    assert "a rule of no field 7 of 9 -> it is so" in above
    assert all(f"{o.suits:.2f} {o.strategy}: {o.reason.so}" in above for o in options)
    assert max(map(len, written.split("\n"))) <= 100


def test_a_reason_cannot_break_out_of_its_comment(tmp_path):
    nasty = "one\nbatch: 99\r\nseed: 1\u2028seed: 2\x85seed: 3\x00\x07"
    plan = replace(plan_for("full", TEXT, "m"), reasons=(Reason(nasty, nasty, nasty),))
    assert there_and_back(plan, tmp_path / "plan.yaml") == bare(plan)


def test_a_plan_written_by_hand_needs_only_what_has_no_default(tmp_path):
    (tmp_path / "plan.yaml").write_text("\ufeff" + SMALL, encoding="utf-8")
    plan = read_plan(tmp_path / "plan.yaml")
    wanted = (Phase(("head",), 1e-3, 2), Phase(("*",), 2e-5, 3))
    assert plan == Plan("full", "models/m", "text_classification", wanted)


@pytest.mark.parametrize(
    ("old", "new", "wrong", "do"),
    [
        ("strategy: full", "stratgy: full", "plan.yaml, line 1 has no setting 'stratgy'", "'strategy'"),
        ("strategy: full\n", "", "plan.yaml needs 'strategy'", "strategy: ..."),
        ("  lr: 2e-5", "  lrr: 2e-5", "plan.yaml, line 9, phases.1 has no setting 'lrr'", "'lr'"),
        ("  lr: 2e-5\n", "", "plan.yaml, line 8, phases.1 needs 'lr'", "lr: ..."),
        ("lr: 2e-5", "lr: fast", "plan.yaml, line 9, phases.1: lr = 'fast'", "number"),
        ("lr: 2e-5", "lr: -2e-5", "plan.yaml, line 9, phases.1: lr = -2e-05", "above 0"),
        ("lr: 2e-5", "lr: .nan", "plan.yaml, line 9, phases.1: lr = nan", "above 0"),
        ("lr: 2e-5", "lr: .inf", "plan.yaml, line 9, phases.1: lr = inf", "above 0"),
        ("epochs: 3", "epochs: 0", "plan.yaml, line 10, phases.1: epochs = 0", "from 1"),
        ("epochs: 3", "epochs: 2.5", "plan.yaml, line 10, phases.1: epochs = 2.5", "integer"),
        ("epochs: 3", "decay: 1.1\n  epochs: 3", "plan.yaml, line 10, phases.1: decay = 1.1", "at most 1"),
        ("epochs: 3", "warmup: 2\n  epochs: 3", "plan.yaml, line 10, phases.1: warmup = 2.0", "0 to 1"),
        ("epochs: 3", "schedule: cosin\n  epochs: 3", "line 10, phases.1: schedule = 'cosin'", "'cosine'"),
        ("epochs: 3", "solver: adam\n  epochs: 3", "line 10, phases.1: solver = 'adam'", "'adamw'"),
        ("epochs: 3", "weight_decay: -1\n  epochs: 3", "line 10, phases.1: weight_decay = -1.0", "from 0"),
        ("epochs: 3", "leave: -1\n  epochs: 3", "line 10, phases.1: leave = -1.0", "share"),
        ("learn: ['*']", "learn: head", "plan.yaml, line 8, phases.1: learn = 'head'", "a list"),
        ("learn: ['*']", "learn: []", "plan.yaml, line 8, phases.1: learn = ()", "top:3"),
        ("task:", "batch: 0\ntask:", "plan.yaml, line 3: batch = 0", "from 1"),
        ("task:", "batch: many\ntask:", "plan.yaml, line 3: batch = 'many'", "integer"),
        ("task:", "micro_batch: -1\ntask:", "plan.yaml, line 3: micro_batch = -1", "0 for the whole"),
        ("task:", "clip: 0\ntask:", "plan.yaml, line 3: clip = 0.0", "above 0"),
        ("task:", "norm_statistics: learned\ntask:", "line 3: norm_statistics = 'learned'", "'learn'"),
        ("task:", "edits: [new_head]\ntask:", "plan.yaml, line 3, edits.0 is 'new_head'", "name"),
        ("task:", "edits: {name: new_head}\ntask:", "plan.yaml, line 3, edits is {'name'", "a list"),
        ("task:", "guards: [{patience: 3}]\ntask:", "plan.yaml, line 3, guards.0 is {'patience': 3}", "name"),
        ("task:", "mode: &m supervised\ntask:", "plan.yaml, line 3: an anchor (&)", "in quotes"),
        ("model: models/m", "model: *m", "plan.yaml, line 2: an alias (*)", "in quotes"),
        ("model: models/m", "model: !!python/name:os.system", "plan.yaml, line 2: a tag (!)", "in quotes"),
        ("model: models/m", "model: m\nmodel: n", "plan.yaml, line 3", "YAML"),
        ("model: models/m", "model: [m", "plan.yaml, line ", "YAML"),
        ("model: models/m", "model: 2024-99-99", "plan.yaml: ", "YAML"),
        ("model: models/m", "model: 'm\x00'", "plan.yaml", "YAML"),
    ],
)
def test_a_fault_is_named_with_its_line_and_a_way_out(old, new, wrong, do, tmp_path):
    assert old in SMALL
    head, sign, tail = SMALL.rpartition(old)
    error = refused(tmp_path, head + new + tail)
    assert wrong in error.wrong
    assert do in error.do


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("", "plan.yaml holds None, not a plan"),
        ("- strategy: full", "plan.yaml holds [{'strategy': 'full'}], not a plan"),
        ("just words", "plan.yaml holds 'just words', not a plan"),
        (SMALL + "---\n" + SMALL, "plan.yaml, line 11"),
        ("a: " + "[" * 13 + "]" * 13, "nested more than 12 deep"),
        ("a: " + "[" * 20_000, "nested more than 12 deep"),
        ("a: " + "x" * 200_000, "longer than 100,000 bytes"),
        ("a: " + "ü" * 60_000, "longer than 100,000 bytes"),
        (b"strategy: \xff\xfe", "not UTF-8"),
        (SMALL.split("phases")[0] + "phases: []", "plan.yaml, line 4: phases = ()"),
        (SMALL.split("phases")[0] + "phases: full", "plan.yaml, line 4: phases = 'full'"),
        (SMALL.split("phases")[0] + "phases: [full]", "plan.yaml, line 4, phases.0 is 'full'"),
    ],
)
def test_what_is_no_plan_is_refused(content, wrong, tmp_path):
    assert wrong in refused(tmp_path, content).wrong


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.yaml", tmp_path):
        with pytest.raises(WarmstartError) as caught:
            read_plan(path)
        assert str(path) in caught.value.wrong
        assert "plan.yaml" in caught.value.do
