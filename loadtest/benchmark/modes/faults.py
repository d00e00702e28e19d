"""faults: the mock's scripted faults, one by one; every request must end, and none of them as a lie."""

from ..measure import open_requests
from ..report.numbers import number

# name, settings of the mock, the forms in which it is asked, and whether a success would be a lie. A lie is an answer
# that its client takes for whole though the provider's was not. The load harness reads no JSON, so a broken one that comes
# with status 200 and ends well in HTTP is a success to it, and to all that look at the status alone. What is no lie is
# whole: late, slow, large, or with usage that is wrong, which is between the gateway and the provider.
FAULTS = (
    ("late head", "script=mock-late-head;delay=300", "plain stream", False),
    ("late body", "script=mock-late-body;delay=300", "plain stream", False),
    ("slow head, byte by byte", "script=mock-slow-head;delay=1", "plain stream", False),
    ("status 400", "script=mock-error-400", "plain stream", True),
    ("status 401", "script=mock-error-401", "plain stream", True),
    ("status 429", "script=mock-error-429;retry-after=1", "plain stream", True),
    ("status 500", "script=mock-error-500", "plain stream", True),
    ("status 503", "script=mock-error-503;retry-after=1", "plain stream", True),
    ("cut in the middle", "script=mock-cut", "plain stream", True),
    ("reset before the first byte", "script=mock-reset", "plain stream", True),
    ("reset at byte 40, in the head", "script=mock-reset-at;at=40", "plain stream", True),
    ("reset at byte 900", "script=mock-reset-at;at=900", "plain stream", True),
    ("no HTTP", "script=mock-garbage", "plain stream", True),
    ("broken JSON", "script=mock-garbage-body", "plain stream", True),
    ("garbage in the middle", "script=mock-garbage-middle", "plain stream", True),
    ("endless stream", "script=mock-endless;seconds=2;delay=10", "stream", True),
    ("one huge line", "script=mock-huge-line;size=900000", "stream", False),
    ("usage of zero", "script=mock-usage-zero", "plain stream", False),
    ("usage beyond 64 bits", "script=mock-usage-huge", "plain stream", False),
    ("negative usage", "script=mock-usage-negative", "plain stream", False),
    ("usage that is text", "script=mock-usage-text", "plain stream", False),
    ("no usage", "script=mock-no-usage", "plain stream", False),
    ("hang", "script=mock-hang", "plain stream", True),
    ("hang after two deltas", "script=mock-hang;after=2", "stream", True),
)


# Of these a target that waits as long as its own deadlines say is right, and those are longer than anybody's patience here.
MAY_STAY_OPEN = ("hang", "hang after two deltas")


def cases():
    return [
        (name, settings, form == "stream", is_lie)
        for name, settings, forms, is_lie in FAULTS
        for form in forms.split()
    ]


def outcome(report, asked):
    """How the requests of a run ended: (text, ended, succeeded)."""
    if "failure" in report:
        return report["failure"], 0, 0
    errors = dict(report["errors"])
    left_open = open_requests(errors)
    ended = report["succeeded"] + sum(errors.values()) - left_open
    parts = [f"{count} well" for count in [report["succeeded"]] if count]
    parts += [f"{count} {kind}" for kind, count in sorted(errors.items()) if kind not in ("timeout", "unfinished")]
    parts += [f"{count} NOT ENDED" for count in [max(left_open, asked - ended)] if count]
    return ", ".join(parts), ended, report["succeeded"]


def run(stage, load, rounds, result, names, requests=4, patience=8.0):
    """Each fault meets a fresh instance of each target, so that one fault's breaker does not hide the next.

    `patience` is how long the client waits, in seconds: a request that the target leaves open until then has not ended.
    """
    result.note(
        f"{requests} requests per fault and form, each to a fresh instance. A request ends by its answer or by an error; one that "
        f"is still open after {patience:g} s has not ended, which only a provider that hangs excuses. 'Afterwards' are {requests} good requests to the same instance. A lie is "
        "a success where the provider's answer was not whole."
    )
    rows, broken = [], {}
    for fault, settings, stream, is_lie in cases():
        for name in names:
            rounds.progress.step(f"faults: {fault}: {name}")
            target, why = stage.start(name)
            if target is None:
                result.check(f"{name}: can be started", False, why)
                continue
            try:
                report = load.single(
                    target, stream, settings, 256, connections=requests, count=requests, duration=patience + 4,
                    warm_up=0, timeout=patience, drain=2,
                )  # fmt: skip
                text, ended, well = outcome(report, requests)
                after = load.single(
                    target, False, "", 256, connections=2, count=requests, duration=10, warm_up=0, timeout=5, drain=1
                )
                healthy = outcome(after, requests)
            finally:
                stage.stop(target)
            lied = is_lie and well > 0
            tally = broken.setdefault(target.name, {"unended": 0, "lies": 0, "afterwards": 0})
            tally["unended"] += 0 if fault in MAY_STAY_OPEN else max(0, requests - ended)
            tally["lies"] += well if lied else 0
            tally["afterwards"] += max(0, requests - healthy[2])
            form = "stream" if stream else "plain"
            rows.append([fault, form, target.name, text + ("; A LIE" if lied else ""), healthy[0]])
            rounds.progress.say(f"faults: {fault} ({form}): {target.name}: {text}")
    result.table("How requests ended", ["fault", "form", "target", "ended", "afterwards"], rows)
    for name, tally in broken.items():
        for figure, count in tally.items():
            result.value(name, figure, count)
        result.check(f"{name}: every request ended", tally["unended"] == 0, f"{number(tally['unended'], 0)} did not")
        # A plain proxy passes on what it gets; what the mock itself does is no lie of anybody.
        if name not in ("direct", "nginx", "haproxy"):
            result.check(f"{name}: no broken answer passes as whole", tally["lies"] == 0, f"{tally['lies']} did")
