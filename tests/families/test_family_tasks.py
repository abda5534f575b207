"""One contract for every task: a new file in the folder is tested by existing."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import log_loss

import tiny_models
from warmstart.base.rows import Rows
from warmstart.base.types import Bundle
from warmstart.models.features import logits_of
from warmstart.tasks import TASKS
from warmstart.tasks._classification import Classification
from warmstart.tasks._task import Look, Task

WHOLE = [name for name in TASKS.names() if TASKS.get(name).whole_street]
CLASSES = [name for name in TASKS.names() if issubclass(TASKS.get(name), Classification)]
LABELS = ("ant", "bee", "cat")
MODEL = {"text": "bert", "image": "vit"}


@pytest.fixture(params=CLASSES)
def task(request):
    return TASKS.get(request.param)()


@pytest.fixture
def bundle(task, tmp_path):
    """Twelve rows; those of train are not the first."""
    if task.modality == "image":
        values, classes = tiny_models.write_pictures(tmp_path / "pictures", 12)
    else:
        values, classes = tiny_models.texts(12)
    table = pa.table({"input": values, "class": [LABELS[c] for c in classes]})
    roles = {task.roles[0]: "input", "label": "class"}
    rows = Rows.write(table, tmp_path / "rows.arrow")
    return Bundle("b", rows, roles, LABELS, (9, 4, 7, 1), (0, 2), (3, 5, 6, 8, 10, 11), "print", task="x")


def logits_and_targets(rows=13, classes=4, seed=0):
    source = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, classes, generator=source)
    return logits, torch.randint(classes, (rows,), generator=source)


def test_a_task_says_what_it_is(task):
    assert task.modality in ("text", "image")
    assert task.roles[0] == task.modality
    assert "label" in task.roles
    assert task.pipeline in ("text-classification", "image-classification")
    assert task.primary == "accuracy"


def test_a_task_fits_columns_with_all_its_roles(task):
    roles = {role: f"column {role}" for role in task.roles}
    assert task.fits(roles)
    assert task.fits({**roles, "group": "patient"})
    for role in task.roles:
        assert not task.fits({r: c for r, c in roles.items() if r != role})
    assert not task.fits({})


@pytest.mark.parametrize("name", TASKS.names())
def test_every_task_is_one_to_the_loop(name):
    kind = TASKS.get(name)
    assert issubclass(kind, Task)
    assert kind.modality in ("text", "image", "chat")
    assert kind.roles and kind.pipeline and kind.primary


@pytest.mark.parametrize("name", [n for n in TASKS.names() if n not in WHOLE])
def test_a_task_that_the_street_cannot_take_claims_no_columns(name):
    task = TASKS.get(name)()
    assert not task.fits({role: role for role in task.roles})


def test_looks_at_parts_are_joined_to_one():
    parts = [Look(torch.tensor([a]).double(), torch.tensor([a]), torch.tensor([4])) for a in (1, 3)]
    joined = Look.joined(parts)
    assert (joined.loss, joined.accuracy) == (0.5, 0.5)
    assert joined.of(torch.tensor([1])).loss == 0.75


def test_the_tasks_do_not_fit_each_other_s_columns():
    for name in WHOLE:
        roles = {role: role for role in TASKS.get(name).roles}
        assert [n for n in TASKS.names() if TASKS.get(n)().fits(roles)] == [name]


@pytest.mark.parametrize("cuts", [[13], [1] * 13, [5, 8], [6, 6, 1], [12, 1]])
def test_sums_of_the_loss_over_parts_of_a_batch_are_the_sum_over_the_batch(task, cuts):
    logits, targets = logits_and_targets()
    parts = [task.loss(a, b) for a, b in zip(logits.split(cuts), targets.split(cuts), strict=True)]
    assert sum(count for _, count in parts) == 13
    whole, count = task.loss(logits, targets)
    assert float(sum(loss for loss, _ in parts)) == pytest.approx(float(whole), rel=1e-6)
    oracle = log_loss(targets, softmax(logits.double().numpy(), axis=1), labels=range(4))
    assert float(whole) / count == pytest.approx(oracle, rel=1e-6)


def test_the_gradient_of_parts_adds_up_to_the_gradient_of_the_batch(task):
    logits, targets = logits_and_targets()
    whole = torch.autograd.grad(task.loss(logits.requires_grad_(), targets)[0], logits)[0]
    loss = sum(task.loss(logits[i : i + 5], targets[i : i + 5])[0] for i in range(0, 13, 5))
    assert torch.allclose(torch.autograd.grad(loss, logits)[0], whole, atol=1e-7)


def test_probabilities_sum_to_one_and_are_those_of_an_oracle(task):
    logits, _ = logits_and_targets()
    extreme = torch.tensor([[1e4, -1e4, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    for given in (logits, extreme):
        found = task.probabilities(given)
        assert found.dtype == np.float64
        assert np.allclose(found.sum(1), 1, atol=1e-12)
        assert np.allclose(found, softmax(given.double().numpy(), axis=1), atol=1e-12)


def test_the_floor_is_the_share_of_the_most_frequent_class(task):
    assert task.floor(torch.tensor([2, 0, 2, 1, 2])) == 0.6
    assert task.floor(torch.tensor([5])) == 1.0


def test_targets_are_places_among_the_labels_in_the_order_asked_for(task, bundle):
    classes = [LABELS.index(name) for name in bundle.rows.column("class")]
    assert task.targets(bundle, bundle.train).tolist() == [classes[n] for n in bundle.train]
    assert task.targets(bundle, (3, 3, 0)).tolist() == [classes[3], classes[3], classes[0]]


def test_inputs_are_those_rows_in_the_order_asked_for(task, bundle, tmp_path):
    pretrained = tiny_models.pretrained(tmp_path / "model", MODEL[task.modality])
    inputs, findings = task.inputs(pretrained, bundle, bundle.train, tmp_path / "cache")
    values = bundle.rows.column("input")
    expected, _ = task.encode(pretrained, [values[n] for n in bundle.train], None)
    assert (inputs.key, len(inputs), findings) == (expected.key, 4, [])
    other, _ = task.inputs(pretrained, bundle, bundle.train[::-1], tmp_path / "cache")
    assert other.key != inputs.key
    first = logits_of(pretrained.anatomy, inputs)
    assert first.shape == (4, tiny_models.CLASSES)
    assert torch.allclose(first.flip(0), logits_of(pretrained.anatomy, other), atol=1e-5)


@pytest.mark.parametrize("name", TASKS.names())
def test_the_first_line_of_the_file_says_what_it_is_about(name):
    assert len(TASKS.first_line(name)) > 15
