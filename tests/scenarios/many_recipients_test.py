"""Several recipients, one reply: 50 recipients whose settings differ, from a real Postfix that backs off as Postfix does;
every one gets the mail exactly once. And what a client without a queue sees of it."""

import collections
import re
import smtplib
import unittest

from doorward_testing import Scenario, Sink, connected, message, send, wait_for
from gateway import BAD_WORD, QUIET, WORD_LIST, Gateway, policy
from peers import DovecotLmtp, PostfixClient, available

JUDGED = QUIET.replace("word_lists = []", 'word_lists = ["test"]')
GROUPS = [("one.example", "very_cautious"), ("two.example", "cautious"), ("three.example", "normal"),
          ("four.example", "strict"), ("five.example", "very_strict")]


def delivered_to(raw):
    """The envelope recipients that the sink noted above the mail."""
    head = raw.split(b"Received:")[0].decode()
    return re.findall(r"([a-z0-9]+@[a-z.]+example)", head)


class ManyRecipients(Scenario):
    def gateway(self, domains, **backends):
        self.sink = self.started(Sink(self.place("sink")))
        text = policy(*domains, backends={"office": f"127.0.0.1:{self.sink.port}", **backends}, lists=WORD_LIST)
        return self.started(Gateway(self.place("gateway"), text))

    @unittest.skipUnless(available("postfix"), "Postfix is not installed (tools/install-packages test)")
    def test_fifty_recipients_in_five_groups_each_exactly_once(self):
        gateway = self.gateway([f'name = "{name}"\nbackend = "office"\nthreshold = "{level}"\n{JUDGED}' for name, level in GROUPS])
        client = self.started(PostfixClient(self.place("client"), gateway.port))
        wanted = [f"user{number}@{GROUPS[number % 5][0]}" for number in range(50)]
        send(client.port, "alice@out.example", wanted, message())

        def got():
            return collections.Counter(address for raw in self.sink.maildir.raw() for address in set(delivered_to(raw))
                                       if address.startswith("user"))

        wait_for("all recipients", lambda: len(got()) == 50 and client.waiting() == 0, 120)
        self.assertEqual(got(), collections.Counter(wanted))
        self.assertGreaterEqual(len(gateway.events("mail.judged")), 5)

    def test_recipients_with_the_same_settings_share_a_transaction(self):
        gateway = self.gateway([f'name = "in.example"\nbackend = "office"\n{JUDGED}'])
        refused = send(gateway.port, "a@out.example", [f"user{n}@in.example" for n in range(20)], message())
        self.assertEqual(refused, {})
        self.assertEqual(len(self.sink.maildir.raw()), 1)

    def test_others_are_told_to_come_next(self):
        gateway = self.gateway([f'name = "{name}"\nbackend = "office"\nthreshold = "{level}"\n{JUDGED}' for name, level in GROUPS])
        refused = send(gateway.port, "a@out.example", ["user@one.example", "user@two.example"], message())
        self.assertEqual(refused["user@two.example"][0], 452)

    def test_prdr_answers_each(self):
        gateway = self.gateway([f'name = "lax.example"\nbackend = "office"\nthreshold = 10\n{JUDGED}',
                                f'name = "strict.example"\nbackend = "office"\nthreshold = 4\n{JUDGED}'])
        with connected(gateway.port) as client:
            client.ehlo("out.example")
            self.assertTrue(client.has_extn("prdr"))
            self.assertEqual(client.docmd("MAIL FROM:<a@out.example> PRDR")[0], 250)
            self.assertEqual(client.rcpt("user@lax.example")[0], 250)
            self.assertEqual(client.rcpt("user@strict.example")[0], 250)
            self.assertEqual(client.docmd("DATA")[0], 354)
            client.send(message(subject=BAD_WORD) + b".\r\n")
            replies = [client.getreply()[0] for _ in range(4)]
            self.assertEqual(replies, [353, 250, 550, 250])
        self.assertEqual([[a for a in delivered_to(raw) if a.startswith("user")][0] for raw in self.sink.maildir.raw()],
                         ["user@lax.example"])

    def test_prdr_needs_one_size_limit(self):
        gateway = self.gateway([f'name = "{name}.example"\nbackend = "office"\nsize_limit = "{limit}"\n{JUDGED}'
                                for name, limit in (("large", "25MB"), ("small", "2kB"))])
        with connected(gateway.port) as client:
            client.ehlo("out.example")
            client.docmd("MAIL FROM:<a@out.example> PRDR")
            self.assertEqual(client.rcpt("user@large.example")[0], 250)
            self.assertEqual(client.rcpt("user@small.example")[0], 452)

    @unittest.skipUnless(available("dovecot"), "Dovecot is not installed (tools/install-packages test)")
    def test_lmtp_backends_get_one_recipient_a_transaction(self):
        dovecot = self.started(DovecotLmtp(self.place("dovecot"), ["bob", "carol"]))
        gateway = self.gateway([f'name = "in.example"\nbackend = "boxes"\n{JUDGED}'],
                               boxes={"address": [f"127.0.0.1:{dovecot.port}"], "protocol": "lmtp"})
        refused = send(gateway.port, "a@out.example", ["bob@in.example", "carol@in.example"], message())
        self.assertEqual(list(refused), ["carol@in.example"])
        self.assertEqual(refused["carol@in.example"][0], 452)
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as unknown:
            send(gateway.port, "a@out.example", ["nobody@in.example"], message())
        self.assertEqual(unknown.exception.recipients["nobody@in.example"][0], 550)


if __name__ == "__main__":
    unittest.main()
