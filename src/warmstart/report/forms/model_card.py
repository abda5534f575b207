"""README.md of the model folder: a Hugging Face model card (Mitchell et al. 2019, arXiv 1810.03993)."""

import re
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePath
from typing import Any, ClassVar

from warmstart.base.files import write_text
from warmstart.base.result import RankedModel, Result
from warmstart.base.types import Measure
from warmstart.report import calibrated, seeds
from warmstart.report.forms import _markdown as md
from warmstart.report.units import in_order, metric
from warmstart.report.words import amount, clock, count, moment, one_line, spoken, training, utf8

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[\w.-]{1,96})?\Z")
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*\Z")
_HUB_METRICS = {"accuracy": "accuracy", "macro_f1": "f1"}  # what the Hub calls them


@dataclass(frozen=True)
class ModelCard:
    """The card that the Hub and people read: metadata in front, then what the model is and where it ends."""

    file: ClassVar[str] = "README.md"

    def write(self, result: Result, folder: Path) -> Path:
        """Write `folder`/README.md (the model's folder), whole or not at all, and return its path."""
        path = folder / self.file
        write_text(path, card(result))
        return path


def card(result: Result) -> str:
    """The card as markdown with YAML in front."""
    sections = (_what, _use, _training_data, _evaluation, _limits, _made)
    body = "\n\n".join(section(result) for section in sections)
    return f"---\n{front_matter(result)}---\n\n{body}\n"


def front_matter(result: Result) -> str:
    """The metadata as YAML. Every text is on one line, so that none can end the front matter early."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # untyped in ruamel: keep our order
    yaml.width = 1_000_000
    out = StringIO()
    yaml.dump(_clean(_metadata(result)), out)
    return out.getvalue()


def _metadata(result: Result) -> dict[str, Any]:
    start = _start(result)
    licence = (start.licence if start else "").strip().lower() or "unknown"
    known = _LICENCE.match(licence)
    return {
        "license": licence if known else "other",
        **({} if known else {"license_name": licence}),
        **({"base_model": start.source} if start and _on_the_hub(start.source) else {}),
        "pipeline_tag": result.task.replace("_", "-"),
        "library_name": "transformers",
        "tags": ["warmstart", "fine-tuned", result.task.replace("_", "-")],
        "metrics": [_HUB_METRICS[name] for name in _measures(result) if name in _HUB_METRICS],
        "model-index": [{"name": _name(result.run), "results": [_results(result)]}],
    }


def _results(result: Result) -> dict[str, Any]:
    """The recommended run's measures as the Hub lists them, the interval in the name."""
    return {
        "task": {"type": result.task.replace("_", "-")},
        "dataset": {"name": _name(result.data.source), "type": "custom", "split": "test"},
        "metrics": [
            {
                "type": _HUB_METRICS.get(name, name),
                "value": round(float(m.value), 6),
                "name": f"{metric(name).title} (interval {m.low:.4g} to {m.high:.4g}, {m.n} rows)",
            }
            for name, m in _measures(result).items()
        ],
    }


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_clean(v) for v in value]
    return one_line(utf8(value)) if isinstance(value, str) else value


def _measures(result: Result) -> dict[str, Measure]:
    """What the model of this folder reaches itself, not the mean over seeds."""
    found = result.shipped or result.runs.get(result.recommended)
    return {name: found.metrics[name] for name in in_order(set(found.metrics))} if found else {}


def _start(result: Result) -> RankedModel | None:
    """The pretrained model whose weights the recommended run began with, if it began with any."""
    if result.recommended == "scratch" or not result.plan.pretrained:
        return None
    return next((m for m in result.ranking if m.source == result.plan.model), None)


def _on_the_hub(source: str) -> bool:
    """Could `source` be a repository? As in transformers, a local folder is not named as base model."""
    return _HUB_ID.match(source) is not None and not Path(source).is_dir()


def _name(path: str) -> str:
    """The last part of a path: a card travels, and the folders of the machine it came from should not."""
    return PurePath(path.rstrip("/\\").replace("\\", "/")).name or path


def _what(result: Result) -> str:
    start = _start(result)
    origin = f"fine-tuned from {md.inert(start.name)}" if start else "trained from random weights"
    run = result.runs.get(result.recommended)
    sizes = (amount(run.parameters), amount(run.trained_parameters)) if run else ()
    size = ", {} parameters, of which {} were trained".format(*sizes) if sizes else ""
    classes = count(len(result.confusion.labels))
    return (
        f"# {md.inert(_name(result.run))}\n\n"
        f"A model for {md.inert(spoken(result.task))} with {classes} classes, {origin} "
        f"(strategy {md.inert(result.recommended)}{size}).\n\n"
        f"{md.opening(result.headline)}"
    )


def _use(result: Result) -> str:
    example = "photo.jpg" if "image" in result.data.roles else "a text of your own"
    task = re.sub(r"[^a-z-]", "", result.task.replace("_", "-").lower())
    python = (
        f'from transformers import pipeline\n\nclassify = pipeline("{task}", model="path/to/this/folder")\n'
        f'print(classify("{example}"))'
    )
    shell = f'warmstart predict path/to/the/run "{example}"'
    both = f"{md.block(python, 'python')}\n\nor, with warmstart,\n\n{md.block(shell, 'sh')}"
    return f"## How to use it\n\n{both}{_temperature(result)}"


def _temperature(result: Result) -> str:
    """That warmstart's probabilities are others than those of transformers, where they are."""
    known = result.calibration
    if known is None or not known.used:
        return ""
    return (
        "\n\nThe labels are the same; the probabilities are not. warmstart divides the logits by "
        f"{md.code(f'{known.temperature:.4g}')} first ({md.code('warmstart.json')}), which makes them more "
        f"credible: {md.inert(calibrated.change(known))}. The weights are as they were learned, so that "
        "transformers gives the plain probabilities."
    )


def _training_data(result: Result) -> str:
    data = result.data
    counts = [
        [md.inert(c.label), count(c.train), count(c.validation), count(c.test)] for c in data.classes[:50]
    ]
    rest = f"\n\nand {len(data.classes) - 50} more classes." if len(data.classes) > 50 else ""
    return (
        f"## Training data\n\n{md.inert(_name(data.source))}: {count(data.rows)} rows, of which "
        f"{count(data.train)} trained it, {count(data.validation)} chose (validation) and {count(data.test)} "
        f"tested it (fingerprint {md.code(data.fingerprint)}).\n\n"
        f"{md.table(('class', 'train', 'validation', 'test'), counts, (1, 2, 3))}{rest}"
    )


def _evaluation(result: Result) -> str:
    lines = md.bullets(map(md.gain_line, result.gains.values()))
    gains = f"\n\nAgainst its rivals on the same rows:\n\n{lines}" if lines else ""
    intro = "On test rows that chose nothing; intervals in brackets."
    over = f"\n\n{md.seeds_table(result)}" if seeds.several(result) else ""
    return f"## Evaluation\n\n{intro}\n\n{md.runs_table(result)}{over}{gains}"


def _limits(result: Result) -> str:
    kind = metric(result.primary)
    least = f"{md.inert(kind.title)} below about {md.inert(kind.gap(result.detectable))}"
    lines = [f"Differences in {least} may be missed on these test rows."]
    if gap := result.overfitting.get(result.recommended):
        lines.append(f"Overfitting ({md.inert(gap.verdict)}): {md.inert(gap.sentence)}.")
    if unsure := [md.inert(g.rival) for g in result.gains.values() if g.low <= 0 <= g.high]:
        lines.append(f"Whether it is better than {', '.join(unsure)} could not be told.")
    lines.append("It was measured on rows like those it was trained on; on other rows it may do worse.")
    lines += [md.opening(f.what) for f in result.findings if f.level == "warning"]
    return f"## Limits\n\n{md.bullets(lines)}"


def _made(result: Result) -> str:
    phases = [f"phase {i}: {md.inert(training(phase))}" for i, phase in enumerate(result.plan.phases, 1)]
    versions = ", ".join(f"{k} {v}" for k, v in result.reproduce.versions.items())
    return (
        f"## How it was made\n\n"
        f"By warmstart {md.inert(result.version)} on {md.inert(moment(result.created))} "
        f"in {clock(result.seconds)}; the plan was {md.inert(result.plan.strategy)}, "
        f"seed {result.shipped.seed if result.shipped else result.reproduce.seed}.\n\n"
        f"{md.bullets(phases)}\n\n{md.block(result.reproduce.command, 'sh')}\n\n"
        f"With {md.inert(versions)}."
    )


FORM = ModelCard
