"""Real mail servers as peers: Postfix before and behind us, Dovecot's LMTP behind us. Each has its own configuration,
queue and loopback port; the machine's own instances are not touched. They want to be started by root."""

import os
import pathlib
import pwd
import shutil
import subprocess

from doorward_testing import Maildir, Program, free_port, listens, wait_for

MASTER = """\
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
relay     unix  -       -       n       -       -       smtp
smtpout   unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""


def available(*programs):
    return os.geteuid() == 0 and all(shutil.which(p, path="/usr/sbin:/usr/bin:/sbin:/bin") for p in programs)


class Postfix:
    """One instance. `settings` are lines of main.cf over the ones here."""

    def __init__(self, directory, settings):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.log = self.directory / "log"
        self.queue = self.directory / "queue"
        self.configuration = self.directory / "etc"
        self.configuration.mkdir()
        self.queue.mkdir()
        data = self.directory / "data"
        data.mkdir()
        shutil.chown(data, "postfix", "postfix")
        main = {
            "compatibility_level": "3.6", "queue_directory": self.queue, "data_directory": data,
            "myhostname": "postfix.example", "mydestination": "", "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "maillog_file": self.log,
            "maillog_file_prefixes": self.directory, "alias_maps": "", "alias_database": "",
            "local_recipient_maps": "", "local_transport": "error:no local mail", "biff": "no",
            "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native", "smtpd_banner": "$myhostname ESMTP",
            "smtpd_peername_lookup": "no", "in_flow_delay": "0", "mynetworks_style": "host",
            "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C",
        }
        main.update(settings)
        text = "".join(f"{name} = {value}\n" for name, value in main.items())
        (self.configuration / "main.cf").write_text(text)
        (self.configuration / "master.cf").write_text(MASTER.replace("smtp      inet", f"127.0.0.1:{self.port} inet"))
        self.command("start")
        self._running = True
        wait_for("Postfix", lambda: listens(self.port))

    def command(self, what, check=True):
        done = subprocess.run(["/usr/sbin/postfix", "-c", str(self.configuration), what], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"postfix {what}: {done.stdout}{done.stderr}{self.text()}")

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def flush(self):
        """Tries everything that waits, now."""
        self.command("flush")

    def waiting(self):
        """Mails in the queue."""
        return sum(len(list((self.queue / part).rglob("*"))) - len([d for d in (self.queue / part).rglob("*") if d.is_dir()])
                   for part in ("incoming", "active", "deferred", "maildrop") if (self.queue / part).is_dir())

    def end(self):
        if self._running:
            self._running = False
            self.command("stop", check=False)


class PostfixBackend(Postfix):
    """A mail server for `domain`: the users named have a Maildir each, all others are unknown (550 5.1.1), other domains
    are refused (554 5.7.1 Relay access denied)."""

    def __init__(self, directory, users, domain="in.example", **settings):
        directory = pathlib.Path(directory)
        owner = pwd.getpwnam("postfix")
        boxes = directory / "boxes"
        boxes.mkdir()
        os.chown(boxes, owner.pw_uid, owner.pw_gid)
        self.boxes = {user: Maildir(boxes / user) for user in users}
        table = directory / "users"
        table.write_text("".join(f"{user}@{domain} {user}/\n" for user in users))
        super().__init__(directory, {
            "virtual_mailbox_domains": domain, "virtual_mailbox_base": boxes,
            "virtual_mailbox_maps": f"texthash:{table}", "virtual_minimum_uid": "1",
            "virtual_uid_maps": f"static:{owner.pw_uid}", "virtual_gid_maps": f"static:{owner.pw_gid}",
            "smtpd_relay_restrictions": "reject_unauth_destination", "smtpd_recipient_restrictions": "permit",
            **settings})


class PostfixClient(Postfix):
    """A sender: takes any mail on loopback and hands all of it to 127.0.0.1:`to`, again soon where it is put off."""

    def __init__(self, directory, to, **settings):
        super().__init__(directory, {
            "relayhost": f"[127.0.0.1]:{to}", "default_transport": "smtpout", "relay_transport": "smtpout",
            "smtpd_relay_restrictions": "permit_mynetworks, reject", "smtp_helo_name": "client.out.example",
            "minimal_backoff_time": "2s", "maximal_backoff_time": "4s", "queue_run_delay": "2s",
            "smtp_connection_cache_on_demand": "no", **settings})


class DovecotLmtp:
    """Dovecot's LMTP server on a loopback port: the users named have a Maildir each, all others are unknown."""

    def __init__(self, directory, users, quota_kb=None):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        owner = pwd.getpwnam("dovecot")
        boxes = self.directory / "boxes"
        boxes.mkdir()
        os.chown(boxes, owner.pw_uid, owner.pw_gid)
        self.boxes = {user: Maildir(boxes / user) for user in users}
        table = self.directory / "users"
        table.write_text("".join(f"{user}:{{PLAIN}}x:{owner.pw_uid}:{owner.pw_gid}::{boxes}/{user}::\n" for user in users))
        os.chmod(table, 0o644)
        quota = "" if quota_kb is None else f"""\
mail_plugins = quota
plugin {{
  quota = count:box
  quota_rule = *:storage={quota_kb}K
  quota_grace = 0
  quota_vsizes = yes
}}
protocol lmtp {{
  mail_plugins = quota
}}
"""
        (self.directory / "dovecot.conf").write_text(f"""\
protocols = lmtp
base_dir = {self.directory}/run
state_dir = {self.directory}/state
log_path = {self.directory}/dovecot.log
instance_name = doorward-{self.port}
ssl = no
first_valid_uid = 1
mail_location = maildir:{boxes}/%n
mail_uid = {owner.pw_uid}
mail_gid = {owner.pw_gid}
auth_username_format = %Ln
lmtp_save_to_detail_mailbox = no
{quota}
passdb {{
  driver = passwd-file
  args = {table}
}}
userdb {{
  driver = passwd-file
  args = {table}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.port}
  }}
}}
service stats {{
  client_limit = 100
}}
service anvil {{
  client_limit = 300
}}
""")
        self.program = Program(["/usr/sbin/dovecot", "-F", "-c", self.directory / "dovecot.conf"],
                               self.directory / "output")
        wait_for("Dovecot", lambda: listens(self.port) or self._died())

    def _died(self):
        if self.program.process.poll() is not None:
            raise AssertionError("Dovecot ended: " + self.program.text() + self.text())
        return False

    def text(self):
        log = self.directory / "dovecot.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def end(self):
        return self.program.end()


class NameServer:
    """Knot DNS on a loopback port: `zones` as {"example.org": "records, relative to the zone"}."""

    def __init__(self, directory, zones):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        (self.directory / "db").mkdir()
        text = (f"server:\n  listen: 127.0.0.1@{self.port}\n  rundir: {self.directory}\n"
                f"database:\n  storage: {self.directory}/db\nlog:\n - target: stdout\n   any: info\nzone:\n")
        for zone, records in zones.items():
            file = self.directory / f"{zone}.zone"
            file.write_text(f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n{records}")
            text += f" - domain: {zone}.\n   file: {file}\n"
        (self.directory / "knot.conf").write_text(text)
        self.program = Program(["/usr/sbin/knotd", "-c", self.directory / "knot.conf"], self.directory / "output")
        wait_for("Knot", lambda: self.program.text().count("] loaded, serial") >= len(zones) or self._died())
        self.address = f"127.0.0.1@{self.port}"

    def _died(self):
        if self.program.process.poll() is not None:
            raise AssertionError("Knot ended: " + self.program.text())
        return False

    def end(self):
        return self.program.end()
