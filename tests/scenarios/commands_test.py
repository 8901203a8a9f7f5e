"""Commands beside a running gateway: on mail that is being delivered, on hostile texts, and as root for another account."""

import json
import os
import pathlib
import pwd
import signal
import subprocess
import threading
import time
import unittest

from doorward_testing import DOORWARD, Program, Scenario, Sink, free_port, listens, message, send, wait_for
from gateway import QUIET, Gateway, policy
from scripted import ScriptedServer

DOMAIN = ('name = "in.example"\nbackend = "office"\ndelivery = "relay"\nrecipients = "listed"\n'
          f'catch_all = "all@in.example"\n{QUIET}')


class Steering(Scenario):
    def stand(self, answer):
        self.server = self.started(ScriptedServer(answer))
        text = policy(DOMAIN, backends={"office": f"127.0.0.1:{self.server.port}"})
        config = '[spool]\nfirst_retry = "1s"\nlongest_retry = "2s"\n'
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config))

    def call(self, *words):
        return subprocess.run([DOORWARD, *words, "--config", self.gateway.config], capture_output=True, text=True,
                              check=False, timeout=60)

    def waiting(self):
        return [json.loads(line) for line in self.call("queue", "list", "--json").stdout.splitlines()]

    def test_mail_that_is_being_delivered_can_be_steered_and_is_delivered_at_most_once_more(self):
        go_on = threading.Event()

        def slow(verb, _argument, _session):
            if verb == "end":
                go_on.wait(20)
            return None

        self.addCleanup(go_on.set)
        self.stand(slow)
        for subject in ("hold", "remove", "retry", "release"):
            send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject=subject))
        under_way = wait_for("attempts under way", lambda: (
            lambda all_: all_ if len(all_) == 4 and all(not mail["parts"][0]["next"] for mail in all_) else None)(self.waiting()))
        for mail in under_way:
            self.assertIn(self.call("queue", mail["subject"], mail["id"]).returncode, (0, 3), mail["subject"])
        removed = next(mail["id"] for mail in under_way if mail["subject"] == "remove")
        self.assertEqual([event["id"] for event in self.gateway.events("mail.removed")], [removed])
        go_on.set()
        wait_for("an empty queue", lambda: not self.waiting())
        time.sleep(1.5)
        self.assertEqual(len(self.server.mails), 4)

    def test_nothing_is_returned_to_strangers_unless_forced(self):
        self.stand(lambda verb, argument, session: "550 5.1.1 no" if verb == "RCPT" else None)
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="\x1b[2Jgone"))
        told = wait_for("the end", lambda: self.gateway.events("mail.stranded"))[0]
        for words in (("list",), ("show", told["id"]), ("show", "--headers", told["id"])):
            shown = self.call("queue", *words)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            if "--headers" not in words:
                self.assertNotIn("\x1b", shown.stdout)
                self.assertIn("stranded", shown.stdout)
        left = self.call("queue", "bounce", told["id"])
        self.assertEqual(left.returncode, 1)
        self.assertIn("not proven", left.stderr)
        self.assertEqual(len(self.waiting()), 1)
        self.assertEqual(self.call("queue", "bounce", "--force", told["id"]).returncode, 0)
        wait_for("the notification", lambda: self.gateway.events("mail.notice"))

    def test_what_is_not_there_changes_nothing(self):
        self.stand(None)
        unknown = "01M83K5PMWK199TQEW8B7BT7HP"
        for words in (("queue", "show"), ("queue", "remove"), ("queue", "bounce"), ("queue", "hold"), ("queue", "release"),
                      ("quarantine", "show"), ("quarantine", "release"), ("quarantine", "delete")):
            done = self.call(*words, unknown)
            self.assertIn(done.returncode, (1, 3), words)
            self.assertTrue(done.stderr.startswith("doorward "), words)
        self.assertEqual(self.call("queue", "remove", "not-an-id").returncode, 1)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class AsRoot(Scenario):
    """What root's commands write is the gateway's own, who runs as another account."""

    def test_what_root_taught_and_imported_is_the_gateways(self):
        sink = self.started(Sink(self.place("sink")))
        place = self.place("gateway")
        port = free_port()
        config = place / "doorward.toml"
        config.write_text(f'host_name = "mx.in.example"\nstate_directory = "state"\ncache_directory = "cache"\n'
                          f'user = "nobody"\ngroup = "nogroup"\nhttp = ""\n[lists]\ndefault = false\n'
                          f'[[listener]]\nname = "mx"\naddress = "127.0.0.1:{port}"\ntls = "none"\n')
        (place / "tenants.toml").write_text(policy(DOMAIN.replace(QUIET, ""), backends={"office": f"127.0.0.1:{sink.port}"}))
        for kind in ("ham", "spam"):
            folder = place / kind
            folder.mkdir(mode=0o700)  # what root reads, the gateway's account may not
            for number in range(5):
                (folder / f"{number}.eml").write_bytes(message(subject=f"{kind} {number}", body=f"{kind} words {number}\r\n"))
        for words in (("learn", "--ham", place / "ham", "--spam", place / "spam"), ("policy", "import", place / "tenants.toml"),
                      ("queue", "list"), ("quarantine", "list")):
            done = subprocess.run([DOORWARD, *words, "--config", config], capture_output=True, text=True, check=False)
            self.assertIn(done.returncode, (0, 3), (words, done.stderr))
        nobody = pwd.getpwnam("nobody").pw_uid
        files = [file for file in (place / "state").rglob("*")]
        self.assertTrue(files)
        for file in [place / "state", *files]:
            self.assertEqual(file.stat().st_uid, nobody, file)
        gateway = self.started(Program([DOORWARD, "serve", "--config", config], place / "gateway.log"))
        wait_for("the gateway", lambda: listens(port) or gateway.process.poll() is not None)
        self.assertIsNone(gateway.process.poll(), gateway.text())
        status = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
        self.assertIn(f"Uid:\t{nobody}\t{nobody}\t{nobody}\t{nobody}", status)
        send(port, "alice@out.example", ["bob@in.example"], message(subject="as nobody"))
        self.assertEqual(sink.maildir.wait(1)[0]["Subject"], "as nobody")
        listed = subprocess.run([DOORWARD, "queue", "list", "--config", config], capture_output=True, text=True, check=False)
        self.assertIn(listed.returncode, (0, 3), listed.stderr)
        os.kill(gateway.process.pid, signal.SIGTERM)
        self.assertEqual(gateway.process.wait(20), 0, gateway.text())
        self.assertNotIn('"level":"error"', gateway.text())


if __name__ == "__main__":
    unittest.main()
