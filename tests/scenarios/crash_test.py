"""A 250 is a promise: the gateway is killed (SIGKILL) at random moments under load in relay mode, and every mail that got
a 250 reaches the sink. KILLS says how often (30); SEED repeats a run."""

import os
import random
import re
import signal
import smtplib
import threading
import time
import unittest

from doorward_testing import Scenario, Sink, message, wait_for
from gateway import QUIET, Gateway, policy

KILLS = int(os.environ.get("KILLS", "30"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 32))))
SENDERS = 6
TOKEN = re.compile(rb"^X-Token: (\S+)", re.MULTILINE)


class Load:
    """Threads that send mails one after the other, each with tokens of its own, and note which recipients got a 250."""

    def __init__(self, port):
        self.port, self.acknowledged, self.sent = port, set(), 0
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        dice = random.Random(f"{SEED} {number} {time.monotonic_ns()}")
        while not self._stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
                    while not self._stop.is_set():
                        self._send(client, dice, number)
            except (OSError, smtplib.SMTPException):
                self._stop.wait(0.01)

    def _send(self, client, dice, number):
        with self._lock:
            self.sent += 1
            token = f"{number}.{self.sent}"
        recipients = [f"r{n}@in.example" for n in range(dice.choice((1, 1, 1, 3)))]
        body = "x" * 70 + "\r\n"
        data = f"X-Token: {token}\r\n".encode() + message(body=body * dice.choice((1, 20, 200, 5000)))
        refused = client.sendmail("alice@out.example", recipients, data)
        with self._lock:
            self.acknowledged |= {(token, to) for to in recipients if to not in refused}

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


class Crash(Scenario):
    def setUp(self):
        super().setUp()
        self.dice = random.Random(SEED)
        self.arrived = {}
        print(f"SEED={SEED} KILLS={KILLS}")

    def collect(self):
        """Counts what has arrived and takes it away, so that a long run needs no disk."""
        folder = self.sink.maildir.path / "new"
        for file in folder.iterdir() if folder.is_dir() else ():
            raw = file.read_bytes()
            token = TOKEN.search(raw)[1].decode()
            for to in re.findall(rb"^Delivered-To: (\S+)", raw.split(b"\r\n\r\n")[0].replace(b"\r\n", b"\n"), re.MULTILINE):
                key = (token, to.decode())
                self.arrived[key] = self.arrived.get(key, 0) + 1
            file.unlink()

    def missing(self, acknowledged):
        self.collect()
        return acknowledged - self.arrived.keys()

    def test_no_acknowledged_mail_is_lost(self):
        self.sink = self.started(Sink(self.place("sink")))
        place = self.place("gateway")
        text = policy(f'name = "in.example"\nbackend = "office"\ndelivery = "relay"\n{QUIET}',
                      backends={"office": f"127.0.0.1:{self.sink.port}"})
        gateway = self.started(Gateway(place, text, config="[spool]\nfirst_retry = \"1s\"\nsegment = \"4MB\"\n"))
        load = Load(gateway.port)
        try:
            for _ in range(KILLS):
                time.sleep(self.dice.uniform(0.05, 1.2))
                os.kill(gateway.program.process.pid, signal.SIGKILL)
                gateway.program.process.wait()
                gateway.start()
                self.collect()
        finally:
            load.end()
        wait_for("every acknowledged mail at the sink", lambda: not self.missing(load.acknowledged), 120)
        twice = sum(count > 1 for count in self.arrived.values())
        unasked = len(self.arrived.keys() - load.acknowledged)
        print(f"{KILLS} kills: {load.sent} mails sent, {len(load.acknowledged)} recipients acknowledged, none missing; "
              f"{twice} came more than once, {unasked} came without a 250 that the sender saw")
        self.assertGreater(len(load.acknowledged), KILLS)


if __name__ == "__main__":
    unittest.main()
