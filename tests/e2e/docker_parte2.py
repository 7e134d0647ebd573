#!/usr/bin/env python3
"""The composition of Parte 2: a session at a terminal, then kill -9 of the broker and of a node under load.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
from container_store import *

NODES = {"kv2_node1": 50051, "kv2_node2": 50052, "kv2_node3": 50053}
COMPOSITION = Composition("parte2-multipub", ["kv2_rabbitmq", *NODES])
PART = Part("parte2", NODES, "kv2_rabbitmq", COMPOSITION)


def node_dies():
    others = ["kv2_node1", "kv2_node3"]
    with Load(PART, "node", *((node, node) for node in others)) as load:
        PART.kill("kv2_node2")
        with Load(PART, "queued", ("kv2_node1", "kv2_node1")) as queued:
            check("kv2_node2 is killed: the others take writes", load.goes_on(), load.said())
        PART.start("kv2_node2")
        check("and when it is back, too", load.goes_on(), load.said())
    PART.has("the others miss nothing that was answered ok", others, load.acknowledged() | queued.acknowledged())
    PART.has("it applies what waited in its queue", ["kv2_node2"], queued.acknowledged())
    lost = PART.store("kv2_node2") or {}
    check("what it had applied before is gone with its memory, as the README says", "nome" not in lost, list(lost)[:10])


def story(_):
    PART.is_as_the_readme_says(COMPOSITION)
    PART.is_set_up()
    PART.speaks_at_a_terminal("kv2_node1")
    PART.is_judged("delivery", "convergence")
    PART.broker_dies([(node, node) for node in NODES])
    node_dies()
    PART.ends_cleanly()


if __name__ == "__main__":
    sys.exit(main((COMPOSITION, story)))
