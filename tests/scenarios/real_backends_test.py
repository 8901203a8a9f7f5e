"""Postfix and Dovecot behind the gateway: what they say reaches the sender in our words, and their mail arrives once."""

import concurrent.futures
import smtplib
import subprocess
import unittest

from doorward_testing import Scenario, connected, message, send, swaks, wait_for
from gateway import QUIET, Gateway, policy
from peers import DovecotLmtp, PostfixBackend, PostfixClient, available


def domain(name, backend):
    return f'name = "{name}"\nbackend = "{backend}"\n{QUIET}'


@unittest.skipUnless(available("postfix", "swaks"), "needs root, Postfix and swaks (tools/install-packages test)")
class PostfixBehind(Scenario):
    def stand(self, users=("bob", "carol"), backend=None, domains=("in.example",), **settings):
        self.postfix = self.started(PostfixBackend(self.place("backend"), users, **settings))
        office = {"address": [f"127.0.0.1:{self.postfix.port}"], **(backend or {})}
        self.gateway = self.started(Gateway(self.place("gateway"),
                                            policy(*[domain(name, "office") for name in domains],
                                                   backends={"office": office})))

    def certificate(self):
        folder = self.place("certificate")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=postfix.example", "-days",
                        "2", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
        return {"smtpd_tls_cert_file": folder / "cert.pem", "smtpd_tls_key_file": folder / "key.pem",
                "smtpd_tls_security_level": "may", "smtpd_tls_loglevel": "1"}

    def test_mail_arrives_and_unknown_users_are_refused_in_our_words(self):
        self.stand()
        for more in ([], ["--pipeline"]):
            status, transcript = swaks(self.gateway.port, "--from", "a@out.example", "--to", "bob@in.example", *more)
            self.assertEqual(status, 0, transcript)
        self.assertEqual(len(self.postfix.boxes["bob"].wait(2)), 2)
        _, transcript = swaks(self.gateway.port, "--from", "a@out.example", "--to", "nobody@in.example")
        self.assertIn("550 5.1.1", transcript)
        self.assertNotIn("virtual mailbox table", transcript)
        self.assertNotIn("postfix.example", transcript)

    def test_one_unknown_among_known_ones(self):
        self.stand()
        refused = send(self.gateway.port, "a@out.example", ["bob@in.example", "nobody@in.example", "carol@in.example"],
                       message(body=".dot\r\n..\r\n"))
        self.assertEqual(list(refused), ["nobody@in.example"])
        for user in ("bob", "carol"):
            self.postfix.boxes[user].wait(1)
            self.assertTrue(self.postfix.boxes[user].raw()[0].endswith(b"\n\n.dot\n..\n"))

    def test_relaying_denied_is_our_fault_and_never_a_5xx(self):
        self.stand(domains=("in.example", "forgotten.example"))
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            send(self.gateway.port, "a@out.example", ["bob@forgotten.example"], message())
        code, text = refused.exception.recipients["bob@forgotten.example"]
        self.assertEqual(code, 451)
        self.assertIn(b"4.3.5", text)
        alarms = self.gateway.events("delivery.backend_misconfigured")
        self.assertEqual(len(alarms), 1)
        self.assertIn("Relay access denied", alarms[0]["words"])

    def test_tls_that_is_required_is_used(self):
        self.stand(backend={"tls": "required"}, **self.certificate())
        send(self.gateway.port, "a@out.example", ["bob@in.example"], message())
        self.postfix.boxes["bob"].wait(1)
        self.assertIn("TLS connection established from", self.postfix.text())

    def test_tls_that_is_required_and_missing_defers(self):
        self.stand(backend={"tls": "required"})
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            send(self.gateway.port, "a@out.example", ["bob@in.example"], message())
        self.assertEqual(refused.exception.recipients["bob@in.example"][0], 451)
        self.assertEqual(len(self.gateway.events("delivery.backend_misconfigured")), 1)

    def test_internationalized_address(self):
        self.stand(users=("bob", "jürgen"))
        with connected(self.gateway.port) as client:
            client.ehlo("client.out.example")
            client.sendmail("a@out.example", ["jürgen@in.example"], message(), mail_options=["SMTPUTF8"])
        self.postfix.boxes["jürgen"].wait(1)

    def test_a_client_that_waits_out_the_backends_absence_delivers_once(self):
        self.stand()
        client = self.started(PostfixClient(self.place("client"), self.gateway.port))
        self.postfix.command("stop")
        send(client.port, "alice@out.example", ["bob@in.example"], message())
        wait_for("the refusal", lambda: "status=deferred" in client.text())
        self.assertIn("451 4.4.1", client.text())
        self.postfix.command("start")
        self.postfix.boxes["bob"].wait(1, 60)
        wait_for("an empty queue", lambda: client.waiting() == 0)
        self.assertEqual(len(self.postfix.boxes["bob"].raw()), 1)

    def test_many_senders_share_the_few_connections_that_the_backend_allows(self):
        self.stand(backend={"max_connections": 2})
        with concurrent.futures.ThreadPoolExecutor(20) as senders:
            sent = [senders.submit(send, self.gateway.port, "a@out.example", ["bob@in.example"], message())
                    for _ in range(60)]
            self.assertEqual([each.result() for each in sent], [{}] * 60)
        self.assertEqual(len(self.postfix.boxes["bob"].wait(60)), 60)
        most = present = 0
        for line in self.postfix.text().splitlines():
            present += (" connect from" in line) - (" disconnect from" in line)
            most = max(most, present)
        self.assertLessEqual(most, 3)  # Postfix notes an end some moments after the next beginning


@unittest.skipUnless(available("dovecot"), "needs root and Dovecot (tools/install-packages test)")
class DovecotBehind(Scenario):
    def stand(self, **options):
        self.dovecot = self.started(DovecotLmtp(self.place("backend"), ["bob", "carol"], **options))
        boxes = {"address": [f"127.0.0.1:{self.dovecot.port}"], "protocol": "lmtp"}
        self.gateway = self.started(Gateway(self.place("gateway"),
                                            policy(domain("in.example", "boxes"), backends={"boxes": boxes})))

    def test_mail_arrives_and_unknown_users_are_refused(self):
        self.stand()
        send(self.gateway.port, "a@out.example", ["bob@in.example"], message(body=".dot\r\n"))
        self.dovecot.boxes["bob"].wait(1)
        self.assertTrue(self.dovecot.boxes["bob"].raw()[0].endswith(b"\n.dot\n"))
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as refused:
            send(self.gateway.port, "a@out.example", ["nobody@in.example"], message())
        code, text = refused.exception.recipients["nobody@in.example"]
        self.assertEqual(code, 550)
        self.assertIn(b"5.1.1", text)

    def test_a_full_mailbox_keeps_its_class_and_code(self):
        self.stand(quota_kb=20)
        with self.assertRaises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)) as full:
            send(self.gateway.port, "a@out.example", ["bob@in.example"], message(body="x" * 70 + "\r\n" + "y" * 70 + "\r\n" * 30000))
        error = full.exception
        code, text = error.args[:2] if isinstance(error, smtplib.SMTPDataError) else error.recipients["bob@in.example"]
        self.assertIn((code, text[:5]), [(452, b"4.2.2"), (552, b"5.2.2")])


if __name__ == "__main__":
    unittest.main()
