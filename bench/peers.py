"""The servers that are measured, each started afresh on loopback in a folder of its own, and ended again."""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

from measure import Group

DOMAIN = "bench.example"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_banner(port, process=None, seconds=60):
    """Seconds until the port answers with 220."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        if process and process.poll() not in (None, 0):
            raise RuntimeError(f"ended with status {process.returncode} before its banner")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(512).startswith(b"220"):
                    connection.sendall(b"QUIT\r\n")
                    return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.005)
    raise RuntimeError(f"no banner on port {port} within {seconds} s")


def wait_for_port(port, seconds=60):
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


class Sink:
    """Postfix's smtp-sink: takes every mail and drops it. Its CPU belongs to no peer."""

    def __init__(self):
        self.port = free_port()
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(["smtp-sink", *user, f"127.0.0.1:{self.port}", "2048"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        wait_for_banner(self.port, self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Peer:
    name = ""
    note = ""
    xclient = False
    share = 1.0  # of the mails of a run: the slow ones get fewer

    def __init__(self, folder, sink):
        self.folder, self.sink = pathlib.Path(folder), sink
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.processes = []
        self.group = Group(self.name.replace(" ", "-").replace("+", "and"))
        self.start_seconds = 0.0

    def launch(self, *command, **keywords):
        log = open(self.folder / "log", "ab")
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   preexec_fn=self.group.enter, **keywords)
        log.close()
        self.processes.append(process)
        self.group.roots.append(process.pid)
        return process

    def prepare(self):
        """What is done once when a server is installed, and does not count as its start."""

    def start(self):
        self.prepare()
        began = time.monotonic()
        process = self.run()
        wait_for_banner(self.port, process)
        self.start_seconds = time.monotonic() - began

    def run(self):
        raise NotImplementedError

    def settle(self):
        """Waits until everything that was accepted is handed on."""

    def end_processes(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def stop(self):
        self.end_processes()
        self.group.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


POSTFIX_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = gateway.{domain}
mydestination =
relay_domains = {domain}
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_tls_security_level = none
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_authorized_xclient_hosts = 127.0.0.0/8
in_flow_delay = 0
message_size_limit = 50000000
relay_transport = smtp:[127.0.0.1]:{sink}
biff = no
{more}
"""

POSTFIX_MASTER = """
127.0.0.1:{port} inet n - n - {limit} smtpd{options}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class Postfix(Peer):
    limit = "600"
    main = ""
    options = ""

    def prepare(self):
        self.folder.chmod(0o755)
        (self.folder / "queue").mkdir()
        (self.folder / "data").mkdir()
        owner = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        conf = self.folder / "conf"
        conf.mkdir()
        values = {"folder": self.folder, "domain": DOMAIN, "sink": self.sink.port, "more": self.main.format(**vars(self)),
                  "port": self.port, "limit": self.limit, "options": self.options.format(sink=self.sink.port)}
        (conf / "main.cf").write_text(POSTFIX_MAIN.format(**values))
        (conf / "master.cf").write_text(POSTFIX_MASTER.format(**values))
        subprocess.run(["postfix", "-c", conf, "check"], capture_output=True, check=True)

    def run(self):
        return self.launch("postfix", "-c", self.folder / "conf", "start")

    def settle(self):
        queues = [self.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred")]
        until = time.monotonic() + 300
        while time.monotonic() < until:
            if not any(path.is_file() for queue in queues for path in queue.rglob("*")):
                return
            time.sleep(0.02)
        raise RuntimeError("Postfix's queue does not empty")

    def end_processes(self):
        subprocess.run(["postfix", "-c", self.folder / "conf", "stop"], capture_output=True, check=False)
        super().end_processes()


class PostfixProxy(Postfix):
    name = "Postfix proxy"
    note = "smtpd_proxy_filter straight to the sink: no queue, no filter"
    options = "\n  -o smtpd_proxy_filter=127.0.0.1:{sink}"


class PostfixRelay(Postfix):
    name = "Postfix relay"
    note = "queue on disk with fsync, in_flow_delay=0; CPU until the queue is empty"
    share = 0.5


RSPAMD_FILES = {
    "worker-proxy.inc": 'milter = yes;\nbind_socket = "127.0.0.1:{milter}";\ncount = 2;\ntimeout = 60s;\n'
                        'upstream "local" {{ default = yes; self_scan = yes; }}\n',
    "worker-normal.inc": "enabled = false;\n",
    "worker-controller.inc": 'bind_socket = "127.0.0.1:{controller}";\ncount = 1;\n',
    "worker-fuzzy.inc": "enabled = false;\n",
    "redis.conf": 'servers = "127.0.0.1:{redis}";\n',
    "options.inc": 'dns {{ nameserver = ["127.0.0.1:{dns}"]; }}\nlocal_addrs = "127.0.0.0/8";\n',
    "actions.conf": "reject = null;\ngreylist = null;\nadd_header = 6;\n",
    "logging.inc": 'type = "file";\nfilename = "{folder}/rspamd.log";\nlevel = "warning";\n',
}
RSPAMD_OFF = ("neural", "ratelimit", "greylist", "greylisting", "history_redis", "replies", "reputation", "fuzzy_check")

UNBOUND = """
server:
  interface: 127.0.0.1@{dns}
  access-control: 127.0.0.0/8 allow
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  username: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  module-config: "iterator"
  local-zone: "." always_nxdomain
remote-control:
  control-enable: no
"""


class PostfixRspamd(Postfix):
    name = "Postfix + rspamd"
    note = "rspamd milter (2 workers, nothing refused), Redis, RBL and SPF queries answered NXDOMAIN by a local unbound"
    xclient = True
    share = 0.1
    main = "smtpd_milters = inet:127.0.0.1:{milter}\nmilter_default_action = tempfail\nmilter_connect_timeout = 60s\n"

    def prepare(self):
        self.milter, self.controller, self.redis, self.dns = (free_port() for _ in range(4))
        names = {key: getattr(self, key) for key in ("milter", "controller", "redis", "dns", "folder")}
        self.folder.chmod(0o755)
        conf = self.folder / "rspamd"
        (conf / "local.d").mkdir(parents=True)
        for name, text in RSPAMD_FILES.items():
            (conf / "local.d" / name).write_text(text.format(**names))
        for module in RSPAMD_OFF:
            (conf / "local.d" / f"{module}.conf").write_text("enabled = false;\n")
        data = self.folder / "rspamd-data"
        data.mkdir()
        # The compiled patterns are kept from run to run, as on a server that is not new.
        cache = self.folder.parent / "rspamd-cache"
        cache.mkdir(exist_ok=True)
        for path in cache.iterdir():
            shutil.copy(path, data)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "_rspamd:_rspamd", data], check=True)
            (self.folder / "rspamd.log").touch()
            shutil.chown(self.folder / "rspamd.log", "_rspamd", "_rspamd")
        (self.folder / "unbound.conf").write_text(UNBOUND.format(**names))
        super().prepare()

    def run(self):
        conf, data = self.folder / "rspamd", self.folder / "rspamd-data"
        self.launch("unbound", "-d", "-c", self.folder / "unbound.conf")
        self.launch("redis-server", "--port", self.redis, "--bind", "127.0.0.1", "--save", "", "--dir", self.folder)
        wait_for_port(self.redis)
        user = ["-u", "_rspamd", "-g", "_rspamd"] if os.getuid() == 0 else ["-i"]
        variables = [f"--var={key}={value}" for key, value in
                     {"LOCAL_CONFDIR": conf, "DBDIR": data, "RUNDIR": data, "LOGDIR": self.folder}.items()]
        self.launch("rspamd", "-f", *user, *variables)
        wait_for_port(self.milter)
        return super().run()

    def stop(self):
        self.end_processes()
        cache = self.folder.parent / "rspamd-cache"
        for path in (self.folder / "rspamd-data").glob("*.hs*"):
            shutil.copy(path, cache)
        super().stop()
