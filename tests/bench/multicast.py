"""Parte 1: nodes on a multicast group, against bare_recvmmsg. Every datagram stays on the interface lo, in a group of
its own.

How a throughput is taken: three blasters encode everything first and then send as fast as they can to three receivers,
which are either nodes (build/parte1) or the reference, bare_recvmmsg. The loop is closed: the blasters look at the
receivers' queues through duplicated descriptors (pidfd_getfd) and wait while one is half full, so that nothing is lost
however slow a receiver is, with the receive buffer that a node has by default. Time runs from the start of the
blasters until every receiver has taken, and in a node applied, the last datagram of each of them. A node has done so
when GET of each end marker's key, typed at its prompt, no longer answers null.
"""

import ctypes
import json
import os
import random
import select
import socket
import struct
import time

from harness import LIMIT, Failure, Lab, Process, Row, median, program, say

RECEIVERS = 3
SENDERS = 3
RECEIVE_BUFFER = 16 << 20  # what a node asks for by default
SO_MEMINFO = 55
PIDFD_GETFD = 438
QUEUED, BUFFER, DROPS = 0, 1, 8  # of the nine numbers that SO_MEMINFO gives

THROUGHPUT_COUNT = 150_000  # commands of each sender
LOGGED_COUNT = 60_000
LOSS_RATE = 100_000  # datagrams a second, of all senders together
LOSS_SECONDS = 3
KEYS = 200_000


class Queue:
    """The receive queue of another process's socket, seen through a descriptor of our own."""

    def __init__(self, descriptor):
        self.socket = socket.socket(fileno=descriptor)

    def _number(self, index):
        return struct.unpack("9I", self.socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))[index]

    def is_empty(self):
        return self._number(QUEUED) == 0

    def drops(self):
        return self._number(DROPS)

    def buffer(self):
        return self._number(BUFFER) // 2  # the kernel doubles what it was asked for

    def descriptor(self):
        return self.socket.fileno()

    def close(self):
        self.socket.close()


def duplicate_queue(pid, address):
    """The Queue of the process's socket that is bound to the address; None where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        pidfd = os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                    continue
            except OSError:
                continue
            descriptor = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
            if descriptor < 0:
                return None
            queue = Queue(descriptor)
            if queue.socket.family == socket.AF_INET and queue.socket.getsockname() == address:
                return queue
            queue.close()
    finally:
        os.close(pidfd)
    return None


def network_drops():
    """Datagrams that this machine's kernel dropped before they came to any socket."""
    try:
        with open("/proc/net/softnet_stat") as file:
            return sum(int(line.split()[1], 16) for line in file)
    except OSError:
        return 0


# ---- receivers ----


class Receiver(Process):
    """What joins the lab's group; `queue` is None where the kernel does not let us see it."""

    queue = None

    def watch(self):
        self.queue = duplicate_queue(self.pid, (self.lab.group, self.lab.port))

    def end(self):
        if self.queue is not None:
            self.queue.close()
        super().end()


class Reference(Receiver):
    """bare_recvmmsg."""

    def __init__(self, lab, number):
        super().__init__(lab, [program("tests/bench/bare_recvmmsg"), lab.group, str(lab.port),
                               str(RECEIVE_BUFFER), str(SENDERS)])
        self.granted = int(self.expect("ready")[0])
        self.watch()
        self.finished = False

    def look(self, senders):
        """Has it taken everything by now?"""
        if not self.finished and (b"\n" in self.pending or select.select([self.process.stdout], [], [], 0)[0]):
            self.received, self.dropped = (int(word) for word in self.expect("done"))
            self.finished = True
        return self.finished

    def lost(self):
        return self.dropped


class Node(Receiver):
    """build/parte1."""

    def __init__(self, lab, number, level="warning"):
        self.log = os.path.join(lab.folder, f"node{number}.jsonl")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("NET_", "MULTICAST_", "LOG_", "NODE_ID"))}
        super().__init__(lab, [program("parte1")], clean | {
            "NODE_ID": f"node{number}", "MULTICAST_GROUP": lab.group, "MULTICAST_PORT": str(lab.port),
            "MULTICAST_INTERFACE": "lo", "MULTICAST_TTL": "0", "MULTICAST_RECEIVE_BUFFER": str(RECEIVE_BUFFER),
            "LOG_LEVEL": level, "LOG_FILE": self.log})
        self.write("HELP\n")  # answered as soon as the node is in the group
        self.read_line()
        self.watch()
        self.granted = self.queue.buffer() if self.queue else RECEIVE_BUFFER

    def look(self, senders):
        """Has it applied everything by now? While its queue is not empty it need not be disturbed with a question."""
        if self.queue is not None and not self.queue.is_empty():
            return False
        ends = [f"end-{sender}" for sender in senders]
        self.write("".join(f"GET {end}\n" for end in ends))
        answers = {}
        while len(answers) < len(ends):
            key, separator, value = self.read_line().partition(" = ")
            if separator and key in ends:  # else it belongs to the answer to HELP
                answers[key] = value
        return "null" not in answers.values()

    def lost(self):
        logged = 0
        with open(self.log) as file:
            for line in file:
                if '"receive_buffer_full"' in line:
                    logged += json.loads(line)["count"]
        return max(logged, self.queue.drops() if self.queue else 0)


class Group(Lab):
    """A Lab with a multicast group of its own."""

    def __init__(self):
        super().__init__()
        self.group = f"239.255.{random.randrange(256)}.{random.randrange(1, 255)}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 0))
            self.port = probe.getsockname()[1]

    def start_receivers(self, kind, count=RECEIVERS, **settings):
        return [kind(self, i + 1, **settings) for i in range(count)]

    def start_blasters(self, receivers, senders, count, keys, rate=0, closed=True):
        """Blasters that have encoded all they are to send; closed: they wait for the receivers."""
        queues = [receiver.queue for receiver in receivers]
        descriptors = [queue.descriptor() for queue in queues] if closed and None not in queues else []
        blasters = {}
        for sender in senders:
            blasters[sender] = Process(
                self, [program("tests/bench/blaster"), self.group, str(self.port), sender, str(count), str(keys),
                       str(rate), *map(str, descriptors)], descriptors=descriptors)
        for blaster in blasters.values():
            blaster.sizes = tuple(int(word) for word in blaster.expect("ready"))
        return blasters


# ---- one flood of datagrams ----


class Flood:
    """What came of one: seconds, total (datagrams sent), lost (per receiver, the worst), and per datagram the time on a
    processor of one receiver (cpu_us) and of its sender, who in the kernel also hands it to each receiver's queue."""


def wait_for_all(receivers, blasters):
    """The moment at which the last receiver had taken everything."""
    waiting = list(receivers)
    start = time.monotonic()
    nudge = start + 0.25
    while waiting:
        waiting = [receiver for receiver in waiting if not receiver.look(blasters)]
        now = time.monotonic()
        if now > start + LIMIT:
            raise Failure(f"{waiting[0].name} had not taken everything after {LIMIT} seconds")
        if waiting and now > nudge:  # an end marker must have been lost
            for blaster in blasters.values():
                blaster.write("again\n")
            nudge = now + 0.25
        if waiting:
            time.sleep(0.001 if waiting[0].queue else 0.02)
    return now


def cpu_of(processes):
    return sum(process.cpu_seconds() for process in processes)


def flood(kind, count, rate=0, closed=True, **settings):
    with Group() as lab:
        receivers = lab.start_receivers(kind, **settings)
        blasters = lab.start_blasters(receivers, [f"s{i + 1}" for i in range(SENDERS)], count, 1000, rate, closed)
        dropped_before = network_drops()
        cpu_before = cpu_of(receivers)
        sender_cpu_before = cpu_of(blasters.values())
        start = time.monotonic()
        for blaster in blasters.values():
            blaster.write("go\n")
        result = Flood()
        result.send_seconds = max(float(blaster.expect("sent")[0]) for blaster in blasters.values())
        result.seconds = wait_for_all(receivers, blasters) - start
        result.total = SENDERS * (count + 1)
        result.cpu_us = (cpu_of(receivers) - cpu_before) / RECEIVERS / result.total * 1e6
        result.sender_cpu_us = (cpu_of(blasters.values()) - sender_cpu_before) / result.total * 1e6
        result.lost = max(receiver.lost() for receiver in receivers) + network_drops() - dropped_before
        result.lost = min(result.lost, result.total)
        result.per_second = (result.total - result.lost) / result.seconds
        result.granted = min(receiver.granted for receiver in receivers)
        result.closed = closed and all(receiver.queue for receiver in receivers)
        return result


# ---- the sections ----


def take_turns(rounds, section, ours, reference):
    """Runs both, `rounds` times; who goes first alternates."""
    results = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            results[side].append((ours, reference)[side]())
        say(f"  {section}: round {number + 1} of {rounds}: {results[0][-1].per_second:,.0f}/s against "
            f"{results[1][-1].per_second:,.0f}/s, {results[0][-1].lost} and {results[1][-1].lost} lost")
    return results


def total_cpu_us(result):
    return RECEIVERS * result.cpu_us + result.sender_cpu_us


def throughput_rows(section, target, rounds, count, level):
    ours, bare = take_turns(rounds, section, lambda: flood(Node, count, level=level), lambda: flood(Reference, count))
    everything = ours + bare
    lost = sum(result.lost for result in everything)
    granted = min(result.granted for result in everything)

    def row(what, show, number, inverse=False, **rest):
        ratios = [number(b) / number(a) if inverse else number(a) / number(b) for a, b in zip(ours, bare)]
        return Row(section, what, show(median([number(r) for r in ours])), show(median([number(r) for r in bare])),
                   median(ratios), spread=(min(ratios), max(ratios)), **rest)

    def microseconds(number):
        return f"{number:.2f} us"

    rows = [
        row("datagrams/s per receiver", lambda number: f"{number:,.0f}", lambda r: r.per_second, at_least=target,
            unit="x", notes=[
                f"{lost} datagrams lost, the figures are corrected for that" if lost else "nothing lost",
                f"receive buffer {granted} bytes, all that the kernel grants" if granted < RECEIVE_BUFFER else "",
                "" if all(r.closed for r in everything) else "the kernel shows no receiver's queue: open loop"]),
        row("the same by CPU time of all", microseconds, total_cpu_us, inverse=True,
            notes=["its sender's and its three receivers'; other load disturbs it less than the line above"]),
        row("CPU per datagram, receiver", microseconds, lambda r: r.cpu_us),
        row("CPU per datagram, sender", microseconds, lambda r: r.sender_cpu_us),
    ]
    return rows[:1] if lost else rows  # who lost some had less to do


def measure_throughput(rounds):
    return throughput_rows("throughput", 0.65, rounds, THROUGHPUT_COUNT, "warning")


def measure_logged(rounds):
    return throughput_rows("logged", 0.25, rounds, LOGGED_COUNT, "info")


def measure_loss(rounds):
    count = LOSS_RATE * LOSS_SECONDS // SENDERS

    def paced(kind):
        return lambda: flood(kind, count, rate=LOSS_RATE // SENDERS, closed=False)

    ours, bare = take_turns(rounds, "loss", paced(Node), paced(Reference))
    rate = median([r.total / r.send_seconds for r in ours])
    granted = min(result.granted for result in ours)
    lost = sum(r.lost for r in ours)
    return [Row("loss", f"lost at {LOSS_RATE:,}/s", f"{lost}", f"{sum(r.lost for r in bare)}", figure=lost, at_most=0,
                notes=[f"{sum(r.total for r in ours):,} datagrams to each of {RECEIVERS} nodes, sent at {rate:,.0f}/s",
                       f"lost per round: {', '.join(str(r.lost) for r in ours)}" if lost else "",
                       f"receive buffer {granted} bytes" if granted < RECEIVE_BUFFER else ""])]


def measure_memory(rounds):
    sizes = []
    for _ in range(rounds):
        with Group() as lab:
            node = lab.start_receivers(Node, 1)[0]
            bare = lab.start_receivers(Reference, 1)[0]
            time.sleep(0.5)
            sizes.append([p.memory(file, field) / 2**20 for p in (node, bare)
                          for file, field in (("status", "VmRSS"), ("smaps_rollup", "Pss"))])
    rss, pss, bare_rss, bare_pss = (median(column) for column in zip(*sizes))
    return [Row("memory", "idle node, VmRSS", f"{rss:.2f} MiB", f"{bare_rss:.2f} MiB", figure=rss, at_most=8,
                unit=" MiB"),
            Row("memory", "idle node, PSS", f"{pss:.2f} MiB", f"{bare_pss:.2f} MiB")]


def measure_keys(rounds):
    overheads = []
    for _ in range(rounds):
        with Group() as lab:
            nodes = lab.start_receivers(Node, 1)
            # Twice as slow as the loss section where the queue cannot be seen.
            rate = 0 if nodes[0].queue else LOSS_RATE // 2
            blasters = lab.start_blasters(nodes, ["s1"], KEYS, KEYS, rate)
            before = nodes[0].memory("status", "VmRSS")
            blasters["s1"].write("go\n")
            blasters["s1"].expect("sent")
            wait_for_all(nodes, blasters)
            growth = nodes[0].memory("status", "VmRSS") - before
            lost = nodes[0].lost()
            key, value = blasters["s1"].sizes
            overheads.append((growth / (KEYS - lost) - key - value, key, value, lost))
        say(f"  keys: {overheads[-1][0]:.1f} bytes")
    figure = median([o[0] for o in overheads])
    lost = sum(o[3] for o in overheads)
    return [Row("keys", "bytes per key besides key and value", f"{figure:.0f}", figure=figure, at_most=150,
                notes=[f"{KEYS:,} keys of {overheads[0][1]} bytes, values of {overheads[0][2]} as JSON",
                       f"{lost} datagrams lost" if lost else ""])]


SECTIONS = {"throughput": measure_throughput, "logged": measure_logged, "loss": measure_loss,
            "memory": measure_memory, "keys": measure_keys}
