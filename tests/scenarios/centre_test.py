"""A detection centre and two gateways: what one sees, the other is told."""

import json
import os
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from doorward_testing import DOORWARD, Program, Scenario, Sink, free_port, message, send, wait_for
from gateway import QUIET, Gateway, policy

# A hundred words that no other text has.
TEXT = " ".join("".join("bdfghklmnprstv"[number * step % 14] + "aeiou"[number * step % 5] for step in (3, 7, 11))
                for number in range(1, 101)) + "\r\n"


class Centre:
    def __init__(self, directory):
        self.directory, self.port, self.http = directory, free_port(), free_port()
        self.program, self.starts = None, 0
        self.start()

    def start(self):
        if self.program:
            self.program.end()
        self.starts += 1
        self.program = Program([DOORWARD, "centre", "serve", "--state", self.directory / "state", "--listen",
                                f"127.0.0.1:{self.port}", "--http", f"127.0.0.1:{self.http}", "--cores", "1"],
                               self.directory / "centre.log")
        wait_for("the centre", self._up, 60)

    def _up(self):
        if self.program.process.poll() is not None:
            raise AssertionError("the centre ended: " + self.program.text())
        return self.program.text().count('"centre.ready"') == self.starts  # each start writes into the same file

    def command(self, *arguments):
        return subprocess.run([DOORWARD, "centre", *arguments, "--state", self.directory / "state"], check=True,
                              capture_output=True, text=True, timeout=60).stdout.strip()

    def post(self, path, body, token):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body,
                                         headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def end(self):
        return self.program.end()


class Fingerprints(Scenario):
    def setUp(self):
        super().setUp()
        self.sink = self.started(Sink(self.place("sink")))
        self.centre = self.started(Centre(self.place("centre")))
        self.key = subprocess.run([DOORWARD, "centre", "key"], check=True, capture_output=True, text=True,
                                  timeout=60).stdout.strip()
        self.number = 0

    def gateway(self, name, *enrol, token=None, more=""):
        place = self.place(name)
        if token is None:
            token = self.centre.command("enrol", name, *enrol)
            wait_for("the enrolment to be noticed", lambda: self.centre.post("/v1/ask", b"\1", token)[0] == 200)
        (place / "token").write_text(token + "\n")
        (place / "key").write_text(self.key + "\n")
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}',
                      backends={"office": f"127.0.0.1:{self.sink.port}"})
        config = (f'[centre]\nurl = "http://127.0.0.1:{self.centre.port}"\ntoken_file = "token"\nkey_file = "key"\n'
                  'patience = "5s"\n' + more)
        return self.started(Gateway(place, text, config=config))

    def hand_in(self, gateway, body, sender=None, extra=b""):
        """The score of the mail that comes out; None where it is refused."""
        self.number += 1
        sender = sender or f"a@sender{self.number}.example"
        subject = f"mail {self.number}"
        data = extra or message(subject=subject, sender=sender, body=body)
        try:
            send(gateway.port, sender, ["bob@in.example"], data.replace(b"Subject: Hello", f"Subject: {subject}".encode()))
        except Exception as refused:  # smtplib's own, or those of all recipients
            self.refusal = str(refused)
            return None
        mails = wait_for("the mail", lambda: [m for m in self.sink.maildir.mails() if m["Subject"] == subject])
        return mails[0]["X-Doorward-Score"]

    def tell(self, gateway, what, body):
        path = self.directory / "told.eml"
        path.write_bytes(message(body=body))
        done = subprocess.run([DOORWARD, "centre", "tell", "--config", gateway.config, f"--{what}", path],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check(self, gateway):
        return subprocess.run([DOORWARD, "check", "--config", gateway.config], capture_output=True, text=True, timeout=60,
                              check=False).stdout

    def taken(self, count):
        wait_for("the reports", lambda: self.centre.metric("doorward_centre_reports_total") >= count)

    def test_what_people_of_one_gateway_call_spam_is_known_at_another_also_after_a_crash(self):
        one, other = self.gateway("one", "--trusted"), self.gateway("other", "--trusted")
        self.assertNotIn("fingerprint_service", self.hand_in(other, f"Dear Bob,\r\n{TEXT}"))
        self.assertIn("1 mails told of", self.tell(one, "spam", f"Dear Alice,\r\n{TEXT}"))
        self.tell(other, "spam", f"Dear Carol,\r\n{TEXT}")
        self.taken(2)
        self.assertIn("fingerprint_service:spam_elsewhere", self.hand_in(other, f"Dear Dan,\r\n{TEXT}"))
        time.sleep(1.5)  # durable
        self.centre.program.process.kill()
        self.centre.program.process.wait()
        # Meanwhile mail goes on, and the sheet says that nobody answered.
        self.assertNotIn("fingerprint_service", self.hand_in(one, f"Dear Eve,\r\n{TEXT}"))
        self.assertTrue(one.events("centre.down"))
        self.centre.start()
        # One whose gateway has not noticed that it was away.
        third = self.gateway("third")
        self.assertIn("fingerprint_service:spam_elsewhere", self.hand_in(third, f"Dear Fay,\r\n{TEXT}"))
        # Two who say that it is none clear it.
        self.tell(one, "not-spam", TEXT)
        self.tell(other, "not-spam", TEXT)
        self.taken(2)
        self.assertNotIn("fingerprint_service", self.hand_in(third, f"Dear Gus,\r\n{TEXT}"))

    def test_whose_word_counts_for_nothing_yet_blames_nobody(self):
        honest = self.gateway("honest", "--trusted")
        for number in range(5):
            liar = self.gateway(f"liar{number}")
            self.tell(liar, "spam", TEXT)
        self.taken(5)
        self.assertNotIn("fingerprint_service", self.hand_in(honest, TEXT))
        listed = [json.loads(line) for line in self.centre.command("list", "--json").splitlines()]
        self.assertEqual({one["name"]: one["weight"] for one in listed}["liar0"], 0)
        self.assertEqual({one["name"]: one["weight"] for one in listed}["honest"], 1)

    def test_a_program_that_comes_from_many_domains_is_an_outbreak(self):
        one, other = self.gateway("one", "--trusted"), self.gateway("other")
        program = os.urandom(900).hex()

        def mail(sender):
            return (f"From: <{sender}>\r\nTo: <bob@in.example>\r\nSubject: Hello\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
                    f"Message-ID: <{time.monotonic_ns()}@out.example>\r\nMIME-Version: 1.0\r\n"
                    'Content-Type: application/octet-stream; name="invoice.exe"\r\n'
                    'Content-Disposition: attachment; filename="invoice.exe"\r\n\r\n' + program + "\r\n").encode()

        for number in range(48):
            self.hand_in(one, "", sender=f"a@many{number}.example", extra=mail(f"a@many{number}.example"))
        self.taken(28)  # the first ones came before it was noticed that there are several
        self.assertIsNone(self.hand_in(other, "", extra=mail("a@last.example")))
        self.assertIn("550", self.refusal)
        judged = other.events("mail.judged")[-1]
        self.assertEqual(judged["class"], "virus")

    def test_who_is_not_enrolled_or_was_revoked_is_not_answered(self):
        stranger = self.gateway("stranger", token="c" * 43)
        self.hand_in(stranger, TEXT)
        self.assertIn("no gateway of this token", stranger.events("centre.down")[0]["trouble"])
        member = self.gateway("member")
        self.hand_in(member, TEXT)
        self.assertFalse(member.events("centre.down"))
        self.assertIn("answers this gateway", self.check(member))
        self.assertIn("no gateway of this token", self.check(stranger))
        self.centre.command("revoke", "member")
        wait_for("the end of it", lambda: self.hand_in(member, TEXT, sender="a@one.example") and member.events("centre.down"))

    def test_the_service_refuses_what_is_malformed(self):
        token = self.centre.command("enrol", "tester", "--trusted")

        def post(path, body, given=token):
            return self.centre.post(path, body, given)

        wait_for("the enrolment to be noticed", lambda: post("/v1/ask", b"\1")[0] == 200)
        self.assertEqual(post("/v1/ask", b"\1"), (200, b"\1"))
        self.assertEqual(post("/v1/ask", b"\1\3abc"), (200, b"\1" + bytes(10)))
        self.assertEqual(post("/v1/ask", b"")[0], 400)
        self.assertEqual(post("/v1/ask", b"\1\3ab")[0], 400)
        self.assertEqual(post("/v1/report", b"\1\7\3abc")[0], 400)
        self.assertEqual(post("/v1/report", b"\1\1\3abc")[0], 202)
        self.assertEqual(post("/v1/ask", b"\1", given="wrong")[0], 401)
        self.assertEqual(post("/v1/other", b"\1")[0], 404)


if __name__ == "__main__":
    unittest.main()
