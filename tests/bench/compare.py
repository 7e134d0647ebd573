"""The program lab: how long it takes to compare logs, which has no reference and grows with what it reads; and to make a
report of them, whose reference that is."""

import os
import subprocess
import time

from harness import LIMIT, Failure, Lab, Row, median, program, say

COMPARE_NODES = 5
COMPARE_COMMANDS = 200_000
REPORT_LINES = 1_000_000


class Comparison:
    """What one run of `lab compare` took."""


def run_compare(folder):
    logs = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    return run_lab("compare", *logs)


def run_lab(*arguments):
    """On one processor; the harness itself leaves it alone while it waits."""
    core = min(os.sched_getaffinity(0))
    start = time.monotonic()
    process = subprocess.Popen([program("lab"), *arguments], stdin=subprocess.DEVNULL,
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
        raise Failure(f"lab {arguments[0]} ended with status {process.returncode} on good logs: "
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
            make_logs(folders[times], COMPARE_NODES, times * COMPARE_COMMANDS)
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


def make_logs(folder, nodes, commands):
    os.mkdir(folder)
    done = subprocess.run([program("tests/bench/make_logs"), folder, str(nodes), str(commands)], stdin=subprocess.DEVNULL,
                          timeout=LIMIT)
    if done.returncode != 0:
        raise Failure(f"make_logs ended with status {done.returncode}")


def measure_report(rounds):
    compared, reported = [], []
    with Lab() as lab:
        folder, page = os.path.join(lab.folder, "logs"), os.path.join(lab.folder, "report.html")
        make_logs(folder, COMPARE_NODES, REPORT_LINES // (COMPARE_NODES + 1))
        for number in range(rounds):
            compared.append(run_compare(folder))
            reported.append(run_lab("report", folder, "--out", page))
            say(f"  report: round {number + 1} of {rounds}: {reported[-1].seconds:.2f} s, compare {compared[-1].seconds:.2f} s")
        mib = os.path.getsize(page) / 2 ** 20
    ratios = [r.seconds / c.seconds for c, r in zip(compared, reported)]
    seconds, reference = median([r.seconds for r in reported]), median([c.seconds for c in compared])
    return [Row("report", f"time for {REPORT_LINES:,} log lines", f"{seconds:.2f} s", f"{reference:.2f} s", median(ratios),
                at_most=3, unit="x", spread=(min(ratios), max(ratios)),
                notes=["the reference is `lab compare` on the same lines", f"{median([r.mib for r in reported]):,.0f} MiB of memory"]),
            Row("report", "size of that report", f"{mib:.1f} MiB", figure=mib, at_most=25, unit=" MiB")]


SECTIONS = {"compare": measure_compare, "report": measure_report}
