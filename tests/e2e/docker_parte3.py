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


def sequencer_dies(part):
    with Load(part, "sequencer", *EVERYWHERE) as load:
        part.kill("kv3_sequencer")
        check("the sequencer is killed: its queue takes writes", load.goes_on(), load.said())
        part.start("kv3_sequencer")
        check("and when it is back, too", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("and all hold the same")


def node_dies(part):
    with Load(part, "node", ("kv3_node1", "kv3_node1"), ("kv3_node2", "kv3_node3")) as load:
        part.kill("kv3_node2")
        counted = len(load.writers[0].acknowledged)
        check("kv3_node2 is killed: the others take writes",
              eventually(lambda: len(load.writers[0].acknowledged) > counted + 25), load.said())
        part.start("kv3_node2")
        check("it is back: its own client is answered again", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("kv3_node2 has what it had before, too, and all hold the same", {"nome": "João"})


def broker_dies(part):
    part.sync_metadata()
    with Load(part, "broker", *EVERYWHERE) as load:
        part.kill("kv3_rabbitmq")
        time.sleep(1)  # clients ask while nobody can answer them
        part.start("kv3_rabbitmq")
        check("the broker is killed and started again: all nodes take writes again", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("and all hold the same")


def with_one_broker(composition):
    part = Part("parte3", NODES, "kv3_rabbitmq", composition)
    part.is_as_the_readme_says(ONE_BROKER, CLUSTER)
    part.is_set_up()
    part.speaks_at_a_terminal("kv3_node1")
    sequencer_dies(part)
    node_dies(part)
    broker_dies(part)
    part.numbers_commands_once()
    part.ends_cleanly()


def with_three_brokers(composition):
    part = Part("parte3", NODES, "kv3_rabbitmq2", composition)
    part.is_a_cluster("node1_ordered", 3)
    with Load(part, "cluster", *EVERYWHERE) as load:
        part.kill("kv3_rabbitmq")
        check("one broker in three is killed: all nodes take writes", load.goes_on(), load.said())
        part.has("and apply them", NODES, load.acknowledged())
        part.start("kv3_rabbitmq")
        check("and when it is back, too", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("and all hold the same")
    part.numbers_commands_once()
    part.ends_cleanly()


if __name__ == "__main__":
    sys.exit(main((ONE_BROKER, with_one_broker), (CLUSTER, with_three_brokers)))
