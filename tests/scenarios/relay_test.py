"""Relay mode: accepted once, answered for until the end, whatever the next server does."""

import email
import email.policy
import json
import smtplib
import subprocess
import time
import unittest

from doorward_testing import DOORWARD, Scenario, Sink, connected, free_port, message, send, wait_for
from gateway import BAD_WORD, QUIET, WORD_LIST, Gateway, policy
from peers import DovecotLmtp, NameServer, PostfixBackend, available
from scripted import ScriptedServer

JUDGED = QUIET.replace("word_lists = []", 'word_lists = ["test"]')
QUICK = '[spool]\nfirst_retry = "1s"\nlongest_retry = "2s"\n'


def relayed(more="", name="in.example", backend="office", quiet=QUIET):
    return f'name = "{name}"\nbackend = "{backend}"\ndelivery = "relay"\n{quiet}{more}'


LISTED = 'recipients = "listed"\ncatch_all = "all@in.example"\n"greylist.catch_all" = false\n'


class RelayScenario(Scenario):
    def stand(self, port, *domains, config=QUICK, backend=None, **options):
        office = {"address": [f"127.0.0.1:{port}"], **(backend or {})}
        text = policy(*(domains or (relayed(LISTED),)), backends={"office": office}, lists=WORD_LIST)
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config, **options))
        return self.gateway

    def run_command(self, *words):
        done = subprocess.run([DOORWARD, *words, "--config", self.gateway.config], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 3), done.stderr)  # 3: nothing fits
        return done.stdout

    def queue(self, *words):
        return [json.loads(line) for line in self.run_command("queue", "list", "--json", *words).splitlines()]

    def event(self, name, count=1, seconds=20):
        return wait_for(f"{count} × {name}", lambda: len(self.gateway.events(name)) >= count and self.gateway.events(name),
                        seconds)


class Relay(RelayScenario):
    def test_a_mail_is_taken_while_its_backend_is_down_and_delivered_once_when_it_is_back(self):
        port = free_port()
        self.stand(port)
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="kept"))
        self.event("mail.deferred")
        waiting = self.queue()
        self.assertEqual(len(waiting), 1)
        self.assertEqual(waiting[0]["sender"], "alice@out.example")
        self.sink = self.started(Sink(self.place("sink"), port=port))
        self.run_command("queue", "retry")
        mails = self.sink.maildir.wait(1)
        self.assertEqual(mails[0]["Subject"], "kept")
        self.event("mail.delivered")
        wait_for("an empty queue", lambda: not self.queue())
        time.sleep(0.5)
        self.assertEqual(len(self.sink.maildir.raw()), 1)

    def test_what_is_queued_outlives_the_gateway(self):
        port = free_port()
        self.stand(port)
        for number in range(5):
            send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject=f"mail {number}"))
        self.gateway.end()
        sink = self.started(Sink(self.place("sink"), port=port))
        self.gateway.start()
        subjects = sorted(mail["Subject"] for mail in sink.maildir.wait(5))
        self.assertEqual(subjects, [f"mail {number}" for number in range(5)])

    def test_greylisting_and_odd_replies_are_waited_out(self):
        seen = {}

        def answer(verb, argument, session):
            if verb != "RCPT":
                return None
            seen[argument] = seen.get(argument, 0) + 1
            return "450 4.2.0 greylisted, come back" if seen[argument] < 3 else None

        server = self.started(ScriptedServer(answer))
        self.stand(server.port)
        send(self.gateway.port, "alice@out.example", ["bob@in.example", "carol@in.example"], message())
        wait_for("the mail", lambda: sum(len(to) for _, to, _ in server.mails) == 2)
        self.assertEqual(sorted(to for _, all_of_them, _ in server.mails for to in all_of_them),
                         ["all@in.example", "all@in.example"])

    def test_421_in_odd_places_and_closing_after_the_data_lose_nothing(self):
        trouble = ["connect", "RCPT", "end", "end-close"]

        def answer(verb, argument, session):
            if trouble and trouble[0].split("-")[0] == verb:
                return "close" if trouble.pop(0).endswith("close") else "421 4.3.2 not now"
            return None

        server = self.started(ScriptedServer(answer))
        self.stand(server.port)
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="patience"))
        wait_for("the mail", lambda: server.mails, 60)
        self.assertEqual(trouble, [])
        wait_for("an empty queue", lambda: not self.queue())

    def test_refused_for_good_by_the_backend_is_kept_and_told_and_never_bounced_to_strangers(self):
        refuse = {"on": True}

        def answer(verb, argument, session):
            return "550 5.1.1 no such user" if verb == "RCPT" and refuse["on"] else None

        server = self.started(ScriptedServer(answer))
        self.stand(server.port)
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="stranded"))
        told = self.event("mail.stranded")[0]
        kept = self.queue("--stranded")
        self.assertEqual(len(kept), 1)
        self.assertEqual(kept[0]["id"], told["id"])
        self.assertEqual(server.mails, [])
        refuse["on"] = False
        self.run_command("queue", "release", kept[0]["id"])
        wait_for("the mail after all", lambda: server.mails)
        wait_for("an empty queue", lambda: not self.queue() and not self.queue("--stranded"))

    def test_unknown_recipients_are_refused_at_rcpt_and_known_ones_taken_while_the_backend_is_away(self):
        def answer(verb, argument, session):
            return "550 5.1.1 no such user" if verb == "RCPT" and "bob@" not in argument else None

        server = ScriptedServer(answer)
        port = server.port
        self.stand(port, relayed('recipients = "ask"\n'))
        with connected(self.gateway.port) as client:
            client.ehlo("out.example")
            client.mail("alice@out.example")
            self.assertEqual(client.rcpt("nobody@in.example")[0], 550)
            self.assertEqual(client.rcpt("bob@in.example")[0], 250)
        server.end()
        with connected(self.gateway.port) as client:
            client.ehlo("out.example")
            client.mail("alice@out.example")
            self.assertEqual(client.rcpt("bob@in.example")[0], 250)
            self.assertEqual(client.rcpt("carol@in.example")[0], 451)

    def test_each_recipient_has_a_verdict_of_their_own(self):
        sink = self.started(Sink(self.place("sink")))
        tagging = relayed(LISTED + 'legal = "tag-only"\n"outcome.spam" = "tag"\n', quiet=JUDGED)
        passing = (relayed('legal = "tag-only"\n"outcome.spam" = "deliver"\n', name="calm.example", quiet=JUDGED) +
                   'recipients = "listed"\ncatch_all = "all@calm.example"\n"greylist.catch_all" = false\n')
        self.stand(sink.port, tagging, passing)
        refused = send(self.gateway.port, "alice@out.example", ["bob@in.example", "carol@calm.example"],
                       message(subject=f"{BAD_WORD} news"))
        self.assertEqual(refused, {})
        mails = sink.maildir.wait(2)
        self.assertEqual(sorted(mail["Subject"] for mail in mails), [f"*** SPAM *** {BAD_WORD} news"] +
                         [f"{BAD_WORD} news"])

    def test_with_prdr_each_recipient_is_answered_once_and_has_what_was_answered(self):
        sink = self.started(Sink(self.place("sink")))

        def consent(mode):
            return f'[[customer.domain.consent]]\nmode = "{mode}"\nwho = "the board"\nwhen = "2026-11-22"\ntext = "agreed"\n'

        kinds = {"refuse": "", "tag": '"outcome.spam" = "tag"\n',
                 "keep": 'legal = "quarantine"\n"outcome.spam" = "quarantine"\n' + consent("quarantine"),
                 "drop": 'legal = "discard"\n"outcome.spam" = "discard"\n' + consent("discard"),
                 "observe": 'operation = "observe"\n',
                 "bypass": 'operation = "bypass"\nbypass_until = "2099-01-01T00:00:00Z"\n'}
        domains = [f'recipients = "listed"\ncatch_all = "all@{kind}.example"\n{relayed(name=f"{kind}.example", quiet=JUDGED)}{more}'
                   for kind, more in kinds.items()]
        self.stand(sink.port, *domains)
        with connected(self.gateway.port) as client:
            client.ehlo("out.example")
            self.assertEqual(client.docmd("MAIL FROM:<alice@out.example> PRDR")[0], 250)
            for kind in kinds:
                self.assertEqual(client.rcpt(f"{kind}@{kind}.example")[0], 250, kind)
            self.assertEqual(client.docmd("DATA")[0], 354)
            client.send(message(subject=BAD_WORD) + b"\r\n.\r\n")
            self.assertEqual(client.getreply()[0], 353)
            codes = dict(zip(kinds, [client.getreply()[0] for _ in kinds]))
            self.assertEqual(client.getreply()[0], 250)
            self.assertEqual(client.noop()[0], 250)
        self.assertEqual(codes, {"refuse": 550, "tag": 250, "keep": 250, "drop": 250, "observe": 250, "bypass": 250})
        self.event("mail.delivered", 3)
        self.event("vault.kept")
        wait_for("an empty queue", lambda: not self.queue())
        self.assertEqual(sorted(mail["Subject"] for mail in sink.maildir.mails()), [f"*** SPAM *** {BAD_WORD}", BAD_WORD, BAD_WORD])
        reference = self.gateway.events("mail.judged")[0]["id"]
        ends = self.gateway.events("mail.delivered") + [{**e, "id": e["mail"]} for e in self.gateway.events("vault.kept")]
        self.assertEqual([end["id"] for end in ends], [reference] * 4, "one id leads from the reception to each end")

    def test_refusing_recipients_are_asked_for_on_their_own(self):
        sink = self.started(Sink(self.place("sink")))
        refusing = relayed(LISTED, quiet=JUDGED)
        other = relayed('threshold = "9"\n', name="calm.example", quiet=JUDGED)
        self.stand(sink.port, refusing, other + 'recipients = "listed"\ncatch_all = "all@calm.example"\n')
        with connected(self.gateway.port) as client:
            client.ehlo("out.example")
            client.mail("alice@out.example")
            self.assertEqual(client.rcpt("bob@in.example")[0], 250)
            self.assertEqual(client.rcpt("carol@calm.example")[0], 452)

    def test_a_full_spool_is_a_452_and_loses_nothing(self):
        port = free_port()
        self.stand(port, config=QUICK + 'budget = "3MB"\nsegment = "1MB"\n')
        taken = 0
        with self.assertRaises(smtplib.SMTPRecipientsRefused) as full:
            for number in range(100):
                send(self.gateway.port, "alice@out.example", ["bob@in.example"],
                     message(subject=f"large {number}", body=("x" * 70 + "\r\n") * 3000))
                taken += 1
        self.assertEqual(full.exception.recipients["bob@in.example"][0], 452)
        self.assertGreater(taken, 3)
        sink = self.started(Sink(self.place("sink"), port=port))
        sink.maildir.wait(taken, 60)
        wait_for("room again", self.has_room, 30)
        self.assertEqual(len({mail["Subject"] for mail in sink.maildir.mails()} - {"room"}), taken)

    def has_room(self):
        try:
            send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="room"))
            return True
        except smtplib.SMTPException:
            return False


class Quarantine(RelayScenario):
    CONSENT = ('[[customer.domain.consent]]\nmode = "quarantine"\nwho = "the board"\nwhen = "2026-11-22"\n'
               'text = "spam is kept for 30 days"\n')

    def kept(self, *words):
        return [json.loads(line) for line in self.run_command("quarantine", "list", "--json", *words).splitlines()]

    def quarantined(self, delivery):
        sink = self.started(Sink(self.place("sink")))
        body = (f'name = "in.example"\nbackend = "office"\ndelivery = "{delivery}"\nlegal = "quarantine"\n'
                f'"outcome.spam" = "quarantine"\n{LISTED}{JUDGED}{self.CONSENT}')
        self.stand(sink.port, body)
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject=f"{BAD_WORD} offer", body="secret text\r\n"))
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="good"))
        self.assertEqual([mail["Subject"] for mail in sink.maildir.wait(1)], ["good"])
        return sink, wait_for("the entry", self.kept)[0]

    def released_once(self, delivery):
        sink, entry = self.quarantined(delivery)
        self.assertEqual(entry["class"], "spam")
        self.assertIn("secret text", self.run_command("quarantine", "show", entry["id"], "--raw"))
        for file in (self.gateway.directory / "state" / "vault").rglob("*"):
            if file.is_file():
                self.assertNotIn(b"secret text", file.read_bytes(), file)
        self.run_command("quarantine", "release", entry["id"])
        again = subprocess.run([DOORWARD, "quarantine", "release", entry["id"], "--config", self.gateway.config],
                               capture_output=True, text=True, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("already", again.stderr)
        sink.maildir.wait(2)
        time.sleep(0.5)
        self.assertEqual(len(sink.maildir.raw()), 2)

    def test_spam_for_a_relayed_domain_is_kept_and_released_once(self):
        self.released_once("relay")

    def test_spam_for_a_proxied_domain_is_kept_and_released_once(self):
        self.released_once("proxy")

    def test_without_consent_nothing_is_kept(self):
        sink = self.started(Sink(self.place("sink")))
        self.stand(sink.port, f'name = "in.example"\nbackend = "office"\ndelivery = "relay"\nlegal = "quarantine"\n'
                   f'"outcome.spam" = "quarantine"\n{LISTED}{JUDGED}')
        with self.assertRaises(smtplib.SMTPDataError):
            send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject=BAD_WORD))
        self.assertEqual(self.kept(), [])


@unittest.skipUnless(available("knotd"), "needs root and Knot DNS (tools/install-packages test)")
class Outgoing(RelayScenario):
    """A customer's own server hands in mail for the world; the world is a scripted server that the DNS leads to."""

    def stand_between(self, answer=None, senders="own"):
        self.world = self.started(ScriptedServer(answer))
        self.names = self.started(NameServer(self.place("names"), {
            "out.example": "@ MX 10 mx\nmx A 127.0.0.1\n", "nomail.example": "@ MX 0 .\n"}))
        self.sink = self.started(Sink(self.place("sink")))
        zones = ", ".join(f'"{zone}={self.names.address}"' for zone in ("out.example", "nomail.example"))
        config = (QUICK + f'[dns]\nresolv_conf = ""\nstub_zones = [{zones}]\n'
                  f'[mx]\nport = {self.world.port}\nallowed = ["127.0.0.0/8"]\n')
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}',
                      backends={"office": f"127.0.0.1:{self.sink.port}"})
        text = text.replace('name = "Test"\n', f'name = "Test"\nrelay_networks = ["127.0.0.1"]\nrelay_senders = "{senders}"\n{QUIET}')
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config))

    def test_goes_to_the_recipients_mail_exchanger_without_our_fields(self):
        self.stand_between()
        send(self.gateway.port, "bob@in.example", ["alice@out.example"], message(sender="bob@in.example", to="alice@out.example"))
        wait_for("the mail", lambda: self.world.mails)
        sender, recipients, content = self.world.mails[0]
        self.assertTrue(sender.startswith("FROM:<bob@in.example>"), sender)
        self.assertEqual(recipients, ["alice@out.example"])
        self.assertNotIn(b"X-Doorward", content)
        self.assertIn(b"Received: from", content)

    def test_only_in_the_name_of_the_own_domains_and_only_from_the_own_network(self):
        self.stand_between()
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            send(self.gateway.port, "eve@elsewhere.example", ["alice@out.example"], message())
        with connected(self.gateway.port, source_address=("127.0.0.2", 0)) as client:
            client.ehlo("client.out.example")
            client.mail("bob@in.example")
            self.assertEqual(client.rcpt("alice@out.example")[0], 550)

    def test_what_is_refused_for_good_comes_back_as_a_notification(self):
        self.stand_between(lambda verb, argument, session: "550 5.1.1 nobody here" if verb == "RCPT" else None)
        send(self.gateway.port, "bob@in.example", ["alice@out.example", "x@nomail.example", "x@gone.out.example"],
             message(subject="my question", sender="bob@in.example", to="alice@out.example"))
        raws = wait_for("three notifications", lambda: len(self.sink.maildir.raw()) >= 3 and self.sink.maildir.raw())
        told = {}
        for raw in raws:
            mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
            self.assertEqual(mail.get_content_type(), "multipart/report")
            self.assertEqual(mail["Auto-Submitted"], "auto-replied")
            self.assertIn(b"Return-Path: <>", raw)
            status = mail.get_payload(1).as_string()
            for recipient in ("alice@out.example", "x@nomail.example", "x@gone.out.example"):
                if recipient in status:
                    told[recipient] = status
            self.assertIn("my question", raw.decode("utf-8", "replace"))
        self.assertIn("Status: 5.1.1", told["alice@out.example"])
        self.assertIn("Status: 5.1.10", told["x@nomail.example"])
        self.assertIn("Status: 5.1.2", told["x@gone.out.example"])
        wait_for("an empty queue", lambda: not self.queue() and not self.queue("--stranded"))

    def test_a_bounce_is_never_answered_with_one(self):
        self.stand_between(lambda verb, argument, session: "550 5.1.1 nobody here" if verb == "RCPT" else None)
        send(self.gateway.port, "", ["alice@out.example"], message())
        self.event("mail.failed")
        self.assertEqual(self.sink.maildir.raw(), [])
        self.assertEqual(self.queue() + self.queue("--stranded"), [])


@unittest.skipUnless(available("postfix", "dovecot"), "needs root, Postfix and Dovecot (tools/install-packages test)")
class RealBackends(RelayScenario):
    def test_postfix_goes_away_and_comes_back(self):
        postfix = self.started(PostfixBackend(self.place("backend"), ["all"]))
        self.stand(postfix.port)
        send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject="first"))
        postfix.boxes["all"].wait(1)
        postfix.command("stop")
        for number in range(3):
            send(self.gateway.port, "alice@out.example", ["bob@in.example"], message(subject=f"later {number}"))
        self.event("mail.deferred")
        postfix.command("start")
        self.assertEqual(len(postfix.boxes["all"].wait(4, 60)), 4)

    def test_dovecot_takes_some_recipients_and_not_others(self):
        dovecot = self.started(DovecotLmtp(self.place("backend"), ["bob", "carol"]))
        self.stand(dovecot.port, relayed('recipients = "listed"\n' + "".join(
            f'[[customer.domain.mailbox]]\naddress = "{user}@in.example"\n' for user in ("bob", "carol", "ghost"))),
            backend={"protocol": "lmtp"})
        send(self.gateway.port, "alice@out.example", ["bob@in.example", "ghost@in.example", "carol@in.example"], message())
        for user in ("bob", "carol"):
            self.assertEqual(len(dovecot.boxes[user].wait(1)), 1)
        self.assertEqual([event["recipient"] for event in self.event("mail.stranded")], ["ghost@in.example"])


if __name__ == "__main__":
    unittest.main()
