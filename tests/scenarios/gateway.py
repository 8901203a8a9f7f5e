"""`doorward serve` under test: its configuration and policy, its stores in a folder of their own, its log as events."""

import json
import os
import pathlib
import signal
import urllib.request

from doorward_testing import DOORWARD, Program, free_port, listens, wait_for

# What most scenarios want of the filters: nothing. Judging has tests of its own; a scenario that wants verdicts says so.
QUIET = "word_lists = []\n" + "".join(f'"filter.{name}.on" = false\n' for name in ("structure", "word_statistics"))
# Mail with this word in its subject is refused by the word list below, and nothing else decides.
BAD_WORD = "zzspamword"
WORD_LIST = f"""
[[word_list]]
name = "test"
[[word_list.entry]]
pattern = "{BAD_WORD}"
points = 10
"""


class Gateway:
    def __init__(self, directory, policy, config="", listener='tls = "none"', wait=True, environment=None):
        self.environment = environment
        self.directory = pathlib.Path(directory)
        self.port, self.http = free_port(), free_port()
        self.program = None
        self.config = self.directory / "doorward.toml"
        self.policy = self.directory / "policy.toml"
        self.policy.write_text(policy)
        if "[lists]" not in config:
            config += "\n[lists]\ndefault = false\n"  # a test asks nobody outside
        self.config.write_text(f"""\
host_name = "mx.in.example"
state_directory = "state"
cache_directory = "cache"
policy = "policy.toml"
may_run_as_root = true
user = ""
group = ""
http = "127.0.0.1:{self.http}"
{config}
[[listener]]
name = "mx"
address = "127.0.0.1:{self.port}"
{listener}
""")
        self.start(wait)

    def start(self, wait=True):
        """Also again, after it ended or was killed: with the same files."""
        if self.program:
            self.program.end()
        self.program = Program([DOORWARD, "serve", "--config", self.config], self.directory / "gateway.log",
                               self.environment)
        if wait:
            wait_for("the gateway's banner", self._up, 60)

    def _up(self):
        if self.program.process.poll() is not None:
            raise AssertionError("the gateway ended: " + self.program.text())
        return listens(self.port)

    def events(self, name=None):
        """The log's lines as objects, those of that event."""
        found = []
        for line in self.program.text().splitlines():
            if line.startswith("{"):
                event = json.loads(line)
                if name is None or event["event"] == name:
                    found.append(event)
        return found

    def reload(self, policy=None):
        """SIGHUP, with that policy; waits for what the log says of it and returns the event."""
        if policy is not None:
            self.policy.write_text(policy)
        before = len(self.events("serve.reloaded")) + len(self.events("serve.reload_failed"))
        os.kill(self.program.process.pid, signal.SIGHUP)
        wait_for("the reload", lambda: len(self.events("serve.reloaded")) + len(self.events("serve.reload_failed")) > before)
        return [e for e in self.events() if e["event"] in ("serve.reloaded", "serve.reload_failed")][-1]

    def page(self, path):
        """(status, text) of a page of the HTTP listener."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def end(self, **options):
        return self.program.end(**options)


def policy(*domains, backends, lists=""):
    """A policy of one customer: `backends` as {name: "host:port"} or {name: {...}}, `domains` as TOML bodies after [[customer.domain]]."""
    text = ""
    for name, what in backends.items():
        keys = what if isinstance(what, dict) else {"address": [what]}
        text += f'[[backend]]\nname = "{name}"\n'
        for key, value in {"tls": "off", **keys}.items():
            text += f"{key} = {json.dumps(value)}\n"
    text += lists + '[[customer]]\nname = "Test"\n'
    for domain in domains:
        text += f"[[customer.domain]]\n{domain}\n"
    return text
