"""Thresholds for continuous integration: on counts and ratios, never on times, which are the machine's."""

import operator
import re

from .processes import BenchError

OPERATORS = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}
# Names that end so have a unit of time or of memory: they may be compared only as a ratio of two targets.
UNITS = ("_ms", "_us", "_s", "_kib", "_mib", "_per_s")
FORM = re.compile(r"^\s*([a-z0-9_.-]+(?:/[a-z0-9_-]+)?\.[a-z0-9_]+)\s*(<=|>=|==|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*$")


class Threshold:
    """`TARGET.FIGURE OP NUMBER`, or `TARGET/OTHER.FIGURE OP NUMBER` for the ratio of two targets."""

    def __init__(self, text):
        found = FORM.match(text)
        if not found:
            raise BenchError(
                f"threshold '{text}': say TARGET.FIGURE <= NUMBER or TARGET/OTHER.FIGURE <= NUMBER,"
                " such as 'torhaus.errors <= 0' or 'torhaus/nginx.cpu_us <= 4.5'"
            )
        self.text = " ".join(text.split())
        self.name, self.sign, number = found.groups()
        self.number = float(number)
        if "/" not in self.name and self.name.endswith(UNITS):
            raise BenchError(
                f"threshold '{text}': a time, a rate or a size is the machine's; compare it with another target,"
                f" such as '{self.name.replace('.', '/nginx.', 1)} {self.sign} 2'"
            )

    @property
    def targets(self):
        """The names of those that it speaks of."""
        return set(self.name.rpartition(".")[0].split("/"))

    def check(self, values):
        """Whether it holds, and the figure; a figure that was not measured breaks it."""
        value = value_of(values, self.name)
        return value is not None and OPERATORS[self.sign](value, self.number), value


def value_of(values, name):
    """A figure out of {target: {figure: value}}; for `a/b.figure` the ratio, None where it is not there."""
    who, _, figure = name.rpartition(".")
    if "/" not in who:
        return values.get(who, {}).get(figure)
    ratio = values.get(who, {}).get(figure)
    if ratio is not None:
        return ratio
    first, _, second = who.partition("/")
    top, bottom = values.get(first, {}).get(figure), values.get(second, {}).get(figure)
    return top / bottom if top is not None and bottom else None


def check_all(thresholds, values):
    """A list of (text, holds, figure)."""
    return [(one.text, *one.check(values)) for one in thresholds]
