"""Makes tenants with a key each through the gateway's Admin API, as an operator would."""

import contextlib
import http.client
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from .processes import BenchError

# Each call waits for the disk, and the gateway works on others meanwhile: with eight, the busier the disk is the more is won,
# up to half of the time.
CONNECTIONS = 8


class Provision:
    """The Admin API of a demo."""

    def __init__(self, state):
        try:
            with open(os.path.join(state, "demo.json")) as file:
                demo = json.load(file)
            with open(demo["operator_token_file"]) as file:
                self.token = file.read().strip()
            self.where = urlsplit(demo["admin"])
            self.connect()
        except (OSError, KeyError, TypeError, ValueError, http.client.HTTPException) as error:
            raise BenchError(f"the demo's state in {state} does not say where its Admin API is: {error}") from error

    def connect(self):
        """A connection, made by its first request."""
        return http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=30)

    def post(self, connection, path, body):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                raise BenchError(f"the Admin API answered {answer.status} to POST {path}: {text[:200]!r}")
            return json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"the Admin API did not take POST {path}: {error}") from error

    def tenants(self, first, count, seconds, prefix="load", policy="demo"):
        """The keys of `count` new tenants, numbered from `first`; stops after `seconds` with those that it has."""
        end = time.monotonic() + seconds
        with contextlib.ExitStack() as stack:
            idle = [stack.enter_context(contextlib.closing(self.connect())) for _ in range(CONNECTIONS)]

            def make(number):
                nonlocal end
                if time.monotonic() > end:
                    return None
                connection = idle.pop()
                try:
                    return self.tenant(connection, number, prefix, policy)
                except BenchError:
                    end = 0  # after an error no other tenant is begun
                    raise
                finally:
                    idle.append(connection)

            with ThreadPoolExecutor(CONNECTIONS) as pool:
                return [key for key in pool.map(make, range(first, first + count)) if key]

    def tenant(self, connection, number, prefix, policy):
        """The key of a new tenant with one project."""
        slug = f"{prefix}-{number:06d}"
        self.post(connection, "/v1/tenants", {"slug": slug, "name": f"Load {number}", "policy": policy})
        self.post(connection, f"/v1/tenants/{slug}/projects", {"slug": "load"})
        made = self.post(connection, f"/v1/tenants/{slug}/keys", {"project": "load", "name": "load", "role": "app"})
        return made["key"]
