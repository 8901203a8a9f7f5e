"""Doorward in proxy mode, as `make release` builds it, set up by the same files a user writes."""
import pathlib

from peers import DOMAIN, Peer


class DoorwardProxy(Peer):
    name = "Doorward"
    note = "proxy mode, whole pipeline, score sheets stored; the domain only observes, so that every mail reaches the sink"
    program = ""

    def run(self):
        raise NotImplementedError
