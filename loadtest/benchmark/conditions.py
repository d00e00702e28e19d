"""Under which conditions a bench was made: without them its figures say nothing."""

import os
import platform
import re
import shutil
import subprocess


def first_line(*arguments):
    """The first line that a program prints, on either output."""
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "not there"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else ""


def processor():
    """The processor's name, as Linux says it."""
    try:
        with open("/proc/cpuinfo") as file:
            found = re.search(r"model name\s*:\s*(.+)", file.read())
        return found.group(1) if found else platform.machine()
    except OSError:
        return platform.machine()


def memory_gib():
    """Installed memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def facts(torhaus):
    """Names and values, in the order of the table."""
    return [
        ("processor", f"{processor()}, {os.cpu_count()} cores"),
        ("memory", f"{memory_gib():.1f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("nginx", first_line(shutil.which("nginx") or "/usr/sbin/nginx", "-v")),
        ("haproxy", first_line(shutil.which("haproxy") or "/usr/sbin/haproxy", "-v")),
        ("swift", first_line("swift", "--version")),
        ("torhaus", first_line(torhaus, "--version") if torhaus else "not there"),
        ("load average", " ".join(f"{value:.2f}" for value in os.getloadavg())),
    ]
