#!/usr/bin/python3
"""Parte 4: one leader, total order with one message per update, and a log that survives kill -9."""

import contextlib
import sqlite3

from store import *


def group(**settings):
    return Store("parte4", shared_broker(), **settings)


def start_all(store, followers=2):
    leader = store.start("leader", "leader")
    return leader, [store.start(f"follower{i + 1}", "follower") for i in range(followers)]


def agree(nodes, acknowledged=()):
    """Checks that all logs tell one story, that no number is used twice, and that nothing acknowledged is gone."""
    by_seq, by_uuid = {}, {}
    for node in nodes:
        for event in node.events("deliver"):
            assert by_seq.setdefault(event["seq"], event["message_uuid"]) == event["message_uuid"], event
            assert by_uuid.setdefault(event["message_uuid"], event["seq"]) == event["seq"], event
        seqs = delivered_seqs(node)
        assert not seqs or seqs == list(range(seqs[0], seqs[0] + len(seqs))), (node.name, seqs)
    for message_uuid, *_ in acknowledged:
        assert message_uuid in by_uuid, message_uuid


def refusal(node, key, value):
    """What a node that does not lead says to SET, once it has heard who does."""
    return wait_until(lambda: next((reply for reply in [node.set(key, value)] if "leader" in reply), None), "a leader's name")


def test_the_leader_takes_set_and_followers_apply():
    with group() as store:
        leader, followers = start_all(store)
        reply = leader.set("x", 1)
        assert (reply["status"], reply["seq"], reply["node"]) == ("ok", 1, "leader"), reply
        assert store.wait_until_equal([leader] + followers) == {"x": 1}
        assert followers[0].get("x") == 1


def test_a_follower_refuses_set_and_names_the_leader():
    with group() as store:
        leader, followers = start_all(store, 1)
        leader.set("x", 1)
        wait_until(lambda: followers[0].get("x") == 1, "the update")
        reply = refusal(followers[0], "x", 2)
        assert reply["status"] == "error" and reply["leader"] == "leader" and "leader" in reply["message"], reply
        assert leader.get("x") == 1


def test_reads_cost_no_message():
    with group() as store:
        leader, followers = start_all(store, 1)
        stranger = Stranger(store.broker)
        queue = stranger.channel.queue_declare("all-updates" + store.suffix, exclusive=True).method.queue
        stranger.channel.queue_bind(queue, store.name("kv4_updates"))
        leader.set("x", 1)
        for node in (leader, followers[0]):
            node.get("x")
            node.store()
        leader.set("x", 2)
        wait_until(lambda: followers[0].get("x") == 2, "the update")
        assert [stranger.take(queue)["value"] for _ in range(2)] == [1, 2]
        assert stranger.channel.basic_get(queue)[0] is None
        stranger.close()


def test_a_leader_that_was_killed_goes_on_from_its_log():
    with group() as store:
        leader, followers = start_all(store)
        for i in range(20):
            leader.set(f"k{i}", i)
        first = leader.events("elect")[-1]
        leader.restart()
        assert leader.events("elect")[-1]["epoch"] > first["epoch"]
        assert leader.get("k19") == 19
        assert leader.set("new", 1)["seq"] == 21
        assert len(store.wait_until_equal([leader] + followers)) == 21
        agree([leader] + followers)


def test_the_leader_is_killed_at_random_instants():
    with group() as store:
        leader, followers = start_all(store)
        writers = [Writer(leader, f"w{i}-") for i in range(3)]
        for writer in writers:
            writer.start()
        for _ in range(12):
            time.sleep(random.uniform(0.01, 0.3))
            leader.restart()
        count = sum(len(writer.acknowledged) for writer in writers)
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > count + 30, "service to go on")
        for writer in writers:
            writer.finish()
        wait_until_nothing_is_missing(store, [leader] + followers, writers)


def test_a_follower_is_killed_at_random_instants():
    with group() as store:
        leader, followers = start_all(store)
        writer = Writer(leader, "w")
        writer.start()
        for _ in range(13):
            time.sleep(random.uniform(0.01, 0.2))
            followers[0].restart()
        acknowledged = writer.finish()
        store.wait_until_equal([leader] + followers)
        agree([leader, followers[1]], acknowledged)


def test_a_follower_that_lost_its_queue_recovers_from_the_leader():
    with group() as store:
        leader, followers = start_all(store)
        followers[0].pause()
        for i in range(10):
            leader.set(f"k{i}", i)
        shared_broker().control("delete_queue", store.name("follower1_updates"))
        followers[0].resume()
        assert len(store.wait_until_equal([leader] + followers)) == 10


def with_a_second_leader(test):
    """test(store, leader, followers, second), once the second one heard of the first before it led: it listens for 300 ms,
    and on a machine that stands still nobody may have answered by then."""
    for _ in range(5):
        with group() as store:
            leader, followers = start_all(store)
            leader.set("x", 1)
            store.wait_until_equal([leader] + followers)  # whoever answers the second one's question knows of it
            second = store.start("leader2", "leader")
            events = second.events()
            early = events[:[event["event"] for event in events].index("elect")]
            if any(event.get("from", "disk") != "disk" for event in early):
                test(store, leader, followers, second)
                return
    raise AssertionError("nobody tells a second leader what is known")


def test_of_two_leaders_the_one_with_the_older_epoch_stops():
    def test(store, leader, followers, second):
        assert second.get("x") == 1  # it has learned what the first knew
        leader.wait_for("step_down")
        reply = refusal(leader, "x", 2)
        assert reply["status"] == "error" and reply["leader"] == "leader2", reply
        assert second.set("x", 3)["status"] == "ok"
        assert store.wait_until_equal([leader, second] + followers) == {"x": 3}
    with_a_second_leader(test)


def test_a_leader_that_stepped_down_has_the_newer_ones_state_in_its_log():
    def test(store, leader, followers, second):
        leader.wait_for("step_down")
        second.set("x", 2)
        store.wait_until_equal([leader, second] + followers)
        for node in (second, *followers, leader):  # nobody is left whom it could ask
            node.kill()
        leader.restart()
        assert leader.store() == {"x": 2}
        newest = second.events("elect")[-1]["epoch"]
        assert leader.events("elect")[-1]["epoch"] > newest and leader.set("x", 3)["seq"] == 3
    with_a_second_leader(test)


def test_a_set_that_comes_before_the_leader_leads_waits_for_it():
    with reserved_port() as port, Broker() as broker, Store("parte4", broker) as store:
        broker.pause()
        leader = store.start("leader", "leader", ready=False, RPC_PORT=str(port))
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            def read():
                return channel.unary_unary("/kv.KvService/Print")(b"{}", timeout=LIMIT, wait_for_ready=True)
            read()  # it takes calls
            early = [channel.unary_unary("/kv.KvService/Set").future(
                json.dumps({"key": key, "value": 1}).encode(), timeout=LIMIT) for key in "xy"]
            assert json.loads(json.loads(read())["snapshot"]) == {} and not any(call.done() for call in early)
            assert leader.events("elect") == []
            broker.resume()
            replies = [json.loads(call.result()) for call in early]
        assert {(reply["status"], reply["seq"]) for reply in replies} == {("ok", 1), ("ok", 2)}, replies
        assert leader.store() == {"x": 1, "y": 1}


def rows(leader, sql):
    """What the log of a leader that does not run holds."""
    path = os.path.join(leader.group.folder, f"data-{leader.name}", "updates.db")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        return database.execute(sql).fetchall()


def test_the_log_does_not_grow_for_ever_and_still_knows_all():
    with group() as store:
        leader, _ = start_all(store, 0)
        before = leader.set("before", 1)["seq"]
        done = subprocess.run([program("tests/tools/kv_load"), f"127.0.0.1:{leader.port()}", "/kv.KvService/Set",
                               '{"key":"x","value":1}', "25000", "500"], capture_output=True, timeout=5 * LIMIT)
        assert done.returncode == 0, done.stdout + done.stderr
        leader.kill()
        assert rows(leader, "SELECT count(*) FROM updates")[0][0] <= 20000
        leader.restart()
        assert leader.set("after", 1)["seq"] == before + 25001
        assert leader.store() == {"before": 1, "x": 1, "after": 1}


def test_a_damaged_log_is_refused_in_one_line():
    with group() as store:
        leader, _ = start_all(store, 0)
        for i in range(5):
            leader.set("x", i)
        leader.kill()
        rows(leader, "DELETE FROM updates WHERE seq = 3")
        leader.restart(ready=False)
        assert leader.process.wait(LIMIT) == 1
        assert "goes on with 4 after 2: it is damaged" in leader.screen(), leader.screen()


def test_malformed_messages_are_discarded_and_stop_nobody():
    with group() as store:
        leader, followers = start_all(store, 1)
        stranger = Stranger(store.broker)
        notes = [b"{not json", b"", b"[]", b"{}", b'{"type":"ask"}', b'{"type":"state","node":"x","epoch":1,"seq":9}',
                 b'{"type":"leader","node":"../x","epoch":-1,"seq":1e99}', b'{"type":7,"node":"x","epoch":0,"seq":0}',
                 b'{"type":"state","node":"x","epoch":1,"seq":9,"snapshot":[]}', b"\xff" * 100]
        for note in notes:
            stranger.publish(store.name("kv4_control"), "", note)
            stranger.publish(store.name("kv4_updates"), "", note)
        for seq in (None, 0, -1, 1.5, "1", 2**70):
            stranger.publish(store.name("kv4_updates"), "", command(seq=seq))
        followers[0].wait_for("discard", 3)
        assert leader.set("x", 1)["status"] == "ok"
        assert store.wait_until_equal([leader] + followers) == {"x": 1}
        stranger.close()


def test_one_log_has_one_leader():
    with group() as store:
        leader, _ = start_all(store, 0)
        second = store.start("leader2", "leader", ready=False,
                             DATA_DIR=os.path.join(store.folder, "data-leader"))
        assert second.process.wait(LIMIT) == 1
        assert "another leader has it open" in second.screen()
        assert leader.set("x", 1)["status"] == "ok"


def test_an_update_that_is_sent_again_is_applied_once():
    with group() as store:
        leader, _ = start_all(store, 1)
        known = str(uuid.uuid4())
        first = leader.set("x", 1, message_uuid=known)
        assert leader.set("x", 1, message_uuid=known)["seq"] == first["seq"]
        leader.restart()
        assert leader.set("x", 1, message_uuid=known)["seq"] == first["seq"]


def test_original_followers_understand_the_leader():
    with group() as store:
        leader, _ = start_all(store, 0)
        stranger = Stranger(store.broker)
        stranger.channel.queue_declare("python" + store.suffix, exclusive=True)
        stranger.channel.queue_bind("python" + store.suffix, store.name("kv4_updates"))
        leader.set("x", "1")
        taken = stranger.take("python" + store.suffix)
        assert (taken["command_type"], taken["key"], taken["value"], taken["seq"]) == ("SET", "x", "1", 1), taken
        stranger.close()


def test_a_follower_follows_an_original_leader():
    with group() as store:
        follower = store.start("follower1", "follower")
        stranger = Stranger(store.broker)
        for seq in (1, 2):
            stranger.publish(store.name("kv4_updates"), "", command(key="x", value=str(seq), seq=seq))
        wait_until(lambda: follower.get("x") == "2", "the second update")
        stranger.close()


def test_the_broker_is_killed_under_load():
    with Broker() as broker, Store("parte4", broker) as store:
        leader, followers = start_all(store)
        broker.sync_metadata()
        writers = [Writer(leader, f"w{i}-") for i in range(3)]
        for writer in writers:
            writer.start()
        time.sleep(0.7)
        broker.kill()
        broker.restart()
        count = sum(len(writer.acknowledged) for writer in writers)
        wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > count + 30, "service to go on")
        acknowledged = [entry for writer in writers for entry in writer.finish()]
        store.wait_until_equal([leader] + followers)
        agree([leader] + followers, acknowledged)


def test_it_leaves_when_asked():
    with group() as store:
        leader, followers = start_all(store, 1)
        leader.set("x", 1)
        assert leader.stop() == 0 and followers[0].stop() == 0


if __name__ == "__main__":
    main(sys.modules[__name__])
