"""An installation made by `torhaus init` and run by `torhaus serve`: for what the demo has no options for."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from conftest import BIN, fetch


class Served:
    """`listen` takes the place of that section of torhaus.yaml; `policy` is the body of the one tenant's policy."""

    def __init__(self, folder, mock, listen, policy="", loops=2, extra=""):
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "etc" / "torhaus.yaml"
        self.process = None
        subprocess.run(
            [BIN / "torhaus", "init", "--data", self.folder / "data", "--config", self.config, "--email", "op@example.ch"],
            check=True, capture_output=True,
        )
        text = self.config.read_text()
        text = re.sub(r"listen:\n(  .*\n)+", "listen:\n" + "".join(f"  {line}\n" for line in listen), text)
        self.config.write_text(text + f"loops: {loops}\n{extra}")
        providers = self.folder / "etc" / "policies" / "providers.yaml"
        providers.write_text(providers.read_text().replace("127.0.0.1:9000", f"127.0.0.1:{mock.port}"))
        (self.folder / "etc" / "policies" / "edge.yaml").write_text(f"kind: Policy\nid: edge@1\nextends: demo@1\n{policy}\n")
        self.output = self.folder / "output"

    @property
    def command(self):
        return [str(BIN / "torhaus"), "serve", "--config", str(self.config)]

    def start(self, command=None, wait=True, **options):
        before = self.output.stat().st_size if self.output.exists() else 0
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command or self.command, stdout=output, stderr=output, **options)
        if not wait:
            return self
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.search(r"serving on (\S+), Admin API on (\S+)", self.log()[before:])
            if found:
                self.endpoint, self.admin = found.groups()
                return self
            if self.process.poll() is not None:
                raise RuntimeError(f"torhaus ended with {self.process.returncode}: {self.log()}")
            time.sleep(0.02)
        raise RuntimeError(f"torhaus was not ready: {self.log()}")

    def log(self):
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        return self.process.returncode

    def ctl(self, *arguments, check=True):
        result = subprocess.run(
            [BIN / "torhausctl", *arguments], capture_output=True, text=True, timeout=60,
            env=dict(os.environ, TORHAUS_SERVER=self.admin, TORHAUS_TOKEN_FILE=str(self.folder / "etc" / "operator.token")),
        )
        if check and result.returncode != 0:
            raise AssertionError(f"torhausctl {arguments}: {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    def make_tenant(self):
        """Returns the tenant's only key."""
        self.ctl("tenant", "create", "edge", "--policy", "edge@1")
        self.ctl("project", "create", "buero", "--tenant", "edge")
        created = self.ctl("key", "create", "--tenant", "edge", "--project", "buero", "--name", "k")
        return created.stdout.strip()

    def limit(self, name):
        """One of the data plane's limits, as `torhaus config` tells it."""
        shown = subprocess.run(
            [BIN / "torhaus", "config", "--config", self.config, "-o", "json"], check=True, capture_output=True)
        return json.loads(shown.stdout)["limits"][name]["value"]

    def metric(self, name):
        token = (self.folder / "etc" / "operator.token").read_text().strip()
        lines = fetch(self.admin + "/metrics", headers={"authorization": f"Bearer {token}"}).splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def chat(text="Grüezi"):
    return json.dumps({"model": "demo", "messages": [{"role": "user", "content": text}]}).encode()
