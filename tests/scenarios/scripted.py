"""A mail server whose every reply a test chooses: for backends that behave oddly."""

import socket
import threading


class ScriptedServer:
    """`answer(verb, argument, session)` returns the reply's text ("250 ok"), None to close the connection without a word,
    or "" for silence. `session` is a dict that lives as long as the connection; its "to" has the recipients that were
    taken. Mails that were answered with 2xx stand in `mails` as (sender, recipients, content)."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda verb, argument, session: None)
        self.mails, self.sessions = [], 0
        self._lock, self._open = threading.Lock(), set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.sessions += 1
                self._open.add(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _say(self, peer, verb, argument, session, default):
        reply = self.answer(verb, argument, session)
        if reply is None:
            reply = default
        if reply == "close":
            raise ConnectionResetError
        if reply:
            peer.sendall(reply.encode() + b"\r\n")
        return reply

    def _serve(self, peer):
        session = {"from": "", "to": []}
        try:
            with peer, peer.makefile("rb") as lines:
                if not self._say(peer, "connect", "", session, "220 scripted ESMTP").startswith("2"):
                    return
                while line := lines.readline():
                    if not self._command(peer, lines, line.decode("latin-1").rstrip("\r\n"), session):
                        return
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(peer)

    def _command(self, peer, lines, line, session):
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        if verb in ("EHLO", "LHLO"):
            self._say(peer, verb, argument, session, "250-scripted\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
        elif verb == "MAIL":
            session["from"], session["to"] = argument, []
            self._say(peer, verb, argument, session, "250 2.1.0 ok")
        elif verb == "RCPT":
            if self._say(peer, verb, argument, session, "250 2.1.5 ok").startswith("2"):
                session["to"].append(argument.partition("<")[2].partition(">")[0])
        elif verb == "DATA":
            if self._say(peer, verb, argument, session, "354 go on").startswith("354"):
                content = b""
                while (part := lines.readline()) not in (b".\r\n", b""):
                    content += part
                if self._say(peer, "end", content, session, "250 2.0.0 taken").startswith("2"):
                    with self._lock:
                        self.mails.append((session["from"], list(session["to"]), content))
        elif verb == "QUIT":
            self._say(peer, verb, argument, session, "221 bye")
            return False
        else:
            self._say(peer, verb, argument, session, "250 ok")
        return True

    def end(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # or a thread in accept() would keep it open
        self._listener.close()
        with self._lock:
            for peer in list(self._open):
                try:
                    peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
