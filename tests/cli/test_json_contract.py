"""What a program can rely on: --json prints one document that fits the printed schema, and nothing else."""

import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from warmstart.base.result import Result
from warmstart.cli import frame
from warmstart.cli.main import main

NAMED = {
    "": ("run", "version", "verdict", "headline", "recommended", "ranking", "plan", "runs", "gains"),
    "ranking.0": ("name", "score", "low", "high"),
    "plan": ("model", "strategy", "phases"),
    "runs.full": ("metrics", "seconds", "trained_parameters"),
    "runs.full.metrics.accuracy": ("value", "low", "high", "n"),
    "runs.scratch.metrics.log_loss": ("value", "low", "high", "n"),
    "overfitting.full": ("gap", "verdict", "sentence"),
    "findings.0": ("check", "level", "what", "do", "count", "where"),
    "reproduce": ("command", "seed", "versions", "machine"),
}


@pytest.fixture(scope="module")
def printed(text_run):
    """What `warmstart run FOLDER --json` prints, and as a table."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as told:
        assert main(["run", str(text_run.folder), "--json"]) == 0
    assert not told.getvalue()
    return out.getvalue(), json.loads(out.getvalue())


def at(table, path: str):
    for word in path.split(".") if path else []:
        table = table[int(word)] if isinstance(table, list) else table[word]
    return table


@pytest.mark.parametrize("path", NAMED)
def test_the_named_keys_are_there(path, printed, text_run):
    table = printed[1]
    found = at(table, path.replace("full", text_run.result.plan.strategy))
    assert set(NAMED[path]) <= set(found)


def test_numbers_are_numbers_and_within_their_intervals(printed, text_run):
    for run in printed[1]["runs"].values():
        for measure in run["metrics"].values():
            assert measure["low"] <= measure["value"] <= measure["high"]
            assert measure["n"] == text_run.result.data.test
    rivals = set(printed[1]["runs"]) - {printed[1]["recommended"]}
    assert set(printed[1]["gains"]) == rivals
    for gain in printed[1]["gains"].values():
        assert gain["low"] <= gain["value"] <= gain["high"]
        assert 0 <= gain["p"] <= 1


def test_the_result_is_what_the_schema_says(printed, text_run):
    assert TypeAdapter(Result).validate_json(printed[0]) == text_run.result
    assert printed[1] == json.loads((text_run.folder / "result.json").read_text())


def test_the_printed_schema_names_every_key_that_is_printed(printed, capsys):
    assert main(["schema", "result"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert list(schema["properties"]) == list(printed[1])
    added_since = {
        "seeds",
        "shipped",
        "baseline",
        "race",
        "facts",
        "expected",
        "chart",
        "labels",
        "weights",
        "ticks",
        "forgetting",
        "random_labels",
        "calibration",
    }  # with defaults, so that results of earlier versions are still read
    assert set(schema["required"]) == set(printed[1]) - added_since
    against(schema, schema, printed[1])


TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}


def against(whole, schema, value, path="result") -> None:
    """A small validator of JSON Schema: types, keys, alternatives and references, as they occur here."""
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if is_a(value, one.get("type", "object")))
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    assert "type" not in schema or is_a(value, schema["type"]), (path, schema, value)
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        assert set(schema.get("required", ())) <= set(value), path
        for key, inner in value.items():
            assert key in known or rest, f"{path}.{key} is not in the schema"
            inside = known.get(key, rest)
            if isinstance(inside, dict):
                against(whole, inside, inner, f"{path}.{key}")
    for i, inner in enumerate(value if isinstance(value, list) else ()):
        if isinstance(schema.get("items"), dict):
            against(whole, schema["items"], inner, f"{path}.{i}")


def is_a(value, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def test_the_schema_refuses_what_is_no_result(printed):
    with pytest.raises(ValidationError):
        TypeAdapter(Result).validate_python({k: v for k, v in printed[1].items() if k != "verdict"})
    with pytest.raises(ValidationError):
        TypeAdapter(Result).validate_python({**printed[1], "seconds": "long"})


def test_errors_fit_their_schema(tmp_path, capsys):
    assert main(["schema", "error"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert main(["run", str(tmp_path / "nothing.csv"), "--json"]) == 2
    table = json.loads(capsys.readouterr().out)
    against(schema, schema, table)
    assert set(table["error"]) == set(schema["properties"]["error"]["required"]) == {"code", "wrong", "do"}


def test_a_plan_fits_its_schema(text_run, capsys):
    assert main(["schema", "plan"]) == 0
    schema = json.loads(capsys.readouterr().out)
    against(schema, schema, json.loads((text_run.folder / "result.json").read_text())["plan"], "plan")


def test_json_is_plain_ascii_without_control_characters(tmp_path, capsys):
    """Whatever the names hold, no terminal is moved and no encoding is missing."""
    path = tmp_path / "caf\u00e9\u202e\x9b31m\n.csv"
    assert main(["check", str(path), "--json"]) == 2
    out = capsys.readouterr().out
    assert out.isascii()
    assert not any(ord(c) < 32 for c in out.rstrip("\n"))
    assert path.name in json.loads(out)["error"]["wrong"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["check", "{world}/reviews.csv"], dict),
        (["list"], dict),
        (["list", "guards"], dict),
        (["explain", "l2_sp"], dict),
        (["explain", "{run}"], dict),
        (["report", "{run}"], dict),
        (["predict", "{run}", "great", "sad"], list),
        (["schema"], dict),
    ],
)
def test_every_verb_prints_one_document(words, kind, world, text_copy, capsys):
    words = [word.format(world=world, run=text_copy) for word in words]
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert isinstance(json.loads(said.out), kind)
    assert not said.err


@pytest.mark.parametrize(("verdict", "code"), [("worth it", 0), ("not worth it", 3), ("cannot tell", 4)])
def test_exit_code_follows_the_verdict_if_it_is_asked_for(verdict, code, text_copy, capsys):
    """A finished run folder says again what it said; here the verdict is written into it."""
    path = Path(text_copy / "result.json")
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "verdict": verdict}))
    for verb in ("run", "prove"):
        assert main([verb, str(text_copy)]) == 0
        assert main([verb, str(text_copy), "--exit-code"]) == code
        assert main([verb, str(text_copy), "--exit-code", "--json"]) == code
    capsys.readouterr()


def test_every_verdict_has_an_exit_code():
    from warmstart.evaluate import verdict

    assert set(frame.VERDICT_CODES) == {verdict.WORTH, verdict.NOT_WORTH, verdict.CANNOT_TELL}
    assert len(set(frame.VERDICT_CODES.values())) == 3
