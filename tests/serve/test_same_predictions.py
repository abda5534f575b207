"""The shipped folder is a plain transformers model: three ways to ask it, one answer."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import warmstart
from warmstart import process
from warmstart.cli.main import main

TEXTS = [
    "ba be warm lovely kemo dofi", "awful poor nusa", "so-so half teke liba mosa kenu", "unheard words only",
    "great", "boring sad dopero vuzi " * 20,
]  # fmt: skip


@pytest.fixture(scope="module")
def frozen_run(world) -> Path:
    """Frozen features of a text model, read where they are best: layers are dropped, a mean layer added."""
    asked = {"strategy": "frozen", "models": (str(world / "text-model"),), "rows": 60}
    settings = ("edits=[{name: drop_layers, keep: 1}, {name: mean_pool}, {name: new_head}]",)
    plan, folder = process.plan(world / "reviews.csv", runs=world / "frozen", settings=settings, **asked)
    assert [edit["name"] for edit in plan.edits] == ["drop_layers", "mean_pool", "new_head"]
    process.tune(folder)
    (folder / "training" / "frozen" / "model").rename(folder / "model")
    return folder


@pytest.fixture(scope="module")
def photos(world, tmp_path_factory) -> list[str]:
    """Pictures of the world, and some of other sizes, modes and formats."""
    place = tmp_path_factory.mktemp("photos")
    made = [str(p) for p in sorted((world / "shapes").rglob("*.png"))[::7]]
    whole = Image.open(made[0])
    for name, image in {
        "large.jpg": whole.resize((301, 97)),
        "grey.png": whole.convert("L"),
        "palette.png": whole.convert("P"),
    }.items():
        image.save(place / name)
        made.append(str(place / name))
    return made


def test_texts_are_answered_alike(text_run, capsys):
    check_text(text_run.folder, ("bad", "good"), capsys)


def test_texts_are_answered_alike_by_an_edited_architecture(frozen_run, capsys):
    check_text(frozen_run, ("bad", "good"), capsys)


def test_pictures_are_answered_alike(image_run, photos, capsys):
    check_images(image_run.folder, photos, ("blue", "green", "red"), capsys)


def test_the_model_folder_alone_is_enough(image_run, photos, tmp_path):
    import shutil

    alone = shutil.copytree(image_run.folder / "model", tmp_path / "somewhere-else")
    assert warmstart.load(alone).predict_all(photos) == warmstart.load(image_run.folder).predict_all(photos)


def test_a_picture_is_taken_as_path_bytes_or_cell(image_run, photos):
    predictor, content = warmstart.load(image_run.folder), Path(photos[0]).read_bytes()
    answers = predictor.predict_all([photos[0], Path(photos[0]), content, {"bytes": content, "path": None}])
    assert answers[1:] == answers[:1] * 3


def test_the_order_and_company_of_questions_do_not_matter(text_run):
    predictor = warmstart.load(text_run.folder)
    together = predictor.predict_all(TEXTS)
    for text, said in zip(TEXTS, together, strict=True):
        alone = dict(predictor.predict(text))
        assert alone == pytest.approx(dict(said), abs=1e-6)
    assert predictor.predict_all([]) == []


def test_the_shipped_model_answers_test_rows_as_they_were_measured(text_run):
    from warmstart.base.rows import Rows

    rows = Rows(text_run.folder / "rows.arrow").column("review")
    place = text_run.folder / "training" / text_run.result.recommended / "predictions.npz"
    with np.load(place) as arrays:
        numbers, measured = arrays["test.rows"], arrays["test.probs"]
    said = warmstart.load(text_run.folder).predict_all([rows[n] for n in numbers])
    assert np.allclose([[dict(a)[label] for label in ("bad", "good")] for a in said], measured, atol=1e-5)


def test_the_folder_loads_where_warmstart_is_not_installed(text_run):
    """In a process of its own, in which importing warmstart fails."""
    code = (
        "import sys; sys.modules['warmstart'] = None\n"
        "from transformers import AutoModelForSequenceClassification, AutoTokenizer\n"
        f"place = {str(text_run.folder / 'model')!r}\n"
        "model = AutoModelForSequenceClassification.from_pretrained(place)\n"
        "row = AutoTokenizer.from_pretrained(place)('great', return_tensors='pt')\n"
        "print(model.config.id2label[int(model(**row).logits.argmax())])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == warmstart.load(text_run.folder).predict("great")[0][0]


@pytest.mark.models
def test_a_real_text_model_is_answered_alike(assets, tmp_path, capsys):
    data = assets / "data" / "sentiment_sentences" / "amazon_train.csv"
    check_text(real(data, assets, "all-MiniLM-L6-v2", tmp_path), None, capsys)


@pytest.mark.models
def test_a_real_image_model_is_answered_alike(assets, tmp_path, capsys):
    data = assets / "data" / "pollen_bees" / "train"
    folder = real(data, assets, "mobilenet_v1_0.25_128", tmp_path)
    pictures = [str(p) for p in sorted((assets / "data" / "pollen_bees" / "test").rglob("*.jpg"))[::20]]
    check_images(folder, pictures, ("no_pollen", "pollen"), capsys)


def real(data: Path, assets: Path, model: str, runs: Path) -> Path:
    """A run folder in which the frozen strategy was carried out on 150 rows."""
    models = (str(assets / "weights" / model),)
    asked = {"models": models, "strategy": "frozen", "rows": 150}
    _, folder = process.plan(data, runs=runs, settings=("batch=8",), **asked)
    process.tune(folder)
    (folder / "training" / "frozen" / "model").rename(folder / "model")
    return folder


def check_text(folder: Path, labels, capsys) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    model = AutoModelForSequenceClassification.from_pretrained(folder / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    limit = min(tokenizer.model_max_length, model.config.max_position_embeddings)
    cut = {"truncation": True, "max_length": limit}
    answers = ours(folder, TEXTS, capsys)
    assert labels is None or set(answers[0]) == set(labels) == set(model.config.label2id)
    raw = probabilities(model, [tokenizer(t, return_tensors="pt", **cut) for t in TEXTS])
    same(answers, raw)
    ask = pipeline("text-classification", str(folder / "model"))
    same(answers, [by_label(ask(t, top_k=None, **cut)) for t in TEXTS])


def check_images(folder: Path, photos: list[str], labels, capsys) -> None:
    from transformers import AutoImageProcessor, AutoModelForImageClassification, pipeline

    model = AutoModelForImageClassification.from_pretrained(folder / "model").eval()
    processor = AutoImageProcessor.from_pretrained(folder / "model")
    answers = ours(folder, photos, capsys)
    assert set(answers[0]) == set(labels) == set(model.config.label2id)
    opened = [upright(p) for p in photos]
    same(answers, probabilities(model, [processor(image, return_tensors="pt") for image in opened]))
    ask = pipeline("image-classification", str(folder / "model"))
    same(answers, [by_label(ask(p, top_k=None)) for p in photos])


def ours(folder: Path, questions: list[str], capsys) -> list[dict[str, float]]:
    """What `load().predict` says, after `warmstart predict --json` has been found to say the same."""
    said = [dict(a) for a in warmstart.load(folder).predict_all(questions)]
    capsys.readouterr()
    assert main(["predict", str(folder), "--json", "--", *questions]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["input"] for row in printed] == questions
    same(said, [{each["label"]: each["probability"] for each in row["labels"]} for row in printed])
    return said


def probabilities(model, batches) -> list[dict[str, float]]:
    import torch

    with torch.inference_mode():
        rows = [model(**batch).logits.double().softmax(-1)[0].tolist() for batch in batches]
    names = [model.config.id2label[i] for i in range(model.config.num_labels)]
    return [dict(zip(names, row, strict=True)) for row in rows]


def by_label(said) -> dict[str, float]:
    return {each["label"]: each["score"] for each in said}


def same(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def upright(path: str) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")
