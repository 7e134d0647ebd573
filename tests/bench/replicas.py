"""What is started to measure parts 2 to 4: a broker, the replicas of a part behind it, and the reference."""

import contextlib
import datetime
import json
import os
import socket
import time
import uuid

from harness import LIMIT, Failure, Process, program

NODES = 3
WINDOW = PREFETCH = 1000  # a node's defaults, and the reference's
DURABLE = True


class Broker(Process):
    """A RabbitMQ of our own (`lab broker`)."""

    def __init__(self, lab):
        super().__init__(lab, [program("lab"), "broker"])
        self.url = self.read_line().removeprefix("AMQP_URL=")

        self.server = find_descendant(self.pid, "beam.smp")

    def end(self):
        self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()


def find_descendant(pid, name):
    """The id of the process of that name among the children of `pid`, and theirs."""
    searched = [pid]
    for pid in searched:
        with open(f"/proc/{pid}/comm") as file:
            if file.read().strip() == name:
                return pid
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):  # it has just ended
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    searched += [int(child) for child in file.read().split()]
    raise Failure(f"there is no {name}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Member(Process):
    """One process of a part."""

    def __init__(self, lab, broker, part, role, name, suffix, level):
        self.name_of_node = name
        self.log = os.path.join(lab.folder, f"{name}.jsonl")
        self.port = free_port()
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith(("NET_", "AMQP_", "LOG_", "NODE_ID", "ROLE", "RPC_"))}
        super().__init__(lab, [program(part), role], clean | {
            "NODE_ID": name, "AMQP_URL": broker.url, "QUEUE_SUFFIX": suffix, "RPC_HOST": "127.0.0.1",
            "RPC_PORT": str(self.port), "LOG_LEVEL": level, "LOG_FILE": self.log,
            "AMQP_DURABLE": "yes" if DURABLE else "no", "AMQP_WINDOW": str(WINDOW), "AMQP_PREFETCH": str(PREFETCH),
            "DATA_DIR": os.path.join(lab.folder, "data-" + name)})

    def target(self):
        return f"127.0.0.1:{self.port}"

    def deliveries(self):
        """When which command was delivered: microseconds since 1970, by its UUID."""
        times = {}
        with open(self.log) as file:
            for line in file:
                if '"event":"deliver"' in line:
                    event = json.loads(line)
                    moment = datetime.datetime.fromisoformat(event["ts"].replace("Z", "+00:00"))
                    times[event["message_uuid"]] = round(moment.timestamp() * 1e6)
        return times


class Replicas:
    """The replicas of a part; commands go through the first. `members` are all of its processes."""

    def __init__(self, lab, broker, part, level="warning"):
        suffix = "." + uuid.uuid4().hex[:12]
        roles = ["leader"] + ["follower"] * (NODES - 1) if part == "parte4" else ["node"] * NODES
        sequencer = [Member(lab, broker, part, "sequencer", "sequencer", suffix, level)] if part == "parte3" else []
        self.nodes = [Member(lab, broker, part, role, f"node{i + 1}", suffix, level) for i, role in enumerate(roles)]
        self.members = sequencer + self.nodes
        self.targets = [node.target() for node in self.nodes]


class Bare:
    """bare_amqp: a publisher and the consumers of its exchange."""

    def __init__(self, lab, broker, count, rate):
        name = "bare-" + uuid.uuid4().hex[:12]
        common = [broker.url, name, str(int(DURABLE))]
        self.consumers = [Process(lab, [program("tests/bench/bare_amqp"), "consume", *common, str(PREFETCH), str(count),
                                        f"{name}-{i + 1}"]) for i in range(NODES)]
        for consumer in self.consumers:
            consumer.expect("ready")
        self.publisher = Process(lab, [program("tests/bench/bare_amqp"), "publish", *common, str(WINDOW), str(count),
                                       str(rate)])
        self.publisher.expect("ready")
        self.processes = [self.publisher, *self.consumers]

    def start(self):
        self.started = time.monotonic()
        self.publisher.write("go\n")

    def wait(self):
        """Seconds until all had everything."""
        return max(float(process.expect("done")[0]) for process in self.processes) - self.started
