#!/usr/bin/env python3
"""Measures gateways beside one another on this machine.

  compare    one scenario on every target in alternating rounds; without --scenario the rows of the design's table of goals,
             into RESULTS.md (what `make bench` does; the default)
  soak       the same load for minutes or hours: memory, descriptors and threads, flat or not
  capacity   the highest rate that keeps a p99
  faults     the mock's scripted faults: does every request end, and how
  attacks    rude clients of one tenant: does another one notice
  allocations  calls of the allocator per request and per chunk, against limits
  sweep      body sizes, numbers of tenants, numbers of streams: how cost grows
  report     pages and thresholds of a result that was kept

Builds nothing: `swift build -c release` first. Starts the mock provider and the targets on free ports of 127.0.0.1, and
ends exactly those. Exit code: 0; 1 if a check or threshold is broken; 2 if there was nothing to measure with.
"""

import argparse
import os
import shlex
import signal
import sys
import tempfile

from benchmark import conditions, scenario
from benchmark.attackers import ATTACKS
from benchmark.cost import Cost
from benchmark.measure import Load
from benchmark.modes import allocations, attacks, capacity, compare, faults, goals, soak, sweep
from benchmark.processes import BenchError, Processes
from benchmark.progress import Progress
from benchmark.report import pages
from benchmark.report.result import Result
from benchmark.rows import Rounds
from benchmark.targets import Stage
from benchmark.thresholds import Threshold

HERE = os.path.dirname(os.path.abspath(__file__))
MODES = ("compare", "soak", "capacity", "faults", "attacks", "allocations", "sweep", "report")
TARGETS = ("direct", "nginx", "haproxy", "torhaus")


def arguments(argv):
    """The options; a command line that begins with no mode is one of compare."""
    if not argv or (argv[0] not in MODES and argv[0] not in ("-h", "--help")):
        argv = ["compare", *argv]
    wide = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__, formatter_class=wide)
    modes = parser.add_subparsers(dest="mode", required=True)
    kept = argparse.ArgumentParser(add_help=False)
    kept.add_argument("--out", help="folder of result.json, report.md and report.html (loadtest/results/MODE)")
    kept.add_argument(
        "--threshold", action="append", default=[], metavar="TEXT",
        help="such as 'torhaus/nginx.cpu_us <= 4.5' or 'torhaus.errors == 0'; repeatable; broken ones make the exit code 1",
    )  # fmt: skip
    live = argparse.ArgumentParser(add_help=False, parents=[kept])
    live.add_argument("--target", action="append", help=f"{', '.join(TARGETS)} (all), or a gateway's YAML file; repeatable")
    live.add_argument("--workers", type=positive, default=os.cpu_count(), help="nginx workers and HAProxy threads (cores)")
    live.add_argument("--mock-loops", type=positive, default=1, help="event loops of the mock provider")
    live.add_argument("--loops", type=positive, default=1, help="event loops of the load generator")
    live.add_argument("--binaries", default=os.path.join(HERE, "..", ".build", "release"), help="folder of the programs")
    live.add_argument("--torhaus", help="the gateway, if it lies elsewhere")
    live.add_argument("--torhaus-argument", action="append", default=[], help="passed on to `torhaus demo`; repeatable")
    rounds = argparse.ArgumentParser(add_help=False)
    rounds.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    rounds.add_argument("--rounds", type=positive, help="rounds per row (5, quick: 3; of attacks: 3, quick: 1)")

    one = modes.add_parser("compare", parents=[live, rounds], help="one scenario on every target", formatter_class=wide)
    one.add_argument("--scenario", help="a file, or a name in loadtest/scenarios; without it the table of goals")
    one.add_argument("--seconds", type=seconds, help="measured seconds per run (6, quick: 2; of a scenario: its own)")
    one.add_argument("--rate", type=positive, default=1000, help="requests/s of the latency row of the table of goals")
    one.add_argument("--tenants", type=int, help="tenants of the table's row about them (10000; quick: 100; 0: leave it out)")
    one.add_argument("--soak-seconds", type=float, help="of the table's row about memory (60; quick: 10; 0: leave it out)")
    one.add_argument("--results", default=os.path.join(HERE, "RESULTS.md"), help="page of the table of goals")

    one = modes.add_parser("soak", parents=[live], help="flat over time or not")
    one.add_argument("--minutes", type=seconds, default=10.0, help="per target (10)")
    one.add_argument("--scenario", default="soak", help="a file, or a name in loadtest/scenarios (soak)")
    one.add_argument("--rate", type=seconds, help="requests/s instead of the scenario's, such as half of what `capacity` finds")
    one.add_argument("--keep-log", type=seconds, metavar="MINUTES",
                     help="delete segments of the gateway's log so long after their end; a night at full rate fills a disk")  # fmt: skip

    one = modes.add_parser("capacity", parents=[live], help="the highest rate that keeps a p99")
    one.add_argument("--p99", default="3 x nginx", help="'5 ms' or '3 x nginx': of what nginx needs at the first rate")
    one.add_argument("--from", type=seconds, default=200.0, dest="first", help="the first rate, in requests/s (200)")
    one.add_argument("--seconds", type=seconds, default=5.0, help="per probe (5)")
    one.add_argument("--scenario", default="reference", help="a file, or a name in loadtest/scenarios (reference)")

    one = modes.add_parser("faults", parents=[live], help="does every request end")
    one.add_argument("--requests", type=positive, default=4, help="per fault and form (4)")
    one.add_argument("--patience", type=seconds, default=8.0, help="seconds after which the client leaves (8)")

    one = modes.add_parser("attacks", parents=[live, rounds], help="does another tenant notice rude clients")
    one.add_argument("--seconds", type=seconds, help="of the calm load alone, and beside each attack (10; quick: 4)")
    one.add_argument("--rate", type=positive, default=300, help="requests/s of the calm load (300)")
    one.add_argument("--memory", type=positive, default=700, help="MiB that the gateway may take (700)")
    one.add_argument("--attack", action="append", choices=tuple(ATTACKS), help="which (all); repeatable")

    modes.add_parser("allocations", parents=[live], help="calls of the allocator per request and per chunk")

    one = modes.add_parser("sweep", parents=[live, rounds], help="how cost grows")
    one.add_argument("--over", action="append", choices=("body", "streams", "tenants"), help="what grows (all); repeatable")
    one.add_argument("--seconds", type=seconds, help="measured seconds per run (4; quick: 1.5)")
    one.add_argument("--bodies", type=counts, default=sweep.BODIES, help="bytes, such as 1024,65536,1048576")
    one.add_argument("--tenants", type=counts, default=sweep.TENANTS, help="such as 10,1000,10000")
    one.add_argument("--streams", type=counts, default=sweep.STREAMS, help="such as 1,100,1000")

    one = modes.add_parser("report", parents=[kept], help="pages and thresholds of a kept result")
    one.add_argument("file", help="a result.json")
    return parser.parse_args(argv)


def positive(text):
    value = int(text)
    if not 1 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("1 to 1000000")
    return value


def seconds(text):
    value = float(text)
    if not 0.05 <= value <= 100_000:
        raise argparse.ArgumentTypeError("0.05 to 100000")
    return value


def counts(text):
    values = sorted({positive(part) if len(part) < 8 else int(part) for part in text.split(",")})
    if values[-1] > 67_108_864:
        raise argparse.ArgumentTypeError("at most 64 MiB")
    return tuple(values)


def programs(options):
    """The paths of mock, load, costs and gateway; the first two must be there."""
    folder = os.path.abspath(options.binaries)
    mock, load, cost = (os.path.join(folder, name) for name in ("torhaus-mock", "torhaus-load", "torhaus-cost"))
    for path in (mock, load):
        if not os.access(path, os.X_OK):
            raise BenchError(f"{path} is not there; build first: swift build -c release")
    torhaus = os.path.abspath(options.torhaus) if options.torhaus else os.path.join(folder, "torhaus")
    return mock, load, cost, torhaus if os.access(torhaus, os.X_OK) else None


def measure(options, command):
    """Runs the mode and returns its result."""
    names = list(dict.fromkeys(options.target or TARGETS))
    quick = getattr(options, "quick", False)
    work = scenario.read(scenario.find(options.scenario)) if getattr(options, "scenario", None) else None
    thresholds = [Threshold(text).text for text in options.threshold]
    with tempfile.TemporaryDirectory(prefix="torhaus-bench-") as folder, Processes(folder) as processes:
        mock, load_path, cost_path, torhaus = programs(options)
        stage = Stage(processes, mock, torhaus, options.mock_loops, options.workers, options.torhaus_argument,
                      len(work.tenants) if work else 1)  # fmt: skip
        load = Load(load_path, folder, options.loops)
        result = Result(options.mode, title(options.mode, work), command, conditions.facts(torhaus))
        # A scenario's own thresholds speak of targets that this run may not have been asked for.
        asked = {os.path.splitext(os.path.basename(name))[0] for name in names}
        own = [one.text for one in (work.thresholds if work else []) if one.targets <= asked]
        result.thresholds = thresholds + own
        if options.mode == "faults":
            progress = Progress(len(faults.cases()) * len(names))
            rounds = Rounds([], {}, 1, progress)
            faults.run(stage, load, rounds, result, names, options.requests, options.patience)
            progress.end()
            return result
        if options.mode == "attacks":
            chosen = options.target or ("nginx", "torhaus")
            progress = Progress(len(options.attack or ATTACKS) * len(chosen))
            number = options.rounds or (1 if quick else 3)
            seconds_each = options.seconds or (4 if quick else 10)
            attacks.run(stage, load, Rounds([], {}, number, progress), result, chosen, seconds_each, options.rate,
                        options.memory, options.attack)  # fmt: skip
            progress.end()
            return result
        if options.mode == "allocations":
            progress = Progress(3)
            allocations.run(stage, load, progress, result)
            progress.end()
            return result
        targets, missing = stage.start_all(names)
        if not targets:
            raise BenchError("no target is there: " + "; ".join(f"{name}: {why}" for name, why in missing.items()))
        number = (getattr(options, "rounds", None) or (3 if quick else 5)) if options.mode in ("compare", "sweep") else 1
        if options.mode == "compare":
            options.tenants = (100 if quick else 10_000) if options.tenants is None else options.tenants
            options.soak_seconds = (10 if quick else 60) if options.soak_seconds is None else options.soak_seconds
        progress = Progress(steps(options, work, targets, number))
        for name, why in missing.items():
            progress.say(f"{name}: {why}")
        rounds = Rounds(targets, missing, number, progress)
        if options.mode == "compare" and work:
            work = work.with_seconds(options.seconds or 2) if options.seconds or quick else work
            compare.run(stage, load, rounds, work, result)
        elif options.mode == "compare":
            goals.run(stage, load, Cost(cost_path), rounds, result, options, options.seconds or (2 if quick else 6))
        elif options.mode == "soak":
            soak.run(stage, load, rounds, work, result, options.minutes, options.rate, options.keep_log)
        elif options.mode == "capacity":
            capacity.run(stage, load, rounds, work, result, options.p99, options.first, options.seconds)
        else:
            over = options.over or ("body", "streams", "tenants")
            length = options.seconds or (1.5 if quick else 4)
            sweep.run(stage, load, rounds, result, over, length, options.bodies, options.tenants, options.streams)
        progress.end()
    return result


def title(mode, work):
    names = {
        "compare": f"Comparison: {work.name}" if work else "Results of the bench",
        "soak": "Soak", "capacity": "Capacity", "faults": "Faults", "attacks": "Attacks",
        "allocations": "Allocations", "sweep": "Sweep",
    }  # fmt: skip
    return names[mode]


def steps(options, work, targets, rounds):
    """About how many runs there will be, for the bar."""
    if options.mode == "compare":
        fewer = 1 if options.quick else max(1, rounds - 2)
        tenants = (rounds + 2) * len(goals.decades(options.tenants)) if options.tenants > 10 else 0
        return len(targets) * rounds if work else len(targets) * (3 * rounds + 2 * fewer + len(goals.BODIES) * fewer) + tenants + 2
    if options.mode == "soak":
        return len(targets)
    if options.mode == "capacity":
        return len(targets) * 12
    over = options.over or ("body", "streams", "tenants")
    sizes = {"body": len(options.bodies), "streams": len(options.streams), "tenants": 0}
    return rounds * len(targets) * sum(sizes[name] for name in over) + (rounds + 1) * len(options.tenants)


def shown(argv):
    """The command as a page shows it: without the places of this machine."""
    kept, skips = [], False
    for part in argv:
        if skips:
            skips = False
        elif part in ("--binaries", "--torhaus", "--out", "--results"):
            skips = True
        elif not part.startswith(("--binaries=", "--torhaus=", "--out=", "--results=")):
            kept.append(part)
    return "loadtest/bench.py" + (" " + shlex.join(kept) if kept else "")


def main(argv):
    options = arguments(argv)
    # A bench that is told to end still ends what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("bench: ended; what it started has been ended"))
    if options.mode == "report":
        result = Result.load(options.file)
        result.thresholds += [Threshold(text).text for text in options.threshold if text not in result.thresholds]
        folder = options.out or os.path.dirname(os.path.abspath(options.file))
    else:
        result = measure(options, shown(argv))
        folder = options.out or os.path.join(HERE, "results", options.mode)
    paths = pages.write(result, folder)
    if options.mode == "compare" and not options.scenario:
        with open(options.results, "w", encoding="utf-8") as file:
            file.write(pages.markdown(result))
        paths.append(options.results)
    print("written: " + ", ".join(os.path.relpath(path) for path in paths))
    for text, holds, detail in result.verdicts():
        print(f"{'kept  ' if holds else 'BROKEN'}  {text}  ({detail})")
    return 0 if result.holds else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; what it started has been ended")
