"""Tenants are made over several connections, and their keys come in order."""

import json
import os
import tempfile
import threading
import unittest
from unittest import mock

from benchmark import provision
from benchmark.processes import BenchError


class FakeConnection:
    """Takes what the Admin API takes; `refuses` says which paths are answered with 500."""

    refuses = staticmethod(lambda path: False)
    paths = []
    open = 0
    lock = threading.Lock()

    def __init__(self, host, port, timeout):
        self.path, self.is_open, self.is_busy = "", False, False

    def request(self, method, path, body, headers):
        with self.lock:
            assert not self.is_busy, "a connection has one request at a time"
            self.is_busy, self.path = True, path
            FakeConnection.open += not self.is_open
            self.is_open = True
            FakeConnection.paths.append(path)

    def getresponse(self):
        self.is_busy = False
        return self

    @property
    def status(self):
        return 500 if self.refuses(self.path) else 201

    def read(self):
        return json.dumps({"key": f"key of {self.path.split('/')[3]}"} if self.path.endswith("/keys") else {}).encode()

    def close(self):
        FakeConnection.open -= self.is_open
        self.is_open = False


class ProvisionTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        token = os.path.join(folder.name, "token")
        with open(token, "w") as file:
            file.write("a-token\n")
        with open(os.path.join(folder.name, "demo.json"), "w") as file:
            json.dump({"admin": "http://127.0.0.1:1", "operator_token_file": token}, file)
        FakeConnection.paths, FakeConnection.open = [], 0
        patch = mock.patch.object(provision.http.client, "HTTPConnection", FakeConnection)
        patch.start()
        self.addCleanup(patch.stop)
        self.provision = provision.Provision(folder.name)

    def test_keys_come_in_the_order_of_their_tenants(self):
        keys = self.provision.tenants(5, 100, seconds=60)
        self.assertEqual(keys, [f"key of load-{number:06d}" for number in range(5, 105)])
        self.assertEqual((len(FakeConnection.paths), FakeConnection.open), (300, 0))

    def test_a_tenant_comes_before_its_project_and_its_key(self):
        self.provision.tenants(0, 20, seconds=60)
        for number in range(20):
            slug = f"load-{number:06d}"
            own = [path for path in FakeConnection.paths if slug in path]
            self.assertEqual(own, [f"/v1/tenants/{slug}/projects", f"/v1/tenants/{slug}/keys"])

    def test_when_the_time_is_over_no_other_tenant_is_begun(self):
        now = iter(range(10**6))
        lock = threading.Lock()

        def clock():
            with lock:
                return next(now)

        with mock.patch.object(provision.time, "monotonic", clock):
            keys = self.provision.tenants(0, 1_000, seconds=30)
        self.assertEqual((len(keys), len(FakeConnection.paths)), (30, 90))
        self.assertEqual(keys, sorted(keys))

    def test_after_a_refusal_no_further_tenant_is_begun(self):
        with mock.patch.object(FakeConnection, "refuses", staticmethod(lambda path: path.endswith("load-000003/keys"))):
            with self.assertRaisesRegex(BenchError, "answered 500 to POST /v1/tenants/load-000003/keys"):
                self.provision.tenants(0, 10_000, seconds=60)
        self.assertLess(len(FakeConnection.paths), 1_000)
        self.assertEqual(FakeConnection.open, 0)

    def test_a_state_that_names_no_admin_api_is_told_of(self):
        with self.assertRaisesRegex(BenchError, "does not say where"):
            provision.Provision("/nowhere")


if __name__ == "__main__":
    unittest.main()
