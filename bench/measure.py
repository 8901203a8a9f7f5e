"""What a group of processes uses: CPU of all of them, living and dead, and their memory."""
import os
import pathlib
import threading
import time

CGROUP = pathlib.Path("/sys/fs/cgroup")


def _writable_parent():
    """Where groups can be made, and whether CPU is counted the way of cgroup v1 or v2."""
    if (CGROUP / "cpuacct").is_dir() and os.access(CGROUP / "cpuacct", os.W_OK):
        return CGROUP / "cpuacct", 1
    if (CGROUP / "cgroup.controllers").exists() and os.access(CGROUP, os.W_OK):
        return CGROUP, 2
    return None, 0


class Group:
    """The processes of one peer. With a control group, whatever they start belongs to it and nothing is missed; without
    one, the tree below the started processes is summed, reaped children included, which misses what daemonises."""

    def __init__(self, name):
        parent, self.version = _writable_parent()
        self.roots = []
        self.path = parent / f"doorward-bench-{os.getpid()}-{name}" if parent else None
        if self.path:
            self.path.mkdir(exist_ok=True)

    def enter(self):
        """For preexec_fn: the child that calls it belongs to the group."""
        if self.path:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def pids(self):
        if self.path:
            return [int(pid) for pid in (self.path / "cgroup.procs").read_text().split()]
        parents = {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
        found = set(self.roots)
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return sorted(found)

    def cpu_seconds(self):
        if self.version == 1:
            return int((self.path / "cpuacct.usage").read_text()) / 1e9
        if self.version == 2:
            return int((self.path / "cpu.stat").read_text().split()[1]) / 1e6
        ticks = 0
        for pid in self.pids():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def pss_mb(self):
        kilobytes = 0
        for pid in self.pids():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kilobytes += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        return kilobytes / 1024

    def remove(self):
        for _ in range(100):
            if not self.path or not self.path.exists():
                return
            try:
                self.path.rmdir()
                return
            except OSError:  # the last process is just ending
                time.sleep(0.05)


class PeakMemory:
    """The greatest PSS of a group while the `with` block runs, looked at twice a second."""

    def __init__(self, group):
        self.group, self.mb, self._end = group, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self._end.wait(0.5):
            self.mb = max(self.mb, self.group.pss_mb())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        self.mb = max(self.mb, self.group.pss_mb())
