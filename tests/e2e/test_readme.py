#!/usr/bin/env python3
"""The READMEs: both languages hold the same commands, and the commands do what the text says."""

import re

from ordem import *

PARTS = ["parte1-multicast", "parte2-multipub", "parte3-sequencer", "parte4-leader"]
PAGES = ["README", "docs/lesson", "paxos/README", "parte5-chat/README"] + [part + "/README" for part in PARTS]

# Commands that a test cannot type: they run for as long as the user likes, or are this test's own caller, or need
# Docker (tests/e2e/docker_*.py type those), or members that listen (tests/e2e/test_paxos_readme.py types those, test_parte5_servers.py
# starts the same).
ELSEWHERE = re.compile(r"make (test|demo)|NODE_ID=|AMQP_URL=|export |build/lab broker|build/parte\d (client|sequencer)|build/paxos client|build/parte5 |LOG_LEVEL=|jq |curl |docker ")

# Commands of the experiments, and what the page says that they print.
EXPERIMENT = re.compile(r"```sh\n(build/lab run [^\n]*)\n```\n\n```\n(.*?)```", re.S)

# Where the text says "Exit status 0" or "1"; elsewhere it depends on a race, or on reads that only are likely to be old.
HOLDS = re.compile(r"parte1 --writers 1|--wait")
VIOLATED = re.compile(r"parte[12] .*--delay|lab compare")


def read(page, language=""):
    with open(os.path.join(ROOT, page + language + ".md"), encoding="utf-8") as file:
        return file.read()


def blocks(text, kind):
    """The fenced blocks of one kind: the first fence opens, the next one closes."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M)
    return [block.strip() for name, block in found if name == kind]


def test_both_languages_hold_the_same_commands_and_outputs():
    for page in PAGES:
        english, portuguese = read(page), read(page, ".pt-BR")
        for kind in ("sh", "json", ""):
            assert blocks(english, kind) == blocks(portuguese, kind), (page, kind)
        assert len(re.findall(r"^#+ ", english, re.M)) == len(re.findall(r"^#+ ", portuguese, re.M)), page


def test_links_lead_somewhere():
    for page in PAGES:
        for language in ("", ".pt-BR"):
            folder = os.path.dirname(os.path.join(ROOT, page))
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", read(page, language)):
                assert target.startswith("http") or os.path.exists(os.path.join(folder, target)), (page, target)


def run(line):
    """Types a line; its exit status must be the one that the page promises. Returns what it printed."""
    line = line.replace("build/", f"{os.path.relpath(BUILD, ROOT)}/")
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, timeout=5 * LIMIT)
    expected = [0] if HOLDS.search(line) or "lab run" not in line else [0, 1]
    assert done.returncode in ([1] if VIOLATED.search(line) else expected), (line, done)
    return done.stdout.decode()


def test_every_command_works_as_it_stands():
    experiments = {line for part in PARTS for line, _ in EXPERIMENT.findall(read(part + "/README"))}
    ran = 0
    for page in PAGES:
        for block in blocks(read(page), "sh"):
            for line in block.splitlines():
                if not ELSEWHERE.match(line) and line not in experiments:
                    run(line)
                    ran += 1
    assert ran >= 10


def test_the_experiments_print_what_the_pages_say():
    ran = 0
    for part in PARTS:
        for line, expected in EXPERIMENT.findall(read(part + "/README")):
            printed = run(line)
            for words in expected.strip().splitlines():
                assert words.strip() in printed, (line, words, printed)
            ran += 1
    assert ran >= 10


def test_the_wire_example_is_a_command_that_a_node_takes():
    example = blocks(read("parte1-multicast/README"), "json")[0]
    with Group() as group:
        node = group.start("node2")
        group.send(example.encode())
        node.wait_for("deliver")
        assert node.delivered() == [("SET", "x", "1")]


if __name__ == "__main__":
    main(sys.modules[__name__])
