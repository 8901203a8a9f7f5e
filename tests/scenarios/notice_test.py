"""What senders of inbound mail are told in proxy mode: NOTIFY=SUCCESS towards a backend that does not know DSN."""

import email
import email.policy
import unittest

from doorward_testing import Scenario, connected, message, wait_for
from gateway import QUIET, Gateway, policy
from peers import NameServer, available
from scripted import ScriptedServer

PROVEN = '[[customer.domain.entry]]\nkind = "sender-domain"\npass = "out.example"\nnetwork = "127.0.0.1"\n'


@unittest.skipUnless(available("knotd"), "needs Knot (tools/install-packages test)")
class RelayedNotification(Scenario):
    """RFC 3461 §5.2.2; DESIGN: only to senders that are proven."""

    def stand(self, answer=None):
        self.office = self.started(ScriptedServer(answer))
        self.world = self.started(ScriptedServer())
        names = self.started(NameServer(self.place("names"), {"out.example": "@ MX 10 mx\nmx A 127.0.0.1\n"}))
        config = (f'[dns]\nresolv_conf = ""\nstub_zones = ["out.example={names.address}"]\n'
                  f'[mx]\nport = {self.world.port}\nallowed = ["127.0.0.0/8"]\n')
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}{PROVEN}',
                      backends={"office": f"127.0.0.1:{self.office.port}"})
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config))

    def send(self, options, source="127.0.0.1"):
        with connected(self.gateway.port, source_address=(source, 0)) as client:
            client.ehlo("client.out.example")
            client.mail("alice@out.example", ["ENVID=QQ314159", "RET=HDRS"])
            for address, notify in options.items():
                self.assertEqual(client.rcpt(address, notify)[0], 250)
            code, text = client.data(message(subject="please confirm"))
            self.assertEqual(code, 250, text)

    def test_a_proven_sender_hears_that_its_mail_was_relayed(self):
        self.stand()
        self.send({"bob@in.example": ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;robert@in.example"],
                   "carol@in.example": ["NOTIFY=FAILURE"], "dave@in.example": []})
        sender, recipients, content = wait_for("the notification", lambda: self.world.mails)[0]
        self.assertTrue(sender.startswith("FROM:<>"), sender)
        self.assertEqual(recipients, ["alice@out.example"])
        mail = email.message_from_bytes(content, policy=email.policy.SMTP)
        self.assertEqual(mail.get_content_type(), "multipart/report")
        status = mail.get_payload(1).as_string()
        self.assertIn("Original-Envelope-Id: QQ314159", status)
        self.assertIn("Final-Recipient: rfc822; bob@in.example", status)
        self.assertIn("Original-Recipient: rfc822;robert@in.example", status.replace("; ", ";").replace("Recipient:rfc", "Recipient: rfc"))
        self.assertIn("Action: relayed", status)
        self.assertIn("Status: 2", status)
        self.assertNotIn("carol", status)
        self.assertNotIn("dave", status)
        self.assertNotIn(str(self.office.port), content.decode())
        self.assertIn("please confirm", content.decode())
        self.assertNotIn("Good day", content.decode())  # a success comes back with headers alone
        self.assertEqual(len(self.office.mails), 1)
        self.assertEqual([e["recipient"] for e in self.gateway.events("mail.notice")], ["alice@out.example"])

    def test_a_sender_that_nothing_proves_hears_nothing(self):
        self.stand()
        self.send({"bob@in.example": ["NOTIFY=SUCCESS"]}, source="127.0.0.2")
        wait_for("the log to say so", lambda: self.gateway.events("mail.notice_withheld"))
        self.send({"bob@in.example": ["NOTIFY=SUCCESS"]})
        wait_for("the other notification", lambda: self.world.mails)
        self.assertEqual(len(self.world.mails), 1)
        self.assertEqual(len(self.office.mails), 2)

    def test_a_backend_that_knows_dsn_is_handed_the_request(self):
        asked = []

        def answer(verb, argument, _session):
            if verb == "RCPT":
                asked.append(argument)
            return "250-office\r\n250 DSN" if verb == "EHLO" else None

        self.stand(answer)
        self.send({"bob@in.example": ["NOTIFY=SUCCESS"]})
        self.assertIn("NOTIFY=SUCCESS", asked[0])
        self.assertEqual(self.gateway.events("mail.notice"), [])
        self.assertEqual(self.world.mails, [])


if __name__ == "__main__":
    unittest.main()
