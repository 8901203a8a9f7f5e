#!/usr/bin/env python3
"""bench/centre.py: how many questions one core of a detection centre answers, over HTTP/1.1 with kept connections.

The centre runs on one core with tables of 16 million entries, is filled with reports until some 10 million are used, and is asked
about known and unknown ids, in batches of 1, 16 and 256. The asking program takes the other core. Writes build/bench/centre.md."""
import argparse
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
DOORWARD = ROOT / "build" / "release" / "src" / "doorward"
LOAD = ROOT / "build" / "release" / "bench" / "centre_load"
TICKS = 100  # of CPU time, a second


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0


def load(*words):
    done = subprocess.run([LOAD, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    fields = done.stdout.split()
    return int(fields[1]), int(fields[3]), float(fields[5])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--ids", type=int, default=700_000, help="reported before it is asked; fifteen entries each")
    arguments.add_argument("--seconds", type=int, default=5)
    options = arguments.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    state = pathlib.Path(tempfile.mkdtemp(prefix="doorward-centre-"))
    token = subprocess.run([DOORWARD, "centre", "enrol", "bench", "--trusted", "--state", state], check=True,
                           capture_output=True, text=True).stdout.strip()
    port = free_port()
    log = open(state / "log", "w+")
    server = subprocess.Popen([DOORWARD, "centre", "serve", "--state", state, "--listen", f"127.0.0.1:{port}", "--http", "",
                               "--cores", "1", "--entries", str(1 << 24), "--questions", "10000000", "--reports", "10000000"],
                              stderr=log, stdout=log)
    try:
        url = f"http://127.0.0.1:{port}"
        while "centre.ready" not in (state / "log").read_text():
            if server.poll() is not None:
                sys.exit((state / "log").read_text())
            time.sleep(0.05)
        begun, used = time.monotonic(), cpu_seconds(server.pid)
        load(url, token, "report", 0, options.ids)
        while True:  # until the last of it is learnt
            before = cpu_seconds(server.pid)
            time.sleep(1.5)
            if cpu_seconds(server.pid) - before < 0.1:
                break
        filled = f"{options.ids:,} reports in {time.monotonic() - begun:.0f} s, {1e6 * (cpu_seconds(server.pid) - used) / options.ids:.0f} µs CPU each; {resident(server.pid):.0f} MB resident"
        rows = []
        for kind, first in (("known", 0), ("unknown", 1 << 40)):
            for connections, batch in ((16, 1), (8, 16), (4, 256)):
                used = cpu_seconds(server.pid)
                questions, known, seconds = load(url, token, "ask", first, options.ids, connections, batch, options.seconds)
                cpu = cpu_seconds(server.pid) - used
                if kind == "known" and known < questions * 0.9 or kind == "unknown" and known:
                    print(f"note: of {questions} {kind} ids {known} were known")
                rows.append((kind, batch, connections, questions / seconds, questions / cpu, 1e6 * cpu / questions))
                print(f"{kind}, batches of {batch}: {questions / seconds:,.0f}/s, {questions / cpu:,.0f} a CPU second")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(state, ignore_errors=True)
    table = f"{platform.machine()}; {filled}\n\n| ids | in a request | connections | questions/s | questions a CPU second of the centre | µs CPU each |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"
    for kind, batch, connections, rate, core, each in rows:
        table += f"| {kind} | {batch} | {connections} | {rate:,.0f} | {core:,.0f} | {each:.1f} |\n"
    (OUT / "centre.md").write_text(table)
    print("\n" + table)


if __name__ == "__main__":
    main()
