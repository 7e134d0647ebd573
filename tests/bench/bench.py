#!/usr/bin/env python3
"""What Ordem costs, as ratios against reference programs that are measured in the same run.

    bench.py [--rounds N] [--json] [--soak N] [SECTION...]

Ours and the reference take turns, round by round, and the median of the rounds is shown. Nothing here asserts a time:
the exit status is 0 unless something could not run. The sections stand in multicast.py (Parte 1), broker.py (parts 2 to
4), paxos.py, rpc.py (the gRPC server), compare.py (the program lab) and chat.py (Parte 5).
"""

import argparse
import json
import signal
import subprocess
import sys

import broker
import chat
import compare
import multicast
import paxos
import rpc
from harness import Failure, say, show_table

SECTIONS = (multicast.SECTIONS | compare.SECTIONS | broker.SECTIONS | paxos.SECTIONS | rpc.SECTIONS |
            chat.SECTIONS)
LONG = broker.LONG_SECTIONS | paxos.LONG_SECTIONS  # only when they are named


def stop_on_signal(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description="What Ordem costs, against reference programs in the same run.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{' '.join(SECTIONS)} (all of these), {' '.join(LONG)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--soak", type=int, default=paxos.SOAK_COUNT, metavar="N", help="commands of paxos-soak")
    parser.add_argument("--json", action="store_true", help="one JSON array instead of the table")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS | LONG]
    if unknown or options.rounds < 1:
        parser.error(f"sections are {' '.join(SECTIONS | LONG)}; rounds are at least 1")
    if options.soak < paxos.SOAK_STEPS:
        parser.error(f"--soak is at least {paxos.SOAK_STEPS}")
    LONG["paxos-soak"] = lambda _: paxos.measure_soak(options.soak)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_on_signal)

    rows = []
    failures = []
    for name in options.sections or SECTIONS:
        say(f"{name}:")
        try:
            rows += (SECTIONS | LONG)[name](options.rounds)
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
