"""The peers themselves stand and do what the other scenarios count on; the sink takes what real clients send."""

import unittest

import doorward_testing as testing
import peers


@unittest.skipUnless(peers.available("postfix"), "needs root and Postfix")
class PostfixPeers(testing.Scenario):
    def test_backend_delivers_and_refuses(self):
        backend = self.started(peers.PostfixBackend(self.place("backend"), ["bob"]))
        status, transcript = testing.swaks(backend.port, "--from", "a@out.example", "--to", "bob@in.example")
        self.assertEqual(status, 0, transcript)
        self.assertEqual(len(backend.boxes["bob"].wait(1)), 1)
        _, transcript = testing.swaks(backend.port, "--from", "a@out.example", "--to", "nobody@in.example")
        self.assertIn("550 5.1.1", transcript)
        _, transcript = testing.swaks(backend.port, "--from", "a@out.example", "--to", "x@elsewhere.example")
        self.assertIn("554 5.7.1", transcript)

    def test_client_hands_to_the_sink(self):
        sink = self.started(testing.Sink(self.place("sink")))
        client = self.started(peers.PostfixClient(self.place("client"), sink.port))
        recipients = [f"user{i}@in.example" for i in range(50)]
        testing.send(client.port, "alice@out.example", recipients, testing.message(body=".dot\r\n..\r\nend\r\n"))
        mails = sink.maildir.wait(1)
        self.assertEqual(len(mails), 1)
        self.assertEqual(sorted(mails[0].get_all("Delivered-To")), sorted(recipients))
        self.assertTrue(sink.maildir.raw()[0].endswith(b"\r\n\r\n.dot\r\n..\r\nend\r\n"))


@unittest.skipUnless(peers.available("dovecot"), "needs root and Dovecot")
class DovecotPeer(testing.Scenario):
    def test_lmtp_delivers_and_refuses(self):
        backend = self.started(peers.DovecotLmtp(self.place("backend"), ["bob"]))
        status, transcript = testing.swaks(backend.port, "--from", "a@out.example", "--to", "bob@in.example",
                                           protocol="LMTP")
        self.assertEqual(status, 0, transcript + backend.text())
        self.assertEqual(len(backend.boxes["bob"].wait(1)), 1)
        _, transcript = testing.swaks(backend.port, "--from", "a@out.example", "--to", "nobody@in.example",
                                      protocol="LMTP")
        self.assertIn("550 5.1.1", transcript)


@unittest.skipUnless(peers.available("swaks"), "needs swaks")
class SinkTakesWhatSwaksSends(testing.Scenario):
    def test_smtp(self):
        sink = self.started(testing.Sink(self.place("sink")))
        for more in (["--pipeline"], []):
            status, transcript = testing.swaks(sink.port, "--from", "a@out.example", "--to", "b@in.example", *more)
            self.assertEqual(status, 0, transcript)
        self.assertEqual(len(sink.maildir.wait(2)), 2)

    def test_lmtp(self):
        sink = self.started(testing.Sink(self.place("sink"), "--lmtp"))
        status, transcript = testing.swaks(sink.port, "--from", "a@out.example", "--to", "b@in.example,c@in.example",
                                           protocol="LMTP")
        self.assertEqual(status, 0, transcript)
        self.assertEqual(len(sink.maildir.wait(1)), 1)


if __name__ == "__main__":
    unittest.main()
