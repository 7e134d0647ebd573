#!/usr/bin/python3
"""Three brokers, quorum queues: one is killed under load, service goes on, and nothing acknowledged is lost."""

from store import *


def survive(store, replicas, writers, times=1):
    """Kills the broker that the links are most likely to be at, while `writers` write; checks what is left: nothing
    acknowledged is missing, no number is used for two commands, and no command has two."""
    for writer in writers:
        writer.start()
    wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > 100, "the first hundred")
    for killed in [1, 2, 3][:times]:
        store.broker.kill(killed)
        count = sum(len(writer.acknowledged) for writer in writers)
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > count + 100, "service to go on")
        store.broker.restart(killed)
    for writer in writers:
        writer.finish()
    wait_until_nothing_is_missing(store, replicas, writers)
    by_seq, by_uuid = {}, {}
    for replica in replicas:
        for event in replica.events("deliver"):
            assert by_seq.setdefault(event["seq"], event["message_uuid"]) == event["message_uuid"], event
            assert by_uuid.setdefault(event["message_uuid"], event["seq"]) == event["seq"], event


def test_a_sequencers_group_survives_the_death_of_one_broker_in_three():
    with Broker(3) as broker, Store("parte3", broker, AMQP_QUEUE_TYPE="quorum") as store:
        store.start("sequencer", "sequencer")
        nodes = [store.start(f"node{i + 1}") for i in range(3)]
        survive(store, nodes, [Writer(node, f"w{i}-") for i, node in enumerate(nodes)], times=3)


def test_a_leaders_group_survives_the_death_of_one_broker_in_three():
    with Broker(3) as broker, Store("parte4", broker, AMQP_QUEUE_TYPE="quorum") as store:
        leader = store.start("leader", "leader")
        followers = [store.start(f"follower{i + 1}", "follower") for i in range(2)]
        survive(store, [leader] + followers, [Writer(leader, f"w{i}-") for i in range(3)])


if __name__ == "__main__":
    main(sys.modules[__name__])
