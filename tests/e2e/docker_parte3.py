#!/usr/bin/env python3
"""The compositions of Parte 3: a session at a terminal; kill -9 of the sequencer, of a node and of a broker under load.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
from container_store import *

NODES = {"kv3_node1": 50081, "kv3_node2": 50082, "kv3_node3": 50083}
ONE_BROKER = Composition("parte3-sequencer", ["kv3_rabbitmq", "kv3_sequencer", *NODES])
CLUSTER = Composition("parte3-sequencer", ["kv3_rabbitmq", "kv3_rabbitmq2", "kv3_rabbitmq3", "kv3_sequencer", *NODES],
                      "docker-compose.cluster.yml")
EVERYWHERE = [(node, node) for node in NODES]


def others_take_writes(load):
    counted = len(load.writers[0].acknowledged)
    check("meanwhile the other nodes take writes",
          eventually(lambda: len(load.writers[0].acknowledged) > counted + 25), load.said())


def with_one_broker(composition):
    part = Part("parte3", NODES, "kv3_rabbitmq", composition)
    part.is_as_the_readme_says(ONE_BROKER, CLUSTER)
    part.is_set_up()
    part.speaks_at_a_terminal("kv3_node1")
    part.survives("kv3_sequencer", EVERYWHERE, takes_writes)  # its queue does
    part.survives("kv3_node2", [("kv3_node1", "kv3_node1"), ("kv3_node2", "kv3_node3")], others_take_writes,
                  {"nome": "João"})
    part.broker_dies(EVERYWHERE)
    part.is_judged(*GUARANTEES)
    part.ends_cleanly()


def with_three_brokers(composition):
    part = Part("parte3", NODES, "kv3_rabbitmq2", composition)
    part.one_broker_dies("node1_ordered", EVERYWHERE)
    part.is_judged(*GUARANTEES)
    part.ends_cleanly()


if __name__ == "__main__":
    sys.exit(main((ONE_BROKER, with_one_broker), (CLUSTER, with_three_brokers)))
