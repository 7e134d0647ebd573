"""Paxos against etcd (Debian's, three members), and against bare_http_log, which only appends, has it on the disk and
answers. paxos_blaster.c asks all of them, and says what a request is: values of 100 bytes, a write is acknowledged when it
is on the disks of a majority, and a client asks again when it was answered.

Three acceptors, two proposers and two learners, with their defaults; all files on the disk on which build/ is. Everything
runs on this machine, and the processors are what the systems share with the program that asks.
"""

from broker import take_turns
from clusters import Bare, Etcd, Paxos, disk_lab
from harness import LIMIT, Process, Row, median, program, say

CLIENTS = (1, 10, 100)
MEASURE_MS = 2000
NO_COUNT = 100_000_000
NO_TIME_MS = 86_400_000
ETCD_TARGETS = {1: 1.8, 10: 2.8, 100: 4}
BARE_TARGET = 0.5
FIVE_TARGET = 0.7
READ_TARGET = 1.5
SOAK_SMALL, SOAK_STEPS, SOAK_COUNT = 10_000, 10, 10_000_000


class Answers:
    """What a run of paxos_blaster saw."""

    def __init__(self, fields):
        count, seconds, p50, p99 = fields
        self.per_second, self.p50_ms, self.p99_ms = int(count) / float(seconds), int(p50) / 1000, int(p99) / 1000


def ask(lab, system, kind, clients, how=None, milliseconds=MEASURE_MS, count=NO_COUNT, limit=LIMIT):
    blaster = Process(lab, [program("tests/bench/paxos_blaster"), how or system.name, kind, str(clients), str(milliseconds),
                            str(count), *system.targets])
    blaster.expect("ready")
    blaster.write("go\n")
    answers = Answers(blaster.read_line(limit).split()[1:])
    blaster.process.wait(LIMIT)
    return answers


def ask_in_turn(make, kinds):
    """Starts a system of its own, and asks it for each of the kinds (kind, clients, how); results by these."""
    with disk_lab() as lab:
        system = make(lab)
        return {kind: ask(lab, system, *kind) for kind in kinds}


def writes(how=None):
    return [("write", clients, how) for clients in CLIENTS]


def show(results):
    return "/".join(f"{answers.per_second:,.0f}" for answers in results.values()) + "/s"


def ratio_row(what, ours, reference, number, form, **options):
    """A row from what the rounds of two sides gave, as `number` takes it from them."""
    pairs = [(number(a), number(b)) for a, b in zip(ours, reference)]
    factors = [a / b for a, b in pairs]
    return Row("paxos", what, form(median([a for a, _ in pairs])), form(median([b for _, b in pairs])), median(factors),
               spread=(min(factors), max(factors)), unit="x", **options)


def rate(answers):
    return answers.per_second


def per_second(number):
    return f"{number:,.0f}"


def milliseconds(number):
    return f"{number:.2f} ms"


def plural(clients):
    return f"{clients} client{'s' if clients > 1 else ''}"


def etcd_rows(results):
    rows = []
    for clients in CLIENTS:
        ours, etcd = ([turn["write", clients, None] for turn in results[side]] for side in ("paxos", "etcd"))
        rows.append(ratio_row(f"writes/s, {plural(clients)}, to etcd", ours, etcd, rate, per_second,
                              at_least=ETCD_TARGETS[clients]))
        rows.append(ratio_row("  p50", ours, etcd, lambda a: a.p50_ms, milliseconds, at_most=1))
        rows.append(ratio_row("  p99", ours, etcd, lambda a: a.p99_ms, milliseconds, at_most=1))
    most = CLIENTS[-1]
    rows.append(ratio_row(f"writes/s, {plural(most)}, pipelined, to etcd",
                          [turn["write", most, "pipelined"] for turn in results["paxos"]],
                          [turn["write", most, None] for turn in results["etcd"]], rate, per_second,
                          notes=["32 clients share a connection, as all clients of etcd share one"]))
    rows.append(ratio_row(f"writes/s, {plural(most)}, to etcd with a connection for each",
                          [turn["write", most, None] for turn in results["paxos"]],
                          [turn["write", most, "etcd-each"] for turn in results["etcd"]], rate, per_second,
                          notes=["as each client of Paxos has its own"]))
    return rows


def measure_paxos(rounds):
    most = CLIENTS[-1]
    sides = {
        "etcd": lambda: ask_in_turn(Etcd, [*writes(), ("write", most, "etcd-each")]),
        "bare": lambda: ask_in_turn(Bare, writes()),
        "paxos": lambda: ask_in_turn(Paxos, [*writes(), ("write", most, "pipelined"), ("read", most, None)]),
        "five": lambda: ask_in_turn(lambda lab: Paxos(lab, acceptors=5), [("write", most, None)])}
    results = take_turns(rounds, "paxos", sides, show)
    rows = etcd_rows(results)
    for clients in CLIENTS:
        rows.append(ratio_row(f"writes/s, {plural(clients)}, to bare logs",
                              *([turn["write", clients, None] for turn in results[side]] for side in ("paxos", "bare")),
                              rate, per_second, at_least=BARE_TARGET))
    three = [turn["write", most, None] for turn in results["paxos"]]
    rows.append(ratio_row(f"five acceptors to three, writes/s, {plural(most)}",
                          [turn["write", most, None] for turn in results["five"]], three, rate, per_second,
                          at_least=FIVE_TARGET))
    rows.append(ratio_row(f"linearizable reads to writes, {plural(most)}",
                          [turn["read", most, None] for turn in results["paxos"]], three, rate, per_second,
                          at_least=READ_TARGET))
    return rows


# ---- the long run ----


class Sizes:
    """The largest acceptor's file and memory, and how fast the last commands were decided."""

    def __init__(self, system, answers):
        self.file = max(acceptor.bytes_on_disk() for acceptor in system.acceptors) / 2**20
        self.memory = max(acceptor.memory("status", "VmRSS") for acceptor in system.acceptors) / 2**20
        self.per_second = answers.per_second


def soak_row(what, later, earlier, number, form, **options):
    a, b = number(later), number(earlier)
    return Row("paxos-soak", what, form(a), form(b), a / b, unit="x", **options)


def measure_soak(count):
    """Once: it takes minutes."""
    def step(number_of_commands):
        answers = ask(lab, system, "write", CLIENTS[-1], milliseconds=NO_TIME_MS, count=number_of_commands, limit=3600)
        return Sizes(system, answers)

    with disk_lab() as lab:
        system = Paxos(lab)
        sizes = [step(SOAK_SMALL)]
        for number in range(SOAK_STEPS):
            sizes.append(step(count // SOAK_STEPS))
            say(f"  paxos-soak: {count // SOAK_STEPS * (number + 1):,}: files {sizes[-1].file:.1f} MiB, "
                f"memory {sizes[-1].memory:.1f} MiB, {sizes[-1].per_second:,.0f}/s")
    first, early, last = sizes[0], sizes[1], sizes[-1]

    def mib(number):
        return f"{number:.1f} MiB"

    def steps(number):
        return "after each tenth: " + ", ".join(f"{number(size):,.0f}" for size in sizes[1:])
    return [
        soak_row(f"acceptor's files after {count:,} to {SOAK_SMALL:,}", last, first, lambda s: s.file, mib, at_most=1,
                 notes=[steps(lambda s: s.file)]),
        soak_row(f"acceptor's memory after {count:,} to {SOAK_SMALL:,}", last, first, lambda s: s.memory, mib, at_most=1,
                 notes=[steps(lambda s: s.memory)]),
        soak_row("writes/s of the last tenth to the first", last, early, rate, per_second, at_least=1,
                 notes=[steps(rate)])]


SECTIONS = {"paxos": measure_paxos}
LONG_SECTIONS = {"paxos-soak": lambda _: measure_soak(SOAK_COUNT)}
