"""Who a mail really comes from, asked of a real name server through the whole gateway."""

import email
import email.policy
import json
import smtplib
import socket
import subprocess
import time
import unittest

from doorward_testing import DOORWARD, Scenario, Sink, connected, message, wait_for
from gateway import QUIET, Gateway, policy
from peers import NameServer, available

ZONE = """
good MX 10 mx.good
good TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.good TXT "v=DMARC1; p=reject"
mx.good A 192.0.2.1
null MX 0 .
text TXT "nothing that takes mail"
_dmarc.elsewhere TXT "v=DMARC1; p=none"
elsewhere A 192.0.2.9
elsewhere TXT "v=spf1 a -all"
"""
REVERSE = {"2.0.192.in-addr.arpa": "1 PTR mx.good.example.\n9 PTR elsewhere.example.\n",
           "100.51.198.in-addr.arpa": "7 PTR mx.good.example.\n"}


@unittest.skipUnless(available("knotd"), "needs Knot (tools/install-packages test)")
class Names(Scenario):
    def setUp(self):
        super().setUp()
        self.stood = 0
        self.sink = self.started(Sink(self.place("sink")))
        self.names = self.started(NameServer(self.place("names"), {"example": ZONE, **REVERSE}))

    def stand(self, more="", config=""):
        self.stood += 1
        zones = ", ".join(f'"{name}={self.names.address}"' for name in ("example", *REVERSE))
        config = (f'[dns]\nresolv_conf = ""\nstub_zones = [{zones}]\n'
                  '[authentication]\nlocal_networks = ["127.0.0.1"]\ndeadline = "2s"\n' + config)
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}{more}', backends={"office": f"127.0.0.1:{self.sink.port}"})
        self.gateway = self.started(Gateway(self.place(f"gateway{self.stood}"), text, config=config,
                                            listener='tls = "none"\nxclient_from = ["127.0.0.1"]'))

    def hand_in(self, ip, sender, author, to="bob@in.example"):
        with connected(self.gateway.port) as client:
            client.ehlo("mx.good.example")
            if ip:
                self.assertEqual(client.docmd("XCLIENT", f"ADDR={ip} NAME=[UNAVAILABLE]")[0], 220)
                client.ehlo("mx.good.example")
            client.sendmail(sender, [to], message(sender=author))

    def sheet_of(self, text):
        reference = text.split("[ref ")[1].split("]")[0]
        command = [DOORWARD, "scan", "--ref", reference, "--json", "--config", self.gateway.config]
        text = wait_for("the sheet", lambda: subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return json.loads(text)

    def test_a_proven_mail_arrives_with_what_the_checks_came_to(self):
        self.stand()
        self.hand_in("192.0.2.1", "alice@good.example", "alice@good.example")
        mail = self.sink.maildir.wait(1)[0]
        results = mail["Authentication-Results"]
        self.assertIn("iprev=pass (mx.good.example)", results)
        self.assertIn("spf=pass", results)
        self.assertIn("smtp.mailfrom=alice@good.example", results)
        self.assertIn("dkim=none", results)
        self.assertIn("dmarc=pass", results)
        judged = wait_for("the line", lambda: self.gateway.events("mail.judged"))[0]
        self.assertEqual((judged["spf"], judged["dkim"], judged["dmarc"]), ("pass", "none", "pass"))
        self.assertIn('doorward_authentication_total{check="dmarc",result="pass"} 1', self.gateway.page("/metrics")[1])

    def test_a_forgery_is_refused_with_the_reasons_on_its_sheet(self):
        self.stand()
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.hand_in("198.51.100.7", "alice@good.example", "alice@good.example")
        self.assertEqual(refused.exception.smtp_code, 550)
        sheet = self.sheet_of(refused.exception.smtp_error.decode())
        symbols = {finding["symbol"] for finding in sheet["findings"]}
        self.assertLessEqual({"reverse_name_unconfirmed", "spf_fail", "dmarc_reject", "unproven"}, symbols)
        asked = {lookup["question"]: lookup["answer"] for lookup in sheet["lookups"]}
        self.assertEqual(asked["txt good.example"], "found")
        self.assertEqual(asked["txt _dmarc.good.example"], "found")

    def test_a_proven_envelope_does_not_excuse_a_forged_author(self):
        self.stand()
        self.hand_in("192.0.2.9", "x@elsewhere.example", "alice@good.example")  # alone it refuses nothing (D8) …
        self.assertIn("dmarc=fail", self.sink.maildir.wait(1)[0]["Authentication-Results"])
        self.stand("threshold = 3\n")
        with self.assertRaises(smtplib.SMTPDataError):  # … and who is stricter says so
            self.hand_in("192.0.2.9", "x@elsewhere.example", "alice@good.example")

    def test_senders_who_could_not_be_answered_are_refused_before_the_data(self):
        self.stand()
        for sender, code in (("a@null.example", b"5.7.27"), ("a@text.example", b"5.1.8"), ("a@gone.example", b"5.1.8")):
            with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
                self.hand_in("192.0.2.1", sender, sender)
            status, text = refused.exception.recipients["bob@in.example"]
            self.assertEqual((status, code in text), (550, True), text)
        self.hand_in("192.0.2.1", "a@null.example", "a@null.example", to="postmaster@in.example")
        self.hand_in(None, "a@gone.example", "a@gone.example")  # from our own network
        self.sink.maildir.wait(2)

    def test_a_tenant_may_take_such_senders(self):
        self.stand("sender_domain = false\n")
        self.hand_in("192.0.2.1", "a@gone.example", "a@gone.example")
        self.sink.maildir.wait(1)

    def test_what_was_changed_is_sealed(self):
        key = self.directory / "arc.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
        seal = f'[arc]\ndomain = "gate.example"\nselector = "s"\nkey = "{key}"\n'
        self.stand('legal = "tag-only"\n"outcome.spam" = "tag"\nthreshold = -1\n', config=seal)
        self.hand_in("198.51.100.7", "x@elsewhere.example", "x@elsewhere.example")
        mail = self.sink.maildir.wait(1)[0]
        self.assertIn("SPAM", mail["Subject"])
        self.assertIn("i=1; mx.in.example;", " ".join(mail["ARC-Authentication-Results"].split()))
        self.assertIn("cv=none", mail["ARC-Seal"])
        self.assertIn("d=gate.example", mail["ARC-Message-Signature"])

    def test_the_own_domain_from_a_strangers_server(self):
        self.stand("threshold = 3\n")
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.hand_in("192.0.2.1", "x@good.example", "boss@in.example")
        symbols = {finding["symbol"] for finding in self.sheet_of(refused.exception.smtp_error.decode())["findings"]}
        self.assertIn("own_domain_forged", symbols)
        self.hand_in(None, "boss@in.example", "boss@in.example")  # from our own network
        self.sink.maildir.wait(1)

    def test_forged_results_of_our_name_are_removed(self):
        self.stand()
        forged = b"Authentication-Results: mx.in.example; dmarc=pass header.from=good.example\r\n"
        with connected(self.gateway.port) as client:
            client.ehlo("mx.good.example")
            client.sendmail("alice@good.example", ["bob@in.example"], forged + message())
        fields = self.sink.maildir.wait(1)[0].get_all("Authentication-Results", [])
        self.assertFalse([field for field in fields if "header.from=good.example" in field], fields)

    def test_a_dead_name_server_puts_off_within_the_deadline(self):
        self.names.end()
        self.stand()
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            self.hand_in("192.0.2.1", "alice@good.example", "alice@good.example")
        self.assertEqual(refused.exception.recipients["bob@in.example"][0], 451)
        self.stand("sender_domain = false\n")
        self.hand_in("192.0.2.1", "alice@good.example", "alice@good.example")  # and no check says more than it knows
        self.assertIn("spf=temperror", self.sink.maildir.wait(1)[0]["Authentication-Results"])
        self.stand('dns_failure = "accept"\n')
        self.hand_in("192.0.2.1", "alice@good.example", "alice@good.example")
        self.sink.maildir.wait(2)

    def test_silent_name_servers_cost_one_deadline_for_all_phases_together(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            self.names.end()
            self.names.address = f"127.0.0.1@{silent.getsockname()[1]}"
            self.stand('dns_failure = "accept"\n')
            begun = time.monotonic()
            self.hand_in("192.0.2.1", "alice@good.example", "alice@good.example")
            self.assertLess(time.monotonic() - begun, 3.8)  # two deadlines of two seconds would be four
            self.sink.maildir.wait(1)


if __name__ == "__main__":
    unittest.main()
