#!/usr/bin/env python3
"""The lesson, seed after seed: under one bad network, parts 1 and 2 lose total order and parts 3 and 4 keep it.

    seeds.py [FIRST [LAST]]          seeds 1 to 100 unless told

Prints TAP: one test for each part. At least 99 in 100 seeds must show the weak parts' disorder, and every seed the strong
parts' order and convergence. `make test-seeds` runs it; it takes a quarter of an hour.
"""

import concurrent.futures

from ordem import *

EXPECTED = {"parte1": "violated", "parte2": "violated", "parte3": "holds", "parte4": "holds"}


def run(part, seed, broker, folder):
    """What the judge says of total order and convergence."""
    status, out, err = lab("run", part, "--delay", "0-30ms", "--seed", str(seed), "--json", "--out",
                           os.path.join(folder, f"{part}-{seed}"), AMQP_URL=broker.url)
    if status not in (0, 1):
        return f"exit status {status}: {err[-300:]}", None
    guarantees = json.loads(out)["verdicts"]
    return guarantees["total_order"]["outcome"], guarantees["convergence"]["outcome"]


def as_expected(part, total_order, convergence):
    return total_order == EXPECTED[part] and (EXPECTED[part] == "violated" or convergence == "holds")


def main(first=1, last=100):
    folder = tempfile.mkdtemp(prefix="ordem-seeds-")
    seeds = range(int(first), int(last) + 1)
    failed = 0
    print(f"1..{len(EXPECTED)}")
    with Broker() as broker, concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, part in enumerate(EXPECTED, 1):
            found = list(pool.map(lambda seed, part=part: run(part, seed, broker, folder), seeds))
            good = sum(as_expected(part, *outcomes) for outcomes in found)
            needed = len(seeds) if EXPECTED[part] == "holds" else len(seeds) - len(seeds) // 100
            failed += good < needed
            print(f"{'ok' if good >= needed else 'not ok'} {number} - {part}: total order {EXPECTED[part]} under {good} of "
                  f"{len(seeds)} seeds", flush=True)
            for seed, outcomes in zip(seeds, found):
                if not as_expected(part, *outcomes):
                    print(f"# seed {seed}: total order {outcomes[0]}, convergence {outcomes[1]}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
