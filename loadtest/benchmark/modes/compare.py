"""compare: one scenario on every target, in alternating rounds."""

from ..report.numbers import number
from ..report.result import Result
from ..rows import Row
from . import common


def judge(result, row, name):
    """Whether a target that was started was measured at all, and left nobody waiting."""
    result.check(f"{name}: every round was measured", name not in row.reasons, row.reasons.get(name, ""))
    served = row.figures.get(name, {}).get("succeeded", [])
    result.check(f"{name}: every round was served", bool(served) and min(served) > 0)
    lost = row.total(name, "unaccounted")
    if lost is not None:
        result.check(f"{name}: every request ended", lost == 0, f"{number(lost, 0)} were left open")


def run(stage, load, rounds, scenario, result: Result):
    """Measures `scenario` and fills `result`; `rounds` knows the targets."""
    row = rounds.each(Row(scenario.name), lambda target: load.scenario(target, scenario), tolerant=True)
    names = [target.name for target in rounds.targets] + [name for name in rounds.missing]
    result.note(scenario.about or f"Scenario {scenario.name}.")
    result.note(
        f"Medians of {rounds.rounds} alternating rounds; ratios are medians of the rounds' own ratios. Load, mock provider and "
        "target share the machine's cores, so absolute figures are this machine's. Latency counts from the time a request "
        "was due; in a closed loop that is when it was sent."
    )
    keys = min((len(target.keys) for target in rounds.targets), default=0)
    if len(scenario.tenants) > max(1, keys):
        result.note(f"Some target has fewer keys ({keys}) than the scenario has tenants: there, tenants share keys.")
    common.latency_table(result, "Targets", row, names)
    common.fairness_table(result, row, names)
    common.group_table(result, "Classes", row.report, names, "classes")
    if len(scenario.tenants) > 1:
        common.group_table(result, "Tenants", row.report, names, "tenants")
    reports = [(name, row.report(name)) for name in names if row.report(name)]
    common.curve_plot(result, reports)
    result.plot("Throughput by target", "target", "answers/s",
                [("answers/s", [(name, row.value(name, "requests_per_s")) for name in names])], bars=True)  # fmt: skip
    result.plot("CPU per request by target", "target", "µs",
                [("CPU", [(name, row.value(name, "cpu_us")) for name in names])], bars=True)  # fmt: skip
    common.time_plots(result, reports)
    common.fill_values(result, row, names)
    for target in rounds.targets:
        judge(result, row, target.name)
    errors = sorted({(name, kind) for name in names for report in row.reports.get(name, []) for kind in report.get("errors", {})})
    if errors:
        rows = [[name, kind, number(sum(r["errors"].get(kind, 0) for r in row.reports[name]), 0)] for name, kind in errors]
        result.table("Errors", ["target", "kind", "requests"], rows)
