#!/usr/bin/python3
"""Parte 2: nothing is lost, nothing comes twice, and still there is no total order."""

from store import *


def group(**settings):
    return Store("parte2", shared_broker(), **settings)


def start_all(store, nodes=3, **settings):
    return [store.start(f"node{i + 1}", **settings) for i in range(nodes)]


def uuids(node, sender=None):
    return [event["message_uuid"] for event in node.events("deliver") if sender in (None, event["sender_id"])]


def test_what_one_node_takes_all_nodes_apply():
    with group() as store:
        nodes = start_all(store)
        assert nodes[0].set("x", {"deep": [1, 2.5, None]})["status"] == "ok"
        wait_until(lambda: store.wait_until_equal(nodes) == {"x": {"deep": [1, 2.5, None]}}, "the value everywhere")
        reply = nodes[1].call("Get", key="x")
        assert reply["node"] == "node2" and json.loads(reply["local_value"]) == {"deep": [1, 2.5, None]}
        nodes[2].wait_for("deliver", where=lambda event: event["command_type"] == "GET")
        assert nodes[0].call("Get", key="nothing")["local_value"] == "null"


def test_nothing_is_lost_or_doubled_and_each_senders_order_holds():
    with group(NET_DELAY_MS="0-20") as store:
        nodes = start_all(store)
        writers = [Writer(node, "k") for node in nodes]
        for writer in writers:
            writer.start()
        nodes[0].wait_for("deliver", 300)
        acknowledged = [message_uuid for writer in writers for message_uuid, *_ in writer.finish()]
        for node in nodes:
            wait_until(lambda node=node: set(acknowledged) <= set(uuids(node)), "all deliveries")
            seen = uuids(node)
            assert len(seen) == len(set(seen))
            for sender in nodes:
                here, there = uuids(node, sender.name), uuids(nodes[0], sender.name)
                common = min(len(here), len(there))  # what was sent last may still be on its way to one of them
                assert here[:common] == there[:common]
        assert uuids(nodes[0]) != uuids(nodes[1]), "stalls of two streams ought to have shown"


def test_a_queue_outlives_its_nodes_connection():
    with group() as store:
        nodes = start_all(store)
        nodes[2].pause()
        for i in range(20):
            assert nodes[i % 2].set(f"k{i}", i)["status"] == "ok"
        nodes[2].resume()
        wait_until(lambda: len(store.wait_until_equal(nodes)) == 20, "all of them everywhere")


def test_a_node_that_was_killed_gets_what_waited_and_has_lost_the_rest():
    with group() as store:
        nodes = start_all(store)
        nodes[0].set("before", 1)
        store.wait_until_equal(nodes)
        wait_until(lambda: all(queue["messages"] == 0 for queue in store.broker.list_queues()
                               if queue["name"].endswith(store.suffix)), "all acknowledgements")
        nodes[2].kill()
        nodes[0].set("after", 2)
        nodes[2].restart()
        wait_until(lambda: nodes[2].store() == {"after": 2}, "what waited")
        wait_until(lambda: nodes[0].store() == {"before": 1, "after": 2}, "both, where nothing was lost")


def test_two_nodes_cannot_have_one_name():
    with group() as store:
        first = store.start("node1")
        second = store.start("node1b", ready=False, NODE_ID="node1")
        second.wait_for("connect", where=lambda event: event["level"] == "warning")
        assert first.set("x", 1)["status"] == "ok"
        assert not second.events("ready")


def test_the_broker_is_killed_under_load():
    with Broker() as broker, Store("parte2", broker) as store:
        nodes = start_all(store)
        broker.sync_metadata()
        writers = [Writer(node, f"w{i}-") for i, node in enumerate(nodes)]
        for writer in writers:
            writer.start()
        time.sleep(0.7)
        broker.kill()
        broker.restart()
        count = sum(len(writer.acknowledged) for writer in writers)
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > count + 30, "service to go on")
        acknowledged = [message_uuid for writer in writers for message_uuid, *_ in writer.finish()]
        for node in nodes:
            wait_until(lambda node=node: set(acknowledged) <= set(uuids(node)), "all deliveries")
            seen = uuids(node)
            assert len(seen) == len(set(seen))


def test_it_starts_before_its_broker_and_refuses_no_client():
    with Broker() as broker, Store("parte2", broker) as store:
        broker.kill()
        node = store.start("node1", ready=False, RPC_PORT="0")
        node.wait_for("connect", where=lambda event: event["level"] == "warning")
        broker.restart()
        node.wait_for("ready")
        assert node.set("x", 1)["status"] == "ok"


def test_an_original_node_in_the_group_understands_and_is_understood():
    with group() as store:
        node = store.start("node1")
        stranger = Stranger(store.broker)
        stranger.channel.queue_declare("python" + store.suffix, exclusive=True)
        stranger.channel.queue_bind("python" + store.suffix, store.name("kv_commands"))
        stranger.publish(store.name("kv_commands"), "", command(key="from", value="python"))
        wait_until(lambda: node.get("from") == "python", "the stranger's command")
        node.set("to", "python")
        taken = wait_until(lambda: next((m for m in [stranger.take("python" + store.suffix)]
                                         if m["command_type"] == "SET" and m["key"] == "to"), None), "our command")
        assert (taken["value"], taken["sender_id"]) == ("python", "node1"), taken
        stranger.close()


def test_it_joins_an_exchange_and_a_queue_that_an_original_made():
    with group() as store:
        stranger = Stranger(store.broker)
        stranger.channel.exchange_declare(store.name("kv_commands"), "fanout")  # not durable
        stranger.channel.queue_declare(store.name("node1"))                     # neither
        node = store.start("node1")
        assert node.set("x", 1)["status"] == "ok"
        wait_until(lambda: node.get("x") == 1, "the delivery")
        stranger.close()


def test_an_exchange_of_another_kind_is_refused_with_a_clear_line():
    with group() as store:
        stranger = Stranger(store.broker)
        stranger.channel.exchange_declare(store.name("kv_commands"), "direct")
        node = store.start("node1", ready=False)
        node.wait_for("connect", where=lambda event: "kv_commands" in event["message"])
        stranger.channel.exchange_delete(store.name("kv_commands"))
        stranger.close()
        node.wait_for("ready")


def test_it_leaves_when_asked():
    with group() as store:
        node = store.start("node1")
        node.set("x", 1)
        assert node.stop() == 0
        assert node.events("stop")


if __name__ == "__main__":
    main(sys.modules[__name__])
