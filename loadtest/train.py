#!/usr/bin/env python3
"""The loads that the compiler's profile is made from: what gateways do most, each for some seconds.

Chats of few and of many connections, with all policies and without redaction, at a low rate, as streams, and with longer
prompts. The gateway writes its counts when it ends: see scripts/profile.sh.
"""

import argparse
import os
import sys
import tempfile

from benchmark.measure import Load, failure
from benchmark.processes import BenchError, Processes
from benchmark.targets import Stage

HERE = os.path.dirname(os.path.abspath(__file__))


def loads(torhaus):
    """What is run, in turn: the target, and how it is loaded."""
    through = torhaus.with_keys("pass-through", torhaus.pass_through_keys)
    for connections in (32, 128):
        yield torhaus, {"connections": connections, "duration": 6}
        yield through, {"connections": connections, "duration": 6}
    yield torhaus, {"connections": 64, "rate": 500, "duration": 5}
    yield torhaus, {
        "stream": True, "settings": "chunks=100;delay=20;size=1600", "connections": 200, "count": 200, "duration": 20,
    }  # fmt: skip
    yield torhaus, {"connections": 16, "prompt_bytes": 20_000, "duration": 4}


def main():
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torhaus", required=True, help="the gateway, built with counters")
    parser.add_argument("--binaries", default=os.path.join(HERE, "..", ".build", "release"), help="mock provider and load")
    options = parser.parse_args()
    options.torhaus, options.binaries = os.path.abspath(options.torhaus), os.path.abspath(options.binaries)
    with tempfile.TemporaryDirectory() as folder, Processes(folder) as processes:
        try:
            stage = Stage(processes, os.path.join(options.binaries, "torhaus-mock"), options.torhaus)
            torhaus, why = stage.start("torhaus")
            if torhaus is None:
                raise BenchError(why)
            load = Load(os.path.join(options.binaries, "torhaus-load"), folder)
            for target, how in loads(torhaus):
                report = load.single(target, warm_up=0, **how)
                if failure(report):
                    raise BenchError(failure(report))
                print(f"{target.name}, {how}: {report['requests_per_s']:.0f} requests/s", flush=True)
        except BenchError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
