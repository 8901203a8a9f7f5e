"""What the scenarios share: free ports, programs that are started and ended, waiting, and mails in a Maildir."""

import email
import email.policy
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
import unittest

DOORWARD = os.environ.get("DOORWARD", "")


def free_port():
    """A loopback port that nobody listens on. It is given back before it is used: rarely, somebody else takes it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=20.0):
    """Waits until condition() is true and returns its value; AssertionError after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as peer:
            return peer.recv(1) != b""
    except OSError:
        return False


class Program:
    """A program in the foreground, ended by its process id."""

    def __init__(self, arguments, log, environment=None):
        self.log = pathlib.Path(log)
        self._output = open(self.log, "ab")
        self.process = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=self._output,
                                        stderr=subprocess.STDOUT, env=environment)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def end(self, with_signal=signal.SIGTERM, seconds=15):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._output.close()
        return self.process.returncode


class Maildir:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def raw(self):
        """The mails' bytes, oldest first."""
        files = []
        for part in ("new", "cur"):
            if (self.path / part).is_dir():
                files += [f for f in (self.path / part).iterdir() if f.is_file()]
        return [f.read_bytes() for f in sorted(files, key=lambda f: f.name)]

    def mails(self):
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw()]

    def wait(self, count, seconds=20.0):
        wait_for(f"{count} mails in {self.path}", lambda: len(self.raw()) >= count, seconds)
        return self.mails()


class Sink:
    """`doorward sink` on a port that it chooses, or on that one."""

    def __init__(self, directory, *more, port=0):
        self.maildir = Maildir(pathlib.Path(directory) / "mail")
        self.program = Program([DOORWARD, "sink", "--listen", f"127.0.0.1:{port}", "--maildir", self.maildir.path, *more],
                               pathlib.Path(directory) / "sink.log")
        self.port = int(wait_for("the sink's address", self._address).rsplit(":", 1)[1])

    def _address(self):
        if self.program.process.poll() is not None:
            raise AssertionError("the sink ended: " + self.program.text())
        for line in self.program.text().splitlines():
            if line.startswith("doorward sink: listening on "):
                return line.split()[-1]
        return None

    def end(self):
        return self.program.end()


class Scenario(unittest.TestCase):
    """A directory for each test, and everything that was started ended after it."""

    def setUp(self):
        if not DOORWARD:
            self.skipTest("DOORWARD does not name the program")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="doorward-scenario-"))
        os.chmod(self.directory, 0o755)  # the peers run as users of their own
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def started(self, peer):
        """Ends the peer after the test; returns it."""
        self.addCleanup(peer.end)
        return peer

    def place(self, name):
        path = self.directory / name
        path.mkdir()
        os.chmod(path, 0o755)
        return path


def message(subject="Hello", sender="alice@out.example", to="bob@in.example", body="Good day.\r\n"):
    return (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
            f"Message-ID: <{time.monotonic_ns()}@out.example>\r\n\r\n{body}").encode()


def connected(port, timeout=30, **options):
    """An smtplib.SMTP to this port of loopback. It is told its name: otherwise it asks the machine's name server for it, and
    waits 5 s when a packet is lost."""
    return smtplib.SMTP("127.0.0.1", port, local_hostname="[127.0.0.1]", timeout=timeout, **options)


def send(port, sender, recipients, data, **options):
    """By smtplib; raises its exceptions. Returns the recipients that were refused."""
    with connected(port) as client:
        client.ehlo("client.out.example")
        return client.sendmail(sender, recipients, data, **options)


def swaks(port, *arguments, protocol="ESMTP"):
    """Runs swaks; returns (exit status, its transcript)."""
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(port), "--protocol", protocol,
                           "--helo", "client.out.example", "--timeout", "20", *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
