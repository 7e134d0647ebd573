"""What is started to measure Paxos: its processes, etcd, and processes that only log."""

import json
import os
import time
import urllib.error
import urllib.request

from harness import BUILD, LIMIT, Failure, Lab, Process, program
from replicas import free_port

PROPOSERS, LEARNERS = 2, 2  # one of each may die
ETCD_MEMBERS = 3
BARE_MEMBERS = 3


def disk_lab():
    """A laboratory whose files are on a disk: what stands under /tmp may be in memory, and costs nothing to flush."""
    return Lab(BUILD)


def http_get(port, path):
    """The status and the body; status 0 if nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def find_leader(what, members, leads):
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        for member in members:
            if leads(member):
                return member
        time.sleep(0.05)
    raise Failure(f"{what} has no leader after {LIMIT} seconds{members[0].lab.complaints()}")


# ---- etcd ----


class EtcdMember(Process):
    def __init__(self, lab, name, port, peer_port, cluster):
        self.port = port
        address, peer_address = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ETCD_")}
        super().__init__(lab, [
            "etcd", "--name", name, "--data-dir", os.path.join(lab.folder, name), "--listen-client-urls", address,
            "--advertise-client-urls", address, "--listen-peer-urls", peer_address,
            "--initial-advertise-peer-urls", peer_address, "--initial-cluster", cluster,
            "--initial-cluster-state", "new", "--log-level", "error"], clean)


class Etcd:
    name = "etcd"

    def __init__(self, lab):
        ports = [(free_port(), free_port()) for _ in range(ETCD_MEMBERS)]
        cluster = ",".join(f"member{i + 1}=http://127.0.0.1:{peer}" for i, (_, peer) in enumerate(ports))
        self.members = [EtcdMember(lab, f"member{i + 1}", port, peer, cluster) for i, (port, peer) in enumerate(ports)]
        leader = find_leader("etcd", self.members,
                             lambda member: "\netcd_server_is_leader 1\n" in http_get(member.port, "/metrics")[1])
        self.targets = [f"127.0.0.1:{leader.port}"]


# ---- what only logs ----


class Bare:
    name = "bare"

    def __init__(self, lab):
        self.members = [Process(lab, [program("tests/bench/bare_http_log"), os.path.join(lab.folder, f"log{i + 1}")])
                        for i in range(BARE_MEMBERS)]
        self.targets = [f"127.0.0.1:{member.expect('ready')[0]}" for member in self.members]


# ---- Paxos ----


class PaxosMember(Process):
    def __init__(self, lab, role, number, port, addresses):
        self.role, self.port, self.data = role, port, os.path.join(lab.folder, f"{role}-{number}")
        self.name_of_node = f"{role}-{number}"
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith(("NET_", "LOG_", "NODE_ID", "ROLE", "DEBUG", "USE_CLUSTER_STORE", "STORES", "CLIENTS"))}
        super().__init__(lab, [program("paxos"), role], clean | addresses | {
            "NODE_ID": str(number), "HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": self.data,
            "LOG_LEVEL": "warning", "LOG_FILE": os.path.join(lab.folder, f"{role}-{number}.jsonl")})

    def status(self):
        code, body = http_get(self.port, "/status")
        if code != 200:
            raise Failure(f"{self.name_of_node} tells no status: {code}")
        return json.loads(body)

    def bytes_on_disk(self):
        """What it keeps, without its logs."""
        total = 0
        for folder, folders, names in os.walk(self.data):
            if "logs" in folders:
                folders.remove("logs")
            total += sum(os.path.getsize(os.path.join(folder, name)) for name in names)
        return total


class Paxos:
    name = "paxos"

    def __init__(self, lab, acceptors=3):
        counts = {"acceptor": acceptors, "learner": LEARNERS, "proposer": PROPOSERS}
        ports = {role: [free_port() for _ in range(count)] for role, count in counts.items()}
        addresses = {role.upper() + "S": ",".join(f"127.0.0.1:{port}" for port in ports[role]) for role in counts}
        self.members = [PaxosMember(lab, role, number + 1, port, addresses)
                        for role in counts for number, port in enumerate(ports[role])]
        self.acceptors = [member for member in self.members if member.role == "acceptor"]
        leader = find_leader("paxos", [member for member in self.members if member.role == "proposer"],
                             lambda member: http_get(member.port, "/leader-status")[0] == 200)
        self.targets = [f"127.0.0.1:{leader.port}"]
