"""The few statistics that modes and reports share."""

import math
from statistics import median


def theil_sen(points):
    """The median slope through all pairs of points: a line that single outliers do not move. None for fewer than two x."""
    points = thinned(points, 200)
    slopes = [(y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1 :] if x2 != x1]
    return median(slopes) if slopes else None


def thinned(points, limit):
    """At most `limit` of the points, evenly taken, the last one among them."""
    if len(points) <= limit:
        return list(points)
    step = (len(points) - 1) / (limit - 1)
    return [points[round(index * step)] for index in range(limit)]


def exponent(points):
    """The slope in log-log: 1 means that y grows as x does, 2 as its square. None for fewer than two good points."""
    logs = [(math.log(x), math.log(y)) for x, y in points if x > 0 and y > 0]
    if len({x for x, _ in logs}) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def middle(values):
    """The median of those that are there, or None."""
    there = [value for value in values if value is not None]
    return median(there) if there else None
