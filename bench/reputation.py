#!/usr/bin/env python3
"""bench/reputation.py: who a mail really comes from, Doorward beside Postfix + rspamd + Redis.

Like bench/run.py, with the network checks on and answered by local name servers, whose CPU belongs to nobody: SPF, DKIM, DMARC,
lists as Debian's rspamd asks by default (eight of addresses, six of domains, two of hashes), bayes and fuzzy hashes on both sides. The mails are made ready before: each has an
author, Message-ID and token of its own, every other one is DKIM-signed (RSA-2048) by one of 1,000 author domains. Prints what
each side found, so that it can be seen that both looked. At the end the name servers fall silent, and it is measured how long
Doorward's senders then wait. Writes build/bench/reputation.md and reputation.json. What the figures mean: docs/benchmark.md."""
import argparse
import collections
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import names
import peers
import run
from doorward_peer import CONFIG, POLICY, DoorwardProxy
from measure import PeakMemory

ROOT, OUT = run.ROOT, run.OUT
RSPAMD_DEFAULTS = pathlib.Path("/etc/rspamd/modules.d/rbl.conf")
CODES = 'codes = ["127.0.0.2 = 1"]'
KINDS_OF_LISTS = {"ip": 'kind = "ip"', "dom": 'kind = "domain"', "mail": 'kind = "email"\ntested = false'}
HOPS = 5  # the most Received fields that are asked about


class DoorwardReputation(DoorwardProxy):
    name = "Doorward"
    note = "proxy mode, all filters, every check on; spam is delivered all the same, so that every mail reaches the sink"
    xclient = True
    servers = None  # names.Names
    policy = POLICY.replace('operation = "observe"', 'legal = "tag-only"\n"outcome.spam" = "deliver"')

    def prepare(self):
        self.http = f"127.0.0.1:{peers.free_port()}"
        super().prepare()
        lists = "".join(f'[[list]]\nname = "{kind}{number}"\nzone = "{kind}{number}.lists.example"\n{KINDS_OF_LISTS[kind]}\n'
                        f'{f"received = {HOPS}" if kind == "ip" and number <= names.WITH_RECEIVED else ""}\n'
                        f'{CODES}\nservers = ["127.0.0.1@{self.servers.knot_port}"]\n'
                        for kind, count in names.LISTS.items() for number in range(1, count + 1))
        text = CONFIG.format(domain=peers.DOMAIN, folder=self.folder, cache=self.folder.parent / "doorward-cache", port=self.port, http=self.http)
        text = text.replace("[authentication]\non = false\n", "[authentication]\nlocal_networks = []\n")
        text += f'\n[dns]\nresolv_conf = ""\nforwarders = ["127.0.0.1@{self.servers.unbound_port}"]\n{lists}'
        (self.folder / "doorward.toml").write_text(text)

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=10) as page:
            return page.read().decode()

    def found(self):
        text = self.metrics()
        checks = {f"{check} {result}": float(count) for check, result, count in
                  re.findall(r'doorward_authentication_total\{check="(\w+)",result="(\w+)"\} (\d+)', text)}
        lists = sum(float(count) for count in re.findall(r'doorward_list_answers_total\{list="\w+",outcome="listed"\} (\d+)', text))
        return {key: checks.get(key, 0) for key in ("spf pass", "dkim pass", "dmarc pass")} | {"listed": lists}

    def run(self):
        process = super().run()
        until = time.monotonic() + 30
        while time.monotonic() < until:  # lists are used once their test entries were found
            try:
                if len(re.findall(r"doorward_list_up\{.*\} 1", self.metrics())) == sum(names.LISTS.values()):
                    return process
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("the lists did not come up")


class RspamdReputation(peers.PostfixRspamd):
    note = "rspamd milter (2 workers, nothing refused), Redis with trained bayes, a fuzzy storage worker, the same lists and name servers"
    share = 0.1
    servers = None
    training = ""

    def prepare(self):
        super().prepare()
        self.fuzzy = peers.free_port()
        conf = self.folder / "rspamd" / "local.d"
        for module in ("fuzzy_check", "neural"):
            (conf / f"{module}.conf").unlink(missing_ok=True)
        (conf / "neural.conf").write_text("enabled = false;\n")
        (conf / "options.inc").write_text(f'dns {{ nameserver = ["127.0.0.1:{self.servers.unbound_port}"]; }}\nlocal_addrs = "127.0.0.0/8";\n')
        (conf / "logging.inc").write_text(f'type = "file";\nfilename = "{self.folder}/rspamd.log";\nlevel = "info";\n')
        (conf / "worker-fuzzy.inc").write_text(f'bind_socket = "127.0.0.1:{self.fuzzy}";\ncount = 1;\nallow_update = ["127.0.0.1"];\n')
        (conf / "worker-controller.inc").write_text(f'bind_socket = "127.0.0.1:{self.controller}";\ncount = 1;\nsecure_ip = "127.0.0.1";\n')
        (conf / "fuzzy_check.conf").write_text(
            'rule "rspamd.com" { enabled = false; }\n'
            f'rule "local" {{ algorithm = "mumhash"; servers = "127.0.0.1:{self.fuzzy}"; symbol = "LOCAL_FUZZY_UNKNOWN"; mime_types = ["*"];\n'
            '  max_score = 20; read_only = no; skip_unknown = yes; fuzzy_map = { LOCAL_FUZZY_DENIED { max_score = 20; flag = 11; } } }\n')
        off = "".join(f"{name} {{ enabled = false; }}\n" for name in re.findall(r"^    (\w+) \{", RSPAMD_DEFAULTS.read_text(), re.M))
        asked = {n: ' "from", "received" ' if n <= names.WITH_RECEIVED else ' "from" ' for n in range(1, names.LISTS["ip"] + 1)}
        ours = "".join(f'bench_ip{n} {{ symbol = "BENCH_IP{n}"; rbl = "ip{n}.lists.example"; checks = [{checks}]; returncodes {{ BENCH_IP{n} = "127.0.0.2"; }} }}\n'
                       for n, checks in asked.items())
        ours += "".join(f'bench_mail{n} {{ symbol = "BENCH_MAIL{n}"; rbl = "mail{n}.lists.example"; ignore_defaults = true; checks = ["emails", "replyto"]; '
                        f'hash = "sha1"; returncodes {{ BENCH_MAIL{n} = "127.0.0.2"; }} }}\n' for n in range(1, names.LISTS["mail"] + 1))
        ours += "".join(f'bench_dom{n} {{ symbol = "BENCH_DOM{n}"; rbl = "dom{n}.lists.example"; checks = ["emails", "dkim", "helo", "replyto", "urls"]; emails_domainonly = true; '
                        f'returncodes {{ BENCH_DOM{n} = "127.0.0.2"; }} }}\n' for n in range(1, names.LISTS["dom"] + 1))
        (conf / "rbl.conf").write_text(f"rbls {{\n{off}{ours}}}\n")
        trained = self.folder.parent / "rspamd-trained.rdb"
        if trained.exists():
            shutil.copy(trained, self.folder / "dump.rdb")

    def run(self):
        process = super().run()
        trained = self.folder.parent / "rspamd-trained.rdb"
        if not trained.exists() and pathlib.Path(self.training).is_file():
            peers.wait_for_port(self.controller)
            lines = pathlib.Path(self.training).read_text().splitlines()[:1000]
            for label in ("ham", "spam"):
                paths = [line.partition(" ")[2] for line in lines if line.startswith(label + " ")]
                subprocess.run(["rspamc", "-h", f"127.0.0.1:{self.controller}", f"learn_{label}", *paths], capture_output=True, check=False)
            subprocess.run(["redis-cli", "-p", str(self.redis), "save"], capture_output=True, check=True)
            shutil.copy(self.folder / "dump.rdb", trained)
        return process

    def found(self):
        symbols = collections.Counter(re.findall(r"[\[,]([A-Z][A-Z0-9_]+)\(", (self.folder / "rspamd.log").read_text(errors="replace")))
        return {"spf pass": symbols["R_SPF_ALLOW"], "dkim pass": symbols["R_DKIM_ALLOW"], "dmarc pass": symbols["DMARC_POLICY_ALLOW"],
                "listed": sum(count for name, count in symbols.items() if name.startswith("BENCH_")),
                "bayes": symbols["BAYES_SPAM"] + symbols["BAYES_HAM"]}


KINDS = (DoorwardReputation, RspamdReputation)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="of each peer (5)")
    parser.add_argument("--count", type=int, default=6000, help="mails a run (6000); rspamd gets a tenth of them")
    parser.add_argument("--connections", type=int, default=30, help="at a time (30)")
    parser.add_argument("--warm", type=int, default=1000, help="mails before each run, from each author once (1000)")
    parser.add_argument("--only", choices=["doorward", "rspamd"], help="one of the two alone")
    parser.add_argument("--mails", help="folder or index (default: the SpamAssassin corpus, else samples/mails)")
    parser.add_argument("--generator", default=str(ROOT / "build/release/bench/load_generator"))
    parser.add_argument("--signer", default=str(ROOT / "build/release/bench/sign_mails"))
    parser.add_argument("--doorward", default=str(ROOT / "build/release/src/doorward"))
    return parser.parse_args()


def make_ready(options, scratch):
    """The mails, and the key's TXT record as a zone file has it."""
    key = scratch / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    record = ""
    for name, count, first in (("warm", options.warm, 0), ("run", options.count, options.warm), ("silent", 200, 0)):
        done = subprocess.run([options.signer, options.mails, str(count), str(first), str(names.DOMAINS), key, scratch / name],
                              check=True, capture_output=True, text=True)
        record = done.stdout.strip()
    return " ".join(f'"{record[at:at + 250]}"' for at in range(0, len(record), 250))


def one_run(options, kind, scratch, sink):
    peer = kind(scratch / kind.name.replace(" ", "-"), sink)
    try:
        peer.start()
        count = max(100, int(options.count * kind.share))
        run.generate(options, peer, ready=scratch / "warm", count=options.warm if kind is DoorwardReputation else min(options.warm, 300))
        before = peer.found()
        cpu, began = peer.group.cpu_seconds(), time.monotonic()
        with PeakMemory(peer.group) as peak:
            result = run.generate(options, peer, ready=scratch / "run", count=count)
        seconds = time.monotonic() - began
        result.update(cpu_seconds_per_1000=(peer.group.cpu_seconds() - cpu) / count * 1000, peak_pss_mb=peak.mb, whole_mails_per_second=count / seconds,
                      found={key: (value - before[key]) / count for key, value in peer.found().items()})
        return result
    finally:
        peer.stop()


def with_silent_names(options, scratch, sink, servers):
    """How long senders wait when no name server answers any more, whatever is cached."""
    peer = DoorwardReputation(scratch / "doorward-silent", sink)
    try:
        peer.start()
        servers.hush(True)
        return run.generate(options, peer, ready=scratch / "silent", count=200, connections=100, seconds=120)
    finally:
        servers.hush(False)
        peer.stop()


def markdown(report):
    lines = [f"# Benchmark of reputation of {report['date']}", "",
             f"{report['machine']}. {report['runs']} alternating runs, {report['count']} mails a run, {report['connections']} connections, medians; "
             "half of the mails DKIM-signed, name servers on the same machine and in nobody's figure.", "",
             "| peer | mails/s | CPU-s/1000 (range) | end of data to reply, p50 / p99 ms | peak PSS MB | found, of 100 mails |",
             "| --- | --- | --- | --- | --- | --- |"]
    for name, peer in report["peers"].items():
        m = peer["median"]
        found = ", ".join(f"{key} {100 * value:.0f}" for key, value in peer["runs"][0]["found"].items())
        lines.append(f"| {name} | {m['whole_mails_per_second']:.0f} | **{m['cpu_seconds_per_1000']:.2f}** ({run.spread(peer['runs'], 'cpu_seconds_per_1000')}) "
                     f"| {m['answer_p50_ms']:.1f} / {m['answer_p99_ms']:.1f} | {m['peak_pss_mb']:.0f} | {found} |")
    lines.append("")
    lines += [f"- {name}: {peer['note']}" for name, peer in report["peers"].items()]
    if silent := report.get("silent"):
        lines.append(f"- Doorward with name servers that answer nothing: {silent['mails']} mails, replies {silent['replies']}, "
                     f"whole connection p50 {silent['p50_ms'] / 1000:.1f} s, at most {silent['max_ms'] / 1000:.1f} s")
    lines += [f"- {line}" for line in report["ratios"]]
    return "\n".join(lines) + "\n"


def ratios(table):
    if len(table) < 2:
        return []
    ours, theirs = (table[kind.name]["median"] for kind in KINDS)
    return [f"Doorward needs 1/{theirs['cpu_seconds_per_1000'] / ours['cpu_seconds_per_1000']:.1f} of the CPU of {RspamdReputation.name} "
            f"and takes {ours['whole_mails_per_second'] / theirs['whole_mails_per_second']:.1f} × its mails/s"]


def main():
    options = arguments()
    if os.getuid() != 0:
        sys.exit("bench: Postfix, rspamd and the name servers start only as root")
    options.mails = run.corpus(options.mails)
    DoorwardProxy.program, DoorwardProxy.training, RspamdReputation.training = options.doorward, options.mails, options.mails
    OUT.mkdir(parents=True, exist_ok=True)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="doorward-bench-"))
    scratch.chmod(0o755)
    print("making mails ready", flush=True)
    servers = names.Names(scratch / "names", make_ready(options, scratch))
    DoorwardReputation.servers = RspamdReputation.servers = servers
    kinds = [kind for kind in KINDS if options.only is None or options.only == kind.name.lower().split()[-1]]
    results = {kind.name: [] for kind in kinds}
    sink = peers.Sink()
    silent = None
    try:
        for number in range(1, options.runs + 1):
            for kind in kinds:
                result = one_run(options, kind, scratch, sink)
                results[kind.name].append(result)
                print(f"run {number}/{options.runs}  {kind.name:18} {result['whole_mails_per_second']:7.0f} mails/s  "
                      f"{result['cpu_seconds_per_1000']:6.2f} CPU-s/1000  answered p50 {result['answer_p50_ms']:.1f} p99 {result['answer_p99_ms']:.1f} ms  "
                      f"{ {key: round(value, 2) for key, value in result['found'].items()} }", flush=True)
        if DoorwardReputation in kinds:
            silent = with_silent_names(options, scratch, sink, servers)
    finally:
        sink.stop()
        servers.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    table = {kind.name: {"note": kind.note, "median": run.summary(results[kind.name]), "runs": results[kind.name]} for kind in kinds}
    report = {"date": time.strftime("%Y-%m-%d"), "machine": f"{os.cpu_count()} cores, {platform.platform()}", "runs": options.runs, "count": options.count,
              "connections": options.connections, "peers": table, "silent": silent, "ratios": ratios(table)}
    (OUT / "reputation.json").write_text(json.dumps(report, indent=1))
    (OUT / "reputation.md").write_text(markdown(report))
    print()
    print(markdown(report))
    print(f"OK: {OUT.relative_to(ROOT)}/reputation.md and reputation.json")


if __name__ == "__main__":
    main()
