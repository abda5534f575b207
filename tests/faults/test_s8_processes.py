"""Parts of a batch, ragged rows, one process or two, whole or sharded weights: the same gradients."""

import warnings
from functools import cache

import numpy as np
import pytest
import torch
from crews import TALKS, TASKS, model_of, own_loss, splits_of, task_of, together, train
from torch.nn.functional import cross_entropy

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.models.features import logits_of
from warmstart.tasks import TASKS as ALL_TASKS
from warmstart.tune.check import check_crew
from warmstart.tune.crew import ALONE, Crew
from warmstart.tune.groups import optimiser
from warmstart.tune.job import Job
from warmstart.tune.looks import look_at_all
from warmstart.tune.loop import Keeping
from warmstart.tune.shards import sharded
from warmstart.tune.step import add_gradients
from warmstart.tune.together import norm, total_of

WAYS = [(1, False), (2, False), (2, True)]  # processes, and whether their weights are sharded
IDS = ["one process", "two processes", "two processes, sharded"]
SLOW = {"lr": 1e-5, "schedule": "constant", "warmup": 0.0}  # rounding stays small in what Adam makes of it
ROUNDING = {"bert": 1e-6, "vit": 5e-6, TALKS: 1e-6}  # of weights that have moved by up to 1e-4
BATCHES = {  # rows of a step, and how many go through at a time; 13 rows in parts of 3 leave a ragged rest
    "at once": (range(13), 0),
    "in parts of 1": (range(13), 1),
    "in parts of 3": (range(13), 3),
    "fewer rows than processes": ([4], 0),
}
PLANS = {
    "all layers": worlds.plan(worlds.phase(**SLOW, epochs=2), batch=7),
    "in parts, clipped": worlds.plan(worlds.phase(**SLOW, epochs=1), batch=7, micro_batch=2, clip=1e-3),
    "gradual, best weights kept": worlds.plan(
        worlds.phase(("head",), solver="logistic", leave=0.3),
        worlds.phase(("top:1",), **SLOW),
        worlds.phase(("top:2",), **SLOW, decay=0.7),
        guards=({"name": "early_stop", "patience": 1},),
    ),
}
MORE = {  # for texts, where all is quick
    "a penalty": worlds.plan(worlds.phase(lr=1e-4), guards=({"name": "ewc", "weight": 10.0},)),
    "few words of many": worlds.plan(worlds.phase(**SLOW), batch=7),
}


def test_every_task_is_tried_here():
    assert set(TASKS) == set(ALL_TASKS.names()), "give crews.TASKS a tiny network for each task"


KINDS = [
    pytest.param(name, *way, id=f"{task}, {label}")
    for task, name in TASKS.items()
    for way, label in zip(WAYS, IDS, strict=True)
    if name != TALKS or not way[1]  # which is refused
]


def gradients(name, crew, rows, micro_batch):
    """Loss, norm and mean gradients of one step, as the loop goes about it."""
    model, splits, phase = model_of(name), splits_of(name), worlds.phase()
    plan = worlds.plan(phase, micro_batch=micro_batch)
    job = Job(plan, task_of(name), model.anatomy, splits, (), crew=crew)
    model.anatomy.set_learning(phase.learn, "frozen")
    with sharded(model.anatomy, 0, crew) as job.shards:
        stepper = optimiser(model.anatomy, phase, *([] if job.shards is None else [job.shards.part]))
        own = add_gradients(job, (), splits["train"], np.array(rows), 0)
        total, count = total_of(job, stepper, own)
        found = {}
        for path, parameter in model.module.named_parameters():
            gradient = parameter.grad if job.shards is None else job.shards.part(parameter).grad
            if gradient is not None:
                whole = gradient if job.shards is None else job.shards.whole_moment(parameter, gradient)
                found[path] = whole / count
        return [total, count, norm(job, stepper) / count], found


@cache
def all_gradients(name, size, is_sharded):
    def work(crew):
        words, tensors = {}, {}
        for case, (rows, micro_batch) in BATCHES.items():
            words[case], found = gradients(name, crew, rows, micro_batch)
            tensors |= {f"{case}/{path}": gradient for path, gradient in found.items()}
        return words, tensors

    return together(work, size, is_sharded)


@pytest.mark.parametrize(("name", "size", "is_sharded"), KINDS)
@pytest.mark.parametrize("case", BATCHES)
def test_gradients_are_those_of_one_process_that_takes_all_rows_at_once(name, case, size, is_sharded):
    model, rows = model_of(name), np.array(BATCHES[case][0])
    model.module.requires_grad_(True)
    loss, answers = own_loss(model, name, rows)
    (loss / answers).backward()
    expected = {n: p.grad for n, p in model.module.named_parameters() if p.grad is not None}
    largest = max(float(g.abs().max()) for g in expected.values())
    length = float(torch.nn.utils.get_total_norm(list(expected.values())))
    for words, tensors in all_gradients(name, size, is_sharded):
        total, count, found_length = words[case]
        found = {n.removeprefix(f"{case}/"): g for n, g in tensors.items() if n.startswith(f"{case}/")}
        assert count == answers
        assert total == pytest.approx(loss.item(), rel=1e-6)
        assert found_length == pytest.approx(length, rel=1e-5)
        assert set(found) == set(expected)
        assert worlds.largest_difference(found, expected) < 1e-6 * largest


@cache
def all_trainings(name, size, is_sharded, folder):
    plans = {**PLANS, **(MORE if name == "bert" else {})}

    def work(crew):
        words, tensors = {}, {}
        for case, plan in plans.items():
            if crew.sharded and case == "a penalty":
                continue
            if name == TALKS and plan.phases[0].solver == "logistic":  # it has no such head
                continue
            model = model_of(name, **({"vocab_size": 3000} if case == "few words of many" else {}))
            place = folder / f"{name} {case}"
            keeping = Keeping(place / "cache", checkpoints=place / f"{size} {is_sharded}")
            _, trained = train(name, plan, crew, keeping, model)
            words[case] = {"history": trained.history, "steps": trained.steps, "proofs": trained.proofs}
            tensors |= {f"{case}/{path}": weight for path, weight in worlds.state(model).items()}
        return words, tensors

    return together(work, size, is_sharded)


@pytest.mark.parametrize(("name", "size", "is_sharded"), [k for k in KINDS if k.values[1] > 1])
def test_trainings_end_with_the_weights_and_losses_of_one_process(name, size, is_sharded, place):
    [(words, tensors)] = all_trainings(name, 1, False, place)
    answers = all_trainings(name, size, is_sharded, place)
    assert all(torch.equal(t, answers[1][1][n]) for n, t in answers[0][1].items())
    for case, found in answers[0][0].items():
        expected = words[case]
        assert found["steps"] == expected["steps"], case
        assert found["proofs"] == expected["proofs"], case
        for one, other in zip(expected["history"], found["history"], strict=True):
            assert numbers_of(other) == pytest.approx(numbers_of(one), rel=1e-6, abs=1e-6), case
        weights = {n: t for n, t in tensors.items() if n.startswith(f"{case}/") and "key" not in n}
        assert worlds.largest_difference(weights, answers[0][1]) < ROUNDING[name], case


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("trainings")


def numbers_of(look):
    return {name: value for name, value in look.items() if value is not None}


def test_rows_are_divided_by_their_tokens_and_all_are_taken():
    lengths = np.array([9, 1, 2, 3, 3, 9, 2, 1])
    shares = Crew(0, 3).shares(lengths)
    assert sorted(np.concatenate(shares).tolist()) == list(range(8))
    assert sorted(int(lengths[share].sum()) for share in shares) == [10, 10, 10]
    assert [len(share) for share in Crew(0, 3).shares(lengths[:2])] == [1, 1, 0]
    assert ALONE.shares(lengths)[0].tolist() == list(range(8))


def test_scores_of_many_rows_are_those_of_one_process_to_the_last_bit():
    """Rows are looked at in batches of 64; the last has fewer, and some processes may have none."""
    splits = [worlds.split("bert", rows, 5) for rows in (1, 64, 150)]
    expected = []
    for split in splits:
        logits = logits_of(model_of("bert").anatomy, split.inputs).double()
        expected.append(cross_entropy(logits, split.targets, reduction="none"))

    def work(crew):
        job = Job(worlds.plan(), worlds.task("bert"), model_of("bert").anatomy, {}, (), crew=crew)
        return {}, {str(i): look_at_all(job, split, 0).losses_N for i, split in enumerate(splits)}

    for _, found in together(work, 2):
        assert all(torch.equal(found[str(i)], losses) for i, losses in enumerate(expected))


def test_with_dropout_each_process_draws_for_itself_and_the_same_each_time():
    plan = worlds.plan(worlds.phase(epochs=1), batch=4)
    model = worlds.pretrained("bert")

    def work(crew):
        ends = [worlds.state(train("bert", plan, crew, model=worlds.pretrained("bert"))[0]) for _ in "ab"]
        assert worlds.equal(*ends)
        return {}, ends[0]

    [(_, one)], [(_, two), (_, again)] = together(work, 1), together(work, 2)
    assert worlds.equal(two, again)
    assert not worlds.equal(one, two)
    assert 0 < worlds.largest_difference(one, two) < 10 * worlds.largest_difference(one, worlds.state(model))


@pytest.mark.parametrize(
    ("crew", "name", "plan", "code"),
    [
        (Crew(0, 2), "resnet-basic", {"norm_statistics": "learn"}, "needs-one-process"),
        (Crew(0, 2, True), "bert", {"guards": ({"name": "l2_sp"},)}, "cannot-shard"),
    ],
)
def test_what_would_not_be_the_same_is_refused(crew, name, plan, code):
    plan = worlds.plan(worlds.phase(), **plan)
    anatomy = worlds.pretrained(name).anatomy
    check_crew(plan, anatomy, ALONE)
    with pytest.raises(WarmstartError) as caught:
        check_crew(plan, anatomy, crew)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "why"), [("mpnet", "known from outside alone"), ("deberta-v2", "outside their own layers")]
)
def test_models_whose_weights_cannot_be_divided_are_refused(name, why):
    plan = worlds.plan(worlds.phase(epochs=1))

    def work(crew):
        warnings.simplefilter("ignore")  # of dropout on weights that are not gathered, before the refusal
        with pytest.raises(WarmstartError, match=f"cannot be sharded: .*{why}"):
            train(name, plan, crew, model=worlds.pretrained(name))
        return {}, {}

    together(work, 2, True)


def test_a_loss_that_reads_the_output_layer_itself_is_not_sharded():
    with pytest.raises(WarmstartError) as caught:
        check_crew(worlds.plan(worlds.phase()), model_of(TALKS).anatomy, Crew(0, 2, True), task_of(TALKS))
    assert caught.value.code == "cannot-shard"
