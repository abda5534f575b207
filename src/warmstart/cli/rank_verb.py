"""warmstart rank: which pretrained model is the best start?"""

from pathlib import Path

from warmstart.cli import flags, frame


def command(
    data: flags.Data,
    models: flags.From = None,
    task: flags.Task = "",
    text: flags.Text = "",
    label: flags.Label = "",
    group: flags.Group = "",
    test: flags.Test = "",
    rows: flags.Rows = 0,
    settings: flags.Set = None,
    out: flags.Out = "runs",
    cache_limit: flags.CacheLimit = "",
    device: flags.Device = "auto",
    as_json: flags.Json = False,
) -> None:
    """Rank pretrained models by how well their frozen features tell the user's own rows apart."""
    given = {"models": models, "task": task, "text": text, "label": label, "group": group, "test": test}
    asked = frame.options({**given, "rows": rows}, settings or [])
    from rich.console import Group
    from rich.text import Text

    from warmstart import process
    from warmstart.report.terminal import known_table, ranking_table
    from warmstart.report.words import unaided
    from warmstart.street.summary import ranked

    ranking = process.rank(
        data, runs=Path(out), tell=frame.listener(as_json), cache_limit=cache_limit, device=device, **asked
    )
    table = tuple(map(ranked, ranking.scored))
    if as_json:
        frame.show_json(
            {
                "score": ranking.score,
                "ranking": table,
                "reasons": ranking.reasons,
                "baseline": ranking.baseline,
            }
        )
    else:
        reasons = (Text(frame.plain(f"  {r.rule}: {r.saw}: {r.so}")) for r in ranking.reasons)
        beside = [Text(f"  without a network, {unaided(ranking.baseline)}")] if ranking.baseline else []
        frame.show(Group(ranking_table(table, ranking.score), known_table(table), *beside, *reasons))
