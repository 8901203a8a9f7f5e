"""The same text from many domains, through the whole gateway and over a restart."""

import time
import unittest

from doorward_testing import Scenario, Sink, message, send, wait_for
from gateway import QUIET, Gateway, policy

# A hundred words that no other text has.
TEXT = " ".join("".join("bdfghklmnprstv"[number * step % 14] + "aeiou"[number * step % 5] for step in (3, 7, 11))
                for number in range(1, 101)) + "\r\n"


class Fuzzy(Scenario):
    def setUp(self):
        super().setUp()
        self.sink = self.started(Sink(self.place("sink")))
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}', backends={"office": f"127.0.0.1:{self.sink.port}"})
        self.gateway = self.started(Gateway(self.place("gateway"), text))

    def hand_in(self, number, body):
        sender = f"a@sender{number}.example"
        send(self.gateway.port, sender, ["bob@in.example"], message(subject=f"mail {number}", sender=sender, body=body))

    def score(self, number):
        mails = wait_for("the mail", lambda: [m for m in self.sink.maildir.mails() if m["Subject"] == f"mail {number}"])
        return mails[0]["X-Doorward-Score"]

    def test_the_same_text_from_other_domains_is_found_also_after_a_restart(self):
        for number in range(8):
            self.hand_in(number, f"Dear customer {number},\r\n{TEXT}")
        self.assertNotIn("fuzzy_checksums", self.score(0))
        time.sleep(1.5)  # counted, and durable
        self.gateway.program.process.kill()
        self.gateway.program.process.wait()
        self.gateway.start()
        self.hand_in(100, f"Dear customer 100,\r\n{TEXT}")
        self.assertIn("fuzzy_checksums:text_seen_elsewhere", self.score(100))

    def test_the_same_text_from_the_same_domain_is_nobodys_business(self):
        for _ in range(8):
            self.hand_in(1, TEXT)
        time.sleep(1.5)
        self.hand_in(1, TEXT)
        mails = self.sink.maildir.wait(9)
        self.assertFalse([mail for mail in mails if "fuzzy_checksums" in mail["X-Doorward-Score"]])


if __name__ == "__main__":
    unittest.main()
