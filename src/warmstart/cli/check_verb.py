"""warmstart check: look at the data only."""

from warmstart.cli import flags, frame


def command(
    data: flags.Data,
    text: flags.Text = "",
    label: flags.Label = "",
    group: flags.Group = "",
    test: flags.Test = "",
    rows: flags.Rows = 0,
    settings: flags.Set = None,
    as_json: flags.Json = False,
) -> None:
    """Read the data, find out what its columns are, split it and look for trouble. Trains nothing."""
    given = {"text": text, "label": label, "group": group, "test": test, "rows": rows}
    asked = frame.options(given, settings or [])
    import tempfile
    from pathlib import Path

    from rich.console import Group

    from warmstart import process
    from warmstart.data.bundle import summary
    from warmstart.report.terminal import data_table, findings_list

    with tempfile.TemporaryDirectory() as folder:
        try:
            bundle = process.check(data, runs=Path(folder), tell=frame.listener(as_json), **asked)
        except KeyboardInterrupt:  # there is no folder to go on with
            raise KeyboardInterrupt from None
        told = summary(bundle)
    if as_json:
        frame.show_json({"task": bundle.task, "data": told, "findings": bundle.findings})
    else:
        frame.show(Group(data_table(told), findings_list(bundle.findings)))
