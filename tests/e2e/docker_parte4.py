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
    def meanwhile(_):
        read = part.ask("kv4_follower2", "GET x")[0]
        check("the leader is killed: followers read", read.get("local_value") == '"2"', read)
    before = part.ask("kv4_leader", "SET before 1")[0]
    load = part.survives("kv4_leader", WRITERS, meanwhile, {"nome": "João"})
    after = part.ask("kv4_leader", "SET after 1")[0]
    check("it numbers on from its log, in the next epoch", after.get("epoch") == before.get("epoch", 0) + 1
          and after.get("seq", 0) > before.get("seq", 0) + len(load.acknowledged()), f"{before} {after}")
    check("no write is refused because the leader is still starting", not load.refused(), load.refused())


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
    part.survives("kv4_follower2", WRITERS, takes_writes, {"nome": "João"})
    part.broker_dies(WRITERS)
    part.is_judged(*GUARANTEES)
    volume_keeps_the_log(part)
    part.ends_cleanly()


def with_three_brokers(composition):
    part = Part("parte4", NODES, "kv4_rabbitmq2", composition)
    held = part.store("kv4_leader")
    check("docker compose down -v had forgotten the leader's log", held == {}, held)
    part.one_broker_dies("follower1_updates", WRITERS)
    part.is_judged(*GUARANTEES)
    part.ends_cleanly()


if __name__ == "__main__":
    sys.exit(main((ONE_BROKER, with_one_broker), (CLUSTER, with_three_brokers)))
