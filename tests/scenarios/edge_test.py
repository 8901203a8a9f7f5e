"""The edges of a running gateway: TLS in all its forms, trusted proxies, reload and log rotation without root, smuggled
mails, BDAT and SMTPUTF8, and slow clients."""

import os
import pathlib
import pwd
import signal
import smtplib
import socket
import ssl
import subprocess
import threading
import time
import unittest

from doorward_testing import DOORWARD, Program, Scenario, Sink, connected, free_port, listens, message, send, swaks, wait_for
from gateway import QUIET, Gateway, policy
from peers import PostfixClient, available


def certificate(directory, name):
    """A self-signed certificate and its key; (certificate, key) as paths."""
    files = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", files[1], "-out", files[0]],
                   check=True, capture_output=True)
    return files


def entry(files):
    return f'[[certificate]]\ncertificate = "{files[0]}"\nkey = "{files[1]}"\n'


def anyone():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def shown_name(port, server_name):
    """The subject that the gateway shows after STARTTLS for that name."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        file = raw.makefile("rwb")
        file.readline()
        for command in (b"EHLO c.example\r\n", b"STARTTLS\r\n"):
            file.write(command)
            file.flush()
            while file.readline()[3:4] == b"-":
                pass
        with anyone().wrap_socket(raw, server_hostname=server_name) as secure:
            der = secure.getpeercert(binary_form=True)
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der, capture_output=True, check=True)
    return text.stdout.decode().strip().rsplit("=", 1)[1].strip()


class TlsBackend:
    """A mail server that offers STARTTLS, and under it REQUIRETLS (RFC 8689); notes the commands it gets."""

    def __init__(self, files):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.commands = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                threading.Thread(target=self._serve, args=self._listener.accept()[:1], daemon=True).start()
        except OSError:
            pass

    def _serve(self, raw):
        with raw:
            raw.sendall(b"220 backend.example ESMTP\r\n")
            file, words = raw.makefile("rb"), ["PIPELINING", "STARTTLS"]
            while line := file.readline():
                command = line.decode().strip()
                self.commands.append(command)
                verb, answer = command[:4].upper(), "250 OK"
                if verb == "EHLO":
                    answer = "".join(f"250-{word}\r\n" for word in ["backend.example", *words]) + "250 HELP"
                elif verb in ("STAR", "DATA", "QUIT"):
                    answer = {"STAR": "220 go on", "DATA": "354 go on", "QUIT": "221 bye"}[verb]
                raw.sendall(answer.encode() + b"\r\n")
                if verb == "STAR":
                    raw = self._context.wrap_socket(raw, server_side=True)
                    file, words = raw.makefile("rb"), ["PIPELINING", "REQUIRETLS"]
                elif verb == "DATA":
                    while file.readline() != b".\r\n":
                        pass
                    raw.sendall(b"250 stored\r\n")
                elif verb == "QUIT":
                    return

    def end(self):
        self._listener.close()


class Edge(Scenario):
    def gateway(self, **options):
        self.sink = self.started(Sink(self.place("sink")))
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}', backends={"office": f"127.0.0.1:{self.sink.port}"})
        return self.started(Gateway(self.place("gateway"), text, **options))

    def dialog(self, port, *steps):
        """Sends each and returns the last lines of the replies."""
        replies = []
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            file = raw.makefile("rb")

            def reply():
                while True:
                    line = file.readline()
                    if line[3:4] != b"-":
                        return line.decode(errors="replace").strip()

            replies.append(reply())
            for step in steps:
                raw.sendall(step)
                replies.append(reply())
        return replies

    def test_starttls_chooses_the_certificate_by_name_and_a_reload_swaps_it(self):
        keys = self.place("keys")
        config = entry(certificate(keys, "mx.in.example")) + entry(certificate(keys, "other.example"))
        gateway = self.gateway(config=config, listener='tls = "starttls"')
        self.assertEqual(shown_name(gateway.port, "other.example"), "other.example")
        self.assertEqual(shown_name(gateway.port, "unknown.example"), "mx.in.example")
        with connected(gateway.port) as running:
            running.starttls(context=anyone())
            running.ehlo("c.example")
            new = certificate(keys, "new.example")
            gateway.config.write_text(gateway.config.read_text().replace(config, entry(new)))
            self.assertEqual(gateway.reload()["event"], "serve.reloaded")
            self.assertEqual(shown_name(gateway.port, "other.example"), "new.example")
            running.sendmail("a@out.example", ["b@in.example"], message())
        self.assertIn("ESMTPS", self.sink.maildir.mails()[0]["Received"])
        gateway.config.write_text(gateway.config.read_text().replace(entry(new), ""))
        self.assertEqual(gateway.reload()["event"], "serve.reload_failed")
        self.assertEqual(shown_name(gateway.port, "x.example"), "new.example")

    def test_requiretls_is_handed_on_or_refused(self):
        keys = self.place("keys")
        backend = self.started(TlsBackend(certificate(keys, "backend.example")))
        plain = self.started(Sink(self.place("plain")))
        text = policy(f'name = "plain.example"\nbackend = "plain"\n{QUIET}', f'name = "secure.example"\nbackend = "secure"\n{QUIET}',
                      backends={"plain": {"address": [f"127.0.0.1:{plain.port}"], "tls": "opportunistic"},
                                "secure": {"address": [f"127.0.0.1:{backend.port}"], "tls": "opportunistic"}})
        gateway = self.started(Gateway(self.place("gateway"), text, config=entry(certificate(keys, "mx.in.example")),
                                       listener='tls = "starttls"'))
        with connected(gateway.port, timeout=20) as client:
            client.ehlo("c.example")
            self.assertFalse(client.has_extn("requiretls"))
            client.starttls(context=anyone())
            client.ehlo("c.example")
            self.assertTrue(client.has_extn("requiretls"))
            self.assertEqual(client.docmd("MAIL FROM:<a@out.example> REQUIRETLS")[0], 250)
            code, words = client.rcpt("b@plain.example")
            self.assertEqual((code, words[:6]), (550, b"5.7.30"))
            self.assertEqual(client.rcpt("b@secure.example")[0], 250)
            self.assertEqual(client.data(message())[0], 250)
        self.assertEqual(plain.maildir.raw(), [])
        self.assertIn("MAIL FROM:<a@out.example> REQUIRETLS", backend.commands)
        self.assertLess(backend.commands.index("STARTTLS"), backend.commands.index("MAIL FROM:<a@out.example> REQUIRETLS"))

    def test_implicit_tls(self):
        gateway = self.gateway(config=entry(certificate(self.place("keys"), "mx.in.example")), listener='tls = "implicit"', wait=False)

        def sent():
            try:
                with smtplib.SMTP_SSL("127.0.0.1", gateway.port, local_hostname="[127.0.0.1]", context=anyone(), timeout=20) as client:
                    client.sendmail("a@out.example", ["b@in.example"], message())
                return True
            except ConnectionRefusedError:
                return False

        wait_for("the TLS listener", sent)
        self.assertEqual(len(self.sink.maildir.raw()), 1)

    @unittest.skipUnless(available("postfix", "swaks"), "Postfix or swaks is not installed (tools/install-packages test)")
    def test_postfix_and_swaks_deliver_over_tls(self):
        gateway = self.gateway(config=entry(certificate(self.place("keys"), "mx.in.example")), listener='tls = "required"')
        client = self.started(PostfixClient(self.place("client"), gateway.port, smtp_tls_security_level="encrypt"))
        send(client.port, "alice@out.example", ["bob@in.example"], message())
        self.sink.maildir.wait(1)
        status, transcript = swaks(gateway.port, "--tls", "--pipeline", "--from", "a@out.example", "--to", "b@in.example")
        self.assertEqual(status, 0, transcript)
        for mail in self.sink.maildir.wait(2):
            self.assertIn("with ESMTPS", mail["Received"])
        with self.assertRaises(smtplib.SMTPException):
            send(gateway.port, "a@out.example", ["b@in.example"], message())

    def test_xclient_and_proxy_headers_count_from_trusted_networks_only(self):
        nameless = "[authentication]\non = false\n"  # no name server stands here
        trusted = self.gateway(config=nameless, listener='tls = "none"\nxclient_from = ["127.0.0.0/8"]')
        steps = (b"EHLO c.example\r\n", b"XCLIENT ADDR=192.0.2.77 NAME=far.example\r\n", b"EHLO far.example\r\n",
                 b"MAIL FROM:<a@out.example>\r\n", b"RCPT TO:<b@in.example>\r\n", b"DATA\r\n", b"Subject: x\r\n\r\nx\r\n.\r\n")
        self.assertEqual(self.dialog(trusted.port, *steps)[-1][:3], "250")
        self.assertIn("192.0.2.77", self.sink.maildir.mails()[0]["Received"])

        stranger = self.started(Gateway(self.place("stranger"), trusted.policy.read_text()))
        self.assertEqual(self.dialog(stranger.port, *steps[:2])[-1][:1], "5")

        proxied = self.started(Gateway(self.place("proxied"), trusted.policy.read_text(), config=nameless, wait=False,
                                       listener='tls = "none"\nproxy_protocol_from = ["127.0.0.0/8"]'))
        wait_for("the listener", lambda: proxied.events("serve.ready"))
        with socket.create_connection(("127.0.0.1", proxied.port), timeout=20) as raw:
            file = raw.makefile("rb")
            raw.sendall(b"PROXY TCP4 192.0.2.78 192.0.2.1 4000 25\r\n")
            self.assertEqual(file.readline()[:3], b"220")
            for step in (steps[0], *steps[3:]):
                raw.sendall(step)
                while file.readline()[3:4] == b"-":
                    pass
        self.assertIn("192.0.2.78", self.sink.maildir.wait(2)[-1]["Received"])

    @unittest.skipUnless(os.geteuid() == 0, "only root can give up root")
    def test_root_is_given_up_and_reload_and_log_rotation_still_work(self):
        home = self.place("home")
        account = pwd.getpwnam("nobody")
        os.chown(home, account.pw_uid, account.pw_gid)
        port, log = free_port(), home / "mail.log"
        (home / "doorward.toml").write_text(f'state_directory = "state"\ncache_directory = "cache"\nuser = "nobody"\n'
                                            f'group = "nogroup"\nhttp = ""\n[log]\ntarget = "{log}"\n'
                                            f'[[listener]]\nname = "mx"\naddress = "127.0.0.1:{port}"\ntls = "none"\n')
        program = self.started(Program([DOORWARD, "serve", "--config", home / "doorward.toml"], home / "out.log"))
        wait_for("the banner", lambda: listens(port), 60)
        self.assertEqual(os.stat(f"/proc/{program.process.pid}").st_uid, account.pw_uid)
        for kept in (log, home / "state" / "policy.db", home / "state" / "sheets.db"):
            self.assertEqual(kept.stat().st_uid, account.pw_uid, kept)
        log.rename(home / "mail.log.1")
        program.process.send_signal(signal.SIGUSR1)
        wait_for("the new log", log.exists)
        program.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "serve.reloaded" in log.read_text())
        # A log that cannot be opened again is told to the old one, and nothing ends.
        log.rename(home / "mail.log.2")
        log.mkdir()
        program.process.send_signal(signal.SIGUSR1)
        wait_for("the complaint", lambda: "serve.log_not_reopened" in (home / "mail.log.2").read_text())
        self.assertTrue(listens(port))

    def test_no_smuggled_mail_gets_through(self):
        gateway = self.gateway()
        inner = b"MAIL FROM:<evil@out.example>\r\nRCPT TO:<b@in.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
        for end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r", b"\r.\n", b"\r\n\x00.\r\n"):
            text = b"Subject: outer\r\n\r\nbody" + end + inner
            replies = self.dialog(gateway.port, b"EHLO c.example\r\n", b"MAIL FROM:<a@out.example>\r\n", b"RCPT TO:<b@in.example>\r\n",
                                  b"DATA\r\n", text)
            self.assertEqual(replies[-1][:3], "250" if b"\x00" in end else "550", end)
        for mail in self.sink.maildir.mails():
            self.assertEqual(mail["Subject"], "outer")

    def test_bdat_and_smtputf8(self):
        gateway = self.gateway()
        body = b"Subject: chunks\r\n\r\none\r\n", b"two\r\n.\r\n"
        replies = self.dialog(gateway.port, b"EHLO c.example\r\n", "MAIL FROM:<jürgen@out.example> SMTPUTF8\r\n".encode(),
                              "RCPT TO:<böb@in.example>\r\n".encode(), b"BDAT %d\r\n" % len(body[0]) + body[0],
                              b"BDAT %d LAST\r\n" % len(body[1]) + body[1])
        self.assertEqual([r[:3] for r in replies[2:]], ["250", "250", "250", "250"])
        raw = self.sink.maildir.raw()[0].replace(b"\r\n", b"\n")
        self.assertTrue(raw.endswith(b"one\ntwo\n.\n"), raw)
        self.assertIn(b"UTF8SMTP", raw)
        bare = self.dialog(gateway.port, b"EHLO c.example\r\n", b"MAIL FROM:<a@out.example>\r\n", b"RCPT TO:<b@in.example>\r\n",
                           b"BDAT 9 LAST\r\na: b\n\nx\r\n")
        self.assertEqual(bare[-1][:3], "550")

    def test_idle_clients_do_not_keep_the_backend_from_the_others(self):
        sink = self.started(Sink(self.place("sink")))
        text = policy(f'name = "in.example"\nbackend = "office"\n{QUIET}',
                      backends={"office": {"address": [f"127.0.0.1:{sink.port}"], "max_connections": 2}})
        gateway = self.started(Gateway(self.place("gateway"), text))
        idle = [connected(gateway.port, timeout=20) for _ in range(5)]
        try:
            for number, client in enumerate(idle):
                client.ehlo("slow.example")
                client.mail("a@out.example")
                self.assertEqual(client.rcpt(f"user{number}@in.example")[0], 250)
            self.assertEqual(send(gateway.port, "a@out.example", ["b@in.example"], message()), {})
            for client in idle:
                self.assertEqual(client.data(message())[0], 250)
        finally:
            for client in idle:
                client.close()
        self.assertEqual(len(sink.maildir.wait(6)), 6)

    def test_slow_clients_do_not_hurt_the_others(self):
        gateway = self.gateway(config="[limits]\nconnections_per_ip = 1000\n")
        slow = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(400)]
        try:
            for turn in range(3):
                for peer in slow:
                    peer.sendall(b"EHLO"[turn:turn + 1])
                began = time.monotonic()
                send(gateway.port, "a@out.example", ["b@in.example"], message())
                self.assertLess(time.monotonic() - began, 5)
        finally:
            for peer in slow:
                peer.close()
        self.assertEqual(len(self.sink.maildir.raw()), 3)


if __name__ == "__main__":
    unittest.main()
