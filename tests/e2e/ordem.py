"""What the end-to-end tests share: real processes on real multicast, and a main() that prints TAP.

Nothing here asserts how long something takes; waiting has a generous limit only so that a hung test ends.
"""

import atexit
import contextlib
import functools
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
LIMIT = 180  # seconds: for a slow machine that is busy, under a sanitizer

os.environ["LANG"] = os.environ["LC_ALL"] = "C.UTF-8"  # programs speak English to tests, whoever runs them
os.environ.pop("LANGUAGE", None)


def program(name):
    return os.path.join(BUILD, name)


def wait_until(condition, what):
    """Waits until condition() is true, and returns what it returned."""
    deadline = time.monotonic() + LIMIT
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what() if callable(what) else what}")
        time.sleep(0.01)


def hold_ports(count):
    """Sockets that hold so many ports of 127.0.0.1, in which nobody listens: as long as they are open, no other process is
    given one of these ports, and who connects to one is refused. Who is told of one, and sets SO_REUSEADDR as our programs
    do, may listen there all the same, as often as it is started."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    for probe in probes:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
    return probes


def hold_port():
    """The same for one port, below those that the kernel gives to connections, where there are many of these.

    Until it is closed nobody else draws that port, even while the server that it was drawn for is dead. That server may
    bind beside it and listen: libzmq sets SO_REUSEADDR, as is done here, but only after a bind that demands that nobody
    else has the port."""
    while True:
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", random.randrange(10000, 32000)))
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return holder
        except OSError:
            holder.close()


@contextlib.contextmanager
def reserved_port():
    """One such port, as long as this lasts."""
    held, = hold_ports(1)
    with held:
        yield held.getsockname()[1]


def read_log(path, kind=None, offset=0):
    """The events in a log from that byte on, or those of one kind; none if there is no such file.

    Who is killed in the middle of a write leaves a piece of a line, and whoever starts next under that name begins a
    line of its own below it (common/log_sink.c). Any other line must be whole."""
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read().split(b"\n")[:-1]
    events, piece = [], None
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            piece = line
            continue
        assert piece is None or event["event"] == "start", (path, piece, line)
        piece = None
        events.append(event)
    return [event for event in events if kind in (None, event["event"])]


class Skip(Exception):
    """This machine cannot run the test; says why."""


class Group:
    """A multicast group of its own on the loopback interface, and the nodes in it."""

    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        self.address = f"239.255.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.port = random.randrange(10000, 32000)  # below those that the kernel gives to whoever does not choose
        self.settings = settings
        self.nodes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, **settings):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("NET_", "MULTICAST_", "LOG_", "NODE_ID"))}
        return clean | {"MULTICAST_GROUP": self.address, "MULTICAST_PORT": str(self.port),
                        "MULTICAST_INTERFACE": "lo"} | self.settings | settings

    def start(self, name, ready=True, **settings):
        node = Node(self, name, settings)
        self.nodes.append(node)
        if ready:
            node.wait_for("ready", node.earlier_starts + 1)
        return node

    def start_many(self, count, **settings):
        return [self.start(f"node{i + 1}", **settings) for i in range(count)]

    def send(self, *datagrams):
        """Sends datagrams to the group as a stranger; returns the address they come from."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
            for datagram in datagrams:
                sender.sendto(datagram, (self.address, self.port))
            return f"127.0.0.1:{sender.getsockname()[1]}"

    def listener(self):
        """A socket that has joined the group, as the original Python node joins it."""
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind(("", self.port))
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            struct.pack("4s4s", socket.inet_aton(self.address), socket.inet_aton("127.0.0.1")))
        receiver.settimeout(LIMIT)
        return receiver


class Node:
    """One parte1 process, typed at through a pipe and watched through its log."""

    def __init__(self, group, name, settings):
        self.name = name
        self.log_path = os.path.join(group.folder, f"{name}.jsonl")
        self.answers_path = os.path.join(group.folder, f"{name}.out")
        self.screen_path = os.path.join(group.folder, f"{name}.err")
        self.earlier_starts = len(self.events("start"))
        environment = group.environment(**({"NODE_ID": name, "LOG_FILE": self.log_path} | settings))
        with open(self.answers_path, "ab") as out, open(self.screen_path, "ab") as err:
            self.process = subprocess.Popen([program("parte1"), "node"], stdin=subprocess.PIPE, stdout=out, stderr=err,
                                            env=environment)

    def type(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()

    def answers(self):
        with open(self.answers_path, encoding="utf-8") as file:
            return file.read()

    def screen(self):
        with open(self.screen_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def events(self, kind=None):
        return read_log(self.log_path, kind)

    def delivered(self):
        """What was delivered, as (type, key, value)."""
        return [(e["command_type"], e.get("key"), e.get("value")) for e in self.events("deliver")]

    def wait_for(self, kind, count=1):
        def enough():
            found = self.events(kind)
            if len(found) < count and self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.screen()}")
            return found if len(found) >= count else None
        return wait_until(enough, lambda: f"{count} {kind} events of {self.name}, screen: {self.screen()[-2000:]}")

    def wait(self):
        self.process.stdin.close()
        return self.process.wait(LIMIT)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def command(command_type="SET", key="x", value="1", **fields):
    """A CommandMessage as the original system writes it."""
    message = {"command_type": command_type, "key": key, "value": value, "sender_id": "stranger",
               "message_uuid": str(uuid.uuid4()), "timestamp": time.time()} | fields
    return json.dumps({k: v for k, v in message.items() if v is not ...}).encode()


def lab(*arguments, input=None, **environment):
    """Runs lab; returns its exit status, standard output and standard error."""
    done = subprocess.run([program("lab"), *arguments], input=input, capture_output=True, timeout=5 * LIMIT,
                          env=os.environ | environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Broker:
    """A private RabbitMQ (`lab broker`): .url for AMQP_URL, and what may happen to it. Several nodes are a cluster."""

    def __init__(self, nodes=1):
        self.process = subprocess.Popen([program("lab"), "broker", "--nodes", str(nodes)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = self._answer("AMQP_URL=").removeprefix("AMQP_URL=")
        self.urls = self.url.split(",")
        self.ports = [int(url.rsplit(":", 1)[1]) for url in self.urls]
        self.port = self.ports[0]
        self.folder = self._ask("folder")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _answer(self, expected):
        line = self.process.stdout.readline().rstrip("\n")
        if not line.startswith(expected):
            said = line or self.process.communicate()[1]
            raise AssertionError(f"lab broker: {said}")
        return line

    def _ask(self, line, expected=None):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer(expected or line).partition(" ")[2]

    def kill(self, node=1):
        """kill -9; returns when it is gone."""
        self._ask(f"kill {node}", "killed")

    def restart(self, node=1):
        """After kill(): with its files and its port; returns when it answers."""
        self._ask(f"start {node}", "started")

    def pause(self, node=1):
        self._ask(f"pause {node}", "paused")

    def resume(self, node=1):
        self._ask(f"resume {node}", "resumed")

    def control(self, *arguments, node=1):
        """rabbitmqctl; returns its answer."""
        done = subprocess.run([os.path.join(self.folder, "rabbitmqctl"), "--quiet", *arguments], capture_output=True,
                              text=True, timeout=LIMIT, env=os.environ | {"RABBITMQ_NODENAME": f"rabbit@127.0.0.{node}"})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sync_metadata(self):
        """Has queues and bindings on disk: RabbitMQ 3 writes them some seconds late, and kill -9 loses what is younger."""
        for node in range(1, len(self.urls) + 1):
            self.control("eval", "catch mnesia:sync_log().", node=node)

    def list_queues(self, *columns, node=1):
        """A dictionary for each queue; name and messages unless other columns are asked for."""
        columns = columns or ("name", "messages")
        return json.loads(self.control("list_queues", "--formatter", "json", *columns, node=node))

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(LIMIT)
        self.process.stdout.close()
        self.process.stderr.close()


@functools.cache
def shared_broker():
    """One broker for all tests of a file, started when the first asks for it. Tests on it use queues of their own."""
    broker = Broker()
    atexit.register(broker.stop)
    return broker


def alive(marker):
    """The processes whose environment holds `marker`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if marker.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def main(module):
    """Runs every function of the module whose name starts with test_."""
    tests = [(name[5:], test) for name, test in vars(module).items() if name.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.exit(1 if failed else 0)


__all__ = ["BUILD", "Broker", "Group", "LIMIT", "Node", "ROOT", "Skip", "alive", "command", "hold_port", "hold_ports",
           "lab", "main", "program", "read_log", "reserved_port", "shared_broker", "wait_until", "json", "os", "random",
           "shutil", "signal", "socket", "subprocess", "sys", "tempfile", "time", "uuid"]
