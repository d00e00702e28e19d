"""Use is kept by the tenant's days: whatever the time is in Greenwich, what was used today is shown today."""

import asyncio
import datetime
import json
import zoneinfo

import pytest
from conftest import Server, metric, provider, register, settles
from faults import GOOD_PLAIN, TEXT
from rude_provider import RudeProvider
from wire import Client, chat


# At any hour the day is another than in Greenwich in one of the first two.
@pytest.fixture(scope="module", params=["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Zurich"])
def gate(request, tmp_path_factory):
    rude = RudeProvider({("good", "plain"): [GOOD_PLAIN]}).start()
    server = Server(
        tmp_path_factory.mktemp("days"),
        register([provider("good", rude.port, ["good"])], {"good": {"candidates": ["good/good"]}}),
        f"loops: 1\nlocale: {{timezone: {request.param}}}").start()
    server.zone = zoneinfo.ZoneInfo(request.param)
    yield server
    assert server.stop() == 0, server.log()
    rude.stop()


def used(server, *arguments):
    report = json.loads(server.ctl("usage", "--tenant", "mandant-a", *arguments, "-o", "json").stdout)
    return report["totals"]["requests"], report


def test_a_request_is_of_the_tenants_day(gate):
    async def ask():
        client = await Client(*gate.address, gate.key()).connect()
        try:
            return await client.ask("chat/completions", chat("good", TEXT))
        finally:
            client.close()

    began = datetime.datetime.now(gate.zone).date()
    assert asyncio.run(asyncio.wait_for(ask(), 30)).status == 200
    assert settles(lambda: metric(gate, "torhaus_reservations_open") == 0 and used(gate)[0] == 1)
    # Midnight may fall between.
    ended = datetime.datetime.now(gate.zone).date()
    day = datetime.timedelta(days=1)
    count, report = used(gate, "--from", str(began), "--to", str(ended + day))
    assert count == 1
    first = datetime.datetime.combine(began, datetime.time(), gate.zone)
    assert datetime.datetime.fromisoformat(report["from"]) == first
    assert used(gate, "--to", str(began))[0] == 0
    assert used(gate, "--from", str(ended + day), "--to", str(ended + 2 * day))[0] == 0
    assert used(gate, "--from", first.isoformat())[0] == 1
