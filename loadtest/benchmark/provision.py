"""Makes tenants with a key each through the gateway's Admin API, as an operator would."""

import http.client
import json
import os
import time
from urllib.parse import urlsplit

from .processes import BenchError


class Provision:
    """A connection to the Admin API of a demo."""

    def __init__(self, state):
        try:
            with open(os.path.join(state, "demo.json")) as file:
                demo = json.load(file)
            with open(demo["operator_token_file"]) as file:
                self.token = file.read().strip()
            where = urlsplit(demo["admin"])
            self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise BenchError(f"the demo's state in {state} does not say where its Admin API is: {error}") from error

    def post(self, path, body):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            self.connection.request("POST", path, json.dumps(body), headers)
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                raise BenchError(f"the Admin API answered {answer.status} to POST {path}: {text[:200]!r}")
            return json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"the Admin API did not take POST {path}: {error}") from error

    def tenants(self, first, count, seconds, prefix="load", policy="demo"):
        """The keys of `count` new tenants, numbered from `first`; stops after `seconds` with those that it has."""
        keys, end = [], time.monotonic() + seconds
        for index in range(first, first + count):
            if time.monotonic() > end:
                break
            slug = f"{prefix}-{index:06d}"
            self.post("/v1/tenants", {"slug": slug, "name": f"Load {index}", "policy": policy})
            self.post(f"/v1/tenants/{slug}/projects", {"slug": "load"})
            made = self.post(f"/v1/tenants/{slug}/keys", {"project": "load", "name": "load", "role": "app"})
            keys.append(made["key"])
        return keys
