"""Mails for dead destinations by the thousand, or by the million (MAILS=1000000, make soak): the gateway's memory, its
restart, and the way of a new mail to a live destination past all of them.

Half of the mails wait for one backend that is away, half for DOMAINS different domains of the world: a third of their
hosts refuse the connection, a third never answers it, and of a third not even the name server answers. COLD=1 empties the
page cache before each restart (root)."""

import os
import pathlib
import re
import selectors
import shutil
import signal
import smtplib
import socket
import sys
import tempfile
import threading
import time
import unittest

from doorward_testing import Scenario, Sink, free_port, message, send, wait_for
from gateway import Gateway, policy
from peers import NameServer, available

MAILS = int(os.environ.get("MAILS", "3000"))
DOMAINS = int(os.environ.get("DOMAINS", str(max(30, MAILS // 20))))
WATCH = float(os.environ.get("WATCH", "2" if MAILS < 100_000 else "120"))  # seconds of live mails at each stage
COLD = os.environ.get("COLD") == "1"
HOSTS = 100  # of each kind of dead ones
FEEDERS = 60
SESSION = 900  # mails of a connection
SEEN = re.compile(rb"^Subject: live (\d+)", re.MULTILINE)


def say(text):
    """Also where unittest buffers: a long run shows where it is."""
    print(text, file=sys.__stdout__, flush=True)


def dead_address(number):
    if number % 2 == 0:
        return "bob@away.example"
    domain = number // 2 % DOMAINS
    kind = ("refuses", "hangs", "silent")[domain % 3]
    return f"bob@d{domain}.h{domain % HOSTS}.{kind}.example"


class Feeder(threading.Thread):
    """Sends all the mails, each envelope after the first in the packet of the content before it."""

    def __init__(self, port):
        super().__init__()
        self.port, self.begun, self.acknowledged, self.refused = port, 0, 0, []
        self._content = message(subject="waits", sender="alice@in.example", body=("x" * 70 + "\r\n") * 16) + b".\r\n"
        self._poll = selectors.DefaultSelector()
        self.start()

    def run(self):
        for _ in range(min(FEEDERS, MAILS)):
            self._open()
        while self._poll.get_map():
            for key, _ in self._poll.select():
                self._heard(*key.data, key.fileobj)

    def _open(self):
        peer = socket.create_connection(("127.0.0.1", self.port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dialogue = self._dialogue()
        self._poll.register(peer, selectors.EVENT_READ, (dialogue, {"text": b"", "codes": [], "wanted": next(dialogue)[1]}))

    def _heard(self, dialogue, state, peer):
        more = peer.recv(65536)
        *lines, state["text"] = (state["text"] + more).split(b"\r\n")
        state["codes"] += [line[:3] for line in lines if line[3:4] != b"-"]
        self.refused += [line for line in lines if line[:1] > b"3"]
        try:
            if not more:
                raise StopIteration
            if len(state["codes"]) >= state["wanted"]:
                out, state["wanted"] = dialogue.send(state["codes"])
                state["codes"] = []
                peer.sendall(out)
        except StopIteration:
            self._poll.unregister(peer)
            peer.close()
            if self.begun < MAILS and not self.refused:
                self._open()

    def _dialogue(self):
        """Yields what is to be sent and how many replies it asks for; gets their codes."""
        yield b"", 1
        yield b"EHLO mail.in.example\r\n", 1
        content = b""
        for _ in range(SESSION):
            if self.begun == MAILS:
                break
            number, self.begun = self.begun, self.begun + 1
            envelope = f"MAIL FROM:<s{number}@in.example>\r\nRCPT TO:<{dead_address(number)}>\r\nDATA\r\n".encode()
            codes = yield content + envelope, 4 if content else 3
            self.acknowledged += bool(content) and codes[0] == b"250"
            if codes[-1] != b"354":
                return
            content = self._content
        if content:
            codes = yield content, 1
            self.acknowledged += codes[0] == b"250"


@unittest.skipUnless(available("knotd"), "needs root and Knot DNS (tools/install-packages test)")
class Million(Scenario):
    def setUp(self):
        super().setUp()
        if MAILS >= 100_000:  # more than a /tmp in memory would hold
            shutil.rmtree(self.directory)
            self.directory = pathlib.Path(tempfile.mkdtemp(prefix="doorward-million-", dir="/var/tmp"))
            self.directory.chmod(0o755)
            self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.sink = self.started(Sink(self.place("sink")))
        self.live, self.worst, self.peak = 0, {}, 0

    def stand(self):
        """The sink's port is that of all mail exchangers: on other addresses, nobody listens or nobody accepts."""
        port, self.full = self.sink.port, []
        for number in range(HOSTS):
            listener = socket.create_server((f"127.8.0.{number + 1}", port), backlog=0)
            self.full += [listener, socket.create_connection((f"127.8.0.{number + 1}", port))]  # and no more fit
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.1", 0))
        for each in (*self.full, silent):
            self.addCleanup(each.close)
        dead = {kind: "".join(f"*.h{n} MX 10 h{n}\nh{n} A 127.{net}.0.{n + 1}\n" for n in range(HOSTS))
                for kind, net in (("refuses", 9), ("hangs", 8))}
        zones = {f"{kind}.example": records for kind, records in dead.items()}
        names = self.started(NameServer(self.place("names"), {**zones, "world.example": "@ MX 10 mx\nmx A 127.0.0.1\n"}))
        stubs = [f"{zone}={names.address}" for zone in (*zones, "world.example")]
        stubs.append(f"silent.example=127.0.0.1@{silent.getsockname()[1]}")
        config = ('[log]\nlevel = "warning"\n[limits]\nconnections_per_ip = 1000\n'
                  f'[dns]\nresolv_conf = ""\nstub_zones = {stubs}\n[mx]\nport = {port}\nallowed = ["127.0.0.0/8"]\n')
        catch = '"operation" = "observe"\ndelivery = "relay"\nrecipients = "listed"\ncatch_all = "all@{0}"\n'
        text = policy(f'name = "in.example"\nbackend = "office"\n{catch.format("in.example")}',
                      f'name = "away.example"\nbackend = "away"\n{catch.format("away.example")}',
                      backends={"office": f"127.0.0.1:{port}", "away": f"127.0.0.1:{free_port()}"})
        text = text.replace('name = "Test"\n', 'name = "Test"\nrelay_networks = ["127.0.0.1"]\noperation = "observe"\n')
        return self.started(Gateway(self.place("gateway"), text, config=config.replace("'", '"')))

    def arrived(self):
        folder = self.sink.maildir.path / "new"
        found = set()
        for file in os.scandir(folder) if folder.is_dir() else ():
            with open(file.path, "rb") as mail:
                found.add(int(SEEN.search(mail.read())[1]))
            os.unlink(file.path)
        return found

    def live_mail(self):
        """Seconds from the 250 to the arrival of a mail; one to a backend, one to a mail exchanger, in turn."""
        self.live += 1
        number, to = self.live, ("bob@in.example", "bob@world.example")[self.live % 2]
        send(self.gateway.port, "alice@in.example", [to], message(subject=f"live {number}", sender="alice@in.example"))
        since = time.monotonic()
        wait_for(f"live mail {number} to {to}", lambda: number in self.arrived(), 300)
        return time.monotonic() - since

    def watch(self, stage, until):
        """Live mails while until() is not yet true."""
        took, begun, spent = [], time.monotonic(), self.cpu()
        while not until() or len(took) < 2:
            took.append(self.live_mail())
            time.sleep(0.1)
        self.worst[stage] = max(took)
        cores = (self.cpu() - spent) / (time.monotonic() - begun)
        say(f"{stage}: {len(took)} live mails, each within {max(took):.3f} s (median {sorted(took)[len(took) // 2]:.3f}); "
            f"{self.memory()}; {cores:.2f} cores")

    def for_a_while(self):
        end = time.monotonic() + WATCH
        return lambda: time.monotonic() > end

    def proc(self, file):
        return pathlib.Path(f"/proc/{self.gateway.program.process.pid}/{file}").read_text(encoding="ascii")

    def status(self, file, name):
        """Megabytes."""
        return int(re.search(rf"^{name}:\s+(\d+)", self.proc(file), re.MULTILINE)[1]) / 1024

    def memory(self):
        self.peak = max(self.peak, self.status("status", "VmHWM"))
        return f"{self.status('smaps_rollup', 'Pss'):.0f} MB PSS, at most {self.status('status', 'VmHWM'):.0f} MB RSS"

    def cpu(self):
        fields = self.proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def queued(self):
        text = self.gateway.page("/metrics")[1]
        return int(float(re.search(r"^doorward_queue_mails ([\d.e+]+)", text, re.MULTILINE)[1]))

    def again(self, how, with_signal):
        """Ends it so, and starts it again: the first banner, and the first live mail."""
        begun = time.monotonic()
        status = self.gateway.end(with_signal=with_signal, seconds=60)
        self.assertEqual(status, 0 if with_signal == signal.SIGTERM else -signal.SIGKILL)
        ended = time.monotonic() - begun
        if COLD:
            os.sync()
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as caches:
                caches.write("3")
        begun = time.monotonic()
        self.gateway.start()
        banner = time.monotonic() - begun
        first = self.live_mail()
        say(f"{how}: ended in {ended:.1f} s, banner after {banner:.2f} s, first live mail within {first:.3f} s of its 250")
        wait_for(f"all mails after {how}", lambda: self.queued() == MAILS, 30)
        self.worst[how] = first
        self.assertLessEqual(banner, 10)

    def test_a_crowd_for_the_dead_delays_no_live_mail(self):
        self.gateway = self.stand()
        say(f"{MAILS} mails, half of them to {DOMAINS} domains; at the start {self.memory()}")
        self.live_mail()
        begun = time.monotonic()
        feeder = Feeder(self.gateway.port)
        self.watch("while they come", lambda: not feeder.is_alive())
        feeder.join()
        say(f"{feeder.acknowledged} accepted in {time.monotonic() - begun:.0f} s")
        self.assertEqual((feeder.acknowledged, feeder.refused[:3]), (MAILS, []))
        self.watch("while they wait", self.for_a_while())
        self.again("after SIGTERM", signal.SIGTERM)
        self.watch("after the restart", self.for_a_while())
        self.again("after SIGKILL", signal.SIGKILL)
        self.watch("after the second", self.for_a_while())
        self.assertEqual(self.queued(), MAILS)
        if MAILS >= 1_000_000:
            self.assertLessEqual(self.peak, 500)
        self.assertLessEqual(max(self.worst.values()), 1, self.worst)


if __name__ == "__main__":
    unittest.main()
