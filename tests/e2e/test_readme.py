#!/usr/bin/env python3
"""The READMEs: both languages hold the same commands, and the commands do what the text says."""

import re

from ordem import *

PAGES = ["README", "parte1-multicast/README"]

# Commands that a test cannot type: they run for as long as the user likes, or are this test's own caller, or need
# Docker (tests/e2e/docker_parte1.py types those).
ELSEWHERE = re.compile(r"make (test|demo)|NODE_ID=|docker ")

# Exit status 1 where the text says that something is violated; either where it depends on a race that only is likely.
VIOLATED = ["--delay", "compare"]
RACE = "--rate 0"


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


def test_every_command_works_as_it_stands():
    ran = 0
    for page in PAGES:
        for block in blocks(read(page), "sh"):
            for line in block.splitlines():
                if ELSEWHERE.match(line):
                    continue
                line = line.replace("build/", f"{os.path.relpath(BUILD, ROOT)}/")
                done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, timeout=5 * LIMIT)
                expected = [1 if any(word in line for word in VIOLATED) else 0]
                assert done.returncode in ([0, 1] if RACE in line else expected), (line, done)
                ran += 1
    assert ran >= 10


def test_the_experiments_print_what_the_page_says():
    text = read("parte1-multicast/README")
    commands = re.findall(r"```sh\n(build/lab run parte1[^\n]*)\n```\n\n```\n(.*?)```", text, re.S)
    assert len(commands) == 2
    for command_line, expected in commands:
        done = subprocess.run(command_line.replace("build/", f"{os.path.relpath(BUILD, ROOT)}/"), shell=True, cwd=ROOT,
                              capture_output=True, timeout=LIMIT)
        for line in expected.strip().splitlines():
            assert line.strip() in done.stdout.decode(), (command_line, line, done.stdout.decode())


def test_the_wire_example_is_a_command_that_a_node_takes():
    example = blocks(read("parte1-multicast/README"), "json")[0]
    with Group() as group:
        node = group.start("node2")
        group.send(example.encode())
        node.wait_for("deliver")
        assert node.delivered() == [("SET", "x", "1")]


if __name__ == "__main__":
    main(sys.modules[__name__])
