"""Takes old segments of a gateway's log away while it runs, as the end of their retention would."""

import fcntl
import os
import threading
import time


def ended_segments(folder, before):
    """Paths of segments in `folder` that nobody writes any more and that were last written before a time."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name.endswith(".thl") and is_ended(path, before):
                found.append(path)
    return found


def is_ended(path, before):
    """Whoever writes a segment holds a lock on it."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mtime >= before:
                return False
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except OSError:
        return False


def prune(folder, before):
    """Deletes ended segments with their sidecars; returns how many bytes that freed."""
    freed = 0
    for path in ended_segments(folder, before):
        for one in (path, path[:-4] + ".thk"):
            try:
                freed += os.stat(one).st_blocks * 512
                os.unlink(one)
            except FileNotFoundError:
                pass
    return freed


class Pruning:
    """Prunes a folder again and again while the context is open; without a folder it does nothing."""

    def __init__(self, folder, keep_seconds, pause=5.0):
        self.folder, self.keep_seconds, self.pause = folder, keep_seconds, pause
        self.freed = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        if self.folder:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        if self.folder:
            self._thread.join()

    def _run(self):
        while not self._over.wait(self.pause):
            self.freed += prune(self.folder, time.time() - self.keep_seconds)
