"""The newcomer's command goes through: every mail is judged, shown, and accounted for."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Demo(unittest.TestCase):
    def test_every_sample_mail_is_judged_and_accounted_for(self):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "DEMO_ONCE": "1", "DEMO_SAMPLES": "1", "DEMO_MAILS": "33", "DEMO_FOLDER": folder}
            done = subprocess.run([sys.executable, ROOT / "tools" / "demo"], env=environment, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            rows = re.findall(r"^ *-?\d+  (\w+) +(\w+) +[0-9A-Z]{26} ", done.stdout, re.M)
            self.assertEqual(len(rows), 33, done.stdout)
            taken = int(re.search(r"; (\d+) were taken", done.stdout)[1])
            self.assertEqual(taken, sum(outcome in ("deliver", "tag") for _, outcome in rows))
            self.assertIn(("clean", "deliver"), rows)
            self.assertIn(("spam", "refuse"), rows)
            self.assertTrue(done.stdout.rstrip().endswith("OK: the demo went through"))


if __name__ == "__main__":
    unittest.main()
