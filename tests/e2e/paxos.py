"""Clusters of real Paxos processes on free ports, their files in a folder of their own.

    with Cluster(proposers=3, acceptors=3, learners=2) as cluster:
        cluster.start()
        status, reply = cluster.propose({"operation": "SET", "resource": "x", "data": 1})
        cluster.leader().kill()

Everything that a member prints is in its .screen(); its files are in its .folder.
"""

import http.client
import itertools
import urllib.parse

from ordem import (LIMIT, hold_ports, json, os, program, read_log, shutil, signal, subprocess, tempfile, time,
                   wait_until)

ROLES = ("acceptor", "learner", "store", "proposer", "client")
TIMES = {"HEARTBEAT_MS": "50", "TIMEOUT_MS": "500"}


def request(address, method, path, body=None, timeout=LIMIT):
    """The status, the body as JSON and the headers; bodies that are no bytes are written as JSON. OSError if nobody
    answers."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        connection.connect()
        try:
            connection.request(method, path, data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what is too long is answered before it is read, and the connection closed: the answer is there
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else None, dict(reply.getheaders())
    except http.client.HTTPException as error:
        raise OSError(f"{address}: {error!r}") from error
    finally:
        connection.close()


class Member:
    """One process of a cluster; it may be started, killed and started again."""

    def __init__(self, cluster, role, number, port):
        self.cluster, self.role, self.number, self.port = cluster, role, number, port
        self.name = f"{role}-{number}"
        self.address = f"127.0.0.1:{port}"
        self.folder = os.path.join(cluster.folder, self.name)
        self.screen_path = os.path.join(cluster.folder, f"{self.name}.err")
        self.log_path = os.path.join(cluster.folder, f"{self.name}.jsonl")
        self.process = None

    def start(self, *arguments, **settings):
        """Starts it, with arguments behind its role, and does not wait."""
        assert not self.is_up(), f"{self.name} is up already"
        environment = self.cluster.environment() | {
            "NODE_ID": str(self.number), "PORT": str(self.port), "DATA_DIR": self.folder,
            "LOG_FILE": self.log_path} | self.cluster.settings | settings
        with open(self.screen_path, "ab") as screen:
            self.process = subprocess.Popen([program("paxos"), self.role, *arguments], stdin=subprocess.DEVNULL, stdout=screen,
                                            stderr=screen, env=environment)
        return self

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def is_healthy(self):
        """Does it answer? Fails if it has ended."""
        assert self.is_up(), f"{self.name} has ended: {self.screen()[-2000:]}"
        try:
            return self.get("/health")[0] == 200
        except OSError:
            return False

    def wait_healthy(self):
        wait_until(self.is_healthy, lambda: f"{self.name} answers; {self.screen()[-2000:]}")
        return self

    def kill(self, number=signal.SIGKILL):
        if self.is_up():
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
        return self.process.wait(LIMIT) if self.process is not None else None

    def stop(self):
        """In good order; returns its exit status."""
        return self.kill(signal.SIGTERM)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def get(self, path, timeout=LIMIT):
        """The status and the body."""
        return request(self.address, "GET", path, timeout=timeout)[:2]

    def post(self, path, body, timeout=LIMIT):
        """The status, the body and the headers."""
        return request(self.address, "POST", path, body, timeout)

    def status(self):
        return self.get("/status")[1]

    def screen(self):
        with open(self.screen_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def events(self, kind=None):
        """What its log tells, of all its lives."""
        return read_log(self.log_path, kind)


class Cluster:
    """Members of every role; settings are environment variables of all of them."""

    def __init__(self, proposers=3, acceptors=3, learners=0, stores=0, clients=0, **settings):
        self.folder = tempfile.mkdtemp(prefix="ordem-paxos-")
        self.settings = TIMES | {name: str(value) for name, value in settings.items()}
        counts = {"proposer": proposers, "acceptor": acceptors, "learner": learners, "store": stores,
                  "client": clients}
        self._held = hold_ports(sum(counts.values()))
        ports = (held.getsockname()[1] for held in self._held)
        self.members = {role: [Member(self, role, i + 1, next(ports)) for i in range(counts[role])] for role in ROLES}
        self.proposers, self.acceptors = self.members["proposer"], self.members["acceptor"]
        self.learners, self.stores = self.members["learner"], self.members["store"]
        self.clients = self.members["client"]
        self._timestamps = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.all():
            if member.is_up():
                member.kill()
        for held in self._held:
            held.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def all(self):
        return [member for role in ROLES for member in self.members[role]]

    def environment(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("NET_", "LOG_", "NODE_ID", "DATA_DIR"))}
        lists = {f"{role.upper()}S": ",".join(member.address for member in members)
                 for role, members in self.members.items() if members}
        return clean | {"HOST": "127.0.0.1", "PAGE_PORT": "0"} | lists

    def start(self, *members):
        """Starts these, or all that are not up, and waits until they answer."""
        chosen = [member for member in members or self.all() if not member.is_up()]
        for member in chosen:
            member.start()
        for member in chosen:
            member.wait_healthy()
        return self

    def find_leader(self):
        """The proposer that says it leads, by the highest ballot if there are two; None if there is none."""
        leaders = []
        for member in self.proposers:
            try:
                status, reply = member.get("/leader-status", timeout=5) if member.is_up() else (0, None)
            except OSError:
                continue
            if status == 200:
                leaders.append((reply["ballot"]["proposalNumber"], reply["ballot"]["proposerId"], member))
        return max(leaders)[2] if leaders else None

    def leader(self):
        return wait_until(self.find_leader, lambda: "a leader; " + self.complaints())

    def complaints(self):
        """The last words of everybody."""
        return "\n".join(f"{m.name}: {m.screen()[-600:]}" for m in self.all() if os.path.exists(m.screen_path))

    def command(self, **fields):
        """A command with a name of its own, unless fields name it."""
        return {"clientId": "test", "timestamp": next(self._timestamps)} | fields

    def propose(self, command, query="?wait=decided", limit=LIMIT):
        """Asks, as a client should: any proposer, the one that it names, and again while nobody leads or the outcome is
        not known, always the same command. Returns the last status and body."""
        body = self.command(**command)
        proposers = itertools.cycle(self.proposers)
        address = next(proposers).address
        deadline = time.monotonic() + limit
        while True:
            status, reply, headers = 0, None, {}
            try:
                status, reply, headers = request(address, "POST", "/propose" + query, body, timeout=limit)
            except OSError:
                pass
            if status not in (0, 307, 503, 504):
                return status, reply
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer but {status} {reply}; {self.complaints()}")
            if status == 307:
                address = urllib.parse.urlsplit(headers["Location"]).netloc
            else:
                address = next(proposers).address
                time.sleep(0.02)

    def write(self, resource, data):
        """A write that is decided; returns the answer."""
        status, reply = self.propose({"operation": "SET", "resource": resource, "data": data})
        assert status == 200 and reply["status"] == "decided", (status, reply)
        return reply

    def read(self, resource):
        """A linearizable read; returns the answer."""
        status, reply = self.propose({"operation": "GET", "resource": resource})
        assert status == 200 and reply["status"] == "decided", (status, reply)
        return reply
