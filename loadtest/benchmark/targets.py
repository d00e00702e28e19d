"""What the load is sent to: the mock provider itself, nginx before it, the gateway before it."""

import json
import os
import shutil
import time

from .processes import BenchError, accepts, free_port, get

TEMPLATE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "nginx.conf.template")


class Target:
    """A place to send load to, and the process whose cost is measured: for `direct` that is the mock itself."""

    def __init__(self, name, base, pid, stream_base=None, keys=(), alias="mock-fast", script=""):
        self.name = name
        self.is_proxy = name != "direct"
        self.base = base
        self.stream_base = stream_base or base
        self.pid = pid
        self.keys = list(keys) or ["no-key-is-looked-at"]
        self.alias = alias
        # Said in every prompt where the alias does not stand for the script that is wanted.
        self.script = script
        self.ready_seconds = None


def start_mock(processes, binary, loops):
    """Starts the mock provider and returns its target and its port."""
    port_file = os.path.join(processes.folder, "mock.port")
    process = processes.start("mock", [binary, "--port", "0", "--port-file", port_file, "--loops", str(loops), "--keep", "0"])
    processes.wait_for(process, "port file", lambda: os.path.exists(port_file))
    with open(port_file) as file:
        port = int(file.read())
    return Target("direct", f"http://127.0.0.1:{port}/v1", process.pid), port


def start_nginx(processes, mock_port, workers):
    """Starts nginx with a configuration of its own, or returns None and why not."""
    binary = shutil.which("nginx") or ("/usr/sbin/nginx" if os.path.exists("/usr/sbin/nginx") else None)
    if binary is None:
        return None, "nginx is not installed (apt-get install nginx)"
    folder = os.path.join(processes.folder, "nginx")
    os.makedirs(folder, exist_ok=True)
    if os.geteuid() == 0:
        # Workers of a root master run as `nobody` and must be able to write their spool files.
        os.chmod(processes.folder, 0o755)
        os.chmod(folder, 0o777)
    port = free_port()
    with open(TEMPLATE) as file:
        text = file.read()
    values = {"WORKERS": workers, "FOLDER": folder, "MOCK": mock_port, "PORT": port}
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w") as file:
        file.write(text)
    process = processes.start("nginx", [binary, "-p", folder, "-c", path, "-e", os.path.join(folder, "error.log")])
    processes.wait_for(process, "open port", lambda: accepts(port))
    base = f"http://127.0.0.1:{port}"
    return Target("nginx", base + "/v1", process.pid, base + "/stream/v1"), ""


def start_torhaus(processes, binary, mock_port, extra):
    """Starts the gateway's demo before the mock, or returns None and why not."""
    if binary is None or not os.access(binary, os.X_OK):
        return None, "the gateway is not built (give --torhaus PATH)"
    state = os.path.join(processes.folder, "torhaus-state")
    port = free_port()
    arguments = [binary, "demo", "--state", state, "--port", str(port), "--admin-port", "0"]
    arguments += ["--upstream", f"http://127.0.0.1:{mock_port}/v1"] + extra
    begin = time.monotonic()
    process = processes.start("torhaus", arguments)
    try:
        processes.wait_for(
            process, "200 of /readyz", lambda: get(f"http://127.0.0.1:{port}/readyz")[0] == 200, seconds=30
        )
        ready = time.monotonic() - begin
        with open(os.path.join(state, "demo.json")) as file:
            demo = json.load(file)
        keys = [tenant["key"] for tenant in demo["tenants"]]
    except (BenchError, OSError, KeyError, ValueError) as error:
        processes.stop(process)
        return None, f"the gateway's demo did not start: {error}"
    base = f"http://127.0.0.1:{port}/v1"
    # In the demo a name that no alias knows goes to the upstream as it is.
    target = Target("torhaus", base, process.pid, None, keys)
    target.ready_seconds = ready
    return target, ""
