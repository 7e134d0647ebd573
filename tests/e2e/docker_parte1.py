#!/usr/bin/env python3
"""The composition of Parte 1, used as a person does: compose up, docker attach on a terminal, typing, EXIT, down.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
import json
import re
import sys

from containers import *

NODES = ["node1", "node2", "node3"]
CONTAINERS = [f"kv_{node}" for node in NODES]
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
COMPOSITION = Composition("parte1-multicast", CONTAINERS)


def deliveries():
    """For each node its deliveries in order, as dictionaries."""
    return {node: [] for node in NODES} | COMPOSITION.events("deliver")


def delivered_everywhere(nodes=tuple(NODES), times=1, **fields):
    """Do these nodes have as many deliveries with such fields? The last look at all deliveries, and the answer."""
    seen = {}

    def look():
        nonlocal seen
        seen = deliveries()
        return all(sum(fields.items() <= event.items() for event in seen[node]) >= times for node in nodes)
    return eventually(look), seen


def is_set_up():
    for container in CONTAINERS:
        COMPOSITION.runs_unprivileged(container, "parte1")
    status, output = run("docker", "exec", "kv_node1", "parte1", "--help")
    check("docker exec kv_node1 parte1 --help works", status == 0 and "usage: parte1" in output, output)


def attached(container):
    return Terminal(container.removeprefix("kv_") + "> ", "attach", container)


def commands_reach_all(first, second):
    check("docker attach kv_node1: Enter shows the prompt", first.waits_for_prompt(), repr(first.text[-500:]))
    check("docker attach kv_node2: Enter shows the prompt", second.waits_for_prompt(), repr(second.text[-500:]))
    first.keys("SET x 1" + ENTER)
    second.keys("SET x 2" + ENTER)
    ones, _ = delivered_everywhere(command_type="SET", key="x", value='"1"', sender_id="node1")
    twos, seen = delivered_everywhere(command_type="SET", key="x", value='"2"', sender_id="node2")
    check("all three nodes delivered SET x 1 of node1 and SET x 2 of node2", ones and twos, json.dumps(seen, indent=1))

    events = [event for node in NODES for event in seen[node]]
    check("each delivery in docker compose logs holds sender_id, message_uuid and ordem_local",
          events and all(event.get("sender_id") in NODES and UUID4.fullmatch(event.get("message_uuid", ""))
                         and event.get("ordem_local", "").isdigit() for event in events), json.dumps(events, indent=1))
    check("ordem_local counts from 1 at each node",
          all([event.get("ordem_local") for event in seen[node]] == [str(i + 1) for i in range(len(seen[node]))]
              for node in NODES), json.dumps(seen, indent=1))
    check("a command has the same message_uuid everywhere, and each command its own",
          all({e.get("message_uuid") for e in seen[node]} == {e.get("message_uuid") for e in seen["node1"]}
              for node in NODES) and len({e.get("message_uuid") for e in seen["node1"]}) == 2,
          json.dumps(seen, indent=1))


def print_shows_snapshots(first):
    first.keys("PRINT" + ENTER)
    printed, seen = delivered_everywhere(command_type="PRINT", sender_id="node1")

    def snapshot_is_right(node):
        last = [event["value"] for event in seen[node] if event["command_type"] == "SET"][-1]
        snapshot = [event.get("snapshot") for event in seen[node] if event["command_type"] == "PRINT"][-1]
        return snapshot == '{"x":%s}' % last
    check("PRINT: each node logs its own snapshot, with what it delivered last",
          printed and all(snapshot_is_right(node) for node in NODES), json.dumps(seen, indent=1))


def prompt_is_usable(first):
    check("log lines appear at the attached terminal, with the prompt drawn again below them",
          first.sees(r"deliver +sender_id=node2 .*\n") and first.sees(r"\n" + re.escape(first.prompt) + r"$"),
          repr(first.text[-1500:]))
    # The second letter is typed last: the line is edited, and it is not ASCII.
    first.keys("SET nome Joo ção" + LEFT * 5 + "ã" + ENTER)
    typed = {"command_type": "SET", "key": "nome", "value": '"João ção"'}
    passed, seen = delivered_everywhere(**typed)
    check("the line can be edited with arrow keys and hold UTF-8", passed, json.dumps(seen["node3"], indent=1))
    first.keys(UP + ENTER)
    passed, seen = delivered_everywhere(times=2, **typed)
    check("arrow-up brings the last line back", passed, json.dumps(seen["node3"], indent=1))


def detaching_leaves_it_running(second):
    second.keys(CTRL_P_CTRL_Q)
    status = second.ends()
    check("Ctrl-P Ctrl-Q ends docker attach and leaves the node running",
          status is not None and state("kv_node2").get("Running") is True, f"attach: {status}, {state('kv_node2')}")


def lab_judges():
    """Two people typed at once: whether all nodes have one order is the network's affair."""
    status, output = COMPOSITION.judge()
    check("docker compose logs --no-color | docker compose run --rm -T lab compare -: all that two nodes typed is judged",
          status in (0, 1) and "3 nodes" in output and "✓ delivery" in output and "✓ no creation" in output, output)


def exit_ends_one(first):
    first.keys("EXIT" + ENTER)
    first.ends()
    ended = eventually(lambda: state("kv_node1").get("Running") is False)
    check("EXIT ends the node with status 0", ended and state("kv_node1").get("ExitCode") == 0, state("kv_node1"))
    with attached("kv_node2") as again:
        again.waits_for_prompt()
        again.keys("SET depois 3" + ENTER)
        passed, seen = delivered_everywhere(nodes=("node2", "node3"), command_type="SET", key="depois")
        check("the others go on: node3 delivers what node2 sends", passed, json.dumps(seen["node3"], indent=1))
        again.keys(CTRL_D)
        again.ends()
        ended = eventually(lambda: state("kv_node2").get("Running") is False)
        check("Ctrl-D ends a node, too, with status 0", ended and state("kv_node2").get("ExitCode") == 0,
              state("kv_node2"))


def down_kills_nobody():
    COMPOSITION.compose("start")  # those that ended, too, so that down has three to stop
    everyone = eventually(lambda: all(COMPOSITION.is_healthy(container) for container in CONTAINERS))
    check("docker compose start: ended nodes join again", everyone, COMPOSITION.compose("ps", "--all")[1])
    status, output, died, killed = COMPOSITION.down()
    check("docker compose down: SIGTERM is enough for all three, which end with status 0",
          status == 0 and died == {container: "0" for container in CONTAINERS} and not killed, output)


def story(_):
    is_set_up()
    with attached("kv_node1") as first, attached("kv_node2") as second:
        commands_reach_all(first, second)
        print_shows_snapshots(first)
        prompt_is_usable(first)
        lab_judges()
        detaching_leaves_it_running(second)
        exit_ends_one(first)
    down_kills_nobody()


if __name__ == "__main__":
    sys.exit(main((COMPOSITION, story)))
