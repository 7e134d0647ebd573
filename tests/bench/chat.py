"""The chat (Parte 5) against libzmq alone: bare_zmq's echo through zmq_proxy, and a bare publisher through its XSUB and
XPUB. chat_blaster.c and fan_out.c ask and listen on both sides, so that what they cost stands on both sides of a ratio.

Broker, proxy, reference server and servers run with their defaults, as processes of this machine, and what the servers
store is on the disk on which build/ is. All processors are shared with the programs that ask; the row "the same by CPU
time of all" compares what everybody spent on one answer, which other programs on the machine disturb less.
"""

import os
import shutil
import subprocess
import time

from broker import take_turns
from clusters import disk_lab
from harness import LIMIT, Failure, Lab, Process, Row, cpu_seconds, median, program, say
from replicas import free_port

MEASURE_MS = 2000
USERS_TARGET = 0.75
PUBLISH_TARGET = 0.25
SUBSCRIBERS = 100
WINDOW = 500  # publications on their way to somebody: half of the high-water mark
FAN_OUT_TARGET = 0.5
HISTORY = 1_000_000
HISTORY_TARGET = 0.95
IDLE_CLIENTS = 1000  # libzmq gives one process 1023 sockets


# ---- what is started ----


class Echo:
    """Clients -> ROUTER and DEALER -> REP."""

    def __init__(self, lab):
        queue = Process(lab, [program("tests/bench/bare_zmq"), "queue"])
        front, back = queue.expect("ready")
        reply = Process(lab, [program("tests/bench/bare_zmq"), "reply", f"tcp://127.0.0.1:{back}"])
        self.endpoint = f"tcp://127.0.0.1:{front}"
        self.processes = [queue, reply]


class Forward:
    """Publisher -> XSUB and XPUB -> subscribers."""

    def __init__(self, lab):
        forward = Process(lab, [program("tests/bench/bare_zmq"), "forward"])
        self.endpoints = [f"tcp://127.0.0.1:{port}" for port in forward.expect("ready")]
        self.processes = [forward]


class ChatProcess(Process):
    """parte5 in one role."""

    def __init__(self, lab, role, name, **settings):
        self.log = os.path.join(lab.folder, f"{name}.jsonl")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("NET_", "LOG_", "NODE_ID"))}
        super().__init__(lab, [program("parte5"), role], clean | {
            "NODE_ID": name, "BIND_HOST": "127.0.0.1", "LOG_FILE": self.log,
            "DATA_DIR": os.path.join(lab.folder, f"data-{name}")} | settings)

    def wait_until_ready(self):
        """Reads its log until it says so."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            if os.path.exists(self.log):
                with open(self.log) as file:
                    if '"event":"ready"' in file.read():
                        return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Failure(f"{self.name} is not ready{self.lab.complaints()}")


class Chat:
    """All of a chat; with more than one server, the first is the primary. What a server starts with is in `history`."""

    def __init__(self, lab, servers, history=None):
        clients, broker, publishers, subscribers, reference = (str(free_port()) for _ in range(5))
        where = {"BROKER": f"127.0.0.1:{broker}", "PROXY": f"127.0.0.1:{publishers}",
                 "REFERENCE": f"127.0.0.1:{reference}", "REFERENCE_PORT": reference,
                 "SERVERS": ",".join(f"server{i + 1}=127.0.0.1:{free_port()}" for i in range(servers))}
        self.broker = ChatProcess(lab, "broker", "broker", CLIENTS_PORT=clients, SERVERS_PORT=broker)
        self.proxy = ChatProcess(lab, "proxy", "proxy", CLIENTS_PORT=subscribers, SERVERS_PORT=publishers)
        self.reference = ChatProcess(lab, "reference", "reference", **where)
        names = [f"server{i + 1}" for i in range(servers)]
        for name in names if history else ():
            shutil.copytree(history, os.path.join(lab.folder, f"data-{name}"))
        self.servers = [ChatProcess(lab, "server", name, **where) for name in names]
        self.endpoint = f"tcp://127.0.0.1:{clients}"
        self.endpoints = [f"tcp://127.0.0.1:{port}" for port in (publishers, subscribers)]
        self.processes = [self.broker, self.proxy, self.reference, *self.servers]


# ---- questions ----


class Answers:
    """What a run of chat_blaster saw, and the microseconds on a processor for each answer, of all processes."""

    def __init__(self, fields, cpu):
        count, seconds, p50, p99 = fields
        self.per_second, self.p50_ms, self.p99_ms = int(count) / float(seconds), int(p50) / 1000, int(p99) / 1000
        self.cpu_us = cpu / int(count) * 1e6


def ask(lab, system, kind, clients):
    blaster = Process(lab, [program("tests/bench/chat_blaster"), kind, str(clients), str(MEASURE_MS), system.endpoint])
    blaster.expect("ready")
    involved = [process.pid for process in (blaster, *system.processes)]
    before = sum(map(cpu_seconds, involved))
    blaster.write("go\n")
    fields = blaster.expect("done")
    answers = Answers(fields, sum(map(cpu_seconds, involved)) - before)
    blaster.end()
    lab.processes.remove(blaster)
    return answers


def ratio_rows(section, what, ours, reference, target):
    def factors(number, upside_down=False):
        return [(number(b) / number(a) if upside_down else number(a) / number(b)) for a, b in zip(ours, reference)]

    def figures(number, form):
        return [form(median([number(answers) for answers in side])) for side in (ours, reference)]
    speed, cpu = factors(lambda a: a.per_second), factors(lambda a: a.cpu_us, True)
    waits = figures(lambda a: a.p50_ms, "{:.2f} ms".format)
    return [Row(section, what, *figures(lambda a: a.per_second, "{:,.0f}".format), median(speed), at_least=target, unit="x",
                spread=(min(speed), max(speed)), notes=[f"p50 {waits[0]}, of the reference {waits[1]}"]),
            Row(section, "  the same by CPU time of all", *figures(lambda a: a.cpu_us, "{:.1f} us".format), median(cpu),
                spread=(min(cpu), max(cpu)))]


def measure_chat(rounds):
    with disk_lab() as lab:
        echo, single, replicated = Echo(lab), Chat(lab, 1), Chat(lab, 3)
        systems = {"echo": echo, "users": single, "publish": replicated}
        order = (("echo", 1), ("users", 1), ("publish", 1), ("echo", 10), ("users", 10), ("echo", 50), ("publish", 50))
        sides = {f"{kind} {clients}": lambda kind=kind, clients=clients: ask(lab, systems[kind], kind, clients)
                 for kind, clients in order}  # what is compared comes one after the other
        results = take_turns(rounds, "chat", sides, lambda a: f"{a.per_second:,.0f}/s")
    rows = []
    for kind, clients, target in (("users", 1, None), ("users", 10, USERS_TARGET), ("publish", 1, None),
                                  ("publish", 50, PUBLISH_TARGET)):
        rows += ratio_rows("chat", f"{kind}/s, {clients} client{'s' if clients > 1 else ''}, to an echo",
                           results[f"{kind} {clients}"], results[f"echo {clients}"], target)
    return rows


# ---- publications ----


class Delivered:
    """What a run of fan_out saw, and the microseconds on a processor for each delivery, of all and of the proxy alone."""

    def __init__(self, fields, cpu, proxy_cpu):
        count, seconds = fields
        self.per_second = int(count) / float(seconds)
        self.cpu_us, self.proxy_us = cpu / int(count) * 1e6, proxy_cpu / int(count) * 1e6


def fan_out(make):
    with Lab() as lab:
        proxy, endpoints = make(lab)
        subscribers = Process(lab, [program("tests/bench/fan_out"), str(SUBSCRIBERS), str(MEASURE_MS), str(WINDOW), *endpoints])
        subscribers.expect("ready")
        before = [cpu_seconds(process.pid) for process in (proxy, subscribers)]
        subscribers.write("go\n")
        fields = subscribers.expect("done")
        spent = [cpu_seconds(process.pid) - earlier for process, earlier in zip((proxy, subscribers), before)]
        return Delivered(fields, sum(spent), spent[0])


def bare_proxy(lab):
    forward = Forward(lab)
    return forward.processes[0], forward.endpoints


def chat_proxy(lab):
    publishers, subscribers = free_port(), free_port()
    proxy = ChatProcess(lab, "proxy", "proxy", CLIENTS_PORT=str(subscribers), SERVERS_PORT=str(publishers))
    return proxy, [f"tcp://127.0.0.1:{port}" for port in (publishers, subscribers)]


def measure_fan_out(rounds):
    results = take_turns(rounds, "chat-fan-out", {"bare": lambda: fan_out(bare_proxy), "chat": lambda: fan_out(chat_proxy)},
                         lambda d: f"{d.per_second:,.0f}/s")
    ours, bare = results["chat"], results["bare"]
    speed = [a.per_second / b.per_second for a, b in zip(ours, bare)]
    cpu = [b.cpu_us / a.cpu_us for a, b in zip(ours, bare)]
    proxies = [median([d.proxy_us for d in side]) for side in (ours, bare)]
    return [Row("chat-fan-out", f"deliveries/s to {SUBSCRIBERS} subscribers", f"{median([d.per_second for d in ours]):,.0f}",
                f"{median([d.per_second for d in bare]):,.0f}", median(speed), at_least=FAN_OUT_TARGET, unit="x",
                spread=(min(speed), max(speed)), notes=["none was lost"]),
            Row("chat-fan-out", "  the same by CPU time of all", f"{median([d.cpu_us for d in ours]):.2f} us",
                f"{median([d.cpu_us for d in bare]):.2f} us", median(cpu), spread=(min(cpu), max(cpu)),
                notes=[f"the proxy's part of it: {proxies[0]:.2f} us and {proxies[1]:.2f} us"])]


# ---- a long history ----


def bytes_in(folder):
    return sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))


def measure_history(rounds):
    with disk_lab() as lab, disk_lab() as empty_lab, disk_lab() as history_lab:
        folder = os.path.join(history_lab.folder, "history")
        subprocess.run([program("tests/bench/make_history"), str(HISTORY), folder], check=True)
        started = time.monotonic()
        long, empty = Chat(lab, 3, folder), Chat(empty_lab, 3)
        for server in long.servers:
            server.wait_until_ready()
        seconds = time.monotonic() - started
        results = take_turns(rounds, "chat-history", {"empty": lambda: ask(empty_lab, empty, "publish", 50),
                                                      "long": lambda: ask(lab, long, "publish", 50)},
                             lambda a: f"{a.per_second:,.0f}/s")
        memory = median([server.memory("status", "VmRSS") for server in long.servers])
        notes = [f"{bytes_in(folder) / HISTORY:.0f} bytes a message on the disk",
                 f"{memory / HISTORY:.0f} bytes of memory in each server, all in all",
                 f"three servers at once are ready after {seconds:.1f} s"]
    rows = ratio_rows("chat-history", f"publish/s, 50 clients, after {HISTORY:,} messages to none", results["long"],
                      results["empty"], HISTORY_TARGET)
    rows[0].notes += notes
    return rows


# ---- who says nothing ----


def idle_cost(lab, processes, endpoint):
    """KiB of VmRSS of these processes by each client that logs in and says nothing more; an echo takes that for a login."""
    def connect(clients):
        Process(lab, [program("tests/bench/chat_blaster"), "idle", str(clients), endpoint]).expect("ready")
        return sum(process.memory("status", "VmRSS") for process in processes)
    warm = connect(1)
    return (connect(IDLE_CLIENTS) - warm) / IDLE_CLIENTS / 1024


def measure_idle(rounds):
    costs, bare = [], []
    for number in range(rounds):
        with disk_lab() as lab:
            chat, echo = Chat(lab, 1), Echo(lab)
            costs.append(idle_cost(lab, [chat.broker, chat.servers[0]], chat.endpoint))
            bare.append(idle_cost(lab, echo.processes, echo.endpoint))
        say(f"  chat-idle: round {number + 1} of {rounds}: {costs[-1]:.2f} KiB against {bare[-1]:.2f} KiB")
    factors = [a / b for a, b in zip(costs, bare)]
    return [Row("chat-idle", "memory of an idle client", f"{median(costs):.2f} KiB", f"{median(bare):.2f} KiB",
                median(factors), spread=(min(factors), max(factors)), figure=median(costs), at_most=16, unit=" KiB",
                notes=[f"VmRSS of broker and server together, by {IDLE_CLIENTS:,} clients that logged in; "
                       "the reference is zmq_proxy and a REP"])]


SECTIONS = {"chat": measure_chat, "chat-fan-out": measure_fan_out, "chat-history": measure_history,
            "chat-idle": measure_idle}
