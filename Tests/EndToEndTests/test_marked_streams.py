"""Marked streams: two tenants, hundreds of streams at once over kept connections, half of them aborted at random. Every
answer holds its own marker and nobody else's, whatever others do to theirs.

TORHAUS_MARKED_STREAMS is how many requests are made (2,000); 100,000 is the long run.
"""

import asyncio
import collections
import os
import random
import re

from conftest import metric, settles
from wire import Client, chat

COUNT = int(os.environ.get("TORHAUS_MARKED_STREAMS", "2000"))
AT_ONCE = 200
SEED = int(os.environ.get("TORHAUS_SEED", "7"))
MARKER = re.compile(rb"M[ab]-\d{7}-[0-9a-f]{8}")
# Slow ones are aborted in the middle, fast ones share writes and connections with others.
SCRIPTS = ["mock-echo;chunk=3", "mock-echo;chunk=3;delay=2", "mock-echo;chunk=7;split=11", "mock-echo;wait=5", "mock-echo;chunk=5;delay=1"]


class Run:
    """What all clients together have seen."""

    def __init__(self):
        self.ends = collections.Counter()
        self.foreign = []
        self.wrong = []
        self.next = 0

    def see(self, marker, data):
        for found in set(MARKER.findall(data)):
            if found != marker:
                self.foreign.append((marker, found))


async def one(client, run, dice, tenant):
    run.next += 1
    marker = b"M%s-%07d-%08x" % (tenant.encode(), run.next, dice.getrandbits(32))
    text = f"Frage {marker.decode()}, bitte wiederholen: {marker.decode()} und Schluss."
    stream = dice.random() < 0.8
    aborts = dice.random() < 0.5
    client.send("chat/completions", chat(dice.choice(SCRIPTS), text, stream=stream))
    if aborts and dice.random() < 0.3:
        # Before the head, or while it is under way.
        await asyncio.sleep(dice.random() * 0.02)
        client.close(abort=dice.random() < 0.5)
        run.ends["aborted before the head"] += 1
        return False
    answer = await client.head()
    limit = dice.randrange(1, 400) if aborts else None
    async for _ in client.pieces(answer):
        # Pieces may end inside a marker; the whole is looked at below.
        if limit is not None and len(answer.body) > limit:
            run.see(marker, answer.body)
            client.close(abort=dice.random() < 0.5)
            run.ends["aborted in the answer"] += 1
            return False
    run.see(marker, answer.body)
    if (answer.status, answer.code, answer.whole) != (200, None, True) or answer.text != text:
        run.wrong.append((marker, answer.status, answer.whole, answer.body[:300]))
    run.ends["whole"] += 1
    return client.is_open


async def client_loop(run, count, address, key, dice, tenant):
    client = Client(*address, key)
    try:
        while run.next < count:
            if client.writer is None:
                await client.connect()
            try:
                if not await one(client, run, dice, tenant):
                    client.close()
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                run.wrong.append((tenant, "the connection broke", repr(error)))
                client.close()
    finally:
        client.close()


async def all_of(count, address, keys):
    run = Run()
    await asyncio.gather(*[
        client_loop(run, count, address, key, random.Random(SEED * 1000 + number), "ab"[number % 2])
        for number, key in zip(range(AT_ONCE), keys * AT_ONCE)
    ])
    return run


def test_no_answer_holds_a_foreign_marker(fresh):
    host, port = fresh.info["endpoint"].removeprefix("http://").split(":")
    run = asyncio.run(all_of(COUNT, (host, int(port)), [fresh.key("kanzlei-a"), fresh.key("kanzlei-b")]))
    print(f"\n{run.next} requests, seed {SEED}: {dict(run.ends)}")
    assert not run.foreign, run.foreign[:3]
    assert not run.wrong, run.wrong[:3]
    assert run.ends["whole"] > COUNT / 3 and run.ends["aborted in the answer"] > COUNT / 10
    assert fresh.process.poll() is None
    assert settles(lambda: metric(fresh, "torhaus_reservations_open") == 0 and metric(fresh, "torhaus_inflight") == 0)
