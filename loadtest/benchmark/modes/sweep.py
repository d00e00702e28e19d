"""sweep: one thing grows, everything else stays; says how cost grows with it."""

import resource
import time

from ..measure import failure, figures
from ..processes import BenchError
from ..provision import Provision
from ..report.numbers import number, size, times
from ..rows import Row, line
from ..statistics_of import exponent
from ..targets import start_torhaus

BODIES = (1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 8_000_000)
TENANTS = (1, 10, 100, 1_000, 10_000)
STREAMS = (1, 10, 100, 500, 1_000, 2_000)
# Below this, a request's cost is not the body's.
LARGE_BODY = 64 << 10
# The kernel counts CPU in ticks of 10 ms, and fewer streams do not take enough of them: their cost would be one tick or none.
ENOUGH_STREAMS = 100


def bodies(load, rounds, result, seconds, sizes=BODIES):
    """Closed loop; with larger bodies fewer connections, so that memory is that of the target and not of queues."""
    measured = {}
    for bytes_ in sizes:
        connections = 8 if bytes_ <= 256 << 10 else 2
        measured[bytes_] = rounds.each(
            Row(f"body {size(bytes_)}"),
            lambda target: load.single(
                target, prompt_bytes=bytes_, connections=connections, duration=seconds, warm_up=0.5, timeout=120
            ),
        )
    tell(result, "body", "Body size", "bytes of prompt", measured, "cpu_us", "CPU per request", "µs", size,
         from_x=LARGE_BODY, log_x=True)  # fmt: skip
    return measured


def streams(stage, load, rounds, result, seconds, counts=STREAMS, delay=50):
    """All streams begun together, each with a pause between its events; each number on an instance of its own."""
    measured = {}
    chunks = max(10, int(seconds * 1000 / delay))
    for count in counts:
        measured[count] = rounds.each(
            Row(f"{count} streams"),
            lambda target: stage.fresh(
                target,
                lambda one: load.single(
                    one, True, f"chunks={chunks};delay={delay};size={chunks * 16}", connections=count, count=count,
                    duration=seconds * 3 + 15, warm_up=0, sample=0.25,
                ),
            ),
        )  # fmt: skip
    tell(result, "streams", "Streams at once", "streams", measured, "event_us", "CPU per chunk", "µs", str, told_from=ENOUGH_STREAMS)
    return measured


def active(keys):
    """Keys of as many tenants as the gateway can have segments of the log open of, by the descriptors it may have."""
    most = max(16, min(16_384, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1536) // 4))  # `Limits.openSegments`
    return keys[:most]


def tenants(stage, load, rounds, result, seconds, counts=TENANTS, patience=900):
    """Keys of more and more tenants in turn, with the gateway started anew over what it keeps of them.

    `patience` bounds in seconds how long tenants may take to be made, all together. Of more tenants than the machine's
    descriptors allow to be busy at once, only so many send.
    """
    measured, ready, firsts, made = {}, [], [], []
    base, why = stage.start("torhaus")
    if base is None:
        result.note(f"Number of tenants: not measured, {why}")
        return measured
    target, making = base, 0.0
    for count in counts:
        try:
            rounds.progress.step(f"making {count - len(made)} tenants")
            begin = time.monotonic()
            made += Provision(target.state).tenants(len(made), count - len(made), max(1, patience - making))
            took = time.monotonic() - begin
            making += took
            rounds.progress.say(f"tenants: {len(made)} are there after {took:.1f} s")
            if len(made) < count:
                result.note(f"Tenants: {len(made)} were made in {patience} s; rows above that were not measured.")
                break
            stage.stop(target)
            target = start_torhaus(
                stage.processes, stage.processes.folder, stage.torhaus_binary, stage.mock_port,
                stage.torhaus_arguments, state=base.state,
            )  # fmt: skip
        except BenchError as error:
            result.note(f"Number of tenants: stopped at {len(made)}: {error}")
            break
        ready.append((count, target.ready_seconds))
        busy = active(made)
        if len(busy) < len(made):
            result.note(f"Of {len(made)} tenants {len(busy)} sent: so many are busy at once with the descriptors of this machine.")
        many = target.with_keys("torhaus", busy)
        # A tenant's first request opens its part of the log and more; that is its own figure, not the cost of the rest.
        rounds.progress.step(f"{count} tenants: the first request of each")
        first = load.single(many, connections=16, count=len(busy), duration=120 + len(busy) / 20, warm_up=0)
        why = failure(first)
        rounds.progress.say(f"{count} tenants: the first request of each: {why or line(figures(first))}")
        firsts.append((count, None if why else figures(first)["cpu_us"]))
        measured[count] = rounds.each(
            Row(f"{count} tenants"),
            lambda one: load.single(one, connections=16, duration=seconds, warm_up=1),
            targets=[many],
        )
        measured[count].add("torhaus", ready_s=target.ready_seconds)
    stage.stop(target)
    tell(result, "tenants", "Number of tenants", "tenants", measured, "cpu_us", "CPU per request", "µs", str, log_x=True)
    result.table(
        "First request of each tenant, and start", ["tenants", "CPU of a first request", "start to ready"],
        [[str(count), number(cost, 1, " µs"), number(seconds_, 2, " s")] for (count, cost), (_, seconds_) in zip(firsts, ready)],
    )  # fmt: skip
    result.plot("Start to ready, by tenants", "tenants", "s", [("torhaus", ready)], log_x=True)
    return measured


def tell(result, key, title, x, measured, figure, label, unit, name_of, from_x=0, told_from=0, log_x=False):
    """Table, plots and growth of one sweep.

    Exponents count from `from_x`; below `told_from` the figure itself says nothing and is left out everywhere.
    """
    names = list(dict.fromkeys(name for row in measured.values() for name in row.figures))
    rows = []
    for value, row in measured.items():
        for name in names:
            rows.append([
                name_of(value), name, number(row.value(name, "requests_per_s"), 0),
                number(row.value(name, figure) if value >= told_from else None, 1, f" {unit}"),
                times(row.ratio(figure, name, "nginx") if name != "nginx" and value >= told_from else None),
                number(row.value(name, "p99_ms"), 3, " ms"), number(row.value(name, "rss_mib"), 1, " MiB"),
                " ".join(row.reasons.get(name, "").split())[:120],
            ])  # fmt: skip
    result.table(title, [x, "target", "requests/s", label, "of nginx", "p99", "RSS peak", "note"], rows)

    def grown(name, wanted):
        return [(value, row.value(name, wanted)) for value, row in measured.items() if wanted != figure or value >= told_from]

    result.plot(f"{title}: {label}", x, unit, [(name, grown(name, figure)) for name in names], log_x, log_x)
    result.plot(f"{title}: memory", x, "MiB", [(name, grown(name, "rss_mib")) for name in names], log_x)
    growth = []
    for name in names:
        points = [(a, b) for a, b in grown(name, figure) if b is not None]
        large = [(a, b) for a, b in points if a >= from_x]
        power = exponent(large)
        if power is not None:
            result.value(name, f"{key}_exponent", power)
            result.value(name, f"{key}_growth", points[-1][1] / points[0][1] if points[0][1] else None)
            growth.append([name, number(power, 2), times(points[-1][1] / points[0][1] if points[0][1] else None)])
        for value, cost in grown(name, figure):
            result.value(name, f"{key}_{value}_{figure}", cost)
        for value, row in measured.items():
            errors = row.total(name, "errors")
            result.value(name, f"{key}_{value}_errors", errors if errors is not None else (1 if row.reasons.get(name) else None))
    if growth:
        what = f"{title}: growth of {label} (exponent 1: as the {x} do; 0: not at all)"
        result.table(what, ["target", "exponent", "largest / smallest"], growth)


def run(stage, load, rounds, result, over, seconds, sizes, counts, stream_counts):
    """The sweeps that `over` names."""
    result.note("One thing grows, the rest stays the same. Exponents are slopes in log-log: of bodies from 64 KB up, else of the whole sweep.")
    if "body" in over:
        bodies(load, rounds, result, seconds, sizes)
    if "streams" in over:
        streams(stage, load, rounds, result, seconds, stream_counts)
    if "tenants" in over:
        tenants(stage, load, rounds, result, seconds, counts)
