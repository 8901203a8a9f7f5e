"""The name servers of bench/reputation.py: Knot for all zones, the root included, and unbound in front of it. Their CPU
belongs to no peer."""
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from peers import free_port, wait_for_port

DOMAINS = 1000  # d0.example …: authors
# Those that Debian's rspamd asks unless it is told otherwise: ip1.lists.example …
LISTS = {"ip": 8, "dom": 6, "mail": 2}
WITH_RECEIVED = 3  # of the lists of addresses: also about the servers before the client

SOA = "@ SOA ns.test. admin.test. 1 3600 600 86400 300\n@ NS ns.test.\n"

UNBOUND = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  username: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  module-config: "iterator"
  qname-minimisation: no
  root-hints: ""
  target-fetch-policy: "0 0 0 0 0"
stub-zone:
  name: "."
  stub-addr: 127.0.0.1@{knot}
remote-control:
  control-enable: no
"""


def author_records(number, key):
    """One author's domain: an SPF record with an include, a key, DMARC for two of three."""
    name = f"d{number}"
    ending = "-all" if number % 2 else "~all"
    text = (f"{name} MX 10 mx.{name}\nmx.{name} A 198.18.0.{1 + number % 254}\n"
            f'{name} TXT "v=spf1 include:_spf.{name}.example {ending}"\n'
            f's._domainkey.{name} TXT {key}\n')
    # One author in eight has moved without telling anybody: softfail or fail.
    network = "198.51.100.0/24" if number % 8 == 7 else "198.18.0.0/24"
    text += f'_spf.{name} TXT "v=spf1 ip4:{network} ?all"\n'
    if number % 3:
        text += f'_dmarc.{name} TXT "v=DMARC1; p={"reject" if number % 3 == 1 else "none"}"\n'
    return text


def zones(key):
    made = {"": "ns.test A 127.0.0.1\n",
            "example": "".join(author_records(number, key) for number in range(DOMAINS))
            + "".join(f"c{host} A 198.18.0.{host}\n" for host in range(1, 255)),
            "0.18.198.in-addr.arpa": "".join(f"{host} PTR c{host}.example.\n" for host in range(1, 255))}
    for number in range(1, LISTS["ip"] + 1):  # every list knows one client in sixteen, and each another one
        listed = "".join(f"{host}.0.18.198 A 127.0.0.2\n" for host in range(number, 255, 16))
        made[f"ip{number}.lists.example"] = "2.0.0.127 A 127.0.0.2\n" + listed
    for number in range(1, LISTS["mail"] + 1):  # of hashes of mail addresses: they know nobody
        made[f"mail{number}.lists.example"] = ""
    for number in range(1, LISTS["dom"] + 1):
        listed = "".join(f"d{domain}.example A 127.0.0.2\n" for domain in range(number, DOMAINS, 40))
        made[f"dom{number}.lists.example"] = "test A 127.0.0.2\n" + listed
    return made


def wait_for_answer(port, name, seconds=30):
    """Until a name server on that port has an A record of that name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.5)
            asking.sendto(question, ("127.0.0.1", port))
            try:
                answer = asking.recv(4096)
                if answer[3] & 15 == 0 and answer[7] > 0:
                    return
            except OSError:
                pass
        time.sleep(0.05)
    raise RuntimeError(f"the name server on port {port} does not know {name}")


class Names:
    def __init__(self, folder, key):
        self.folder = pathlib.Path(folder)
        (self.folder / "db").mkdir(parents=True)
        self.knot_port, self.unbound_port = free_port(), free_port()
        text = (f"server:\n  listen: 127.0.0.1@{self.knot_port}\n  rundir: {self.folder}\n  udp-workers: 1\n  tcp-workers: 1\n"
                f"database:\n  storage: {self.folder}/db\nlog:\n  - target: stderr\n    any: warning\nzone:\n")
        for number, (zone, records) in enumerate(zones(key).items()):
            path = self.folder / f"{number}.zone"
            path.write_text("$TTL 3600\n" + SOA + records)
            text += f"  - domain: {zone or '.'}\n    file: {path}\n"
        (self.folder / "knot.conf").write_text(text)
        (self.folder / "unbound.conf").write_text(UNBOUND.format(port=self.unbound_port, knot=self.knot_port, folder=self.folder))
        self.processes = []
        self.go()

    def launch(self, *command):
        with open(self.folder / "log", "ab") as log:
            self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def go(self):
        self.launch("knotd", "-c", str(self.folder / "knot.conf"))
        wait_for_port(self.knot_port)
        for name in ("ns.test", "c1.example", f"test.dom{LISTS['dom']}.lists.example"):  # before unbound asks, which remembers failures
            wait_for_answer(self.knot_port, name)
        self.launch("unbound", "-d", "-c", str(self.folder / "unbound.conf"))
        wait_for_port(self.unbound_port)
        wait_for_answer(self.unbound_port, "c1.example")

    def hush(self, silent):
        """Stops answering, or goes on: what asks waits in vain."""
        for process in self.processes:
            process.send_signal(signal.SIGSTOP if silent else signal.SIGCONT)

    def stop(self):
        self.hush(False)
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
