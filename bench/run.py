#!/usr/bin/env python3
"""bench/run.py: Doorward and its peers side by side on real mails.

Every peer is started afresh for each run, on loopback, in front of Postfix's smtp-sink; the load generator sends it the same
mails in the same order, each made unique, one mail a connection, in a closed loop. Runs alternate (A B C A B C …) and
medians are reported. CPU is that of all processes of the peer; load generator and sink share the machine but not the figure.
Writes build/bench/report.md and build/bench/report.json. What the figures mean: docs/benchmark.md."""
import argparse
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import peers
from doorward_peer import DoorwardProxy, DoorwardRelay
from measure import PeakMemory

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "bench"
PEERS = {"doorward": DoorwardProxy, "postfix-proxy": peers.PostfixProxy, "doorward-relay": DoorwardRelay,
         "postfix-relay": peers.PostfixRelay, "postfix-rspamd": peers.PostfixRspamd}
IDLE, BUSY, REST = 10_000, 500, 60


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="of each peer (5)")
    parser.add_argument("--count", type=int, default=6000, help="mails a run (6000); slow peers get a fixed part of them")
    parser.add_argument("--connections", type=int, default=30, help="at a time (30)")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated: " + ", ".join(PEERS))
    parser.add_argument("--mails", help="folder or index (default: the SpamAssassin corpus, else samples/mails)")
    parser.add_argument("--no-memory", action="store_true", help="leave out 500 busy and 10,000 idle connections, and the minute of rest")
    parser.add_argument("--rate", type=int, default=400, help="mails a second at which the relays' latencies are compared; 0: not (400)")
    parser.add_argument("--no-bogofilter", action="store_true")
    parser.add_argument("--generator", default=str(ROOT / "build/release/bench/load_generator"))
    parser.add_argument("--doorward", default=str(ROOT / "build/release/src/doorward"))
    return parser.parse_args()


def corpus(wanted):
    if wanted:
        return wanted
    folder = ROOT / "build" / "cache" / "mails"
    if subprocess.run([ROOT / "tools" / "fetch-mails", folder]).returncode == 0:
        return str(folder / "index")
    return str(ROOT / "samples" / "mails")


def generate(options, peer, **more):
    command = [options.generator, "--port", str(peer.port), "--domain", peers.DOMAIN]
    for key, value in {"mails": options.mails or "", "connections": options.connections, **more}.items():
        command += [f"--{key}", str(value)]
    if peer.xclient:
        command.append("--xclient")
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(done.stderr.strip())
    result = json.loads(done.stdout)
    if result["mails"] and result["replies"] != {"250": result["mails"]}:
        print(f"   ! {peer.name}: replies {result['replies']} {done.stderr.strip()}", flush=True)
    return result


def one_run(options, kind, scratch, sink):
    peer = kind(scratch / kind.name.replace(" ", "-"), sink)
    try:
        peer.start()
        time.sleep(1)
        idle = peer.group.pss_mb()
        count = max(100, int(options.count * kind.share))
        generate(options, peer, count=min(300, count))
        peer.settle()
        before, began = peer.group.cpu_seconds(), time.monotonic()
        with PeakMemory(peer.group) as peak:
            result = generate(options, peer, count=count)
            peer.settle()
        seconds = time.monotonic() - began
        result.update(cpu_seconds_per_1000=(peer.group.cpu_seconds() - before) / count * 1000, idle_pss_mb=idle,
                      peak_pss_mb=peak.mb, start_seconds=peer.start_seconds, whole_mails_per_second=count / seconds)
        return result
    except Exception:
        log = peer.folder / "log"
        print(f"   {peer.name} failed; its log ends:\n{log.read_text()[-2000:] if log.exists() else ''}", file=sys.stderr)
        raise
    finally:
        peer.stop()


def connections_memory(options, kind, scratch, sink, idle):
    """Peak PSS with BUSY busy connections, or with IDLE idle ones."""
    peer = kind(scratch / kind.name.replace(" ", "-"), sink)
    try:
        peer.start()
        with PeakMemory(peer.group) as peak:
            if idle:
                result = generate(options, peer, idle=IDLE, count=0, connections=0, seconds=12, sources=200)
                return {"connections": result["idle"], "lost": result["idle_lost"], "peak_pss_mb": peak_now(peak, peer)}
            result = generate(options, peer, count=max(BUSY * 4, options.count), connections=BUSY, sources=20)
        return {"connections": BUSY, "replies": result["replies"], "peak_pss_mb": peak.mb, "p99_ms": result["p99_ms"]}
    finally:
        peer.stop()


def rest_memory(options, kind, scratch, sink):
    """PSS a second after the start, at most under load, and REST seconds after it."""
    peer = kind(scratch / kind.name.replace(" ", "-"), sink)
    try:
        peer.start()
        time.sleep(1)
        start = peer.group.pss_mb()
        with PeakMemory(peer.group) as peak:
            generate(options, peer, count=options.count)
            peer.settle()
        time.sleep(REST)
        return {"start_pss_mb": start, "peak_pss_mb": peak.mb, "rested_pss_mb": peer.group.pss_mb()}
    finally:
        peer.stop()


def peak_now(peak, peer):
    return max(peak.mb, peer.group.pss_mb())


def bogofilter(options, scratch):
    """Trains on one half of the mails and classifies the other in one process."""
    lines = pathlib.Path(options.mails).read_text().splitlines() if pathlib.Path(options.mails).is_file() else []
    if not lines or not shutil.which("bogofilter"):
        return None
    half = len(lines) // 2
    data = scratch / "bogofilter"
    data.mkdir()
    for label, option in (("spam", "-s"), ("ham", "-n")):
        names = "\n".join(line.partition(" ")[2] for line in lines[:half] if line.startswith(label))
        subprocess.run(["bogofilter", "-d", data, option, "-b"], input=names, text=True, check=False)
    names = [line.partition(" ")[2] for line in lines[half:]]
    times = []
    for _ in range(options.runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        subprocess.run(["bogofilter", "-d", data, "-TT", "-b"], input="\n".join(names), text=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append((cpu / len(names) * 1000, len(names) / (time.monotonic() - began)))
    return {"cpu_seconds_per_1000": statistics.median(t[0] for t in times), "mails_per_second": statistics.median(t[1] for t in times),
            "mails": len(names)}


def summary(runs):
    numbers = [key for key, value in runs[0].items() if isinstance(value, (int, float))]
    return {key: statistics.median(run[key] for run in runs) for key in numbers}


def spread(runs, key):
    values = [run[key] for run in runs]
    return f"{min(values):.2f}–{max(values):.2f}"


def markdown(report):
    lines = [f"# Benchmark of {report['date']}", "",
             f"{report['machine']}. {report['runs']} alternating runs, {report['count']} mails a run, {report['connections']} connections, "
             "one mail a connection; medians.", "",
             "| peer | mails/s | CPU-s/1000 (range) | p50 / p99 ms | peak PSS MB | idle PSS MB | first banner s |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, peer in report["peers"].items():
        m = peer["median"]
        lines.append(f"| {name} | {m['whole_mails_per_second']:.0f} | **{m['cpu_seconds_per_1000']:.2f}** ({spread(peer['runs'], 'cpu_seconds_per_1000')}) "
                     f"| {m['p50_ms']:.1f} / {m['p99_ms']:.1f} | {m['peak_pss_mb']:.0f} | {m['idle_pss_mb']:.0f} | {m['start_seconds']:.2f} |")
    if bogo := report.get("bogofilter"):
        lines.append(f"| bogofilter, classify in bulk | {bogo['mails_per_second']:.0f} | **{bogo['cpu_seconds_per_1000']:.2f}** | | | | |")
    lines.append("")
    lines += [f"- {name}: {peer['note']}" for name, peer in report["peers"].items()]
    for name, memory in report.get("memory", {}).items():
        for kind, figures in memory.items():
            lines.append(f"- {name}, {figures['connections']} {kind} connections: {figures['peak_pss_mb']:.0f} MB PSS")
    for name, m in report.get("rested", {}).items():
        lines.append(f"- {name}: {m['start_pss_mb']:.0f} MB PSS a second after its start, {m['peak_pss_mb']:.0f} MB under load, "
                     f"{m['rested_pss_mb']:.0f} MB {REST} s after it")
    for name, figures in report.get("same_rate", {}).items():
        lines.append(f"- {name}, offered {report['rate']} mails/s: accepted within p50 {figures['p50_ms']:.1f} ms, p99 {figures['p99_ms']:.1f} ms "
                     f"({figures['mails_per_second']:.0f} mails/s taken)")
    for line in report.get("ratios", []):
        lines.append(f"- {line}")
    return "\n".join(lines) + "\n"


def ratios(table):
    found = []
    for ours, theirs in (("Doorward", "Postfix proxy"), ("Doorward relay", "Postfix relay")):
        if {ours, theirs} <= table.keys():
            a, b = table[ours]["median"], table[theirs]["median"]
            found.append(f"{ours} needs {a['cpu_seconds_per_1000'] / b['cpu_seconds_per_1000']:.2f} × the CPU of {theirs} "
                         f"and takes {a['whole_mails_per_second'] / b['whole_mails_per_second']:.2f} × its mails/s")
    return found


def same_rate(options, kinds, scratch, sink):
    """Latency of acceptance of those kinds when each is offered the same mails a second."""
    results = {kind.name: [] for kind in kinds}
    for _ in range(options.runs):
        for kind in kinds:
            peer = kind(scratch / kind.name.replace(" ", "-"), sink)
            try:
                peer.start()
                generate(options, peer, count=200)
                results[kind.name].append(generate(options, peer, count=options.rate * 10, connections=200, rate=options.rate))
                peer.settle()
            finally:
                peer.stop()
    return {name: {key: statistics.median(run[key] for run in runs) for key in ("p50_ms", "p99_ms", "mails_per_second")}
            for name, runs in results.items()}


def main():
    options = arguments()
    options.mails = corpus(options.mails)
    DoorwardProxy.program, DoorwardProxy.training = options.doorward, options.mails
    kinds = []
    for name in options.peers.split(","):
        if name not in PEERS:
            sys.exit(f"bench: unknown peer '{name}'; known: {', '.join(PEERS)}")
        if name.startswith("postfix") and os.getuid() != 0:
            print(f"   {name} is left out: Postfix starts only as root")
            continue
        kinds.append(PEERS[name])
    OUT.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="doorward-bench-"))
    scratch.chmod(0o755)
    sink = peers.Sink()
    results = {kind.name: [] for kind in kinds}
    memory = {}
    try:
        for number in range(1, options.runs + 1):
            for kind in kinds:
                result = one_run(options, kind, scratch, sink)
                results[kind.name].append(result)
                print(f"run {number}/{options.runs}  {kind.name:18} {result['whole_mails_per_second']:7.0f} mails/s  "
                      f"{result['cpu_seconds_per_1000']:6.2f} CPU-s/1000  p99 {result['p99_ms']:.0f} ms", flush=True)
        rested = {}
        if not options.no_memory:
            for kind in kinds:
                if kind is not peers.PostfixRspamd:
                    print(f"memory of {kind.name} before, under and {REST} s after {options.count} mails", flush=True)
                    rested[kind.name] = rest_memory(options, kind, scratch, sink)
                if kind in (DoorwardProxy, peers.PostfixProxy):
                    print(f"memory of {kind.name} with {BUSY} busy connections", flush=True)
                    memory[kind.name] = {"busy": connections_memory(options, kind, scratch, sink, idle=False)}
                if kind is DoorwardProxy:
                    print(f"memory of {kind.name} with {IDLE} idle connections", flush=True)
                    memory[kind.name]["idle"] = connections_memory(options, kind, scratch, sink, idle=True)
        relays = [kind for kind in kinds if kind in (DoorwardRelay, peers.PostfixRelay)]
        rates = same_rate(options, relays, scratch, sink) if options.rate and relays else {}
        bogo = None if options.no_bogofilter else bogofilter(options, scratch)
    finally:
        sink.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    table = {kind.name: {"note": kind.note, "median": summary(results[kind.name]), "runs": results[kind.name]} for kind in kinds}
    report = {"date": time.strftime("%Y-%m-%d"), "machine": f"{os.cpu_count()} cores, {platform.platform()}", "runs": options.runs,
              "count": options.count, "connections": options.connections, "peers": table, "memory": memory, "rested": rested, "bogofilter": bogo, "same_rate": rates, "rate": options.rate,
              "ratios": ratios(table)}
    (OUT / "report.json").write_text(json.dumps(report, indent=1))
    (OUT / "report.md").write_text(markdown(report))
    print()
    print(markdown(report))
    print(f"OK: {OUT.relative_to(ROOT)}/report.md and report.json")


if __name__ == "__main__":
    main()
