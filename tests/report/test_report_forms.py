"""One contract for every form: a new file in the folder is tested by existing."""

import subprocess
import sys
from dataclasses import is_dataclass, replace

import pytest
from example_results import VARIANTS, example, small
from hostile_texts import AWKWARD, SCRIPTS, poisoned

from warmstart.report.forms import FORMS


@pytest.fixture(params=FORMS.names())
def form(request):
    return FORMS.build({"name": request.param})


def test_all_forms_are_there():
    assert FORMS.names() == ["html", "json", "markdown", "model_card"]


def test_a_form_is_a_frozen_value_and_says_what_it_is(form):
    assert is_dataclass(form)
    with pytest.raises(AttributeError):
        form.file = "other"
    name = next(n for n in FORMS.names() if FORMS.get(n) is type(form))
    assert FORMS.first_line(name).startswith(form.file)


def test_a_form_writes_its_file_and_nothing_else(form, tmp_path):
    folder = tmp_path / "not" / "yet"
    path = form.write(example(), folder)
    assert path == folder / form.file
    assert [p.name for p in folder.iterdir()] == [form.file]
    assert path.read_text("utf-8").strip()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_result_can_be_written(form, variant, tmp_path):
    text = form.write(VARIANTS[variant](), tmp_path).read_text("utf-8")
    assert "\x1b" not in text


@pytest.mark.parametrize("texts", [SCRIPTS, AWKWARD], ids=["scripts", "awkward"])
def test_every_text_can_be_written(form, texts, tmp_path):
    for turn in range(0, len(texts), 4):
        path = form.write(poisoned(small(), texts, turn), tmp_path)
        assert path.read_bytes().decode("utf-8")


def test_a_failed_writing_leaves_the_old_file(form, tmp_path, monkeypatch):
    path = form.write(example(), tmp_path)
    before = path.read_bytes()

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        form.write(example(verdict="cannot tell"), tmp_path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [form.file]


def test_importing_the_report_costs_little():
    """Libraries that take long to import wait until a page is asked for."""
    modules = "terminal, read, forms.html, forms.json, forms.markdown, forms.model_card"
    code = "import sys\n" + "\n".join(f"import warmstart.report.{m}" for m in modules.split(", "))
    code += "\nprint(*{'torch', 'transformers', 'jinja2', 'rich', 'pydantic', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_models_that_were_not_measured_are_no_trouble_to_any_form(form, tmp_path):
    known = example()
    blank = [
        replace(
            m,
            accuracy=replace(m.accuracy, n=0),
            depths={},
            opinions={},
            score=0.0,
            low=0.0,
            high=0.0,
            scored=False,
        )
        for m in known.ranking
    ]
    path = form.write(replace(known, ranking=tuple(blank)), tmp_path)
    if path.suffix == ".html":
        page = path.read_text(encoding="utf-8").split('<section id="ranking">')[1].split("</section>")[0]
        assert page.count("not measured") == len(blank)
