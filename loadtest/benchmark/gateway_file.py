"""A gateway of others, described by a small YAML file, so that it can be measured in the same run."""

import os
import re

from .checked import read_yaml
from .processes import BenchError

NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,30}$")
OWN_NAMES = ("direct", "nginx", "haproxy", "torhaus", "torhaus-through", "mock")


class GatewayFile:
    """How to start it, where it listens, and with which key. `{port}`, `{mock}`, `{mock_port}` and `{folder}` are filled in."""

    def __init__(self, path):
        file = read_yaml(path)
        self.name = file.take("name", str, needed=True)
        if not NAME.match(self.name) or self.name in OWN_NAMES:
            raise BenchError(f"{path}.name: lower-case letters, digits and -, and none of {', '.join(OWN_NAMES)}")
        self.command = file.texts("command")
        if not self.command:
            raise BenchError(f"{path}.command: a list is needed: the program and its arguments")
        self.url = file.take("url", str, "http://127.0.0.1:{port}/v1")
        if not self.url.startswith("http://127.0.0.1:"):
            raise BenchError(f"{path}.url: it must start with http://127.0.0.1: and is usually http://127.0.0.1:{{port}}/v1")
        self.ready = file.take("ready", str, "")
        if self.ready and not self.ready.startswith("/"):
            raise BenchError(f"{path}.ready: a path that answers 200 when it is ready, such as /health")
        self.ready_seconds = file.number("ready_seconds", 60, low=1, high=600)
        self.model = file.take("model", str, "mock-fast")
        self.keys = file.texts("keys")
        variable = file.take("key_env", str, "")
        if variable:
            if variable not in os.environ:
                raise BenchError(f"{path}.key_env: the environment has no {variable}")
            self.keys.append(os.environ[variable])
        self.environment = texts(file.take("environment", dict, {}), f"{path}.environment")
        self.files = texts(file.take("files", dict, {}), f"{path}.files")
        for name in self.files:
            if name != os.path.basename(name) or name in (".", ".."):
                raise BenchError(f"{path}.files: '{name}' is no plain file name")
        file.done()

    @staticmethod
    def fill(text, values):
        """Fills in what stands in braces; other braces stay, because configurations are full of them."""
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text


def texts(values, place):
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, (str, int, float)):
            raise BenchError(f"{place}: names with texts are needed")
    return {name: str(value) for name, value in values.items()}
