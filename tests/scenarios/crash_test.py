"""A 250 is a promise: the gateway is killed (SIGKILL) at random moments under load in relay mode, and every mail that got
a 250 reaches the sink. KILLS says how often (30); SEED repeats a run."""

import os
import random
import signal
import time
import unittest

from doorward_testing import Scenario, Sink, wait_for
from gateway import QUIET, Gateway, policy
from promise import Arrivals, Load

KILLS = int(os.environ.get("KILLS", "30"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 32))))


class Crash(Scenario):
    def test_no_acknowledged_mail_is_lost(self):
        print(f"SEED={SEED} KILLS={KILLS}", flush=True)
        dice = random.Random(SEED)
        sink = self.started(Sink(self.place("sink")))
        arrivals = Arrivals(sink.maildir)
        text = policy(f'name = "in.example"\nbackend = "office"\ndelivery = "relay"\n{QUIET}',
                      backends={"office": f"127.0.0.1:{sink.port}"})
        gateway = self.started(Gateway(self.place("gateway"), text,
                                       config="[spool]\nfirst_retry = \"1s\"\nsegment = \"4MB\"\n"))
        load = Load(gateway.port, SEED)
        try:
            for kill in range(1, KILLS + 1):
                time.sleep(dice.uniform(0.05, 1.2))
                os.kill(gateway.program.process.pid, signal.SIGKILL)
                gateway.program.process.wait()
                gateway.start()
                arrivals.collect()
                if kill % 50 == 0:
                    print(f"{kill} of {KILLS} kills", flush=True)
        finally:
            load.end()
        wait_for("every acknowledged mail at the sink", lambda: not arrivals.missing(load.acknowledged), 120)
        print(f"{KILLS} kills: {arrivals.summary(load)}")
        self.assertGreater(len(load.acknowledged), KILLS)


if __name__ == "__main__":
    unittest.main()
