"""A 250 is a promise also where the spool's disk is full or fails (faults.c stands between the gateway and its disk), with
kills in between: new mail is put off, what was acknowledged arrives, and the gateway goes on by itself once the disk is
well. ROUNDS says how often (3); SEED repeats a run."""

import mmap
import os
import pathlib
import random
import signal
import struct
import subprocess
import time
import unittest

from doorward_testing import Scenario, Sink, free_port, wait_for
from gateway import QUIET, Gateway, policy
from promise import Arrivals, Load

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 32))))
MEGABYTE = 1 << 20


class Faults:
    """The four numbers of faults.c."""

    def __init__(self, folder, under):
        self.under = under
        self.library = folder / "faults.so"
        subprocess.run(["clang-19", "-O1", "-shared", "-fPIC", "-o", self.library,
                        pathlib.Path(__file__).with_name("faults.c"), "-ldl"], check=True)
        control = folder / "control"
        control.write_bytes(bytes(32))
        with open(control, "r+b") as file:
            self._numbers = mmap.mmap(file.fileno(), 32)
        self.environment = {**os.environ, "LD_PRELOAD": str(self.library), "FAULTS_UNDER": str(under),
                            "FAULTS_CONTROL": str(control),
                            # The library comes before the sanitizer's own, which minds unless it is told.
                            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        self.well()

    def set(self, room=-1, writes=0, syncs=0):
        struct.pack_into("<qqq", self._numbers, 0, room, writes, syncs)

    def well(self):
        self.set()

    def used(self):
        return sum(file.stat().st_size for file in self.under.iterdir() if file.exists()) if self.under.exists() else 0

    @property
    def failed(self):
        return struct.unpack_from("<q", self._numbers, 24)[0]


class Disk(Scenario):
    def setUp(self):
        super().setUp()
        print(f"SEED={SEED} ROUNDS={ROUNDS}", flush=True)
        self.dice = random.Random(SEED)
        self.sink_port = free_port()
        self.sink = self.started(Sink(self.place("sink"), port=self.sink_port))
        self.arrivals = Arrivals(self.sink.maildir)
        place = self.place("gateway")
        self.faults = Faults(pathlib.Path(self.place("faults")), pathlib.Path(place) / "state" / "spool")
        text = policy(f'name = "in.example"\nbackend = "office"\ndelivery = "relay"\nrecipients = "listed"\n{QUIET}'
                      + "".join(f'[[customer.domain.mailbox]]\naddress = "r{n}@in.example"\n' for n in range(3)),
                      backends={"office": f"127.0.0.1:{self.sink_port}"})
        self.gateway = self.started(Gateway(
            place, text, config='[spool]\nfirst_retry = "1s"\nlongest_retry = "1s"\nsegment = "1MB"\nreserve = "0B"\n',
            environment=self.faults.environment))
        self.load = Load(self.gateway.port, SEED)

    def kill(self):
        os.kill(self.gateway.program.process.pid, signal.SIGKILL)
        self.gateway.program.process.wait()
        self.gateway.start()

    def end(self):
        """Everything acknowledged has arrived, and the gateway, which nobody helped, takes mail again."""
        self.faults.well()
        before = len(self.load.acknowledged)
        try:
            wait_for("mail taken again", lambda: len(self.load.acknowledged) > before + 20, 30)
        finally:
            self.load.end()
        wait_for("every acknowledged mail at the sink", lambda: not self.arrivals.missing(self.load.acknowledged), 120)
        print(f"{ROUNDS} rounds, {self.faults.failed} failures of the disk: {self.arrivals.summary(self.load)}")
        self.assertGreater(self.faults.failed, 0)
        self.assertGreater(self.load.put_off, 0)

    def test_a_disk_that_fills_up(self):
        try:
            for turn in range(ROUNDS):
                self.sink.end()  # what is taken stays, until nothing more fits
                self.faults.set(room=self.faults.used() + self.dice.randrange(2, 8) * MEGABYTE)
                put_off, failed = self.load.put_off, self.faults.failed
                wait_for("mail put off", lambda: self.load.put_off > put_off + 5 and self.faults.failed > failed, 60)
                if turn % 2 == 0:
                    self.kill()  # and up again, on the full disk
                self.faults.set(room=self.faults.used() + 64 * MEGABYTE)
                self.sink = self.started(Sink(self.directory / "sink", port=self.sink_port))
                wait_for("room again", lambda: not self.arrivals.missing(set(self.load.acknowledged)), 60)
        except BaseException:
            self.load.end()
            raise
        self.end()

    def test_a_disk_that_fails(self):
        try:
            for _ in range(ROUNDS):
                time.sleep(self.dice.uniform(0.2, 0.8))
                self.faults.set(writes=self.dice.choice((0, 30, 300)), syncs=self.dice.choice((30, 200, 1000)))
                time.sleep(self.dice.uniform(0.3, 1.5))
                if self.dice.random() < 0.7:
                    os.kill(self.gateway.program.process.pid, signal.SIGKILL)
                    self.gateway.program.process.wait()
                    self.faults.well()  # the start is another matter: it says what is wrong, and ends
                    self.gateway.start()
                else:
                    self.faults.well()
                self.arrivals.collect()
        except BaseException:
            self.load.end()
            raise
        self.end()
        self.assertTrue(self.gateway.events("journal.write_failed") or ROUNDS < 4)


if __name__ == "__main__":
    unittest.main()
