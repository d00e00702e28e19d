"""A provider that is named by host name: libcurl's resolver opens and closes descriptors of its own on the loop, and the
provider's socket gets such a number next. A loop that remembers too much is deaf to it for seconds."""

import json
import socket
import urllib.request

import pytest
from conftest import Demo


def name_of_this_machine():
    """A name other than localhost, which libcurl knows by itself, for a loopback address; None if there is none."""
    for name in (socket.gethostname(), socket.getfqdn(), "localhost.localdomain"):
        try:
            addresses = {address[4][0] for address in socket.getaddrinfo(name, 80, proto=socket.IPPROTO_TCP)}
        except OSError:
            continue
        if name != "localhost" and addresses == {"127.0.0.1"}:
            return name
    return None


def test_requests_do_not_wait_for_a_timer(mock, tmp_path):
    name = name_of_this_machine()
    if name is None:
        pytest.skip("this machine has no name of its own for 127.0.0.1")
    demo = Demo(tmp_path / "state", upstream=f"http://{name}:{mock.port}/v1").start()
    try:
        content = {"model": "mock-echo", "messages": [{"role": "user", "content": "Grüezi"}]}
        headers = {"Authorization": f"Bearer {demo.key()}", "Content-Type": "application/json"}
        for _ in range(5):
            request = urllib.request.Request(
                demo.base_url + "/chat/completions", data=json.dumps(content).encode(), headers=headers
            )
            # Below libcurl's own timers, which is all that moved such a connection.
            with urllib.request.urlopen(request, timeout=4) as answer:
                assert "Grüezi" in json.load(answer)["choices"][0]["message"]["content"]
    finally:
        assert demo.stop() == 0
