"""Starts processes and ends them again, by the ids it was given and by no other way."""

import os
import resource
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request


class BenchError(Exception):
    """The bench cannot go on; the text says what to do."""


class Processes:
    """The processes of one bench; leaving the context ends those that still run."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def __enter__(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return self

    def __exit__(self, *_):
        for process in reversed(list(self.running)):
            self.stop(process)

    def start(self, name, arguments):
        """Starts a program with its output in FOLDER/NAME.log."""
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder
            )
        process.name = name
        self.running.append(process)
        return process

    def stop(self, process):
        """Asks it to end, waits, and kills it if it does not; only this process, by its id."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)
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


def get(url, headers=None, seconds=5):
    """The status and the body of a GET; status 0 if nobody answers."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, OSError):
        return 0, b""
