"""Fakes at the edges of the modes: targets without a process, load without network, rounds without a clock."""

import io
from types import SimpleNamespace
from unittest import mock

from benchmark.measure import Load, plan_of
from benchmark.processes import BenchError
from benchmark.progress import Progress
from benchmark.rows import Rounds
from benchmark.targets import Stage, Target


def report(cpu=20.0, p99=1.0, errors=None, **changes):
    """What torhaus-load says of ten requests that went well."""
    return {
        "succeeded": 10, "errors": errors or {}, "offered": 10, "aborted": 0, "measured_s": 1.0, "measured_events": 100,
        "measured_requests": 10, "requests_per_s": 10, "streams_complete": 2000,
        "latency": {"count": 10, "p50_ms": p99 / 2, "p90_ms": p99, "p99_ms": p99, "p999_ms": p99},
        "first_byte": {"count": 10, "p99_ms": p99},
        "timeline": [{"threads": 1, "descriptors": 3, "t_s": 1, "rss_kib": 10_240, "requests": 10, "p99_ms": p99}],
        "processes": [{"cpu_us_per_request": cpu, "cpu_us_per_event": cpu / 10, "rss_peak_kib": 10_240, "rss_first_kib": 1_024}],
        **changes,
    }  # fmt: skip


class FakeProcess:
    """A process of which nothing but its end matters."""

    pid = 0

    def __init__(self):
        self.code = None

    def poll(self):
        return self.code


def target(name, keys=("key-1", "key-2"), state=None):
    made = Target(name, f"http://127.0.0.1:1/{name}", FakeProcess(), keys=keys)
    made.ready_seconds = 0.1
    made.state = state
    return made


class FakeStage(Stage):
    """Starts targets that are names only; `missing` are those that cannot be started, and why."""

    def __init__(self, folder="", missing=()):
        self.processes = SimpleNamespace(folder=folder)
        self.torhaus_binary, self.torhaus_arguments, self.mock_port, self.mock = "torhaus", [], 1, None
        self.missing = dict(missing)
        self.started = []
        self.running = []

    def start(self, name):
        if name in self.missing:
            return None, self.missing[name]
        made = target(name, state="state")
        self.started.append(name)
        self.running.append(made)
        return made, ""

    def restart(self, *_, **__):
        """In the place of `start_torhaus`, for modes that start the gateway by themselves."""
        made, why = self.start("torhaus")
        if made is None:
            raise BenchError(why)
        return made

    def fresh(self, target, run):
        with mock.patch("benchmark.targets.first_request", return_value=200):
            return super().fresh(target, run)

    def stop(self, target):
        self.running.remove(target)


class FakeLoad(Load):
    """Makes plans as the real one does, and has `answer(call)` say what came of them."""

    def __init__(self, answer):
        super().__init__("torhaus-load", "")
        self.answer = answer
        self.calls = []

    def run(self, target, classes, tenants, **options):
        plan = {**plan_of(target, classes, tenants), **options}
        self.calls.append(SimpleNamespace(target=target, name=target.name, first=plan["classes"][0], plan=plan))
        return self.answer(self.calls[-1])


def rounds(targets, count=1, missing=None):
    """Rounds that say nothing."""
    return Rounds(list(targets), missing or {}, count, Progress(9, io.StringIO(), io.StringIO(), clock=lambda: 0))


def judged(result):
    """{text: whether it holds} of all that a result judges."""
    return {text: holds for text, holds, _ in result.verdicts()}


def table(result, title):
    """The lines of a table by their first cells; several lines of one name are an error of the test."""
    rows = next(one["rows"] for one in result.tables if one["title"] == title)
    lines = {row[0]: row for row in rows}
    assert len(lines) == len(rows), f"{title}: lines of one name"
    return lines
