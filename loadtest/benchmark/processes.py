"""Starts processes and ends them again, by the ids it was given and by no other way."""

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


class BenchError(Exception):
    """The bench cannot go on; the text says what to do."""


def stat_fields(pid):
    """The fields of /proc/PID/stat after the command's name, which may hold spaces and brackets; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def descendants(pid):
    """Children and their children, each as (id, start time): together they name a process for good."""
    children = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append((int(name), fields[19]))
    found, todo = [], [pid]
    while todo:
        own = children.get(todo.pop(), [])
        found += own
        todo += [child for child, _ in own]
    return found


def tree(pid):
    """A process and its descendants, by their ids."""
    return [pid, *(child for child, _ in descendants(pid))]


def reset_peak(pid):
    """Lets the kernel count the most memory of a process and its descendants anew."""
    for one in tree(pid):
        with contextlib.suppress(OSError), open(f"/proc/{one}/clear_refs", "w") as file:
            file.write("5")


def peak_kib(pid):
    """The most memory since ``reset_peak``, in KiB; of several processes the sum, though they may not have had it at once."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError), open(f"/proc/{one}/status") as file:
            total += next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)
    return total


class Processes:
    """The processes of one bench; leaving the context ends those that still run."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self._memory = None

    def __enter__(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return self

    def __exit__(self, *_):
        for process in reversed(list(self.running)):
            self.stop(process)
        if self._memory:
            shutil.rmtree(self._memory, ignore_errors=True)

    def memory(self):
        """A folder in memory for what outlives a process, as a service manager provides; None where there is none."""
        room = os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 512 << 20
        if not self._memory and room:
            self._memory = tempfile.mkdtemp(prefix="bench-", dir="/dev/shm")
        return self._memory

    def start(self, name, arguments, environment=None, folder=None):
        """Starts a program with its output in FOLDER/NAME.log."""
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            try:
                process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder or self.folder,
                    env={**os.environ, **environment} if environment else None,
                )
            except OSError as error:
                raise BenchError(f"{name} cannot be started: {arguments[0]}: {error.strerror}") from error
        process.name = name
        self.running.append(process)
        return process

    def stop(self, process):
        """Asks it to end, waits, and kills it if it does not; then those of its children that outlive it, by their ids."""
        children = descendants(process.pid) if process.poll() is None else []
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
        end = time.monotonic() + 5
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = [child for child, born in children if (stat_fields(child) or [None] * 20)[19] == born]
            for child in left if number == signal.SIGKILL or time.monotonic() < end else []:
                try:
                    os.kill(child, number)
                except OSError:
                    pass
            while left and time.monotonic() < end and number == signal.SIGTERM:
                left = [child for child in left if stat_fields(child)]
                time.sleep(0.02)
        if process in self.running:
            self.running.remove(process)

    def log_tail(self, name, lines=12):
        """The last lines that NAME wrote."""
        try:
            with open(os.path.join(self.folder, name + ".log"), errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def wait_for(self, process, what, ready, seconds=20):
        """Polls `ready` until it is true; fails when the process dies or the time is up. Returns the seconds taken."""
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            if process.poll() is not None:
                raise BenchError(
                    f"{process.name} ended with {process.returncode} before {what}:\n{self.log_tail(process.name)}"
                )
            if ready():
                return time.monotonic() - begin
            time.sleep(0.01)
        raise BenchError(f"{process.name}: no {what} within {seconds} s:\n{self.log_tail(process.name)}")


def free_port():
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(url, headers=None, seconds=5, body=None):
    """The status and the body of a GET, or of a POST of `body`; status 0 if nobody answers."""
    request = urllib.request.Request(url, headers=headers or {}, data=body)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, OSError, ValueError):
        return 0, b""
