"""What is quick stays quick: help, lists and the bare import reach for nothing heavy."""

import json
import subprocess
import sys
import time

import pytest

HEAVY = (
    *("torch", "transformers", "numpy", "pyarrow", "sklearn", "scipy", "PIL", "pandas", "datasets", "peft"),
    *("safetensors", "tokenizers", "ruamel.yaml", "jinja2", "filelock", "huggingface_hub"),
)
LIGHT = ("importlib.metadata", "pydantic", "rich", "typer")

IMPORT = "import warmstart"
CLI = "import sys, warmstart.cli.main as m; sys.argv[1:] = {words!r}; m.main()"
TELL = "\nimport json, sys; sys.stderr.write(json.dumps(sorted(sys.modules)))"


def loaded(code: str) -> set[str]:
    """Names of the modules that a fresh process has loaded when the code has run."""
    done = subprocess.run([sys.executable, "-c", code + TELL], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr))


QUICK = ("--help", "--version", "run --help", "list", "list strategies", "list checks")


@pytest.mark.parametrize("words", [words.split() for words in QUICK])
def test_a_quick_verb_loads_nothing_heavy(words):
    modules = loaded(CLI.format(words=words))
    assert not modules & set(HEAVY)
    assert "warmstart.process" not in modules


def test_the_bare_import_loads_nothing_at_all():
    modules = loaded(IMPORT)
    assert not modules & {*HEAVY, *LIGHT}
    assert {name for name in modules if name.startswith("warmstart")} == {"warmstart"}


def test_writing_a_report_again_loads_no_network(text_copy):
    modules = loaded(CLI.format(words=["report", str(text_copy)]))
    assert not modules & {"torch", "transformers", "sklearn", "scipy", "pyarrow"}
    assert "warmstart.process" not in modules


def test_a_public_name_is_loaded_when_it_is_used():
    modules = loaded("import warmstart as ws\nws.Plan, ws.WarmstartError")
    assert "warmstart.base.types" in modules
    assert not modules & set(HEAVY)


def test_listing_a_family_imports_none_of_its_parts():
    modules = loaded(CLI.format(words=["list", "guards"]))
    assert not {name for name in modules if name.startswith("warmstart.tune.guards.")}


@pytest.mark.parametrize("words", [["--help"], ["list", "strategies"]])
def test_quick_verbs_answer_at_once(words, record_property):
    """0.3 seconds is the aim on an idle machine; the bound leaves room for a busy one."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "warmstart", *words], capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    print(f"warmstart {' '.join(words)}: fastest of 5 {min(times):.2f} s, slowest {max(times):.2f} s")
    record_property("seconds", min(times))
    assert min(times) < 3


def test_the_public_names_are_there():
    import warmstart

    assert set(dir(warmstart)) >= {"run", "rank", "plan", "tune", "prove", "load", "Plan", "Evidence"}
    for name in warmstart.__all__:
        assert getattr(warmstart, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        _ = warmstart.rnu


def test_the_verb_tune_can_be_called_though_a_folder_has_its_name(tmp_path):
    """Python hangs the folder warmstart/tune into the package once it has been imported."""
    import warmstart
    import warmstart.tune.loop as loop

    assert loop.tune is not None
    assert warmstart.tune.loop is loop
    with pytest.raises(warmstart.WarmstartError, match="not a run folder"):
        warmstart.tune(tmp_path)
