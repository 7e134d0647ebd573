#!/usr/bin/env python3
"""The compositions of Parte 4: a session at a terminal; kill -9 of leader, follower and broker under load; the volume.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
from container_store import *

NODES = {"kv4_leader": 50071, "kv4_follower1": 50072, "kv4_follower2": 50073}
ONE_BROKER = Composition("parte4-leader", ["kv4_rabbitmq", *NODES])
CLUSTER = Composition("parte4-leader", ["kv4_rabbitmq", "kv4_rabbitmq2", "kv4_rabbitmq3", *NODES],
                      "docker-compose.cluster.yml")
WRITERS = [("kv4_leader", "kv4_follower1"), ("kv4_leader", "kv4_follower1")]


def followers_only_read(part):
    for follower in ("kv4_follower1", "kv4_follower2"):
        refused, read = part.ask(follower, "SET x 3", "GET x")
        check(f"{follower} refuses SET and names the leader",
              refused.get("status") == "error" and refused.get("leader") == "leader", refused)
        check(f"{follower} still reads x as the leader set it", read.get("local_value") == '"2"', read)


def leader_dies(part):
    before = part.ask("kv4_leader", "SET before 1")[0]
    with Load(part, "leader", *WRITERS) as load:
        part.kill("kv4_leader")
        read = part.ask("kv4_follower2", "GET x")[0]
        check("the leader is killed: followers read", read.get("local_value") == '"2"', read)
        part.start("kv4_leader")
        check("it is back: writers go on", load.goes_on(), load.said())
    after = part.ask("kv4_leader", "SET after 1")[0]
    check("it numbers on from its log, in the next epoch", after.get("epoch") == before.get("epoch", 0) + 1
          and after.get("seq", 0) > before.get("seq", 0) + len(load.acknowledged()), f"{before} {after}")
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("and all hold the same", {"nome": "João"})


def follower_dies(part):
    with Load(part, "follower", *WRITERS) as load:
        part.kill("kv4_follower2")
        check("kv4_follower2 is killed: the leader takes writes", load.goes_on(), load.said())
        part.start("kv4_follower2")
        check("and when it is back, too", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("kv4_follower2 has what it had before, too, and all hold the same", {"nome": "João"})


def broker_dies(part):
    part.sync_metadata()
    with Load(part, "broker", *WRITERS) as load:
        part.kill("kv4_rabbitmq")
        time.sleep(1)  # clients ask while nobody can answer them
        part.start("kv4_rabbitmq")
        check("the broker is killed and started again: the leader takes writes again", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("and all hold the same")


def volume_keeps_the_log(part):
    before = part.store("kv4_leader")
    part.composition.down()
    part.composition.remove_nameless_volumes()  # so that the broker begins anew, and nothing is left at the end
    status, output = part.composition.compose("up", "--detach", "--wait", "--wait-timeout", "240")
    check("docker compose down, and up again", status == 0, output[-4000:])
    part.are_equal("the leader has its log from its volume, and the followers from it", before)


def with_one_broker(composition):
    part = Part("parte4", NODES, "kv4_rabbitmq", composition)
    part.is_as_the_readme_says(ONE_BROKER, CLUSTER)
    part.is_set_up()
    part.speaks_at_a_terminal("kv4_leader")
    followers_only_read(part)
    leader_dies(part)
    follower_dies(part)
    broker_dies(part)
    part.numbers_commands_once()
    volume_keeps_the_log(part)
    part.ends_cleanly()


def with_three_brokers(composition):
    part = Part("parte4", NODES, "kv4_rabbitmq2", composition)
    part.is_a_cluster("follower1_updates", 3)
    held = part.store("kv4_leader")
    check("docker compose down -v had forgotten the leader's log", held == {}, held)
    with Load(part, "cluster", *WRITERS) as load:
        part.kill("kv4_rabbitmq")
        check("one broker in three is killed: the leader takes writes", load.goes_on(), load.said())
        part.has("and its followers apply them", NODES, load.acknowledged())
        part.start("kv4_rabbitmq")
        check("and when it is back, too", load.goes_on(), load.said())
    part.has("no node misses a write that was answered ok", NODES, load.acknowledged())
    part.are_equal("and all hold the same")
    part.numbers_commands_once()
    part.ends_cleanly()


if __name__ == "__main__":
    sys.exit(main((ONE_BROKER, with_one_broker), (CLUSTER, with_three_brokers)))
