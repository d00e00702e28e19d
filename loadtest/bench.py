#!/usr/bin/env python3
"""Measures the gateway beside nginx: the figures of the design's section 7, in RESULTS.md.

Builds nothing: `swift build -c release` first. Starts the mock provider, nginx and the gateway's demo on free ports of
127.0.0.1, and ends exactly those. `--quick` takes under three minutes.
"""

import argparse
import os
import shlex
import signal
import sys
import tempfile
import time

from benchmark import conditions, results
from benchmark.measure import Load
from benchmark.processes import BenchError, Processes
from benchmark.scenarios import Bench
from benchmark.targets import start_mock, start_nginx, start_torhaus

HERE = os.path.dirname(os.path.abspath(__file__))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds, under three minutes")
    parser.add_argument("--rounds", type=int, help="rounds per row (5; quick: 3)")
    parser.add_argument("--seconds", type=float, help="measured seconds per run (6; quick: 2)")
    parser.add_argument("--rate", type=int, default=1000, help="requests/s of the latency row")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="nginx workers; as many as the gateway has loops")
    parser.add_argument("--mock-loops", type=int, default=1, help="event loops of the mock provider")
    parser.add_argument("--binaries", default=os.path.join(HERE, "..", ".build", "release"), help="folder of the programs")
    parser.add_argument("--torhaus", help="the gateway, if it lies elsewhere")
    parser.add_argument("--torhaus-argument", action="append", default=[], help="passed on to `torhaus demo`; repeatable")
    parser.add_argument("--results", default=os.path.join(HERE, "RESULTS.md"), help="page to write")
    return parser.parse_args()


def programs(options):
    """The paths of mock, load and gateway; the first two must be there."""
    folder = os.path.abspath(options.binaries)
    mock, load = (os.path.join(folder, name) for name in ("torhaus-mock", "torhaus-load"))
    for path in (mock, load):
        if not os.access(path, os.X_OK):
            raise BenchError(f"{path} is not there; build first: swift build -c release")
    torhaus = os.path.abspath(options.torhaus) if options.torhaus else os.path.join(folder, "torhaus")
    return mock, load, torhaus if os.access(torhaus, os.X_OK) else None


def measure(bench, options, torhaus_target):
    """All rows, the most telling first."""
    rows = {"rate": options.rate}
    rows["ready_seconds"] = torhaus_target.ready_seconds if torhaus_target else None
    rows["cpu"] = bench.cpu()
    rows["latency"] = bench.latency(options.rate)
    # Streams and large bodies vary little from round to round and take long: one round in a quick bench.
    bench.rounds = 1 if options.quick else max(1, bench.rounds - 2)
    rows["streams-fast"] = bench.streams(500, 20)
    rows["streams-many"] = bench.streams(2000, 80)
    rows["bodies"] = [bench.body(size) for size in (1024, 10_240, 102_400, 1_048_576)]
    return rows


def main():
    options = arguments()
    # A bench that is told to end still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended; what it started has been ended"))
    rounds = options.rounds or (3 if options.quick else 5)
    seconds = options.seconds or (2 if options.quick else 6)
    begin = time.monotonic()

    def say(text):
        print(f"[{time.monotonic() - begin:6.1f} s] {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="torhaus-bench-") as folder, Processes(folder) as processes:
        mock_path, load_path, torhaus_path = programs(options)
        facts = conditions.facts(torhaus_path)
        direct, mock_port = start_mock(processes, mock_path, options.mock_loops)
        nginx, no_nginx = start_nginx(processes, mock_port, options.workers)
        torhaus, no_torhaus = start_torhaus(processes, torhaus_path, mock_port, options.torhaus_argument)
        missing = {name: why for name, why in (("nginx", no_nginx), ("torhaus", no_torhaus)) if why}
        for name, why in missing.items():
            say(f"{name}: {why}")
        targets = [target for target in (direct, nginx, torhaus) if target]
        bench = Bench(Load(load_path, folder), targets, missing, rounds, seconds, say)
        rows = measure(bench, options, torhaus)
    command = "loadtest/bench.py" + "".join(
        f" --{name} {shlex.quote(str(value))}" if value is not True else f" --{name}"
        for name, value in (("quick", options.quick), ("rounds", options.rounds), ("seconds", options.seconds))
        if value
    )
    results.write(options.results, rows, facts, command, rounds, seconds)
    say(f"written: {os.path.relpath(options.results)}")


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; what it started has been ended")
