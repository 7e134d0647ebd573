#!/usr/bin/python3
"""Parte 3: total order, and what survives when processes and the broker are killed."""

from store import *


def group(**settings):
    return Store("parte3", shared_broker(), **settings)


def start_all(store, nodes=3):
    sequencer = store.start("sequencer", "sequencer")
    return sequencer, [store.start(f"node{i + 1}") for i in range(nodes)]


def ordered(nodes, acknowledged=(), witnesses=()):
    """Checks that all nodes' logs tell one story, that no number is used twice, and that nothing acknowledged is gone: that
    some node, or one of the witnesses, has delivered it (others may have taken over a state with it in it)."""
    expected = {message_uuid for message_uuid, *_ in acknowledged}

    def delivered():
        return {event["message_uuid"] for node in (*nodes, *witnesses) for event in node.events("deliver")}
    wait_until(lambda: expected <= delivered(), lambda: f"what was acknowledged: {expected - delivered()}")
    by_seq, by_uuid = {}, {}
    for node in nodes:
        seqs = delivered_seqs(node)
        assert not seqs or seqs == list(range(seqs[0], seqs[0] + len(seqs))), (node.name, seqs)
        for event in node.events("deliver"):
            assert by_seq.setdefault(event["seq"], event["message_uuid"]) == event["message_uuid"], event
            assert by_uuid.setdefault(event["message_uuid"], event["seq"]) == event["seq"], event


def test_three_writers_end_in_one_order():
    with group() as store:
        _, nodes = start_all(store)
        writers = [Writer(node, "k") for node in nodes]
        for writer in writers:
            writer.start()
        nodes[0].wait_for("deliver", 300)
        acknowledged = [entry for writer in writers for entry in writer.finish()]
        store.wait_until_equal(nodes)
        ordered(nodes, acknowledged)


def test_set_may_wait_for_its_place():
    with group() as store:
        _, nodes = start_all(store, 1)
        assert nodes[0].set("x", 1)["message"] == "sent to the sequencer"
        reply = nodes[0].set("x", {"a": [1, 2]}, wait=True)
        assert reply["status"] == "ok" and reply["seq"] == 2, reply
        assert nodes[0].get("x") == {"a": [1, 2]}
        read = nodes[0].call("Get", key="x", wait=True)
        assert read["seq"] == 4 and json.loads(read["local_value"]) == {"a": [1, 2]}, read


def test_a_command_that_is_sent_again_is_applied_once():
    with group() as store:
        _, nodes = start_all(store, 2)
        known = str(uuid.uuid4())
        first = nodes[0].set("x", 1, wait=True, message_uuid=known)
        again = nodes[0].set("x", 1, wait=True, message_uuid=known)
        assert first["seq"] == again["seq"] == 1
        elsewhere = nodes[1].set("x", 1, message_uuid=known)
        assert elsewhere["status"] == "ok"
        last = nodes[1].set("y", 2, wait=True)
        assert last["seq"] == 2, last


def test_the_sequencer_is_killed_again_and_again():
    with group() as store:
        sequencer, nodes = start_all(store)
        writers = [Writer(node, f"w{i}-") for i, node in enumerate(nodes)]
        for writer in writers:
            writer.start()
        for _ in range(12):
            time.sleep(random.uniform(0.01, 0.3))
            sequencer.restart()
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > 100, "enough that is acknowledged")
        acknowledged = [entry for writer in writers for entry in writer.finish()]
        store.wait_until_equal(nodes)
        ordered(nodes, acknowledged)


def test_two_sequencers_do_not_number_at_the_same_time():
    with group() as store:
        first, nodes = start_all(store, 1)
        second = store.start("sequencer2", "sequencer", ready=False)
        second.wait_for("connect", where=lambda event: event["level"] == "warning")
        assert nodes[0].set("x", 1, wait=True)["seq"] == 1
        first.kill()
        second.wait_for("ready")
        assert nodes[0].set("x", 2, wait=True)["seq"] == 2


def test_a_node_is_killed_at_random_instants():
    with group() as store:
        _, nodes = start_all(store)
        writers = [Writer(node, f"w{i}-") for i, node in enumerate(nodes)]
        for writer in writers:
            writer.start()
        for _ in range(13):
            time.sleep(random.uniform(0.01, 0.2))
            nodes[1].restart()
        acknowledged = [entry for writer in writers for entry in writer.finish()]
        store.wait_until_equal(nodes)
        ordered([nodes[0], nodes[2]], acknowledged, witnesses=nodes)


def test_a_node_that_starts_late_catches_up():
    with group() as store:
        _, nodes = start_all(store, 2)
        for i in range(50):
            nodes[i % 2].set(f"k{i}", i, wait=True)
        late = store.start("node3")
        late.wait_for("recover", where=lambda event: event.get("installed_seq", 0) >= 50)
        assert store.wait_until_equal(nodes + [late])["k49"] == 49


def test_all_nodes_are_killed_and_learn_again_from_the_sequencer():
    with group() as store:
        sequencer, nodes = start_all(store, 2)
        for i in range(20):
            nodes[i % 2].set(f"k{i}", i, wait=True)
        for node in nodes:
            node.kill()
        sequencer.restart()  # it has forgotten, too: the broker's history is what is left
        for node in nodes:
            node.restart()
        wait_until(lambda: len(store.wait_until_equal(nodes)) == 20, "what had been ordered")
        ordered(nodes)


def test_a_gap_is_noticed_and_repaired():
    """The broker loses a node's queue: what was in it is gone, and no message says so."""
    with group() as store:
        _, nodes = start_all(store)
        nodes[0].set("a", 1, wait=True)
        nodes[2].pause()
        for i in range(10):
            nodes[0].set(f"b{i}", i, wait=True)
        shared_broker().control("delete_queue", store.name("node3_ordered"))
        nodes[2].resume()
        assert "b9" in store.wait_until_equal(nodes)
        assert nodes[0].set("c", 1, wait=True)["status"] == "ok"
        ordered(nodes[:2])


def test_who_waits_for_a_command_hears_of_it_also_when_a_peers_state_brings_it():
    with group() as store:
        _, nodes = start_all(store, 2)
        faults = os.path.join(store.folder, "faults.json")
        with open(faults, "w", encoding="utf-8") as file:
            file.write('{"NET_PARTITION": "node3|sequencer"}')
        cut_off = store.start("node3", NET_FAULTS_FILE=faults)
        replies = []
        waiting = [threading.Thread(target=lambda key=key: replies.append(cut_off.set(key, 1, wait=True))) for key in "xyz"]
        for thread in waiting:
            thread.start()
        cut_off.wait_for("recover", where=lambda event: event.get("installed_seq", 0) >= 3)
        with open(faults + ".new", "w", encoding="utf-8") as file:
            file.write("{}")
        os.replace(faults + ".new", faults)
        for thread in waiting:
            thread.join(LIMIT)
        assert sorted((reply["status"], reply["seq"]) for reply in replies) == [("ok", 1), ("ok", 2), ("ok", 3)], replies
        assert store.wait_until_equal([*nodes, cut_off]) == {"x": 1, "y": 1, "z": 1}


def test_malformed_messages_are_discarded_and_not_delivered_again():
    with group() as store:
        sequencer, nodes = start_all(store, 1)
        bad = [b"{not json", b"", b"[]", json.dumps({"command_type": "SET"}).encode(), b"\xff" * 10]
        stranger = Stranger(store.broker)
        for body in bad:
            stranger.publish("", store.name("kv3_to_sequencer"), body)
            stranger.publish(store.name("kv3_ordered"), "", body)
        stranger.publish(store.name("kv3_ordered"), "", command(key="x", value="no seq"))
        stranger.close()
        sequencer.wait_for("discard", len({"not_json", "not_utf8", "field_missing"}))
        assert nodes[0].set("x", 1, wait=True)["status"] == "ok"
        wait_until(lambda: all(queue["messages"] == 0 for queue in store.broker.list_queues()
                               if queue["name"].endswith(store.suffix) and "history" not in queue["name"]),
                   "empty queues")


def test_the_broker_is_killed_under_load():
    with Broker() as broker, Store("parte3", broker) as store:
        _, nodes = start_all(store)
        broker.sync_metadata()
        writers = [Writer(node, f"w{i}-") for i, node in enumerate(nodes)]
        for writer in writers:
            writer.start()
        for _ in range(2):
            time.sleep(0.7)
            broker.kill()
            broker.restart()
        count = sum(len(writer.acknowledged) for writer in writers)
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > count + 30, "service to go on")
        acknowledged = [entry for writer in writers for entry in writer.finish()]
        store.wait_until_equal(nodes)
        ordered(nodes, acknowledged)


def test_it_leaves_when_asked_and_says_so():
    with group() as store:
        sequencer, nodes = start_all(store, 1)
        nodes[0].set("x", 1, wait=True)
        assert nodes[0].stop() == 0 and sequencer.stop() == 0
        assert nodes[0].events("stop")[-1]["keys"] == 1


if __name__ == "__main__":
    main(sys.modules[__name__])
