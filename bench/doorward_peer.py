"""Doorward in proxy and in relay mode, as `make release` builds it, set up by the same files a user writes."""
import pathlib
import shutil
import subprocess
import time
import urllib.request

from peers import DOMAIN, Peer, free_port

CONFIG = """
host_name = "gateway.{domain}"
state_directory = "state"
cache_directory = "{cache}"
policy = "policy.toml"
may_run_as_root = true
user = ""
group = ""
http = "{http}"

[log]
target = "{folder}/mail.log"

[limits]
connections_per_ip = 20000
message_size = "50MB"

[authentication]
on = false

[lists]
default = false

[[listener]]
name = "mx"
address = "127.0.0.1:{port}"
tls = "none"
xclient_from = ["127.0.0.0/8"]
"""

POLICY = """
[[backend]]
name = "sink"
address = ["127.0.0.1:{sink}"]
tls = "off"
max_connections = 1000

[[customer]]
name = "Bench"

[[customer.domain]]
name = "{domain}"
backend = "sink"
operation = "observe"
size_limit = "50MB"
"""


class DoorwardProxy(Peer):
    name = "Doorward"
    note = "proxy mode, whole pipeline, trained word statistics, log and score sheets written; the domain only observes, so that every mail reaches the sink"
    program = ""
    training = ""  # an index file of labelled mails; none: the word statistics stay empty
    policy = POLICY
    http = ""

    def prepare(self):
        # The compiled word lists are kept from run to run, as on a server that is not new.
        cache = self.folder.parent / "doorward-cache"
        cache.mkdir(exist_ok=True)
        values = {"domain": DOMAIN, "folder": self.folder, "cache": cache, "port": self.port, "sink": self.sink.port,
                  "http": self.http}
        (self.folder / "doorward.toml").write_text(CONFIG.format(**values))
        (self.folder / "policy.toml").write_text(self.policy.format(**values))
        # Trained word statistics: empty ones would have nothing to look up.
        trained = self.folder.parent / "doorward-trained"
        if not trained.exists():
            (self.folder / "state").mkdir()
            self.train()
            shutil.copytree(self.folder / "state", trained)
        else:
            shutil.copytree(trained, self.folder / "state")

    def train(self):
        if not pathlib.Path(self.training).is_file():
            return
        lines = pathlib.Path(self.training).read_text().splitlines()[:3000]
        paths = {label: [line.partition(" ")[2] for line in lines if line.startswith(label + " ")] for label in ("ham", "spam")}
        subprocess.run([self.program, "learn", "--config", self.folder / "doorward.toml", "--ham", *paths["ham"], "--spam", *paths["spam"]],
                       check=True, capture_output=True)

    def run(self):
        return self.launch(pathlib.Path(self.program), "serve", "--config", self.folder / "doorward.toml")


class DoorwardRelay(DoorwardProxy):
    name = "Doorward relay"
    note = "relay mode: every mail durable in the spool before its 250, whole pipeline as in proxy mode; CPU until the queue is empty"
    policy = POLICY.replace('operation = "observe"', 'operation = "observe"\ndelivery = "relay"')

    def prepare(self):
        self.http = f"127.0.0.1:{free_port()}"
        super().prepare()

    def settle(self):
        until = time.monotonic() + 300
        while time.monotonic() < until:
            with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=10) as page:
                lines = page.read().decode().splitlines()
            waiting = [float(line.split()[-1]) for line in lines if line.startswith("doorward_queue_mails ")]
            if waiting == [0.0]:
                return
            time.sleep(0.05)
        raise RuntimeError("the queue did not empty")
