"""Scenarios: who sends what, how often and for how long. The README of loadtest/ lists the members of the file."""

import os

from .checked import read_yaml
from .processes import BenchError
from .thresholds import Threshold

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scenarios")


class Scenario:
    """A checked scenario. `classes`, `tenants` and `phases` are as torhaus-load's plan wants them, but for keys and paths,
    which are the target's."""

    def __init__(self, name, about, classes, tenants, arrivals, phases, load, thresholds=()):
        self.name = name
        self.about = about
        self.classes = classes
        self.tenants = tenants
        self.arrivals = arrivals
        self.phases = phases
        self.load = load
        self.thresholds = list(thresholds)

    @property
    def has_streams(self):
        return any(one.get("stream") for one in self.classes)

    def with_seconds(self, seconds):
        """The same for another time: phases are stretched, so that a ramp stays a ramp."""
        load = dict(self.load)
        whole = load["warm_up"] + load["duration"]
        load["duration"] = seconds
        phases = self.phases
        if phases:
            factor = (load["warm_up"] + seconds) / whole
            phases = [{**phase, "seconds": phase["seconds"] * factor} for phase in phases]
        return Scenario(
            self.name, self.about, self.classes, self.tenants, self.arrivals, phases, load, self.thresholds
        )

    def at_rate(self, rate, seconds):
        """The same as an even load of `rate` requests/s: a closed loop becomes a uniform one."""
        load = {**self.load, "duration": seconds}
        arrivals = "uniform" if self.arrivals == "closed" else self.arrivals
        phases = [{"seconds": seconds + load["warm_up"], "rate": rate}]
        return Scenario(self.name, self.about, self.classes, self.tenants, arrivals, phases, load, self.thresholds)


def find(name):
    """The path of a scenario that is named by its file or by its name in `loadtest/scenarios`."""
    for path in (name, os.path.join(FOLDER, name + ".yaml")):
        if os.path.isfile(path):
            return path
    there = sorted(file[:-5] for file in os.listdir(FOLDER) if file.endswith(".yaml"))
    raise BenchError(f"there is no scenario {name}; give a file or one of: {', '.join(there)}")


def read(path):
    """Reads and checks a scenario."""
    file = read_yaml(path)
    name = file.take("name", str, os.path.splitext(os.path.basename(path))[0])
    about = file.take("about", str, "")
    classes = [request_class(part) for part in file.parts("requests")]
    if not 1 <= len(classes) <= 64:
        raise BenchError(f"{path}: 'requests' has 1 to 64 entries")
    groups = [tenant(part) for part in file.parts("tenants")]
    tenants = [one for group in groups for one in group]
    assign(classes, {group[0]["group"]: [one["name"] for one in group] for group in groups}, path)
    for one in tenants:
        del one["group"]
    arrivals = file.choice("arrivals", ("closed", "uniform", "poisson"), "closed")
    warm_up = file.number("warm_up", 1, low=0, high=600)
    phases = [phase(part) for part in file.parts("phases")]
    if (arrivals == "closed") == bool(phases):
        raise BenchError(f"{path}: 'phases' go with arrivals uniform or poisson, and only with them")
    total = sum(one["seconds"] for one in phases)
    default = max(0.5, total - warm_up) if phases else 5
    load = {
        "duration": file.number("duration", default, low=0.1, high=86_400),
        "warm_up": warm_up,
        "connections": file.take("connections", int, 64, low=1, high=20_000),
        "timeout": file.number("timeout", 60, low=0.1, high=3_600),
        "drain": file.number("drain", 10, low=0, high=3_600),
        "seed": file.take("seed", int, 1, low=0, high=2**63),
    }
    count = file.take("count", int, None, low=1, high=1_000_000_000)
    if count:
        load["count"] = count
    thresholds = [Threshold(text) for text in file.texts("thresholds")]
    file.done()
    return Scenario(name, about, classes, tenants or [{"name": "all"}], arrivals, phases, load, thresholds)


def request_class(part):
    """One kind of request; the mock's script and its settings go into the prompt, where every gateway leaves them."""
    made = {
        "name": part.take("name", str, needed=True),
        "tenants": part.texts("tenants"),
        "weight": part.number("weight", 1, low=0, high=1_000_000),
        "prompt_bytes": part.size("prompt", 2_048),
        "tools": part.take("tools", int, 0, low=0, high=128),
    }
    density = part.number("findings_per_kib", None, low=0, high=20)
    if density is not None:
        made["findings_per_kib"] = density
    settings = []
    script = part.take("script", str, "mock-tool" if made["tools"] else "")
    if script:
        settings.append(f"script={script}")
    answer = part.size("answer", -1) if "answer" in part.values else None
    stream = part.take("stream", (bool, dict), False)
    if isinstance(stream, dict):
        inner = type(part)(stream, f"{part.place}.stream")
        chunks = inner.take("chunks", int, 64, low=1, high=100_000)
        delay = inner.number("delay_ms", 0, low=0, high=60_000)
        inner.done()
        settings += [f"chunks={chunks}", f"delay={int(delay)}"]
        answer = answer or chunks * 16
    if answer is not None:
        settings.append(f"size={answer}")
    made["stream"] = stream is not False
    abort = part.take("abort", dict, None)
    if abort is not None:
        inner = type(part)(abort, f"{part.place}.abort")
        made["abort"] = {"share": inner.number("share", needed=True, low=0, high=1)}
        for name in ("after_events", "after_ms"):
            value = inner.take(name, int, None, low=1, high=3_600_000)
            if value is not None:
                made["abort"][name] = value
        inner.done()
        if len(made["abort"]) == 1 or ("after_events" in made["abort"] and not made["stream"]):
            raise BenchError(f"{part.place}.abort: say after_ms, or after_events of a stream")
    part.done()
    if any(not (0x20 < ord(letter) < 0x7F) or letter in '"\\]' for letter in "".join(settings)):
        raise BenchError(f"{part.place}.script: only letters of ASCII without quotes and brackets")
    made["settings"] = ";".join(settings)
    return made


def tenant(part):
    """One tenant, or `count` of them that are alike."""
    name = part.take("name", str, needed=True)
    weight = part.number("weight", 1, low=0.000001, high=1_000_000)
    count = part.take("count", int, 1, low=1, high=100_000)
    part.done()
    if count == 1:
        return [{"name": name, "weight": weight, "group": name}]
    return [{"name": f"{name}-{index + 1}", "weight": weight, "group": name} for index in range(count)]


def assign(classes, groups, path):
    """Puts the tenants' own names where a class names their entry, and refuses entries that nobody has."""
    for one in classes:
        unknown = [name for name in one["tenants"] if name not in groups]
        if unknown:
            raise BenchError(f"{path}: requests '{one['name']}': there is no entry '{unknown[0]}' among 'tenants'")
        one["tenants"] = [name for group in one["tenants"] for name in groups[group]]
    for group, names in groups.items():
        if not any(one["weight"] > 0 and (not one["tenants"] or names[0] in one["tenants"]) for one in classes):
            raise BenchError(f"{path}: tenants '{group}' send nothing: no request with a weight is theirs")


def phase(part):
    made = {
        "seconds": part.number("seconds", needed=True, low=0.01, high=86_400),
        "rate": part.number("rate", needed=True, low=0, high=1_000_000),
    }
    made["to"] = part.number("to", made["rate"], low=0, high=1_000_000)
    part.done()
    return made
