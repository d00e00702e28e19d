"""Has each connection of a client to this machine come from an address of its own: keys that do not fit are counted by where
they come from, and a test may bring more of them than one client should. Found by PYTHONPATH."""

import random
import socket

connect, addresses = socket.socket.connect, random.Random(1)


def from_anywhere(self, address):
    if self.family == socket.AF_INET and address[0] == "127.0.0.1":
        self.bind((f"127.{addresses.randrange(1, 255)}.{addresses.randrange(256)}.{addresses.randrange(1, 255)}", 0))
    return connect(self, address)


socket.socket.connect = from_anywhere
