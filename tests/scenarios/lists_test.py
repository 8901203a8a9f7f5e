"""Lists in the DNS, asked of a real name server through the whole gateway, and one that goes wrong."""

import hashlib
import smtplib
import unittest

from doorward_testing import Scenario, Sink, connected, message, wait_for
from gateway import QUIET, Gateway, policy
from peers import NameServer, available

WORLD = """
good MX 10 mx.good
good TXT "v=spf1 ip4:192.0.2.1 ip4:192.0.2.66 -all"
_dmarc.good TXT "v=DMARC1; p=none"
mx.good A 192.0.2.1
"""
IPS = "2.0.0.127 A 127.0.0.2\n66.2.0.192 A 127.0.0.2\n"
DOMAINS = "test A 127.0.0.2\nevil.com A 127.0.0.2\n"
LINKS = f"{hashlib.sha1(b'evil.net/bad?id=7').hexdigest()} A 127.0.0.2\n"


def block_list(name, zone, kind, server, points):
    return (f'[[list]]\nname = "{name}"\nzone = "{zone}"\nkind = "{kind}"\ncodes = ["127.0.0.2 = {points}"]\n'
            f'servers = ["{server}"]\n')


@unittest.skipUnless(available("knotd"), "needs Knot (tools/install-packages test)")
class Lists(Scenario):
    def stand(self, ips=IPS):
        self.sink = self.started(Sink(self.place("sink")))
        names = self.started(NameServer(self.place("names"), {
            "example": WORLD, "2.0.192.in-addr.arpa": "1 PTR mx.good.example.\n66 PTR mx.good.example.\n",
            "ip.list.test": ips, "dom.list.test": DOMAINS, "link.list.test": LINKS}))
        zones = ", ".join(f'"{name}={names.address}"' for name in ("example", "2.0.192.in-addr.arpa"))
        config = (f'[dns]\nresolv_conf = ""\nstub_zones = [{zones}]\n[lists]\ndefault = false\n'
                  '[authentication]\nlocal_networks = ["127.0.0.1"]\ndeadline = "2s"\n'
                  + block_list("addresses", "ip.list.test", "ip", names.address, 7)
                  + block_list("domains", "dom.list.test", "domain", names.address, 7)
                  + block_list("links", "link.list.test", "link", names.address, 7) + "tested = false\n")
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}', backends={"office": f"127.0.0.1:{self.sink.port}"})
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config,
                                            listener='tls = "none"\nxclient_from = ["127.0.0.1"]'))

    # Each mail has a sender of its own: what went well before builds trust, which outweighs a list.
    def hand_in(self, ip, body="Good day.\r\n"):
        self.mails = getattr(self, "mails", 0) + 1
        sender = f"writer{self.mails}@good.example"
        with connected(self.gateway.port) as client:
            client.ehlo("mx.good.example")
            self.assertEqual(client.docmd("XCLIENT", f"ADDR={ip} NAME=[UNAVAILABLE]")[0], 220)
            client.ehlo("mx.good.example")
            client.sendmail(sender, ["bob@in.example"], message(sender=sender, body=body))

    def test_listed_servers_and_links_are_refused(self):
        self.stand()
        wait_for("the lists", lambda: len(self.gateway.events("list.up")) == 3)
        self.hand_in("192.0.2.1")
        self.sink.maildir.wait(1)
        with self.assertRaises(smtplib.SMTPDataError):
            self.hand_in("192.0.2.66")
        with self.assertRaises(smtplib.SMTPDataError):
            self.hand_in("192.0.2.1", "See www.sub.evil.com for more.\r\n")
        with self.assertRaises(smtplib.SMTPDataError):
            self.hand_in("192.0.2.1", "See https://EVIL.net/bad?id=7#top for more.\r\n")
        self.assertEqual(len(self.sink.maildir.raw()), 1)
        metrics = self.gateway.page("/metrics")[1]
        self.assertIn('doorward_list_up{list="addresses"} 1', metrics)
        self.assertIn('doorward_list_answers_total{list="domains",outcome="listed"} 1', metrics)

    def test_a_list_that_answers_everything_blocks_nobody(self):
        self.stand(ips="* A 127.0.0.2\n*.2.0.192 A 127.0.0.2\n*.0.0.127 A 127.0.0.2\n")
        down = wait_for("the alarm", lambda: self.gateway.events("list.down"))[0]
        self.assertEqual(down["list"], "addresses")
        self.assertIn("must never be listed", down["trouble"])
        wait_for("the other lists", lambda: len(self.gateway.events("list.up")) == 2)
        self.hand_in("192.0.2.66")
        self.sink.maildir.wait(1)
        self.assertIn('doorward_list_up{list="addresses"} 0', self.gateway.page("/metrics")[1])


if __name__ == "__main__":
    unittest.main()
