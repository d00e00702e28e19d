"""Reads YAML files of a known shape; every error names the file, the place and what would be right."""

from .processes import BenchError

try:
    import yaml
except ImportError:
    yaml = None


class Checked:
    """A mapping of a file whose members are taken one by one; what nobody took is an error."""

    def __init__(self, values, place):
        if not isinstance(values, dict):
            raise BenchError(f"{place}: a mapping is needed, not {shown(values)}")
        self.values = dict(values)
        self.place = place

    def take(self, name, kind, default=None, needed=False, low=None, high=None):
        """The member, checked to be of `kind` (a type or a tuple of types) and within the bounds."""
        if name not in self.values:
            if needed:
                raise BenchError(f"{self.place}: '{name}' is missing")
            return default
        value = self.values.pop(name)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(one.__name__ for one in kinds)
            raise BenchError(f"{self.place}.{name}: {names} is needed, not {shown(value)}")
        if low is not None and value < low or high is not None and value > high:
            raise BenchError(f"{self.place}.{name}: {shown(value)} is not within {low} to {high}")
        return value

    def number(self, name, default=None, needed=False, low=None, high=None):
        return self.take(name, (int, float), default, needed, low, high)

    def choice(self, name, choices, default=None):
        value = self.take(name, str, default)
        if value not in choices:
            raise BenchError(f"{self.place}.{name}: {shown(value)} is none of {', '.join(choices)}")
        return value

    def parts(self, name, default=()):
        """The members of a list, each of which is a mapping."""
        values = self.take(name, list, list(default))
        return [Checked(value, f"{self.place}.{name}[{index}]") for index, value in enumerate(values)]

    def texts(self, name, default=()):
        values = self.take(name, list, list(default))
        for index, value in enumerate(values):
            if not isinstance(value, (str, int, float)) or isinstance(value, bool):
                raise BenchError(f"{self.place}.{name}[{index}]: text is needed, not {shown(value)}")
        return [str(value) for value in values]

    def size(self, name, default):
        """Bytes: a number, or a text such as `2 KB` or `1.5 MB` (of 1,024)."""
        value = self.take(name, (int, str), default)
        if isinstance(value, str):
            value = bytes_of(value, f"{self.place}.{name}")
        if not 0 <= value <= 64 << 20:
            raise BenchError(f"{self.place}.{name}: {value} bytes are not within 0 to 64 MB")
        return value

    def done(self):
        """Fails if a member is left that nobody knows."""
        if self.values:
            raise BenchError(f"{self.place}: '{sorted(map(str, self.values))[0]}' is not known here")


def bytes_of(text, place):
    number, _, unit = text.strip().partition(" ")
    factor = {"": 1, "B": 1, "KB": 1024, "MB": 1 << 20}.get(unit.strip())
    try:
        if factor is None:
            raise ValueError
        return int(float(number) * factor)
    except (ValueError, OverflowError):
        raise BenchError(f"{place}: '{text}' is no size; say 2048, 2 KB or 1.5 MB") from None


def shown(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_yaml(path):
    """The mapping that a file holds."""
    if yaml is None:
        raise BenchError("PyYAML is missing: apt-get install python3-yaml, or scripts/setup.sh bench")
    try:
        with open(path, encoding="utf-8") as file:
            return Checked(yaml.safe_load(file), path)
    except OSError as error:
        raise BenchError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BenchError(f"{path} is no YAML: {error}") from error
