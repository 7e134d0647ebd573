#!/usr/bin/env python3
"""Paxos as processes: proposers, acceptors and learners that are asked, killed, cut short and asked nonsense."""

import collections
import itertools
import sys
import threading
import time

from ordem import json, main, os, socket, wait_until
from paxos import Cluster, request

SET = {"operation": "SET", "resource": "x", "data": 1}


def in_threads(count, work):
    """Runs work(i) in so many threads; returns what each returned, and raises what one of them raised."""
    results, problems = [None] * count, []

    def run(i):
        try:
            results[i] = work(i)
        except Exception as problem:  # told by whoever waits for it
            problems.append(problem)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


def last_words(member):
    """What it said last: the start and why not, in any order."""
    return "\n".join(member.screen().splitlines()[-2:])


def ballot_of(member):
    """The ballot with which it leads; None if it does not."""
    status, reply = member.get("/leader-status")
    return (reply["ballot"]["proposalNumber"], reply["ballot"]["proposerId"]) if status == 200 else None


def leading(cluster):
    """Who leads, and its ballot: two looks, between which it may cease to."""
    def both():
        member = cluster.leader()
        ballot = ballot_of(member)
        return ballot and (member, ballot)
    return wait_until(both, "a leader that tells its ballot")


def follower(cluster):
    leader = cluster.leader()
    return next(member for member in cluster.proposers if member is not leader)


# ---- asking ----


def test_a_write_is_decided_and_read():
    with Cluster(learners=2) as cluster:
        cluster.start()
        first = cluster.write("cor", {"nome": "azul", "n": [1, None]})
        second = cluster.write("cor", "verde")
        assert second["instanceId"] > first["instanceId"], (first, second)
        read = cluster.read("cor")
        assert read["value"] == "verde" and read["resource"] == "cor" and read["version"] == 2, read
        assert read["instanceId"] >= second["instanceId"], read
        assert cluster.read("nada")["value"] is None
        status, reply = cluster.propose({"operation": "print"})
        assert status == 200 and reply["snapshot"] == {"cor": "verde"}, reply


def test_a_command_of_parts_1_to_4_is_taken():
    with Cluster(learners=1) as cluster:
        cluster.start()
        message = {"command_type": "SET", "key": "k", "value": [True], "sender_id": "node1",
                   "message_uuid": "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10", "timestamp": 1763689000.25, "seq": None}
        status, reply = cluster.propose(message)
        assert status == 200 and reply["status"] == "decided", reply
        assert cluster.read("k")["value"] == [True]


def test_202_says_that_it_is_on_its_way():
    with Cluster(learners=1) as cluster:
        cluster.start()
        command = cluster.command(**SET)

        def accepted():  # a leader that ends loses what only waited, so the same command is sent until it is there
            status, reply = cluster.propose(command, query="")
            assert (status, reply["status"]) == (202, "accepted") and reply["proposerId"] in (1, 2, 3), reply
            return cluster.read("x")["value"] == 1
        wait_until(accepted, "the write")
        assert cluster.read("x")["version"] == 1


def test_a_follower_sends_clients_to_the_leader():
    with Cluster() as cluster:
        cluster.start()

        def redirected():  # who leads may change meanwhile
            leader, other = cluster.leader(), follower(cluster)
            status, reply, headers = other.post("/propose?wait=decided", cluster.command(**SET))
            return (status == 307 and "error" in reply and other.get("/leader-status")[0] == 404 and
                    headers["Location"] == f"http://{leader.address}/propose?wait=decided" and
                    leader.get("/leader-status")[1].get("proposerId") == leader.number)
        wait_until(redirected, "a redirection to the leader")


def test_a_stale_read_comes_from_any_proposer_and_says_how_old_it_is():
    with Cluster(learners=1) as cluster:
        cluster.start()
        cluster.write("x", 7)
        command = cluster.command(operation="GET", resource="x")

        def fresh():
            status, reply, _ = follower(cluster).post("/propose?stale=true", command)
            if status == 503:  # no learner answered it in time
                return None
            assert status == 200 and reply["status"] == "stale", reply
            return reply["value"] == 7 and isinstance(reply["ageMs"], int)
        wait_until(fresh, "a stale read that shows the write")


def test_a_command_that_comes_twice_is_one():
    with Cluster(learners=1, TIMEOUT_MS="2000") as cluster:  # so long does it lead without a majority, twice
        cluster.start()
        names = itertools.count(1)

        def three_at_once():
            """The command, and what three that sent it at once were told; nothing if another began to lead meanwhile: then
            it is written all the same, as versions count all writes."""
            leader = cluster.leader()
            command = cluster.command(operation="SET", resource=f"n{next(names)}", data="once")
            before = leader.get("/stats")[1]["joined"]
            told = []
            threads = [threading.Thread(target=lambda: told.append(leader.post("/propose?wait=decided", command)))
                       for _ in range(3)]
            for acceptor in cluster.acceptors[:2]:
                acceptor.pause()
            for thread in threads:
                thread.start()
            wait_until(lambda: leader.get("/stats")[1]["joined"] == before + 2 or len(told) == 3,
                       "two of them to join the first, or an answer for all")
            joined = leader.get("/stats")[1]["joined"] - before
            for acceptor in cluster.acceptors[:2]:
                acceptor.resume()
            for thread in threads:
                thread.join()
            if joined != 2:
                cluster.propose(command)
                return None
            return command, told

        command, told = wait_until(three_at_once, "a leader that stays while three ask")
        assert len({json.dumps(reply) for _, reply, _ in told}) == 1, told
        if told[0][0] == 504:  # it led no more: now it is known
            cluster.propose(command)
        cluster.propose(command)  # long decided
        assert cluster.read(command["resource"])["version"] == int(command["resource"][1:])


def test_commands_that_come_together_share_instances():
    with Cluster(learners=1) as cluster:
        cluster.start()
        in_threads(20, lambda i: [cluster.write(f"r{i}", n) for n in range(20)])
        stats = [member.get("/stats")[1] for member in cluster.proposers]
        assert sum(each["decided"] for each in stats) >= 400, stats
        assert sum(each["instances"] for each in stats) <= sum(each["decided"] for each in stats), stats
        status, reply = cluster.propose({"operation": "PRINT"})
        assert status == 200 and reply["snapshot"] == {f"r{i}": 19 for i in range(20)}, reply


# ---- failures ----


def test_who_leads_is_killed_and_nothing_acknowledged_is_lost():
    with Cluster(learners=2) as cluster:
        cluster.start()
        for i in range(3):
            cluster.write(f"before-{i}", i)
            leader = cluster.leader()
            leader.kill()
            cluster.write(f"after-{i}", i)
            assert cluster.leader() is not leader
            for j in range(i + 1):
                assert cluster.read(f"before-{j}")["value"] == j
            cluster.start()


def test_writers_go_on_while_leaders_die():
    with Cluster(proposers=3, acceptors=3, learners=2) as cluster:
        cluster.start()
        done = threading.Event()

        def write(i):
            n = 0
            while n < 20 or not done.is_set():
                n += 1
                cluster.write(f"w{i}", n)
            return n

        def trouble(_):
            try:
                for _ in range(3):
                    leader = cluster.leader()
                    leader.kill()
                    cluster.leader()
                    cluster.start(leader)
            finally:  # or the writers would go on for ever
                done.set()
        results = in_threads(4, lambda i: trouble(i) if i == 3 else write(i))
        for i in range(3):
            read = cluster.read(f"w{i}")
            assert read["value"] == results[i] and read["version"] >= results[i], (read, results)


def test_without_a_majority_there_is_a_clear_503_until_it_is_back():
    with Cluster(acceptors=5, learners=1) as cluster:
        cluster.start()
        cluster.write("x", 1)
        for acceptor in cluster.acceptors[:3]:
            acceptor.kill()

        def refused():
            status, reply, headers = cluster.proposers[0].post("/propose?wait=decided", cluster.command(**SET))
            return status == 503 and "no leader" in reply["error"] and headers["Retry-After"]
        wait_until(refused, "503")
        wait_until(lambda: cluster.find_leader() is None, "nobody to lead")
        cluster.start(cluster.acceptors[0])
        cluster.write("x", 2)
        assert cluster.read("x")["value"] == 2


def test_a_leader_without_a_majority_says_that_it_does_not_know():
    with Cluster(learners=1) as cluster:
        cluster.start()
        leader = cluster.leader()
        for acceptor in cluster.acceptors[:2]:
            acceptor.kill()

        def told():  # another may have begun to lead: it gives up by itself, and nobody is named any more
            status, reply, _ = leader.post("/propose?wait=decided", cluster.command(**SET))
            assert status in (307, 503, 504) and "error" in reply, (status, reply)
            return status != 307
        wait_until(told, "503 or 504")
        cluster.start()
        cluster.write("x", 3)


def test_all_restart_at_once():
    with Cluster(acceptors=5, learners=2) as cluster:
        cluster.start()
        for i in range(30):
            cluster.write(f"k{i}", i)
        _, before = leading(cluster)
        for member in cluster.all():
            member.kill()
        cluster.start()
        for i in range(30):
            assert cluster.read(f"k{i}")["value"] == i
        assert leading(cluster)[1] > before


def test_a_paused_leader_finds_out_that_it_leads_no_more():
    with Cluster(learners=1) as cluster:
        cluster.start()
        cluster.write("x", 1)
        leader, ballot = leading(cluster)
        leader.pause()
        others = [member for member in cluster.proposers if member is not leader]

        def written():
            another = next((member for member in others if member.get("/leader-status")[0] == 200), None)
            return another is not None and another.post("/propose?wait=decided",
                                                        cluster.command(**SET | {"data": 2}))[0] == 200
        wait_until(written, "another leader that takes a write")
        leader.resume()
        # It may lead anew before it is asked.
        wait_until(lambda: ballot_of(leader) != ballot, "the old leader to follow")
        assert cluster.read("x")["value"] == 2


def test_a_leader_that_reaches_no_acceptor_gives_way_and_follows():
    with Cluster(learners=1, DEBUG="true") as cluster:
        cluster.start()
        cluster.write("x", 1)
        leader = cluster.leader()
        others = [member for member in cluster.all() if member.role == "acceptor"]
        cut = f"{leader.name}|" + ",".join(member.name for member in others)
        assert leader.post("/debug/config", {"faults": {"NET_PARTITION": cut}})[0] == 200
        wait_until(lambda: cluster.find_leader() not in (None, leader), "another leader")
        cluster.write("x", 2)
        wait_until(lambda: leader.post("/propose?wait=decided", cluster.command(**SET))[0] in (307, 503),
                   "it refuses or redirects")
        assert leader.post("/debug/config", {"faults": {"NET_PARTITION": ""}})[0] == 200
        wait_until(lambda: (found := cluster.find_leader()) and found.status()["leaderId"], "a leader")
        cluster.write("x", 3)
        assert cluster.read("x")["value"] == 3


def test_two_proposers_that_do_not_hear_one_another_serve_clients():
    with Cluster(proposers=2, learners=1, NET_PARTITION="proposer-1|proposer-2") as cluster:
        cluster.start()
        n = 0
        while len([member for member in cluster.proposers if member.events("elect")]) < 2 or n < 50:
            n += 1
            cluster.write("x", n)
        assert cluster.read("x")["value"] == n


def test_a_network_slower_than_the_heartbeat():
    with Cluster(learners=1, NET_DELAY_MS="60-60", HEARTBEAT_MS="50", TIMEOUT_MS="2000") as cluster:
        cluster.start()
        cluster.write("x", 1)
        for _ in range(5):  # each of them waits for a majority to confirm that the leader leads
            assert cluster.read("x")["value"] == 1


def test_a_bad_network_costs_time_and_nothing_else():
    with Cluster(learners=2, NET_DELAY_MS="0-20", NET_LOSS="0.02", NET_SEED="7", TIMEOUT_MS="1000") as cluster:
        cluster.start()
        in_threads(5, lambda i: [cluster.write(f"k{i}", n) for n in range(10)])
        for i in range(5):
            read = cluster.read(f"k{i}")
            assert (read["value"], read["version"] >= 10) == (9, True), read


# ---- its disk ----


def test_a_proposer_stops_in_good_order_and_keeps_its_round():
    with Cluster(proposers=1, learners=1) as cluster:
        cluster.start()
        cluster.write("x", 1)
        member, (number, _) = leading(cluster)
        assert member.stop() == 0, member.screen()
        with open(os.path.join(member.folder, "proposer_1_state.json"), encoding="utf-8") as file:
            state = json.load(file)
        assert state == {"nodeId": 1, "proposalNumber": state["proposalNumber"]}, state
        # It may have stepped down since it was asked: then it led with another round, or stopped while it tried to.
        last = [event for event in member.events() if event["event"] in ("elect", "step_down")][-1]
        if last["event"] == "elect":
            assert state["proposalNumber"] == last["epoch"] >= number, (state, last, number)
        else:
            assert state["proposalNumber"] >= last["epoch"] >= number, (state, last, number)
        checkpoints = os.listdir(os.path.join(member.folder, "checkpoints"))
        assert checkpoints == ["proposer_1_0000000001.json"], checkpoints
        cluster.start()
        cluster.write("x", 2)
        _, (number, _) = leading(cluster)
        assert number > state["proposalNumber"], (number, state)


def test_the_last_checkpoints_are_kept_and_a_hurt_one_is_passed_over():
    with Cluster(proposers=1, learners=1) as cluster:
        folder = os.path.join(cluster.folder, "proposer-1", "checkpoints")
        for i in range(7):
            cluster.start()
            cluster.write("x", i)
            cluster.proposers[0].stop()
        names = [f"proposer_1_{number:010}.json" for number in range(3, 8)]
        assert sorted(os.listdir(folder)) == names, os.listdir(folder)
        with open(os.path.join(folder, names[3]), encoding="utf-8") as file:
            first = json.load(file)["firstUndecided"]
        with open(os.path.join(folder, names[4]), "w", encoding="utf-8") as file:
            file.write("{")
        cluster.proposers[0].start(ACCEPTORS="127.0.0.1:1")
        cluster.proposers[0].wait_healthy()
        assert cluster.proposers[0].status()["firstUndecided"] == first
        cluster.proposers[0].stop()
        cluster.start()
        assert cluster.read("x")["value"] == 6


def test_a_hurt_state_is_refused_and_left_alone():
    with Cluster(proposers=1) as cluster:
        cluster.start()
        member = cluster.leader()
        member.stop()
        path = os.path.join(member.folder, "proposer_1_state.json")
        for hurt in (b"", b"{", b"[]", b"{}", b'{"nodeId":2,"proposalNumber":1}', b'{"nodeId":1,"proposalNumber":-1}',
                     b'{"nodeId":1,"proposalNumber":9007199254740993}', b"\xff" * 5000):
            with open(path, "wb") as file:
                file.write(hurt)
            member.start()
            assert member.process.wait() == 1, hurt
            assert path in last_words(member), member.screen()
            with open(path, "rb") as file:
                assert file.read() == hurt
    with Cluster(proposers=1, learners=1) as cluster:
        cluster.start()
        cluster.write("x", 1)
        member = cluster.leader()
        member.stop()
        os.unlink(os.path.join(member.folder, "proposer_1_state.json"))
        member.start()
        assert member.process.wait() == 1 and "is gone" in member.screen(), member.screen()


def test_a_proposer_that_cannot_write_does_not_lead():
    with Cluster(proposers=1) as cluster:
        obstacle = os.path.join(cluster.folder, "proposer-1", "proposer_1_state.json.new")
        cluster.start(*cluster.acceptors)
        member = cluster.proposers[0]
        cluster.start(member)
        cluster.leader()
        member.kill()
        if os.path.exists(obstacle):  # it was killed while it wrote there
            os.unlink(obstacle)
        os.mkdir(obstacle)
        cluster.start(member)
        wait_until(lambda: any("no attempt to lead" in event.get("message", "") for event in member.events()),
                   "its complaint")
        status, reply, _ = member.post("/propose", cluster.command(**SET))
        assert status == 503, reply
        os.rmdir(obstacle)
        cluster.leader()


def test_settings_that_do_not_fit_are_refused():
    with Cluster(proposers=2) as cluster:
        member = cluster.proposers[0]
        for settings, words in (({"NODE_ID": "3"}, "NODE_ID is 3"), ({"NODE_ID": "x"}, "NODE_ID"),
                                ({"ACCEPTORS": ""}, "ACCEPTORS"), ({"PROPOSERS": "a:b:c"}, "PROPOSERS"),
                                ({"TIMEOUT_MS": "60"}, "TIMEOUT_MS"), ({"PORT": "70000"}, "PORT")):
            member.start(**settings)
            assert member.process.wait() == 1, settings
            assert words in last_words(member), member.screen()


def test_acceptors_in_another_order_are_not_taken_for_one_another():
    with Cluster(proposers=1, acceptors=3) as cluster:
        cluster.start(*cluster.acceptors)
        member = cluster.proposers[0]
        member.start(ACCEPTORS=",".join(acceptor.address for acceptor in reversed(cluster.acceptors)))
        events = wait_until(lambda: member.events("discard"), "its complaint")
        assert "ACCEPTORS says" in events[0]["message"], events[0]
        assert member.wait_healthy().get("/leader-status")[0] == 404


# ---- what is asked, logged and set ----


def test_the_log_tells_of_each_command_once():
    with Cluster(proposers=1, learners=1) as cluster:
        cluster.start(*cluster.acceptors, *cluster.learners)  # so that the proposer finds everybody there
        cluster.start()
        instance = cluster.write("x", "y")["instanceId"]
        member = cluster.leader()

        def rests():
            """Its status, once it leads and has nothing to do."""
            status = member.status()
            return (status["state"] == "leading" and status["firstUndecided"] == status["nextInstance"] and
                    status["queued"] == 0 and status)
        status = wait_until(rests, "a leader without work")
        assert status["role"] == "proposer" and status["leaderId"] == 1, status
        assert [peer["name"] for peer in status["peers"]] == ["acceptor-1", "acceptor-2", "acceptor-3", "learner-1"]
        used = status["nextInstance"] - 1
        submitted = member.get("/stats")[1]["submitted"]  # 1, unless it ceased to lead and was asked again
        wait_until(lambda: len(member.events("submit")) >= submitted and len(member.events("send")) >= used,
                   "both in the log")
        submits, sends = member.events("submit"), member.events("send")
        for event in submits + sends:
            assert (event["sender_id"], event["command_type"], event["key"], event["value"]) == \
                ("test", "SET", "x", "y"), event
        assert len({event["message_uuid"] for event in submits + sends}) == 1, submits + sends
        assert 1 <= instance <= used <= len(sends) <= len(submits) == submitted, (instance, used, sends, submits)
        wait_until(lambda: len(member.events("elect")) == member.get("/stats")[1]["elections"], "its elections")
        logs = member.get("/logs/important")[1]["logs"]
        told = [log["event"] for log in logs if log["event"] not in ("connect", "disconnect", "step_down")]
        assert told[:3] == ["start", "ready", "elect"] and set(told[3:]) <= {"elect"}, logs
        assert member.get("/logs")[0] == 403


def test_debug_config_changes_what_it_is_told_to():
    with Cluster(proposers=1, DEBUG="true") as cluster:
        cluster.start()
        member = cluster.leader()
        assert member.get("/logs")[0] == 200
        status, reply, _ = member.post("/debug/config", {})
        assert status == 200 and reply["heartbeatMs"] == 50 and reply["faults"]["NET_LOSS"] == 0, reply
        status, reply, _ = member.post("/debug/config", {
            "logLevel": "debug", "heartbeatMs": 40, "timeoutMs": 2000, "faults": {"NET_DELAY_MS": "1-2"}})
        assert status == 200 and reply["timeoutMs"] == 2000 and reply["faults"]["NET_DELAY_MS"] == "1-2", reply
        for wrong in ({"logLevel": "loud"}, {"logLevel": 3}, {"heartbeatMs": 0}, {"heartbeatMs": "50"},
                      {"timeoutMs": 61000}, {"timeoutMs": 50}, {"faults": []}, {"faults": {"NET_LOSS": 2}},
                      {"faults": {"NOTHING": 1}}, {"more": 1}, [], "{"):
            status, reply, _ = member.post("/debug/config", wrong)
            assert status == 400 and reply["error"], (wrong, status, reply)
        assert member.post("/debug/config", {})[1]["heartbeatMs"] == 40
        cluster.write("x", 1)
    with Cluster(proposers=1) as cluster:
        cluster.start()
        assert cluster.leader().post("/debug/config", {})[0] == 403


# ---- what nobody should send ----

WRONG_COMMANDS = (
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"operation":"SET"', b"{} {}", {},
    {"operation": "SET"}, {"operation": "DELETE"}, {"operation": 1}, {"operation": None},
    SET | {"clientId": "c"}, SET | {"timestamp": 1}, SET | {"clientId": "c", "timestamp": "1"},
    SET | {"clientId": "", "timestamp": 1}, SET | {"clientId": [], "timestamp": 1},
    SET | {"clientId": "c" * 300, "timestamp": 1}, SET | {"clientId": "a\u0001", "timestamp": 1},
    {"clientId": "c", "timestamp": 1, "operation": "SET", "resource": "x"},
    {"clientId": "c", "timestamp": 1, "operation": "SET", "data": 1},
    {"clientId": "c", "timestamp": 1, "operation": "GET", "resource": 7},
    {"clientId": "c", "timestamp": 1, "operation": "GET", "resource": "x" * 257},
    {"clientId": "c", "timestamp": 1, "operation": "GET", "resource": "x", "notify": {}},
    {"command_type": "SET", "key": "x", "value": 1, "sender_id": "a", "message_uuid": "none"},
    {"command_type": "set", "key": "x", "value": 1, "sender_id": "a"},
    b'{"clientId":"c","timestamp":1,"operation":"SET","resource":"x","data":' + b"[" * 1000 + b"]" * 1000 + b"}",
    b'{"clientId":"c","timestamp":' + b"1" * 40 + b',"operation":"PRINT"}',
)

WRONG_MESSAGES = {
    "/leader-heartbeat": (b"", b"{", b"[]", b"null", {}, {"proposerId": 1}, {"proposerId": 0, "proposalNumber": 1,
                          "instanceId": 1}, {"proposerId": 99, "proposalNumber": 1, "instanceId": 1},
                          {"proposerId": "1", "proposalNumber": 1, "instanceId": 1},
                          {"proposerId": 1, "proposalNumber": 2 ** 54, "instanceId": 1},
                          {"proposerId": 1, "proposalNumber": 1, "instanceId": 2 ** 60},
                          {"proposerId": 1, "proposalNumber": 1, "instanceId": -1},
                          {"proposerId": 1, "proposalNumber": 1.5, "instanceId": 1}),
    "/fetch": (b"", b"{", {}, {"learnerId": 0, "instanceId": 1}, {"learnerId": 1, "instanceId": "1"},
               {"learnerId": 1, "instanceId": 2 ** 63}, {"learnerId": 32, "instanceId": 1}),
}


def test_what_is_wrong_is_refused_and_does_no_harm():
    with Cluster(learners=1) as cluster:
        cluster.start()
        leader = cluster.leader()
        for body in WRONG_COMMANDS:
            for query in ("", "?wait=decided", "?stale=true"):
                status, reply, _ = leader.post("/propose" + query, body)
                assert status == 400 and reply["error"], (body, status, reply)
        for query in ("?wait=", "?wait=yes", "?stale=1", "?wait=decided&stale=perhaps"):
            status, reply, _ = leader.post("/propose" + query, cluster.command(**SET))
            assert status == 400 and reply["error"], (query, status, reply)
        for path, bodies in WRONG_MESSAGES.items():
            for body in bodies:
                status, reply, _ = leader.post(path, body)
                assert status == 400 and reply["error"], (path, body, status, reply)
        for method, path, expected in (("GET", "/propose", 405), ("DELETE", "/status", 405), ("PUT", "/propose", 405),
                                       ("POST", "/health", 405), ("GET", "/", 404), ("POST", "/nothing", 404),
                                       ("GET", "/status/x", 404), ("GET", "/%00", 404)):
            status, reply, headers = request(leader.address, method, path)
            assert status == expected and reply["error"], (method, path, status, reply)
            assert expected != 405 or headers["Allow"], headers
        large = cluster.command(**SET | {"data": "x" * (300 * 1024)})
        status, reply, _ = leader.post("/propose", large)
        assert status == 413 and reply["error"], (status, reply)
        cluster.write("x", "well")


def test_a_body_beyond_a_megabyte_is_refused_before_it_is_read():
    with Cluster(proposers=1) as cluster:
        cluster.start()
        member = cluster.leader()
        with socket.create_connection(("127.0.0.1", member.port)) as connection:
            connection.sendall(b"POST /propose HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 413"), "no 413"
        assert member.is_healthy()


def test_messages_of_nobody_who_is_well_leave_a_cluster_that_works():
    with Cluster(learners=1) as cluster:
        cluster.start()
        cluster.write("x", 1)
        for member in cluster.proposers:
            for ballot in ({"proposerId": 3, "proposalNumber": 1000}, {"proposerId": 31, "proposalNumber": 2000},
                           {"proposerId": 1, "proposalNumber": 2 ** 53}):
                assert member.post("/leader-heartbeat", ballot | {"instanceId": 2 ** 53})[0] == 200
            for instance in (0, 1, 2 ** 53):
                assert member.post("/fetch", {"learnerId": 31, "instanceId": instance})[0] == 200
        cluster.write("x", 2)
        assert cluster.read("x")["value"] == 2


def test_who_asks_for_repair_again_and_again_does_not_stop_a_leader():
    with Cluster(learners=1, TIMEOUT_MS="2000") as cluster:
        cluster.start()
        cluster.write("x", 1)
        leader = cluster.leader()
        before = sum(member.get("/stats")[1]["elections"] for member in cluster.proposers)
        for _ in range(200):
            assert leader.post("/fetch", {"learnerId": 1, "instanceId": 1})[0] == 200
        cluster.write("x", 2)
        assert sum(member.get("/stats")[1]["elections"] for member in cluster.proposers) < before + 100


def test_slow_and_half_open_connections_harm_nobody():
    with Cluster(proposers=1, learners=1) as cluster:
        cluster.start()
        member = cluster.leader()
        pieces = [b"", b"P", b"POST /propose HTTP/1.1\r\n", b"POST /propose HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
                  b"\x16\x03\x01", b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n" * 50]
        connections = []
        for i in range(60):
            connection = socket.create_connection(("127.0.0.1", member.port))
            connection.sendall(pieces[i % len(pieces)])
            connections.append(connection)
        for i in range(10):
            cluster.write("x", i)
        for connection in connections:
            connection.close()
        cluster.write("x", "well")


def open_many(port, count):
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]


def test_two_thousand_connections():
    with Cluster(proposers=1, learners=1, TIMEOUT_MS="5000") as cluster:  # so long may it hear nothing, and leads on
        cluster.start()
        member = cluster.leader()
        commands = [{"clientId": f"c{i}", "timestamp": 1, "operation": "SET", "resource": f"r{i % 100}", "data": i}
                    for i in range(2000)]

        def ask_all():
            begun = time.monotonic()
            connections = open_many(member.port, len(commands))
            try:
                for command, connection in zip(commands, connections):
                    body = json.dumps(command)
                    connection.sendall(f"POST /propose?wait=decided HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
                                       f"{body}".encode())
                late = time.monotonic() - begun >= 9  # some may have been sent away before they spoke, and hear nothing
                answers = [connection.recv(1000) for connection in connections]
                if all(answers) or not late:
                    return answers
            except OSError:  # who says nothing for 10 s is sent away, rightly: on a machine that stood still all ask again
                if time.monotonic() - begun < 9:
                    raise
            finally:
                for connection in connections:
                    connection.close()
        answers = wait_until(ask_all, "2,000 connections that are used in time")
        # All hear something; on a slow machine some that it is not decided yet, or, where all stood still for a while, that
        # nobody leads at the moment: they ask again.
        heard = collections.Counter(answer[9:12] for answer in answers)
        assert b"200" in heard and set(heard) <= {b"200", b"503", b"504"}, heard
        for command, answer in zip(commands, answers):
            if answer[9:12] != b"200":
                wait_until(lambda c=command: member.post("/propose?wait=decided", c)[0] == 200, "it is decided")
        stats = member.get("/stats")[1]
        assert stats["decided"] >= 2000 and stats["instances"] < 2000, stats


if __name__ == "__main__":
    main(sys.modules["__main__"])
