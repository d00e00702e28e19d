"""One run of torhaus-load and what it found."""

import json
import os
import subprocess
import tempfile


class Load:
    """Runs the harness; every run is bounded in time."""

    def __init__(self, binary, folder, loops=1):
        self.binary = binary
        self.folder = folder
        self.loops = loops

    def run(self, target, stream=False, settings="", **options):
        """Runs against `target` and returns the report, or {"failure": why}.

        `settings` go to the mock inside the prompt; the other options are those of torhaus-load, with _ for -.
        """
        handle, path = tempfile.mkstemp(suffix=".json", dir=self.folder)
        os.close(handle)
        base = target.stream_base if stream else target.base
        arguments = [self.binary, "--quiet", "--json", path, "--target", base, "--model", target.alias]
        arguments += ["--pid", str(target.pid)]
        arguments += ["--loops", str(self.loops)]
        for key in target.keys:
            arguments += ["--key", key]
        parts = [part for part in (target.script, settings) if part]
        if parts:
            arguments += ["--prompt-prefix", "[[mock " + ";".join(parts) + "]] "]
        if stream:
            arguments.append("--stream")
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        bound = options.get("duration", 5) + options.get("warm_up", 1) + options.get("drain", 10) + 30
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=bound)
            if done.returncode != 0:
                return {"failure": done.stderr.strip()[:200] or f"torhaus-load ended with {done.returncode}"}
            with open(path) as file:
                return json.load(file)
        except subprocess.TimeoutExpired:
            return {"failure": f"torhaus-load did not end within {bound} s"}
        except (OSError, ValueError) as error:
            return {"failure": str(error)}
        finally:
            os.unlink(path)


def failure(report):
    """Why a report cannot be used, or an empty text."""
    if "failure" in report:
        return report["failure"]
    errors = report.get("errors", {})
    failed = sum(errors.values())
    if failed > 0:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(errors.items()))
        return f"{failed} of {failed + report['succeeded']} requests failed ({kinds})"
    if report["succeeded"] == 0:
        return "no request was answered"
    return ""
