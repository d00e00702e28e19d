"""What the load is sent to: the mock provider itself, and proxies and gateways before it."""

import json
import os
import shutil
import time

from .gateway_file import GatewayFile
from .processes import BenchError, accepts, free_port, get
from .provision import Provision

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PASS_THROUGH_POLICY = "pass-through"
TENANT_LIMIT = 1_000
# Of these there can be as many instances as are wanted.
OWN = ("nginx", "haproxy", "torhaus")


class Target:
    """A place to send load to, and the process whose cost is measured: for `direct` that is the mock itself."""

    def __init__(self, name, base, process, stream_path=None, keys=(), alias="mock-fast", script=""):
        self.name = name
        self.is_proxy = name != "direct"
        self.base = base
        self.process = process
        self.stream_path = stream_path
        # Whoever does not look at keys gets a few all the same, so that requests are the same everywhere.
        self.keys = list(keys) or ["no-key-is-looked-at-1", "no-key-is-looked-at-2"]
        self.alias = alias
        # Said in every prompt where the alias does not stand for the script that is wanted.
        self.script = script
        self.ready_seconds = None
        self.pass_through_keys = []
        self.state = None

    @property
    def pid(self):
        return self.process.pid

    def with_keys(self, name, keys):
        """The same place under another name, for callers with other keys."""
        other = Target(name, self.base, self.process, self.stream_path, keys, self.alias, self.script)
        other.ready_seconds = self.ready_seconds
        return other


class Stage:
    """Starts targets by name before one mock provider; a name that is a file describes a gateway."""

    def __init__(
        self, processes, mock_binary, torhaus_binary, mock_loops=1, workers=2, torhaus_arguments=(), tenants=1
    ):
        self.processes = processes
        self.torhaus_binary = torhaus_binary
        self.workers = workers
        self.torhaus_arguments = list(torhaus_arguments)
        # Scenarios of several tenants need as many at the gateway, else they would share one's limits.
        self.tenants = min(tenants, TENANT_LIMIT)
        self.started = 0
        self.mock, self.mock_port = start_mock(processes, mock_binary, mock_loops)

    def start(self, name):
        """A started target, or None and why there is none. Each call starts an instance of its own, but for `direct`."""
        self.started += 1
        folder = os.path.join(self.processes.folder, f"{os.path.basename(name)}-{self.started}")
        os.makedirs(folder, exist_ok=True)
        try:
            if name == "direct":
                return self.mock, ""
            if name == "nginx":
                return start_nginx(self.processes, folder, self.mock_port, self.workers), ""
            if name == "haproxy":
                return start_haproxy(self.processes, folder, self.mock_port, self.workers), ""
            if name == "torhaus":
                target = start_torhaus(
                    self.processes, folder, self.torhaus_binary, self.mock_port, self.torhaus_arguments
                )
                target.pass_through_keys = pass_through(target)
                if len(target.keys) < self.tenants:
                    lacking = self.tenants - len(target.keys)
                    target.keys += Provision(target.state).tenants(0, lacking, seconds=60)
                return target, ""
            if name.endswith((".yaml", ".yml")):
                return start_gateway(self.processes, folder, GatewayFile(name), self.mock_port), ""
        except (OSError, BenchError) as error:
            return None, " ".join(str(error).split())[:300]
        raise BenchError(f"there is no target {name}; take direct, nginx, haproxy, torhaus or a gateway's YAML file")

    def fresh(self, target, run):
        """`run(instance)` on an instance of its own: memory that earlier rows left behind would hide what this one takes."""
        if target.name not in OWN:
            return run(target)
        one, why = self.start(target.name)
        if one is None:
            return {"failure": why}
        try:
            # The first request of a connection to the mock, of a tenant, of a log: no row should be charged for it.
            status = first_request(one)
            return run(one) if status == 200 else {"failure": f"a first request was answered with {status}"}
        finally:
            self.stop(one)

    def stop(self, target):
        """Ends a target that was started for one purpose only; the mock stays."""
        if target is not self.mock:
            self.processes.stop(target.process)

    def start_all(self, names):
        """Targets in order, and {name: why} of those that are not there."""
        targets, missing = [], {}
        for name in names:
            target, why = self.start(name)
            if target:
                targets.append(target)
            else:
                missing[os.path.splitext(os.path.basename(name))[0]] = why
        return targets, missing


def first_request(target):
    """The status of one chat request."""
    body = json.dumps({"model": target.alias, "messages": [{"role": "user", "content": "Begin."}]}).encode()
    headers = {"Authorization": f"Bearer {target.keys[0]}", "Content-Type": "application/json"}
    return get(target.base + "/chat/completions", headers, 10, body)[0]


def pass_through(target):
    """The key of a tenant that is only passed on; none where the gateway's state or version does not allow for one."""
    try:
        return Provision(target.state).tenants(0, 1, seconds=30, prefix="through", policy=PASS_THROUGH_POLICY)
    except BenchError:
        return []


def start_mock(processes, binary, loops):
    """Starts the mock provider and returns its target and its port."""
    port_file = os.path.join(processes.folder, "mock.port")
    process = processes.start("mock", [binary, "--port", "0", "--port-file", port_file, "--loops", str(loops), "--keep", "0"])
    processes.wait_for(process, "port file", lambda: os.path.exists(port_file))
    with open(port_file) as file:
        port = int(file.read())
    return Target("direct", f"http://127.0.0.1:{port}/v1", process), port


def program(name, package):
    """The path of an installed program."""
    path = shutil.which(name) or (f"/usr/sbin/{name}" if os.path.exists(f"/usr/sbin/{name}") else None)
    if path is None:
        raise BenchError(f"{name} is not installed (apt-get install {package}, or scripts/setup.sh bench)")
    return path


def fill(template, path, values):
    """Writes a configuration from a template of this folder."""
    with open(os.path.join(FOLDER, template)) as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    with open(path, "w") as file:
        file.write(text)


def start_nginx(processes, folder, mock_port, workers):
    """nginx with a configuration of its own."""
    binary = program("nginx", "nginx")
    if os.geteuid() == 0:
        # Workers of a root master run as `nobody` and must be able to write their spool files.
        os.chmod(processes.folder, 0o755)
        os.chmod(folder, 0o777)
    port = free_port()
    path = os.path.join(folder, "nginx.conf")
    fill("nginx.conf.template", path, {"WORKERS": workers, "FOLDER": folder, "MOCK": mock_port, "PORT": port})
    process = processes.start("nginx", [binary, "-p", folder, "-c", path, "-e", os.path.join(folder, "error.log")])
    processes.wait_for(process, "open port", lambda: accepts(port))
    base = f"http://127.0.0.1:{port}/v1"
    return Target("nginx", base, process, "/stream/v1/chat/completions")


def start_haproxy(processes, folder, mock_port, workers):
    """HAProxy with as many threads as nginx has workers."""
    binary = program("haproxy", "haproxy")
    port = free_port()
    path = os.path.join(folder, "haproxy.cfg")
    fill("haproxy.cfg.template", path, {"WORKERS": workers, "MOCK": mock_port, "PORT": port})
    process = processes.start("haproxy", [binary, "-db", "-f", path])
    processes.wait_for(process, "open port", lambda: accepts(port))
    return Target("haproxy", f"http://127.0.0.1:{port}/v1", process)


def start_torhaus(processes, folder, binary, mock_port, extra, state=None, environment=None):
    """The gateway's demo before the mock; `state` is the folder of an earlier one that is to be used again."""
    if binary is None or not os.access(binary, os.X_OK):
        raise BenchError("the gateway is not built (swift build -c release, or give --torhaus PATH)")
    state = state or os.path.join(folder, "state")
    port = free_port()
    arguments = [binary, "demo", "--state", state, "--port", str(port), "--admin-port", "0"]
    arguments += ["--upstream", f"http://127.0.0.1:{mock_port}/v1"] + list(extra)
    if "--policies" not in extra:
        arguments += ["--policies", policies(folder)]
    begin = time.monotonic()
    # As under systemd: docs/operating.md.
    environment = {**({"RUNTIME_DIRECTORY": processes.memory()} if processes.memory() else {}), **(environment or {})}
    process = processes.start("torhaus", arguments, environment)
    try:
        processes.wait_for(
            process, "200 of /readyz", lambda: get(f"http://127.0.0.1:{port}/readyz")[0] == 200, seconds=60
        )
        ready = time.monotonic() - begin
        with open(os.path.join(state, "demo.json")) as file:
            keys = [str(one["key"]) for one in json.load(file)["tenants"]]
    except (BenchError, OSError, KeyError, TypeError, ValueError) as error:
        processes.stop(process)
        raise BenchError(f"the gateway's demo did not start: {error}") from error
    # In the demo a name that no alias knows goes to the upstream as it is.
    target = Target("torhaus", f"http://127.0.0.1:{port}/v1", process, None, keys)
    target.ready_seconds = ready
    target.state = state
    return target


def policies(folder):
    """A folder of the shipped policies and of those that only the bench has."""
    place = os.path.join(folder, "policies")
    if not os.path.isdir(place):
        shutil.copytree(os.path.join(os.path.dirname(FOLDER), "policies"), place)
        shutil.copytree(os.path.join(FOLDER, "policies"), place, dirs_exist_ok=True)
    return place


def start_gateway(processes, folder, gateway, mock_port):
    """Any OpenAI-compatible gateway, as its file describes it."""
    port = free_port()
    values = {"port": port, "mock": f"http://127.0.0.1:{mock_port}/v1", "mock_port": mock_port, "folder": folder}
    for name, text in gateway.files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(gateway.fill(text, values))
    begin = time.monotonic()
    environment = {name: gateway.fill(text, values) for name, text in gateway.environment.items()}
    command = [gateway.fill(part, values) for part in gateway.command]
    process = processes.start(gateway.name, command, environment, folder)
    base = gateway.fill(gateway.url, values)
    ready = f"http://127.0.0.1:{port}{gateway.ready}"
    try:
        if gateway.ready:
            processes.wait_for(process, f"200 of {gateway.ready}", lambda: get(ready)[0] == 200, gateway.ready_seconds)
        else:
            processes.wait_for(process, "open port", lambda: accepts(port), gateway.ready_seconds)
    except BenchError:
        processes.stop(process)
        raise
    target = Target(gateway.name, base, process, None, gateway.keys, gateway.model)
    target.ready_seconds = time.monotonic() - begin
    return target
