"""compare without a scenario: the rows of the design's table of goals, into RESULTS.md."""

from .. import results, scenario
from ..measure import failure
from ..processes import BenchError
from ..rows import Row
from . import common, soak, sweep

BODIES = (1_024, 10_240, 102_400, 1_048_576, 8_000_000)
# For all tenants to be made: 10,000 take two to four minutes, and more where the disk is slow.
TENANTS_SECONDS = 600


def decades(most):
    """10, 100 and so on, up to `most`, which is the last one in any case."""
    counts = [10]
    while counts[-1] * 10 < most:
        counts.append(counts[-1] * 10)
    return (*counts, most)


def fewer(rounds, options):
    """Streams and large bodies vary little from round to round and take long: one round in a quick bench."""
    return 1 if options.quick else max(1, rounds.rounds - 2)


def measure(stage, load, rounds, options, seconds):
    """All rows, the most telling first."""
    by_name = {target.name: target for target in rounds.targets}
    torhaus = by_name.get("torhaus")
    through = torhaus.with_keys(results.THROUGH, torhaus.pass_through_keys) if torhaus and torhaus.pass_through_keys else None
    rows = {"rate": options.rate, "has_through": through is not None}
    rows["ready_seconds"] = torhaus.ready_seconds if torhaus else None
    # Few connections show what a request costs by itself, many what it costs in company: both are real.
    for key, connections in (("cpu", 32), ("cpu-many", 128)):
        row = Row(f"cpu, {connections} connections")
        row.connections = connections
        rows[key] = rounds.each(
            row,
            lambda target: load.single(target, connections=connections, duration=seconds, warm_up=1),
            targets=rounds.targets + ([through] if through and key == "cpu" else []),
        )
    rows["latency"] = rounds.each(
        Row(f"latency at {options.rate}/s"),
        lambda target: load.single(target, rate=options.rate, connections=64, duration=seconds, warm_up=1),
    )
    for key, count, delay in (("streams-fast", 500, 20), ("streams-many", 2000, 80)):
        chunks = max(10, int((seconds + 1) * 1000 / delay))
        rows[key] = rounds.each(
            Row(f"{count} streams x {delay} ms"),
            lambda target: stage.fresh(
                target,
                lambda one: load.single(
                    one, True, f"chunks={chunks};delay={delay};size={chunks * 16}", connections=count, count=count,
                    duration=seconds * 3 + 10, warm_up=1,
                ),
            ),
            rounds=fewer(rounds, options),
        )  # fmt: skip
    rows["bodies"] = {}
    proxies = [target for target in rounds.targets if target.is_proxy]
    for size in BODIES:
        rows["bodies"][size] = rounds.each(
            Row(f"prompt of {size} bytes"),
            lambda target: load.single(
                target, prompt_bytes=size, connections=8 if size <= 1_048_576 else 2, duration=max(1.5, seconds / 2),
                warm_up=0.5,
            ),
            targets=proxies,
            rounds=fewer(rounds, options),
        )  # fmt: skip
    return rows


def redaction(cost, progress, result):
    """The rows of redaction, which no load over HTTP can tell from the rest: speeds, and why there are none."""
    if not cost.is_there:
        return {"redaction_why": "torhaus-cost is not there; build first: swift build -c release"}
    progress.step("redaction")
    try:
        found = cost.redaction()
    except BenchError as error:
        result.check("redaction on dense data: was measured", False, str(error))
        return {"redaction_why": str(error)}
    progress.say("redaction: " + "  ".join(f"{name} {speed:.0f} MB/s" for name, speed in found.items()))
    return {"redaction": found}


def run(stage, load, cost, rounds, result, options, seconds):
    """Measures and fills `result`."""
    rows = measure(stage, load, rounds, options, seconds)
    rows.update(redaction(cost, rounds.progress, result))
    by_name = {target.name: target for target in rounds.targets}
    if "torhaus" in by_name and options.soak_seconds > 0:
        long = scenario.read(scenario.find("soak")).with_seconds(options.soak_seconds)
        rounds.progress.step("soak")
        report = stage.fresh(by_name["torhaus"], lambda one: load.scenario(one, long))
        if failure(report):
            rounds.progress.say(f"soak: {failure(report)}")
            result.check("memory: was measured", False, failure(report))
        else:
            rows["soak"], rows["soak_seconds"] = soak.judge(report["timeline"]), options.soak_seconds
            rounds.progress.say(f"soak: {rows['soak']['why']}")
            common.time_plots(result, [("torhaus", report)])
    if "torhaus" in by_name and options.tenants > 10:
        # The sweep's tables and plots would say the same again; its row of goals is enough here.
        aside = type(result)("sweep", "")
        rows["tenants"] = sweep.tenants(stage, load, rounds, aside, seconds, decades(options.tenants), TENANTS_SECONDS)
        for note in aside.notes:
            result.note(note)
    names = [target.name for target in rounds.targets] + list(rounds.missing)
    results.fill(result, rows, names, rounds.rounds, fewer(rounds, options), seconds)
    started = {target.name for target in rounds.targets} | {results.THROUGH}
    sweeps = [*rows["bodies"].values(), *rows.get("tenants", {}).values()]
    for row in [*(row for row in rows.values() if isinstance(row, Row)), *sweeps]:
        for name in sorted(started & row.reasons.keys()):
            result.check(f"{row.name}: {name} was measured", False, row.reasons[name])
    common.fill_values(result, rows["cpu"], [*names, results.THROUGH])
    for prefix, row in [
        ("many", rows["cpu-many"]), ("latency", rows["latency"]), ("streams_500", rows["streams-fast"]),
        ("streams_2000", rows["streams-many"]), *((f"body_{size}", row) for size, row in rows["bodies"].items()),
    ]:  # fmt: skip
        common.fill_values(result, row, names, prefix=f"{prefix}_")
    plots(result, rows, names)


def plots(result, rows, names):
    reports = [(name, rows["latency"].report(name)) for name in names if rows["latency"].report(name)]
    common.curve_plot(result, reports)
    everyone = [*names, results.THROUGH]
    result.plot("CPU per request", "target", "µs",
                [("CPU", [(name, rows["cpu"].value(name, "cpu_us")) for name in everyone])], bars=True)  # fmt: skip
    result.plot("Requests per second, closed loop", "target", "requests/s",
                [("rate", [(name, rows["cpu"].value(name, "requests_per_s")) for name in everyone])], bars=True)  # fmt: skip
    result.plot("CPU by size of the prompt", "bytes of prompt", "µs",
                [(name, [(size, row.value(name, "cpu_us")) for size, row in rows["bodies"].items()]) for name in names],
                log_x=True, log_y=True)  # fmt: skip
    result.plot("Memory with streams", "target", "MiB resident",
                [(rows[key].name, [(name, rows[key].value(name, "rss_mib")) for name in names])
                 for key in ("streams-fast", "streams-many")], bars=True)  # fmt: skip
