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


def reached(node, nodes):
    """What it delivered, or took over with a peer's state."""
    numbers = {event["message_uuid"]: event["seq"] for n in nodes for event in n.events("deliver")}
    installed = max((event.get("installed_seq", 0) for event in node.events("recover")), default=0)
    return {event["message_uuid"] for event in node.events("deliver")} | {u for u, seq in numbers.items() if seq <= installed}


def test_what_waits_for_a_consumer_at_a_broker_that_is_gone_is_not_overtaken():
    """As when a machine is switched off: the brokers know at once that the other one is gone, but while they try to reach
    it again, for seven seconds, its consumer of the sequencer's queue counts as alive. The sequencer is elsewhere by then."""
    with Broker(3) as broker, Store("parte3", broker, AMQP_QUEUE_TYPE="quorum", AMQP_HEARTBEAT="1") as store:
        sequencer = store.start("sequencer", "sequencer")
        nodes = [store.start(f"node{i + 1}") for i in range(3)]
        writers = [Writer(node, f"w{i}-", pause=0.01) for i, node in enumerate(nodes)]
        for writer in writers:
            writer.start()
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > 100, "the first hundred")
        broker.pause(1)
        for node in (2, 3):
            broker.control("eval", "erlang:disconnect_node('rabbit@127.0.0.1').", node=node)
        sequencer.wait_for("recover", 2)
        count = len(nodes[0].events("deliver"))
        wait_until(lambda: len(nodes[0].events("deliver")) > count + 600, "service to go on")
        acknowledged = {message_uuid for writer in writers for message_uuid, _, _ in writer.finish()}
        broker.kill(1)
        for node in nodes:
            wait_until(lambda node=node: acknowledged <= reached(node, nodes), f"all that was acknowledged at {node.name}")
            for sender in nodes:
                sent = [event["message_uuid"] for event in sender.events("send")]
                came = [event["message_uuid"] for event in node.events("deliver") if event["sender_id"] == sender.name]
                assert came == [message_uuid for message_uuid in sent if message_uuid in set(came)], (sender.name, node.name)


if __name__ == "__main__":
    main(sys.modules[__name__])
