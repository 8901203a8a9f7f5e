"""Marks of files that passed a check: a file that passed is not looked at again until it, a header of src/ that it includes,
or what the check is made of changes. The marks stand in build/CHECK."""
import hashlib
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
_contents = {}


def _content(file):
    """A file's bytes and the names of src/ that it includes."""
    if file not in _contents:
        text = file.read_bytes() if file.exists() else b""
        _contents[file] = text, re.findall(rb'#include "([^"]+)"', text)
    return _contents[file]


def _below(file, seen):
    if file in seen:
        return
    seen.add(file)
    for name in _content(file)[1]:
        _below(SRC / name.decode(), seen)


class Passed:
    def __init__(self, check, made_of):
        self.folder = ROOT / "build" / check
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made_of = made_of

    def _mark(self, file):
        seen = set()
        _below(file, seen)
        whole = hashlib.sha256(self.made_of + str(file.relative_to(ROOT)).encode())
        for one in sorted(seen):
            whole.update(_content(one)[0])
        return self.folder / whole.hexdigest()

    def __contains__(self, file):
        return self._mark(file).exists()

    def add(self, file):
        self._mark(file).touch()
