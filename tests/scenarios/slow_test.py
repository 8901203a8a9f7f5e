"""A backend that takes its time over the last reply of a mail: it is waited for as long as RFC 5321 §4.5.3.2.6 says (10
minutes), the mail comes once, and nobody else's waits with it. SLOW_SECONDS says how long it takes (3; make soak: 595)."""

import os
import threading
import time
import unittest

from doorward_testing import Scenario, message, send, wait_for
from gateway import QUIET, Gateway, policy
from scripted import ScriptedServer

SLOW = int(os.environ.get("SLOW_SECONDS", "3"))


class Slow(Scenario):
    def domain(self, name, backend):
        return (f'name = "{name}"\nbackend = "{backend}"\ndelivery = "relay"\nrecipients = "listed"\ncatch_all = "bob@{name}"\n'
                f'{QUIET}')

    def test_is_waited_for_and_delays_nobody(self):
        taken = threading.Event()

        def answer(verb, _argument, _session):
            if verb == "end":
                taken.set()
                time.sleep(SLOW)

        slow, quick = self.started(ScriptedServer(answer)), self.started(ScriptedServer())
        text = policy(self.domain("slow.example", "slow"), self.domain("quick.example", "quick"),
                      backends={"slow": f"127.0.0.1:{slow.port}", "quick": f"127.0.0.1:{quick.port}"})
        gateway = self.started(Gateway(self.place("gateway"), text, config='[spool]\nfirst_retry = "1s"\n'))
        began = time.monotonic()
        for _ in range(3):  # several, so that the destination's places are taken too
            send(gateway.port, "alice@out.example", ["bob@slow.example"], message())
        self.assertTrue(taken.wait(10))
        for number in range(20):
            sent = time.monotonic()
            send(gateway.port, "alice@out.example", ["bob@quick.example"], message())
            wait_for("the quick one's mail", lambda: len(quick.mails) > number, 5)
            self.assertLess(time.monotonic() - sent, 2)
        wait_for("the slow one's mails", lambda: len(slow.mails) == 3, SLOW + 30)
        self.assertGreaterEqual(time.monotonic() - began, SLOW)
        wait_for("their end in the log", lambda: len(gateway.events("mail.delivered")) == 23, 10)
        self.assertEqual(gateway.events("mail.deferred"), [])
        time.sleep(2)  # nothing is tried again
        self.assertEqual(len(slow.mails), 3)


if __name__ == "__main__":
    unittest.main()
