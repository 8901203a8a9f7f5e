"""What an operator does: reload, drain, metrics, health, check, policy export and diff."""

import json
import smtplib
import subprocess
import unittest

from doorward_testing import DOORWARD, Scenario, Sink, connected, listens, message, send, wait_for
from gateway import BAD_WORD, QUIET, WORD_LIST, Gateway, policy

JUDGED = QUIET.replace("word_lists = []", 'word_lists = ["test"]')


class Operation(Scenario):
    def setUp(self):
        super().setUp()
        self.sink = self.started(Sink(self.place("sink")))
        self.gateway = self.started(Gateway(self.place("gateway"), self.policy()))

    def policy(self, more=""):
        return policy(f'name = "in.example"\nbackend = "office"\n{JUDGED}{more}',
                      backends={"office": f"127.0.0.1:{self.sink.port}"}, lists=WORD_LIST)

    def doorward(self, *arguments):
        return subprocess.run([DOORWARD, *arguments], capture_output=True, text=True, timeout=60, check=False)

    def test_reload_takes_a_new_policy_and_keeps_the_old_one_when_the_new_is_wrong(self):
        with self.assertRaises(smtplib.SMTPDataError):
            send(self.gateway.port, "a@out.example", ["b@in.example"], message(subject=BAD_WORD))
        self.assertEqual(self.gateway.reload("this = is wrong [")["event"], "serve.reload_failed")
        with self.assertRaises(smtplib.SMTPDataError):
            send(self.gateway.port, "a@out.example", ["b@in.example"], message(subject=BAD_WORD))
        self.assertEqual(self.gateway.reload(self.policy("threshold = 10\n"))["event"], "serve.reloaded")
        send(self.gateway.port, "a@out.example", ["b@in.example"], message(subject=BAD_WORD))
        self.assertEqual(len(self.sink.maildir.raw()), 1)

    def test_a_transaction_keeps_the_policy_it_began_with(self):
        with connected(self.gateway.port) as client:
            client.ehlo("out.example")
            client.mail("a@out.example")
            client.rcpt("b@in.example")
            self.gateway.reload(self.policy("threshold = 10\n"))
            code, _ = client.data(message(subject=BAD_WORD))
            self.assertEqual(code, 550)
            client.mail("a@out.example")
            client.rcpt("b@in.example")
            code, _ = client.data(message(subject=BAD_WORD))
            self.assertEqual(code, 250)

    def test_termination_lets_the_present_transaction_end(self):
        client = connected(self.gateway.port)
        self.addCleanup(client.close)
        client.ehlo("out.example")
        client.mail("a@out.example")
        client.rcpt("b@in.example")
        self.gateway.program.process.terminate()
        wait_for("draining", lambda: self.gateway.events("serve.draining"))
        wait_for("no new connections", lambda: not listens(self.gateway.port))
        code, _ = client.data(message())
        self.assertEqual(code, 250)
        self.assertEqual(client.docmd("NOOP")[0], 421)
        self.assertEqual(self.gateway.program.process.wait(20), 0)
        self.assertEqual(len(self.sink.maildir.raw()), 1)

    def test_metrics_and_health(self):
        send(self.gateway.port, "a@out.example", ["b@in.example"], message())
        self.assertEqual(self.gateway.page("/healthz")[0], 200)
        self.assertEqual(self.gateway.page("/readyz")[0], 200)
        status, text = self.gateway.page("/metrics")
        self.assertEqual(status, 200)
        self.assertIn('doorward_mails_total{class="clean",disposition="deliver"} 1\n', text)
        self.assertNotIn("in.example", text)
        self.assertEqual(self.gateway.page("/nothing")[0], 404)

    def test_check_finds_what_is_wrong_and_says_how_to_mend_it(self):
        lines = [json.loads(l) for l in self.doorward("check", "--json", "--config", self.gateway.config).stdout.splitlines()]
        by_what = {line["what"]: line for line in lines}
        self.assertFalse(by_what["TLS"]["ok"])
        self.assertTrue(by_what["policy"]["ok"])
        self.assertTrue(by_what[f"backend office at 127.0.0.1:{self.sink.port}"]["ok"])
        self.assertTrue(by_what[f"relaying by 127.0.0.1:{self.gateway.port}"]["ok"])
        self.sink.end()
        gone = self.doorward("check", "--config", self.gateway.config)
        self.assertEqual(gone.returncode, 1)
        self.assertRegex(gone.stdout, "MEND  backend office")

    def test_policy_export_diff_import(self):
        exported = self.doorward("policy", "export", "--config", self.gateway.config)
        self.assertEqual(exported.returncode, 0, exported.stderr)
        changed = self.gateway.directory / "changed.toml"
        changed.write_text(exported.stdout.replace("[[customer.domain]]", "[[customer.domain]]\nthreshold = \"strict\""))
        differs = self.doorward("policy", "diff", changed, "--config", self.gateway.config)
        self.assertIn("threshold", differs.stdout)
        self.assertEqual(self.doorward("policy", "import", changed, "--config", self.gateway.config).returncode, 0)
        self.assertIn("strict", self.doorward("policy", "export", "--config", self.gateway.config).stdout)
        changed.write_text(changed.read_text().replace("threshold", "treshold"))
        wrong = self.doorward("policy", "import", changed, "--config", self.gateway.config)
        self.assertEqual(wrong.returncode, 1)
        self.assertRegex(wrong.stderr, r"changed\.toml:\d+.*threshold")

    def test_wrong_configuration_says_where_and_the_nearest_key(self):
        file = self.gateway.directory / "wrong.toml"
        file.write_text('host_nam = "x"\n')
        done = self.doorward("serve", "--config", file)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"wrong\.toml:1.*host_nam.*host_name")


if __name__ == "__main__":
    unittest.main()
