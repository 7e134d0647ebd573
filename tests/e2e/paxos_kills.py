#!/usr/bin/env python3
"""Paxos under random schedules of kills: whoever dies, stands still or is cut off, and whenever, what was acknowledged
stays, reads are linearizable, and the learners end equal.

    paxos_kills.py [FIRST [LAST]]          schedules 1 to 100 unless told

Each number is one schedule, always the same. Prints TAP, and for each schedule that broke something the command that
runs it again. `make test-seeds` runs it; it takes ten minutes.
"""

import concurrent.futures
import shlex

from ordem import *

END_MS = 2500  # the last thing happens by then; clients write for three seconds
CLIENTS = ["--writers", "3", "--rate", "60", "--ops", "540", "--reads", "0.3", "--keys", "6", "--timeout", "2s"]


def members(role, count):
    return [f"{role}-{number}" for number in range(1, count + 1)]


def pick_victims(draw, counts):
    """Who is killed: a few of all, or once in a while everybody."""
    everybody = [name for role, count in counts.items() for name in members(role, count)]
    if draw.random() < 0.1:
        return [(name, END_MS // 2) for name in everybody]
    chosen = draw.sample(everybody + ["leader", "leader"], draw.randint(1, 4))
    if draw.random() < 0.3:
        chosen += draw.sample(members("acceptor", counts["acceptor"]), draw.randint(1, counts["acceptor"]))
    return [(name, draw.randint(200, END_MS)) for name in sorted(set(chosen))]


def schedule(number):
    """The arguments of the run with that number."""
    draw = random.Random(number)
    counts = {"proposer": draw.choice([2, 3, 5]), "acceptor": draw.choice([3, 5]), "learner": draw.choice([2, 3])}
    arguments = [f"--{role}s={count}" for role, count in counts.items()]
    victims = pick_victims(draw, counts)
    arguments += [f"--kill={name}@{at}ms" for name, at in victims]
    arguments += [f"--restart-after={draw.randint(200, 1500)}ms", f"--seed={number}"]
    if draw.random() < 0.3:
        arguments += ["--delay=0-10ms", "--loss=0.01"]
    if draw.random() < 0.3:
        start = draw.randint(200, END_MS - 800)
        side = ["leader"] + draw.sample(members("acceptor", counts["acceptor"]), (counts["acceptor"] - 1) // 2)
        arguments.append(f"--partition={','.join(side)}@{start}ms-{start + draw.randint(300, 1500)}ms")
    untouched = [name for name in members("acceptor", counts["acceptor"]) if name not in dict(victims)]
    if untouched and draw.random() < 0.3:
        start = draw.randint(200, END_MS - 800)
        arguments.append(f"--pause={draw.choice(untouched)}@{start}ms-{start + draw.randint(300, 1500)}ms")
    return arguments


def run(number, folder):
    """What broke, and how many commands were answered."""
    status, out, err = lab("run", "paxos", *CLIENTS, *schedule(number), "--json", "--out", os.path.join(folder, str(number)))
    if out == "":
        return f"exit status {status}: {err[-300:]}", 0
    judgement = json.loads(out)
    broken = [f"{name}: {verdict['outcome']}, {verdict['finding']}" for name, verdict in judgement["verdicts"].items()
              if verdict["outcome"] != "holds"]
    answered = judgement["clients"]["ok"]
    if answered == 0:
        broken.append("nobody was ever answered")
    if not broken:
        shutil.rmtree(os.path.join(folder, str(number)))
    return "; ".join(broken), answered


def main(first=1, last=100):
    folder = tempfile.mkdtemp(prefix="ordem-kills-")
    numbers = range(int(first), int(last) + 1)
    print("1..1")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda number: run(number, folder), numbers))
    good = sum(broken == "" for broken, _ in found)
    print(f"{'ok' if good == len(numbers) else 'not ok'} 1 - {good} of {len(numbers)} schedules of kills kept every "
          f"guarantee, with {sum(answered for _, answered in found)} commands answered", flush=True)
    for number, (broken, _) in zip(numbers, found):
        if broken:
            print(f"# schedule {number}: {broken}\n#     {shlex.join(['build/lab', 'run', 'paxos', *CLIENTS, *schedule(number)])}")
    if good == len(numbers):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"# their logs: {folder}")
    sys.exit(0 if good == len(numbers) else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
