"""DMARC aggregate reports sent to a domain that asks for them, and those of others read, through the whole gateway."""

import email.message
import email.policy
import gzip
import json
import pathlib
import shutil
import smtplib
import subprocess
import unittest
import xml.etree.ElementTree

from doorward_testing import DOORWARD, Scenario, Sink, connected, message, wait_for
from gateway import QUIET, Gateway, policy
from peers import NameServer, available

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "data/reports/aggregate.xsd"
NAMESPACE = {"d": "urn:ietf:params:xml:ns:dmarc-2.0"}
ZONE = """
good MX 10 mx.good
good TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.good TXT "v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@good.example,mailto:r@consumer.example,mailto:v@victim.example"
mx.good A 127.0.0.1
consumer MX 10 mx.good
good.example._report._dmarc.consumer TXT "v=DMARC1"
elsewhere A 192.0.2.9
elsewhere TXT "v=spf1 a -all"
victim MX 10 mx.good
watched MX 10 mx.good
watched TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.watched TXT "v=DMARC1; p=none; ruf=mailto:ruf@watched.example,mailto:v@victim.example"
"""
REVERSE = {"2.0.192.in-addr.arpa": "1 PTR mx.good.example.\n9 PTR elsewhere.example.\n",
           "100.51.198.in-addr.arpa": ""}


@unittest.skipUnless(available("knotd"), "needs Knot (tools/install-packages test)")
class Reports(Scenario):
    def stand(self, reports):
        self.office = self.started(Sink(self.place("office")))
        self.world = self.started(Sink(self.place("world")))
        self.names = self.started(NameServer(self.place("names"), {"example": ZONE, **REVERSE}))
        zones = ", ".join(f'"{name}={self.names.address}"' for name in ("example", *REVERSE))
        config = (f'[dns]\nresolv_conf = ""\nstub_zones = [{zones}]\n'
                  '[authentication]\nlocal_networks = ["127.0.0.1"]\ndeadline = "2s"\n'
                  f'[mx]\nport = {self.world.port}\nallowed = ["127.0.0.0/8"]\n[reports]\n{reports}')
        text = policy(f'name = "in.example"\nbackend = "office"\nreports_address = ["reports@in.example"]\n{QUIET}',
                      backends={"office": f"127.0.0.1:{self.office.port}"})
        self.gateway = self.started(Gateway(self.place("gateway"), text, config=config,
                                            listener='tls = "none"\nxclient_from = ["127.0.0.1"]'))

    def hand_in(self, ip, mail, sender="alice@good.example", to="bob@in.example"):
        with connected(self.gateway.port) as client:
            client.ehlo("mx.good.example")
            self.assertEqual(client.docmd("XCLIENT", f"ADDR={ip} NAME=[UNAVAILABLE]")[0], 220)
            client.ehlo("mx.good.example")
            client.sendmail(sender, [to], mail)

    def command(self, *words):
        return subprocess.run([DOORWARD, "reports", *words, "--config", self.gateway.config], capture_output=True,
                              text=True, check=False)

    def lines(self, *words):
        done = self.command(*words, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_a_domain_hears_of_single_failures_where_that_is_switched_on(self):
        self.stand('failures = true\nfailures_an_hour = 2\norganization = "In & Co"\ncontact = "dmarc@in.example"\n')
        self.hand_in("192.0.2.1", message(sender="alice@watched.example"), sender="alice@watched.example")
        for _ in range(3):
            self.hand_in("198.51.100.7", message(sender="alice@watched.example", subject="private words"), sender="alice@watched.example")
        mails = self.world.maildir.wait(2)
        self.office.maildir.wait(4)
        self.assertEqual({mail["To"] for mail in mails}, {"ruf@watched.example"})  # the other did not agree
        self.assertEqual(len(self.world.maildir.mails()), 2)  # an hour's share
        report = mails[0]
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report["Return-Path"], "<>")
        words, feedback, headers = list(report.walk())[1:4]
        text = report.as_string()
        for line in ("Auth-Failure: dmarc", "Identity-Alignment: dkim, spf", "Delivery-Result: delivered", "Source-IP: 198.51.100.7",
                     'SPF-DNS: txt : watched.example : "v=spf1 ip4:192.0.2.1 -all"', "From: <alice@watched.example>"):
            self.assertIn(line, text)
        self.assertNotIn("private words", text)
        self.assertNotIn("bob", text)

    def test_a_domain_hears_what_became_of_mail_in_its_name(self):
        self.stand('on = true\norganization = "In & Co"\ncontact = "dmarc@in.example"\n')
        for _ in range(3):
            self.hand_in("192.0.2.1", message(sender="alice@good.example"))
        self.hand_in("192.0.2.9", message(sender="alice@sub.good.example"), sender="x@elsewhere.example")  # alone it refuses nothing
        with self.assertRaises(smtplib.SMTPDataError):
            self.hand_in("198.51.100.7", message(sender="alice@good.example"))
        self.assertEqual(self.lines("send"), [{"reports": 0, "mails": 0, "postponed": 0}])  # the day is not over
        self.assertEqual(self.lines("send", "--now"), [{"reports": 1, "mails": 2, "postponed": 0}])
        mails = self.world.maildir.wait(2)
        self.assertEqual({mail["To"] for mail in mails}, {"dmarc@good.example", "r@consumer.example"})
        mail = mails[0]
        self.assertEqual(mail["Return-Path"], "<>")
        self.assertIn("dmarc@in.example", mail["From"])
        attached = next(part for part in mail.walk() if part.get_content_type() == "application/gzip")
        self.assertRegex(attached.get_filename(), r"^in\.example!good\.example!\d+!\d+!\w{26}\.xml\.gz$")
        self.check_report(gzip.decompress(attached.get_content()), mail)
        self.assertEqual(self.lines("send", "--now"), [{"reports": 0, "mails": 0, "postponed": 0}])
        self.assertIn('doorward_dmarc_gathered_total 5', self.gateway.page("/metrics")[1])
        self.assertEqual(self.gateway.end(), 0)

    def check_report(self, document, mail):
        if shutil.which("xmllint"):
            held = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", SCHEMA, "-"], input=document,
                                  capture_output=True, check=False)
            self.assertEqual(held.returncode, 0, held.stderr.decode())
        feedback = xml.etree.ElementTree.fromstring(document)
        find = lambda path: [found.text for found in feedback.findall(path, NAMESPACE)]
        self.assertEqual(find("d:report_metadata/d:org_name"), ["In & Co"])
        self.assertIn(find("d:report_metadata/d:report_id")[0], mail["Subject"])
        self.assertEqual(find("d:policy_published/d:domain"), ["good.example"])
        self.assertEqual(find("d:policy_published/d:p") + find("d:policy_published/d:sp"), ["reject", "quarantine"])
        rows = {}
        for record in feedback.findall("d:record", NAMESPACE):
            value = lambda path: record.find(path, NAMESPACE).text
            rows[value("d:row/d:source_ip")] = tuple(value(path) for path in (
                "d:row/d:count", "d:row/d:policy_evaluated/d:disposition", "d:row/d:policy_evaluated/d:spf",
                "d:identifiers/d:header_from", "d:auth_results/d:spf/d:result"))
        self.assertEqual(rows, {"192.0.2.1": ("3", "pass", "pass", "good.example", "pass"),
                                "198.51.100.7": ("1", "reject", "fail", "good.example", "fail"),
                                "192.0.2.9": ("1", "none", "fail", "sub.good.example", "pass")})
        self.assertEqual(find("d:record/d:row/d:policy_evaluated/d:reason/d:type"), ["local_policy"])

    def test_a_report_about_a_tenants_domain_is_delivered_and_read(self):
        self.stand("")
        document = b"""<feedback><report_metadata><org_name>Good</org_name><report_id>77</report_id>
          <date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>
          <policy_published><domain>in.example</domain><p>none</p></policy_published>
          <record><row><source_ip>203.0.113.9</source_ip><count>12</count><policy_evaluated><disposition>none</disposition>
          <dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
          <identifiers><header_from>in.example</header_from></identifiers><auth_results/></record></feedback>"""
        mail = email.message.EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "dmarc@good.example", "reports@in.example", "Report Domain: in.example"
        mail.set_content("attached")
        mail.add_attachment(gzip.compress(document), maintype="application", subtype="gzip", filename="x.xml.gz")
        octets = mail.as_bytes(policy=email.policy.SMTP)
        for _ in range(2):
            self.hand_in("192.0.2.1", octets, to="reports@in.example")
        self.office.maildir.wait(2)
        report = wait_for("the report", lambda: self.command("list").returncode == 0 and self.lines("list"))
        self.assertEqual(len(report), 1)  # twice the same
        self.assertEqual((report[0]["kind"], report[0]["domain"], report[0]["failed"]), ("dmarc", "in.example", 12))
        shown = self.lines("show", report[0]["id"])[0]
        self.assertEqual(shown["rows"][0]["source"], "203.0.113.9")
        self.assertEqual(self.lines("sources", "--domain", "in.example")[0]["failed"], 12)
        self.assertIn("12", self.command("show", report[0]["id"]).stdout)
        self.hand_in("198.51.100.7", octets.replace(b"good.example", b"elsewhere.example"), to="reports@in.example",
                     sender="x@consumer.example")
        wait_for("the line", lambda: self.gateway.events("reports.not_read"))

    def test_reports_are_imported_from_files_and_what_is_none_is_told(self):
        self.stand("")
        good, bad = self.directory / "good.json", self.directory / "bad.xml"
        good.write_text(json.dumps({
            "organization-name": "Good", "report-id": "1",
            "date-range": {"start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z"},
            "policies": [{"policy": {"policy-type": "sts", "policy-domain": "in.example"},
                          "summary": {"total-successful-session-count": 9, "total-failure-session-count": 1}}]}))
        bad.write_text('<!DOCTYPE x [<!ENTITY a "b">]><feedback>&a;</feedback>')
        done = self.command("import", str(good), str(bad))
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 read, 1 new", done.stdout)
        self.assertIn("document type", done.stderr)
        report = self.lines("list", "--kind", "tls")[0]
        self.assertEqual((report["passed"], report["failed"], report["policy"]), (9, 1, "sts"))
        self.assertEqual(self.command("list", "--kind", "dmarc").returncode, 3)
        self.assertIn("reports.on", self.command("send").stderr)


if __name__ == "__main__":
    unittest.main()
