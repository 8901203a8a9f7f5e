"""A mail passes, or is refused with a reason, within the session; the backend gets exactly what it should."""

import email.message
import email.policy
import re
import smtplib
import subprocess
import unittest

from doorward_testing import DOORWARD, Scenario, Sink, connected, free_port, message, send, wait_for
from gateway import BAD_WORD, QUIET, WORD_LIST, Gateway, policy

# Only the test's own word list counts.
JUDGED = QUIET.replace("word_lists = []", 'word_lists = ["test"]')


class ProxyDelivery(Scenario):
    def gateway(self, *bodies, **options):
        self.sink = self.started(Sink(self.place("sink")))
        domains = bodies or (f'name = "in.example"\nbackend = "office"\n{JUDGED}',)
        text = policy(*domains, backends={"office": f"127.0.0.1:{self.sink.port}"}, lists=WORD_LIST)
        return self.started(Gateway(self.place("gateway"), text, **options))

    def sheet(self, gateway, reference):
        """What the reference shows, as soon as it is stored."""
        def stored():
            shown = subprocess.run([DOORWARD, "scan", "--config", gateway.config, "--ref", reference], capture_output=True,
                                   text=True, check=False)
            return shown.stdout if shown.returncode == 0 else None

        return wait_for("the stored sheet", stored)

    def test_good_mail_arrives_byte_for_byte_with_our_trace_on_top(self):
        gateway = self.gateway()
        sent = message(body="Good day.\r\n.leading dot\r\n..two\r\n\xfc\r\n" + "x" * 900 + "\r\n", subject="Hello").decode()
        sent = sent.encode("latin-1", "replace")
        send(gateway.port, "alice@out.example", ["bob@in.example"], sent)
        raw = self.sink.maildir.raw()
        self.assertEqual(len(raw), 1)
        received = raw[0].replace(b"\r\n", b"\n")
        self.assertTrue(received.endswith(sent.replace(b"\r\n", b"\n")), received)
        mail = self.sink.maildir.mails()[0]
        self.assertIn("by mx.in.example with ESMTP", mail["Received"])
        self.assertIn("for <bob@in.example>", mail["Received"])
        self.assertTrue(mail["X-Doorward-Ref"])

    def test_spam_is_refused_with_reason_and_reference_and_the_sheet_says_why(self):
        gateway = self.gateway()
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            send(gateway.port, "alice@out.example", ["bob@in.example"], message(subject=f"Buy {BAD_WORD} now"))
        self.assertEqual(refused.exception.smtp_code, 550)
        text = refused.exception.smtp_error.decode()
        self.assertIn("5.7.1", text)
        reference = re.search(r"\[ref ([0-9A-Z]{26})\]", text)[1]
        self.assertEqual(self.sink.maildir.raw(), [])

        shown = self.sheet(gateway, reference)
        self.assertIn(BAD_WORD, shown)
        self.assertIn("SCL 10 exceeds the threshold 4", shown)
        self.assertEqual([e["class"] for e in gateway.events("mail.judged")], ["spam"])

    def test_no_open_relay(self):
        gateway = self.gateway()
        with connected(gateway.port) as client:
            client.ehlo("out.example")
            client.mail("alice@out.example")
            for trick in ("<v@elsewhere.example>", "<v%elsewhere.example@in.example>", "<elsewhere.example!v@in.example>",
                          '<"v@elsewhere.example"@in.example>', "<@in.example:v@elsewhere.example>", "<v@[127.0.0.1]>",
                          "<v%elsewhere.example>", '<"v@elsewhere.example">', "<v@mx.in.example>"):
                code, text = client.docmd(f"RCPT TO:{trick}")
                self.assertGreaterEqual(code, 500, f"{trick}: {code} {text}")
            code, _ = client.docmd("RCPT TO:<Postmaster@in.example>")
            self.assertEqual(code, 250)

    def test_the_reference_of_a_refused_recipient_leads_to_a_sheet(self):
        gateway = self.gateway(f'name = "in.example"\nbackend = "office"\n{JUDGED}'
                               '[[customer.domain.rule]]\nname = "no casino"\nsender = "*@casino.example"\nmode = "reject"\n')
        with connected(gateway.port) as client:
            client.ehlo("out.example")
            client.mail("win@casino.example")
            code, text = client.rcpt("bob@in.example")
            self.assertEqual(code, 550)
        shown = self.sheet(gateway, re.search(r"\[ref ([0-9A-Z]{26})\]", text.decode())[1])
        self.assertIn("to bob@in.example: sanity → refuse", shown)
        self.assertIn("win@casino.example", shown)

    def test_file_names_that_are_blocked_are_content(self):
        gateway = self.gateway(f'name = "in.example"\nbackend = "office"\n{JUDGED}'
                               '[[customer.domain.entry]]\nkind = "file-name"\nblock = "*.exe"\n')
        mail = email.message.EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "a@out.example", "bob@in.example", "Setup"
        mail.set_content("see attachment")
        mail.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="setup.exe")
        with self.assertRaises(smtplib.SMTPDataError):
            send(gateway.port, "a@out.example", ["bob@in.example"], mail.as_bytes(policy=email.policy.SMTP))
        self.assertEqual([e["class"] for e in gateway.events("mail.judged")], ["content"])

    def test_backend_that_is_down_is_a_4xx_and_its_address_stays_hidden(self):
        port = free_port()
        text = policy('name = "in.example"\nbackend = "office"', backends={"office": f"127.0.0.1:{port}"})
        gateway = self.started(Gateway(self.place("gateway"), text))
        with connected(gateway.port) as client:
            client.ehlo("out.example")
            client.mail("alice@out.example")
            code, answer = client.rcpt("bob@in.example")
        self.assertEqual(code // 100, 4)
        self.assertNotIn(str(port).encode(), answer)
        self.assertNotIn(b"127.0.0.1", answer)

    def test_secret_suffix_rewriting_and_tag(self):
        gateway = self.gateway(
            f'name = "in.example"\nbackend = "office"\nsecret_suffix = "_geheim"\nlegal = "tag-only"\n'
            f'"outcome.spam" = "tag"\nrewrites = ["old.*@in.example -> new.*@in.example"]\n{JUDGED}')
        bad = message(subject=f"{BAD_WORD} offer")
        send(gateway.port, "alice@out.example", ["bob_geheim@in.example"], bad)
        send(gateway.port, "alice@out.example", ["bob@in.example"], bad)
        send(gateway.port, "alice@out.example", ["old.carol@in.example"], message(subject="fine"))
        secret, tagged, rewritten = self.sink.maildir.raw()
        self.assertIn(b"bob@in.example", secret.split(b"Received:")[0])
        self.assertIn(f"Subject: {BAD_WORD} offer".encode(), secret)
        self.assertIn(f"Subject: *** SPAM *** {BAD_WORD} offer".encode(), tagged)
        self.assertIn(b"new.carol@in.example", rewritten.split(b"Received:")[0])

    def test_observed_domains_get_everything_and_postmaster_too(self):
        gateway = self.gateway(f'name = "in.example"\nbackend = "office"\noperation = "observe"\n{JUDGED}',
                               f'name = "strict.example"\nbackend = "office"\n{JUDGED}')
        bad = message(subject=BAD_WORD)
        send(gateway.port, "alice@out.example", ["bob@in.example"], bad)
        send(gateway.port, "alice@out.example", ["postmaster@strict.example"], bad)
        send(gateway.port, "alice@out.example", ["abuse@strict.example"], bad)
        with self.assertRaises(smtplib.SMTPDataError):
            send(gateway.port, "alice@out.example", ["bob@strict.example"], bad)
        self.assertEqual(len(self.sink.maildir.raw()), 3)
        judged = gateway.events("mail.judged")
        self.assertEqual([(e["class"], e["disposition"], e["observed"]) for e in judged],
                         [("spam", "deliver", True), ("spam", "deliver", False), ("spam", "deliver", False),
                          ("spam", "refuse", False)])

    def test_size_limit_of_the_recipients_domain(self):
        gateway = self.gateway(f'name = "in.example"\nbackend = "office"\nsize_limit = "20kB"\n{JUDGED}')
        with self.assertRaises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)) as refused:
            send(gateway.port, "alice@out.example", ["bob@in.example"], message(body="x" * 70 + "\r\n") * 400)
        self.assertIn("552", str(refused.exception))
        send(gateway.port, "alice@out.example", ["bob@in.example"], message())
        self.assertEqual(len(self.sink.maildir.raw()), 1)

    def test_large_mails_are_judged_off_the_core_and_arrive(self):
        gateway = self.gateway()
        large = message(body=("0123456789" * 7 + "\r\n") * 40_000)  # 2.9 MB: spills to a file too
        send(gateway.port, "alice@out.example", ["bob@in.example"], large)
        self.assertTrue(self.sink.maildir.raw()[0].replace(b"\r\n", b"\n").endswith(large.replace(b"\r\n", b"\n")))
        with self.assertRaises(smtplib.SMTPDataError):
            send(gateway.port, "alice@out.example", ["bob@in.example"], large.replace(b"Hello", BAD_WORD.encode()))

    def test_mail_loops_are_refused(self):
        gateway = self.gateway()
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            send(gateway.port, "a@out.example", ["bob@in.example"], b"Received: from x by y; z\r\n" * 101 + message())
        self.assertIn(b"5.4.6", refused.exception.smtp_error)


if __name__ == "__main__":
    unittest.main()
