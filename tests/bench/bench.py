#!/usr/bin/env python3
"""What Ordem costs, as ratios against reference programs that are measured in the same run.

    bench.py [--rounds N] [--json] [throughput] [logged] [loss] [memory] [keys] [compare]

Ours and the reference take turns, round by round, and the median of the rounds is shown. Nothing here asserts a time:
the exit status is 0 unless something could not run. Every datagram stays on the interface lo, in a group of its own.

How a throughput is taken: three blasters encode everything first and then send as fast as they can to three receivers,
which are either nodes (build/parte1) or the reference, bare_recvmmsg. The loop is closed: the blasters look at the
receivers' queues through duplicated descriptors (pidfd_getfd) and wait while one is half full, so that nothing is lost
however slow a receiver is, with the receive buffer that a node has by default. Time runs from the start of the
blasters until every receiver has taken, and in a node applied, the last datagram of each of them. A node has done so
when GET of each end marker's key, typed at its prompt, no longer answers null.
"""

import argparse
import contextlib
import ctypes
import json
import os
import random
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))

RECEIVERS = 3
SENDERS = 3
RECEIVE_BUFFER = 16 << 20  # what a node asks for by default
LIMIT = 120  # seconds until something that does not happen is given up
SO_MEMINFO = 55
PIDFD_GETFD = 438
QUEUED, BUFFER, DROPS = 0, 1, 8  # of the nine numbers that SO_MEMINFO gives

THROUGHPUT_COUNT = 150_000  # commands of each sender
LOGGED_COUNT = 60_000
LOSS_RATE = 100_000  # datagrams a second, of all senders together
LOSS_SECONDS = 3
KEYS = 200_000
COMPARE_NODES = 5
COMPARE_COMMANDS = 200_000


class Failure(Exception):
    """Something could not run; says what."""


def median(numbers):
    return statistics.median(numbers)


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- processes ----


class Process:
    """A program of ours with its input and output as pipes, and what can be learned about it from outside."""

    def __init__(self, lab, command, environment=None, descriptors=()):
        self.name = os.path.basename(command[0])
        with open(os.path.join(lab.folder, "errors"), "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL if environment else errors, env=environment,
                                            pass_fds=descriptors, cwd=lab.folder)
        self.lab = lab
        lab.processes.append(self)
        self.pid = self.process.pid
        self.pending = b""

    def write(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Failure(f"{self.name} has ended") from error

    def read_line(self, limit=LIMIT):
        deadline = time.monotonic() + limit
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise Failure(f"{self.name} said nothing for {limit} seconds")
            piece = os.read(descriptor, 65536)
            if not piece:
                raise Failure(f"{self.name} ended with status {self.process.wait()}{self.lab.complaints()}")
            self.pending += piece
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def expect(self, word):
        """The rest of the next line, which begins with that word."""
        line = self.read_line().split()
        if not line or line[0] != word:
            raise Failure(f"{self.name} said {' '.join(line)!r} instead of {word!r}")
        return line[1:]

    def cpu_seconds(self):
        """Time on a processor so far, by the kernel's nanoseconds where it counts them."""
        try:
            with open(f"/proc/{self.pid}/schedstat") as file:
                return int(file.read().split()[0]) / 1e9
        except (OSError, ValueError, IndexError):
            with open(f"/proc/{self.pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, file_name, field):
        """Bytes of a field of /proc/PID/FILE that is given in kB."""
        with open(f"/proc/{self.pid}/{file_name}") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise Failure(f"/proc/{self.pid}/{file_name} has no {field}")

    def end(self):
        """Ends it in any case, and waits until it is gone."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # what was not written yet has nobody to go to
                stream.close()


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
        super().__init__(lab, [lab.program("tests/bench/bare_recvmmsg"), lab.group, str(lab.port),
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
        super().__init__(lab, [lab.program("parte1")], clean | {
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


class Lab:
    """Everything that one measurement starts, in a group and a folder of its own; all of it is gone at the end."""

    def __init__(self):
        self.group = f"239.255.{random.randrange(256)}.{random.randrange(1, 255)}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("", 0))
            self.port = probe.getsockname()[1]
        self.folder = tempfile.mkdtemp(prefix="ordem-bench-")
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
        for process in self.processes:
            process.end()
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGINT, impatient)

    def complaints(self):
        """What the reference programs said on standard error."""
        with open(os.path.join(self.folder, "errors"), errors="replace") as file:
            text = file.read().strip()
        return f": {text}" if text else ""

    @staticmethod
    def program(name):
        path = os.path.join(BUILD, name)
        if not os.access(path, os.X_OK):
            raise Failure(f"{path} is not built: make bench builds it")
        return path

    def start_receivers(self, kind, count=RECEIVERS, **settings):
        return [kind(self, i + 1, **settings) for i in range(count)]

    def start_blasters(self, receivers, senders, count, keys, rate=0, closed=True):
        """Blasters that have encoded all they are to send; closed: they wait for the receivers."""
        queues = [receiver.queue for receiver in receivers]
        descriptors = [queue.descriptor() for queue in queues] if closed and None not in queues else []
        blasters = {}
        for sender in senders:
            blasters[sender] = Process(
                self, [self.program("tests/bench/blaster"), self.group, str(self.port), sender, str(count), str(keys),
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
    with Lab() as lab:
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


class Row:
    """A line of the table: a ratio where there is a reference to divide by, else a figure of our own."""

    def __init__(self, section, what, ours, reference="", ratio=None, figure=None, at_least=None, at_most=None, unit="",
                 spread=None, notes=()):
        self.section, self.what, self.ours, self.reference, self.ratio = section, what, ours, reference, ratio
        self.figure = ratio if figure is None else figure
        self.at_least, self.at_most, self.unit = at_least, at_most, unit
        self.spread = spread  # the lowest and the highest ratio of all rounds
        self.notes = [note for note in notes if note]

    def met(self):
        if self.at_least is not None:
            return self.figure >= self.at_least
        return None if self.at_most is None else self.figure <= self.at_most

    def target(self):
        if self.met() is None:
            return ""
        bound = f"at least {self.at_least:,}" if self.at_least is not None else f"at most {self.at_most:,}"
        return f"{bound}{self.unit}: {'met' if self.met() else 'MISSED'}"


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
        with Lab() as lab:
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
        with Lab() as lab:
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


class Comparison:
    """What one run of `lab compare` took."""


def run_compare(folder):
    """On one processor; the harness itself leaves it alone while it waits."""
    core = min(os.sched_getaffinity(0))
    logs = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    start = time.monotonic()
    process = subprocess.Popen([Lab.program("lab"), "compare", *logs], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    try:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        process.stdout.close()
    if process.returncode != 0:
        raise Failure(f"lab compare ended with status {process.returncode} on good logs: "
                      f"{output.decode(errors='replace')[:600]}")
    result = Comparison()
    result.seconds = time.monotonic() - start
    result.cpu = usage.ru_utime + usage.ru_stime
    result.mib = usage.ru_maxrss / 1024
    return result


def measure_compare(rounds):
    results = {1: [], 2: []}
    with Lab() as lab:
        folders = {}
        for times in results:
            folders[times] = os.path.join(lab.folder, f"times{times}")
            os.mkdir(folders[times])
            done = subprocess.run([lab.program("tests/bench/make_logs"), folders[times], str(COMPARE_NODES),
                                   str(times * COMPARE_COMMANDS)], stdin=subprocess.DEVNULL, timeout=LIMIT)
            if done.returncode != 0:
                raise Failure(f"make_logs ended with status {done.returncode}")
        for number in range(rounds):
            for times, folder in folders.items():
                results[times].append(run_compare(folder))
            say(f"  compare: round {number + 1} of {rounds}: {results[1][-1].seconds:.2f} s, "
                f"{results[2][-1].seconds:.2f} s for twice as much")
    deliveries = COMPARE_NODES * COMPARE_COMMANDS
    seconds = median([r.seconds for r in results[1]])
    growth = median([b.seconds / a.seconds for a, b in zip(results[1], results[2])])
    return [Row("compare", "deliver lines/s on one core", f"{deliveries / seconds:,.0f}",
                figure=deliveries / seconds, at_least=300_000,
                notes=[f"{deliveries:,} deliver lines and {COMPARE_COMMANDS:,} send lines of {COMPARE_NODES} nodes: "
                       f"{seconds:.2f} s, {median([r.cpu for r in results[1]]):.2f} s of CPU, "
                       f"{median([r.mib for r in results[1]]):,.0f} MiB"]),
            Row("compare", "time for twice as many lines", f"{median([r.seconds for r in results[2]]):.2f} s",
                f"{seconds:.2f} s", growth, notes=["the reference is the time for the lines above"])]


SECTIONS = {"throughput": measure_throughput, "logged": measure_logged, "loss": measure_loss,
            "memory": measure_memory, "keys": measure_keys, "compare": measure_compare}


# ---- showing ----


def show_table(rows):
    table = [("", "", "ours", "reference", "ratio", "rounds", "target")]
    for row in rows:
        ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
        spread = f"{row.spread[0]:.2f}x-{row.spread[1]:.2f}x" if row.spread else ""
        table.append((row.section, row.what, row.ours, row.reference, ratio, spread, row.target()))
    widths = [max(len(line[column]) for line in table) for column in range(7)]
    for line, row in zip(table, [None, *rows]):
        print(f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  {line[2]:>{widths[2]}}  {line[3]:>{widths[3]}}  "
              f"{line[4]:>{widths[4]}}  {line[5]:<{widths[5]}}  {line[6]}".rstrip())
        for note in row.notes if row else ():
            print(f"{'':<{widths[0]}}    {note}")


def stop_on_signal(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description="What Ordem costs, against reference programs in the same run.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{' '.join(SECTIONS)} (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON array instead of the table")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown or options.rounds < 1:
        parser.error(f"sections are {' '.join(SECTIONS)}; rounds are at least 1")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_on_signal)

    rows = []
    failures = []
    for name in options.sections or SECTIONS:
        say(f"{name}:")
        try:
            rows += SECTIONS[name](options.rounds)
        except (Failure, OSError, subprocess.SubprocessError) as failure:
            failures.append(f"{name} could not run: {failure}")
    if options.json:
        print(json.dumps([vars(row) | {"met": row.met()} for row in rows], indent=1))
    elif rows:
        show_table(rows)
    for failure in failures:
        say(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
