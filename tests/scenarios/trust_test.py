"""A customer's mail is refused, our user writes to them, their next mail passes; a stranger's forgery does not (D1)."""

import json
import smtplib
import subprocess
import time
import unittest

from doorward_testing import DOORWARD, Scenario, Sink, connected, message, send, wait_for
from gateway import BAD_WORD, QUIET, WORD_LIST, Gateway, policy
from peers import NameServer, available
from scripted import ScriptedServer

ZONE = """
partner MX 10 mx.partner
partner TXT "v=spf1 ip4:192.0.2.1 -all"
mx.partner A 127.0.0.1
plain MX 10 mx.partner
"""
REVERSE = {"2.0.192.in-addr.arpa": "1 PTR mx.partner.example.\n"}
HOME, STRANGER = "192.0.2.1", "198.51.100.7"


@unittest.skipUnless(available("knotd"), "needs Knot (tools/install-packages test)")
class Trust(Scenario):
    def setUp(self):
        super().setUp()
        self.sink = self.started(Sink(self.place("sink")))
        self.world = self.started(ScriptedServer())
        self.names = self.started(NameServer(self.place("names"), {"example": ZONE, **REVERSE}))
        zones = ", ".join(f'"{name}={self.names.address}"' for name in ("example", *REVERSE))
        config = (f'[dns]\nresolv_conf = ""\nstub_zones = [{zones}]\n[mx]\nport = {self.world.port}\n'
                  'allowed = ["127.0.0.0/8"]\n[authentication]\nlocal_networks = ["127.0.0.1"]\ndeadline = "2s"\n')
        quiet = QUIET.replace("word_lists = []", 'word_lists = ["test"]')
        text = policy(f'name = "in.example"\nbackend = "office"\n{quiet}',
                      backends={"office": f"127.0.0.1:{self.sink.port}"}) + WORD_LIST
        text = text.replace('name = "Test"\n', f'name = "Test"\nrelay_networks = ["127.0.0.1"]\n{quiet}')
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config,
                                            listener='tls = "none"\nxclient_from = ["127.0.0.1"]'))

    def hand_in(self, ip, sender, subject, to="bob@in.example"):
        """A mail from outside: its reply's code."""
        with connected(self.gateway.port) as client:
            client.ehlo("mx.partner.example")
            self.assertEqual(client.docmd("XCLIENT", f"ADDR={ip} NAME=[UNAVAILABLE]")[0], 220)
            client.ehlo("mx.partner.example")
            try:
                client.sendmail(sender, [to], message(subject=subject, sender=sender, to=to))
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code
        return 250

    def write_to(self, whom, subject="Your question about the order", fields=""):
        """Our user's mail to them, until the trust that it builds is there."""
        before = len(self.world.mails)
        text = message(subject=subject, sender="bob@in.example", to=whom)
        send(self.gateway.port, "bob@in.example", [whom], fields.encode() + text)
        wait_for("the mail outside", lambda: len(self.world.mails) > before)

    def trust(self, *arguments, expected=0):
        command = [DOORWARD, "trust", *arguments, "--config", self.gateway.config]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, expected, done.stderr)
        return done.stdout

    def level(self, whom, kind="address", *more):
        command = [DOORWARD, "trust", "show", whom, "--json", *more, "--config", self.gateway.config]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return json.loads(done.stdout).get(kind, {}).get("level", 0)

    def test_whom_our_user_writes_to_gets_through_and_a_forger_does_not(self):
        ann = "ann@partner.example"
        self.assertEqual(self.hand_in(HOME, ann, f"first {BAD_WORD}"), 550)
        wait_for("distrust", lambda: self.level(ann) < 0)
        self.write_to(ann)
        wait_for("trust", lambda: self.level(ann) >= 40)
        self.assertEqual(self.hand_in(HOME, ann, f"another thing altogether {BAD_WORD}"), 250)
        score = self.sink.maildir.wait(1)[0]["X-Doorward-Score"]
        self.assertIn("level_of_trust:pair_trusted", score)
        self.assertEqual(self.hand_in(STRANGER, ann, f"another thing altogether {BAD_WORD}"), 550)
        # What was learnt is durable within a second, whatever happens to the process.
        time.sleep(1.5)
        self.gateway.program.process.kill()
        self.gateway.program.process.wait()
        self.gateway.start()
        self.assertEqual(self.hand_in(HOME, ann, f"after the accident {BAD_WORD}"), 250)

    def test_who_can_prove_nothing_comes_from_where_the_refused_mail_came(self):
        max_ = "max@plain.example"
        self.assertEqual(self.hand_in("192.0.2.9", max_, f"first {BAD_WORD}"), 550)
        self.write_to(max_)
        wait_for("trust", lambda: self.level(max_) >= 40)
        self.assertEqual(self.hand_in(STRANGER, max_, f"second {BAD_WORD}"), 550)
        self.assertEqual(self.hand_in("192.0.2.10", max_, f"second {BAD_WORD}"), 250)

    def test_answering_machines_make_no_friends(self):
        ann = "ann@partner.example"
        self.write_to(ann, subject="Out of office: back on Monday")
        self.write_to(ann, fields="Auto-Submitted: auto-replied\r\n")
        with self.assertRaises(smtplib.SMTPDataError):
            self.write_to(ann, subject=f"what we sell {BAD_WORD}")
        time.sleep(0.3)
        self.assertEqual(self.level(ann), 0)
        self.assertEqual(self.hand_in(HOME, ann, f"first {BAD_WORD}"), 550)

    def test_an_administrator_sees_sets_and_forgets(self):
        ann = "ann@partner.example"
        self.trust("show", ann, expected=3)
        self.trust("set", ann, "90")
        self.assertIn("address", self.trust("show", ann))
        self.assertEqual(self.hand_in(HOME, ann, f"first {BAD_WORD}"), 550)  # others' word is not one's own
        self.write_to(ann)
        wait_for("trust", lambda: self.level(ann, "pair", "--recipient", "bob@in.example") >= 40)
        self.trust("forget", ann)
        self.trust("show", ann, "--recipient", "bob@in.example")  # the domain is left
        self.assertEqual(self.level(ann, "pair", "--recipient", "bob@in.example"), 0)
        self.trust("forget", "partner.example")
        self.trust("show", ann, expected=3)
        self.trust("set", "gmail.com", "50", expected=1)
        self.assertTrue(self.gateway.events("trust.set"))
        # And without a gateway that runs.
        self.gateway.end()
        self.trust("set", ann, "-50")
        self.assertIn("-50", self.trust("show", ann))


if __name__ == "__main__":
    unittest.main()
