"""A 250 is a promise: mails that are sent without pause, and which of their recipients were acknowledged and which came."""

import random
import re
import smtplib
import threading
import time

from doorward_testing import connected, message

SENDERS = 6
TOKEN = re.compile(rb"^X-Token: (\S+)", re.MULTILINE)


class Load:
    """Threads that send mails one after the other, each with tokens of its own, and note which recipients got a 250."""

    def __init__(self, port, seed):
        self.port, self.acknowledged, self.sent, self.put_off = port, set(), 0, 0
        self._seed = seed
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        dice = random.Random(f"{self._seed} {number} {time.monotonic_ns()}")
        while not self._stop.is_set():
            try:
                with connected(self.port, timeout=10) as client:
                    while not self._stop.is_set():
                        self._send(client, dice, number)
            except smtplib.SMTPResponseException as refused:
                with self._lock:
                    self.put_off += refused.smtp_code // 100 == 4
                self._stop.wait(0.01)
            except smtplib.SMTPRecipientsRefused as refused:
                with self._lock:
                    self.put_off += all(code // 100 == 4 for code, _ in refused.recipients.values())
                self._stop.wait(0.01)
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


class Arrivals:
    """What came to a sink, by token and recipient: how often."""

    def __init__(self, maildir):
        self.maildir, self.count = maildir, {}

    def collect(self):
        """Counts what has arrived and takes it away, so that a long run needs no disk."""
        folder = self.maildir.path / "new"
        for file in folder.iterdir() if folder.is_dir() else ():
            raw = file.read_bytes()
            token = TOKEN.search(raw)[1].decode()
            for to in re.findall(rb"^Delivered-To: (\S+)", raw.split(b"\r\n\r\n")[0].replace(b"\r\n", b"\n"), re.MULTILINE):
                key = (token, to.decode())
                self.count[key] = self.count.get(key, 0) + 1
            file.unlink()

    def missing(self, acknowledged):
        self.collect()
        return acknowledged - self.count.keys()

    def summary(self, load):
        twice = sum(count > 1 for count in self.count.values())
        unasked = len(self.count.keys() - load.acknowledged)
        return (f"{load.sent} mails sent, {len(load.acknowledged)} recipients acknowledged, none missing; {load.put_off} put off; "
                f"{twice} came more than once, {unasked} came without a 250 that the sender saw")
