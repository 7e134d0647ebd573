"""Parts 2 to 4: three replicas behind a broker, against bare_amqp (three consumers and one publisher), which moves the
same bytes through the same broker with the same durability, window of confirms and prefetch.

A throughput is that of commands which all three have: time runs from the first Set (the first publish) until every node
has applied (every consumer has taken) the last one. kv_blaster.c says how that is seen without looking at each command.
All Sets go through one node, as there is one publisher in the reference; nodes log warnings only. Everything runs on
this machine, the clients too: what they cost is missing to the broker, and counts against us.

A latency is that of 100 commands a second: from just before the client calls until the last of the three nodes has
delivered the command, by the nodes' logs, against the age of a bare command when the last of the three consumers takes
it. All of these times are of one clock, the machine's.
"""

import os
import time

from harness import Failure, Lab, Process, Row, cpu_seconds, median, program, say
from replicas import Bare, Broker, Replicas

KEYS = 1000
CONNECTIONS, STREAMS = 4, 500  # enough calls under way to keep a window full
FLOOD_COUNT = 60_000
LATENCY_COUNT = 300
LATENCY_RATE = 100
SOAK_COUNTS = (100_000, 400_000, 500_000)
PARTS = ("parte2", "parte3", "parte4")
THROUGHPUT_TARGETS = {"parte2": 0.8, "parte3": 0.4, "parte4": 0.7}
LATENCY_TARGETS = {"parte2": 2, "parte3": 3.5, "parte4": 2}


# ---- throughput ----


class Flood:
    """What came of one: seconds, the microseconds on a processor for each command, of all and of the broker alone, and
    the share of the machine that went to programs which have nothing to do with it."""


def busy_seconds():
    """Time that this machine's processors have spent on anything."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, *interrupts = (int(word) for word in file.readline().split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def run_flood(count, broker, processes, start, wait):
    """`start` makes it begin, `wait` returns when everything has arrived."""
    involved = [broker.server] + [process.pid for process in processes]
    before, busy_before, began = list(map(cpu_seconds, involved)), busy_seconds(), time.monotonic()
    start()
    result = Flood()
    result.seconds = wait()
    spent = [after - earlier for after, earlier in zip(map(cpu_seconds, involved), before)]
    others = busy_seconds() - busy_before - sum(spent)
    result.others = max(0, others / (time.monotonic() - began) / os.cpu_count())
    result.cpu_us, result.broker_us = sum(spent) / count * 1e6, spent[0] / count * 1e6
    result.per_second = count / result.seconds
    return result


def start_blaster(lab, replicas, count, keys=KEYS):
    blaster = Process(lab, [program("tests/bench/kv_blaster"), "flood", str(count), str(keys), str(CONNECTIONS),
                            str(STREAMS), "1", *replicas.targets])
    blaster.expect("ready")
    return blaster


def flood_part(broker, part, count=FLOOD_COUNT, level="warning"):
    with Lab() as lab:
        replicas = Replicas(lab, broker, part, level)
        blaster = start_blaster(lab, replicas, count)

        def wait():
            blaster.expect("answered")
            return float(blaster.expect("applied")[0])
        return run_flood(count, broker, [*replicas.members, blaster], lambda: blaster.write("go\n"), wait)


def flood_bare(broker, count=FLOOD_COUNT):
    with Lab() as lab:
        bare = Bare(lab, broker, count, 0)
        return run_flood(count, broker, bare.processes, bare.start, bare.wait)


def take_turns(rounds, section, sides, show):
    """Runs all sides, `rounds` times; who goes first changes. Results by side."""
    results = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides)
        for name in names[number % len(names):] + names[:number % len(names)]:
            results[name].append(sides[name]())
        say(f"  {section}: round {number + 1} of {rounds}: " +
            ", ".join(f"{name} {show(results[name][-1])}" for name in names))
    return results


def ratios(ours, bare, number):
    return [number(a) / number(b) for a, b in zip(ours, bare)]


def throughput_rows(results, targets):
    bare = results["bare"]
    rows = []
    for name, target in targets.items():
        ours = results[name]
        speed = ratios(ours, bare, lambda r: r.per_second)
        cpu = ratios(bare, ours, lambda r: r.cpu_us)
        broker_us, bare_broker_us = (median([r.broker_us for r in side]) for side in (ours, bare))
        others = max(r.others for r in ours + bare)
        rows += [
            Row("broker", f"{name}: commands/s at all three", f"{median([r.per_second for r in ours]):,.0f}",
                f"{median([r.per_second for r in bare]):,.0f}", median(speed), at_least=target, unit="x",
                spread=(min(speed), max(speed)),
                notes=[f"other programs took up to {others:.0%} of the machine" if others > 0.1 else ""]),
            Row("broker", f"{name}: the same by CPU time of all", f"{median([r.cpu_us for r in ours]):.1f} us",
                f"{median([r.cpu_us for r in bare]):.1f} us", median(cpu), spread=(min(cpu), max(cpu)),
                notes=[f"the broker's part of it: {broker_us:.1f} us and {bare_broker_us:.1f} us"])]
    return rows


def measure_broker(rounds):
    with Lab() as lab:
        broker = Broker(lab)
        sides = {"bare": lambda: flood_bare(broker)} | {part: lambda part=part: flood_part(broker, part)
                                                        for part in PARTS}
        results = take_turns(rounds, "broker", sides, lambda r: f"{r.per_second:,.0f}/s")
    return throughput_rows(results, THROUGHPUT_TARGETS)


def measure_broker_logged(rounds):
    with Lab() as lab:
        broker = Broker(lab)
        sides = {"bare": lambda: flood_bare(broker)}
        sides |= {f"{part}, all logged": lambda part=part: flood_part(broker, part, level="debug") for part in PARTS}
        results = take_turns(rounds, "broker-logged", sides, lambda r: f"{r.per_second:,.0f}/s")
    return throughput_rows(results, {name: None for name in sides if name != "bare"})


# ---- latency ----


class Latencies:
    """Microseconds of each command, sorted: until all have it, and until its client was answered."""

    def __init__(self, applied, answered=()):
        self.applied, self.answered = sorted(applied), sorted(answered)


def percentile(numbers, share):
    return numbers[min(len(numbers) - 1, int(len(numbers) * share))]


def pace_part(broker, part):
    with Lab() as lab:
        replicas = Replicas(lab, broker, part, "info")
        blaster = Process(lab, [program("tests/bench/kv_blaster"), "pace", str(LATENCY_COUNT),
                                str(1000 // LATENCY_RATE), "1",
                                *replicas.targets])
        blaster.expect("ready")
        blaster.write("go\n")
        sent = [blaster.expect("sent") for _ in range(LATENCY_COUNT)]
        blaster.expect("end")
        logs = [node.deliveries() for node in replicas.nodes]
        try:
            return Latencies([max(log[name] for log in logs) - int(at) for name, at, _ in sent],
                             [int(answered) for *_, answered in sent])
        except KeyError as missing:
            raise Failure(f"{part}: a command was not delivered everywhere: {missing}") from None


def pace_bare(broker):
    with Lab() as lab:
        bare = Bare(lab, broker, LATENCY_COUNT, LATENCY_RATE)
        bare.start()
        bare.wait()
        ages = []
        for consumer in bare.consumers:
            consumer.write("ages\n")
            ages.append([int(consumer.read_line()) for _ in range(LATENCY_COUNT)])
        return Latencies(map(max, zip(*ages)))


def measure_latency(rounds):
    with Lab() as lab:
        broker = Broker(lab)
        sides = {"bare": lambda: pace_bare(broker)} | {part: lambda part=part: pace_part(broker, part) for part in PARTS}
        results = take_turns(rounds, "latency", sides, lambda r: f"{percentile(r.applied, 0.5) / 1000:.2f} ms")
    rows = []
    for part in PARTS:
        for share in (0.5, 0.99):
            ours, bare = ([percentile(r.applied, share) for r in results[side]] for side in (part, "bare"))
            factors = [a / b for a, b in zip(ours, bare)]
            answered = median([percentile(r.answered, share) for r in results[part]])
            rows.append(Row("latency", f"{part}: applied at all three, p{share * 100:.0f}", f"{median(ours) / 1000:.2f} ms",
                            f"{median(bare) / 1000:.2f} ms", median(factors), spread=(min(factors), max(factors)),
                            at_most=LATENCY_TARGETS[part] if share == 0.5 else None, unit="x",
                            notes=[f"answered to the client after {answered / 1000:.2f} ms"]))
    return rows


# ---- memory in the long run ----


def measure_soak(rounds):
    """Once, whatever `rounds` says: it takes minutes."""
    rows = []
    with Lab() as broker_lab:
        broker = Broker(broker_lab)
        for part in PARTS:
            with Lab() as lab:
                replicas = Replicas(lab, broker, part)
                sizes = []
                for count in SOAK_COUNTS:
                    blaster = start_blaster(lab, replicas, count)
                    blaster.write("go\n")
                    blaster.expect("answered")
                    blaster.expect("applied")
                    sizes.append([member.memory("status", "VmRSS") / 2**20 for member in replicas.members])
                    say(f"  soak: {part}: {count:,} more: " + ", ".join(f"{size:.1f} MiB" for size in sizes[-1]))
                growth = max(last - before for before, last in zip(sizes[-2], sizes[-1]))
                rows.append(Row(
                    "soak", f"{part}: VmRSS, second half of {sum(SOAK_COUNTS):,}", f"{growth:+.1f} MiB", figure=growth,
                    at_most=1, unit=" MiB", notes=[f"{member.name_of_node}: {', '.join(f'{s:.1f}' for s in column)} MiB"
                                                   for member, column in zip(replicas.members, zip(*sizes))]))
    return rows


SECTIONS = {"broker": measure_broker, "broker-logged": measure_broker_logged, "latency": measure_latency}
LONG_SECTIONS = {"soak": measure_soak}
