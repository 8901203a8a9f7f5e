"""Doorward in proxy mode, as `make release` builds it, set up by the same files a user writes."""
import pathlib

from peers import DOMAIN, Peer

CONFIG = """
host_name = "gateway.{domain}"
state_directory = "state"
cache_directory = "{cache}"
policy = "policy.toml"
may_run_as_root = true
user = ""
group = ""
http = ""

[log]
target = "{folder}/mail.log"

[limits]
connections_per_ip = 20000
message_size = "50MB"

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
    note = "proxy mode, whole pipeline, log and score sheets written; the domain only observes, so that every mail reaches the sink"
    program = ""
    policy = POLICY

    def prepare(self):
        # The compiled word lists are kept from run to run, as on a server that is not new.
        cache = self.folder.parent / "doorward-cache"
        for folder in (cache, self.folder / "state"):
            folder.mkdir(exist_ok=True)
        values = {"domain": DOMAIN, "folder": self.folder, "cache": cache, "port": self.port, "sink": self.sink.port}
        (self.folder / "doorward.toml").write_text(CONFIG.format(**values))
        (self.folder / "policy.toml").write_text(self.policy.format(**values))

    def run(self):
        return self.launch(pathlib.Path(self.program), "serve", "--config", self.folder / "doorward.toml")
