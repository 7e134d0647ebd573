"""The program lab: how long it takes to compare logs. It has no reference, and grows with what it reads."""

import os
import subprocess
import time

from harness import LIMIT, Failure, Lab, Row, median, program, say

COMPARE_NODES = 5
COMPARE_COMMANDS = 200_000


class Comparison:
    """What one run of `lab compare` took."""


def run_compare(folder):
    """On one processor; the harness itself leaves it alone while it waits."""
    core = min(os.sched_getaffinity(0))
    logs = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    start = time.monotonic()
    process = subprocess.Popen([program("lab"), "compare", *logs], stdin=subprocess.DEVNULL,
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
            done = subprocess.run([program("tests/bench/make_logs"), folders[times], str(COMPARE_NODES),
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


SECTIONS = {"compare": measure_compare}
