#!/usr/bin/env python3
"""Learners: what is decided, applied once and in order, answered, remembered over a crash, and passed on to one that is
behind. Most tests speak for the acceptors themselves, as curl can."""

import concurrent.futures
import http.server
import os
import resource
import sqlite3
import sys
import threading

from ordem import LIMIT, json, main, wait_until
from paxos import Cluster, request


def command(number, name="x", data=None, client="c", **fields):
    """A command in its canonical form."""
    return {"clientId": client, "data": number if data is None else data, "operation": "SET", "resource": name,
            "timestamp": number} | fields


def accepted(instance, value, ballot=(1, 1)):
    return {"instanceId": instance, "proposalNumber": ballot[0], "proposerId": ballot[1], "value": value}


def canonical(body):
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def learn(learner, acceptor, *items, forgotten=0):
    status, answer, _ = learner.post("/learn", canonical({"acceptorId": acceptor, "forgotten": forgotten,
                                                          "accepted": list(items)}))
    assert (status, answer) == (200, {}), (status, answer)


def decide(learner, instance, value, forgotten=0):
    """Two of three acceptors say so."""
    for acceptor in (1, 2):
        learn(learner, acceptor, accepted(instance, value), forgotten=forgotten)


def alone(learners=1, **settings):
    """Learners whose acceptors are not there."""
    return Cluster(proposers=0, acceptors=3, learners=learners, **settings)


def value_of(learner, name):
    status, answer = learner.get(f"/resource/{name}?stale=true")
    return answer["data"] if status == 200 else None


def events(learner, kind, count):
    """So many; the log is written a little after the answer."""
    return wait_until(lambda: len(learner.events(kind)) >= count and learner.events(kind), f"{count} of {kind}")


def saved(learner):
    status = learner.status()
    return status["checkpoint"] == status["applied"]


# ---- deciding and applying ----

def test_a_majority_of_one_ballot_decides():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        learn(learner, 1, accepted(1, [command(1)]))
        learn(learner, 1, accepted(1, [command(1)]))  # the same acceptor again
        learn(learner, 2, accepted(1, [command(2)], ballot=(2, 2)))  # another ballot
        assert learner.status()["applied"] == 0
        status, answer = learner.get("/instance/1")
        assert status == 200 and answer["state"] == "accepted" and answer["acceptors"] == 1 and \
            answer["proposalNumber"] == 2, answer
        learn(learner, 3, accepted(1, [command(2)], ballot=(2, 2)))
        assert learner.status()["applied"] == 1 and value_of(learner, "x") == 2
        assert learner.get("/instance/1")[1] == {"instanceId": 1, "state": "applied", "value": [command(2)]}


def test_nothing_is_applied_before_what_comes_before_it():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        decide(learner, 3, [command(3)])
        decide(learner, 2, None)
        assert learner.status()["applied"] == 0
        decide(learner, 1, [command(1), command(2, "y")])
        assert learner.status()["applied"] == 3
        assert [i["value"] for i in learner.get("/instances?from=1&count=5")[1]["instances"]] == \
            [[command(1), command(2, "y")], None, [command(3)]]
        delivered = [(event["seq"], event["ordem_local"], event["key"]) for event in events(learner, "deliver", 3)]
        assert delivered == [(1, 1, "x"), (2, 2, "y"), (3, 3, "x")], delivered


def test_a_command_is_applied_once_whatever_the_order_of_timestamps():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        decide(learner, 1, [command(5, data="five"), command(3, data="three")])
        decide(learner, 2, [command(5, data="five"), command(3, "y", client="other")])
        status = learner.status()
        assert (status["commands"], status["writes"]) == (3, 3) and value_of(learner, "x") == "three", status
        assert [event["reason"] for event in events(learner, "discard", 1)] == ["repeated"]
        answer = learner.get("/resource/x?stale=true")[1]
        assert (answer["version"], answer["timestamp"], answer["instanceId"]) == (2, 3, 2), answer


def test_commands_of_parts_1_to_4_are_told_as_they_are():
    uuid = "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"
    message = {"command_type": "SET", "key": "k", "message_uuid": uuid, "sender_id": "node7",
               "timestamp": 1763689000.25, "value": {"a": 1}}
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        decide(learner, 1, [message, {**message, "command_type": "PRINT", "key": None, "value": None,
                                      "message_uuid": uuid.replace("5f1d", "0000")}])
        first, second = events(learner, "deliver", 2)
        assert (first["message_uuid"], first["sender_id"], first["value"]) == (uuid, "node7", {"a": 1})
        assert second["command_type"] == "PRINT" and second["snapshot"] == {"k": {"a": 1}}, second
        assert learner.get("/resource/k?stale=true")[1]["timestamp"] == 1763689000250


def test_both_learners_of_a_cluster_deliver_the_same():
    with Cluster(proposers=2, acceptors=3, learners=2) as cluster:
        cluster.start()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: cluster.write(f"key{i % 5}", i), range(300)))
        wait_until(lambda: all(learner.status()["commands"] == 300 for learner in cluster.learners), "all are applied")
        orders = [[(event["seq"], event["ordem_local"], event["message_uuid"], event["key"], event["value"])
                   for event in events(learner, "deliver", 300)] for learner in cluster.learners]
        assert orders[0] == orders[1] and len(orders[0]) == 300 == len({order[2] for order in orders[0]})


# ---- reads ----

def test_a_read_waits_until_its_instance_is_applied():
    with alone() as cluster:
        learner = cluster.learners[0].start(TIMEOUT_MS="30000").wait_healthy()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            question = {"instanceId": 2, "reads": [{"resource": "x"}, {"resource": "none"}, {"all": True}]}
            read = pool.submit(learner.post, "/read", question)
            wait_until(lambda: learner.get("/stats")[1]["readsWaiting"] == 1, "the read waits")
            decide(learner, 1, [command(1)])
            assert not read.done()
            decide(learner, 2, [command(2, data=[1, {"b": None}])])
            status, answer, _ = read.result(LIMIT)
        assert status == 200 and answer["instanceId"] == 2 and answer["ageMs"] >= 0, answer
        assert answer["values"] == [{"data": [1, {"b": None}], "version": 2, "timestamp": 2},
                                    {"data": None, "version": 0, "timestamp": 0}, {"snapshot": {"x": [1, {"b": None}]}}]


def test_a_read_that_waits_too_long_is_refused():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        status, answer, _ = learner.post("/read", {"instanceId": 1, "reads": [{"resource": "x"}]})
        assert status == 503 and "not applied" in answer["error"], answer
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            read = pool.submit(learner.post, "/read", {"instanceId": 1, "reads": [{"resource": "x"}]})
            wait_until(lambda: learner.get("/stats")[1]["readsWaiting"] == 1 or read.done(), "the read waits")
            assert learner.stop() == 0
            assert read.result(LIMIT)[0] == 503


# ---- disks ----

def test_a_checkpoint_survives_kill_9_and_commands_are_still_known():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        for instance in range(1, 13):
            decide(learner, instance, [command(256 * instance + i, f"key{i}") for i in range(250)])
        wait_until(lambda: saved(learner), "a checkpoint")
        decide(learner, 13, [command(7, "once more")])
        wait_until(lambda: saved(learner), "another checkpoint")
        learner.kill()
        learner.start().wait_healthy()
        status = learner.status()
        assert (status["applied"], status["checkpoint"], status["commands"], status["writes"]) == \
            (13, 13, 3001, 3001), status
        assert value_of(learner, "key249") == 256 * 12 + 249
        decide(learner, 14, [command(256, "key0"), command(7, "once more"), command(8, "new")])
        assert learner.status()["commands"] == 3002 and value_of(learner, "new") == 8
        assert events(learner, "deliver", 3002)[-1]["seq"] == 3002


def test_what_is_not_in_a_checkpoint_is_learnt_again():
    with Cluster(proposers=1, acceptors=3, learners=2) as cluster:
        cluster.start()
        for i in range(10):
            cluster.write("x", i)
        cluster.learners[0].kill()
        for i in range(10, 20):
            cluster.write("x", i)
        cluster.start()
        wait_until(lambda: value_of(cluster.learners[0], "x") == 19, lambda: cluster.learners[0].screen()[-500:])
        assert cluster.read("x")["version"] == 20


def test_a_checkpoint_that_is_damaged_is_refused_and_left_as_it_is():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        decide(learner, 1, [command(1)])
        wait_until(lambda: saved(learner), "a checkpoint")
        learner.stop()
        path = os.path.join(learner.folder, "learner.db")
        for damage in ("UPDATE resources SET version = 77", "DELETE FROM sessions", "UPDATE counters SET writes = -1"):
            with sqlite3.connect(path) as database:
                before = list(database.iterdump())
                database.execute(damage)
            database.close()
            learner.start()
            assert learner.process.wait(LIMIT) == 1 and "damaged" in learner.screen(), learner.screen()
            database = sqlite3.connect(path)
            database.executescript("DROP TABLE resources; DROP TABLE sessions; DROP TABLE counters;" + "".join(before))
            database.close()
        learner.start().wait_healthy()
        assert value_of(learner, "x") == 1
        learner.kill()
        with open(path, "r+b") as file:
            file.write(os.urandom(5000))
        learner.start()
        assert learner.process.wait(LIMIT) == 1 and "learner.db" in learner.screen(), learner.screen()


def test_a_learner_whose_disk_is_full_goes_on_and_saves_when_there_is_room():
    with alone() as cluster:
        learner = cluster.learners[0].start(LOG_LEVEL="warning").wait_healthy()  # so that its log fits where it goes
        resource.prlimit(learner.process.pid, resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
        decide(learner, 1, [command(1, data="v" * 200000)])
        wait_until(lambda: "the learner's checkpoint" in learner.screen(), "it says so")
        assert learner.status()["checkpoint"] == 0 and value_of(learner, "x") == "v" * 200000
        resource.prlimit(learner.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_until(lambda: saved(learner), "a checkpoint")
        learner.kill()
        learner.start().wait_healthy()
        assert value_of(learner, "x") == "v" * 200000


# ---- the state of another ----

def test_a_learner_that_is_too_far_behind_fetches_the_state_of_another():
    with alone(learners=2) as cluster:
        first, second = cluster.learners
        first.start().wait_healthy()
        for instance in range(1, 61):  # more than one page, of resources and of commands
            decide(first, instance, [command(256 * instance + i, f"key{(instance * 200 + i) % 3000}", "d" * 100)
                                     for i in range(200)])
        wait_until(lambda: saved(first), "a checkpoint")
        second.start().wait_healthy()
        learn(second, 1, forgotten=60)
        wait_until(lambda: second.status()["applied"] == 60, lambda: second.screen()[-1000:])
        assert saved(second)
        for learner in (first, second):
            decide(learner, 61, [command(256 * 60 + 3, "repeated"), command(1, "new")])
        keys = ("applied", "commands", "writes", "resources")
        assert [first.status()[key] for key in keys] == [second.status()[key] for key in keys] == [61, 12001, 12001, 3001]
        question = {"reads": [{"all": True}]}
        assert first.post("/read", question)[1]["values"] == second.post("/read", question)[1]["values"]
        second.kill()
        second.start().wait_healthy()
        assert second.status()["applied"] >= 60 and value_of(second, "key7") == "d" * 100


def test_a_state_is_fetched_while_it_changes():
    with alone(learners=2) as cluster:
        first, second = cluster.learners
        first.start().wait_healthy()
        for instance in range(1, 41):
            decide(first, instance, [command(256 * instance + i, f"key{instance * 250 + i}", "d" * 300)
                                     for i in range(250)])
        wait_until(lambda: saved(first), "a checkpoint")
        stop = threading.Event()

        def change():
            instance = 41
            while not stop.is_set():
                decide(first, instance, [command(256 * instance + i, f"key{250 + i * 40}") for i in range(200)])
                instance += 1

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            job = pool.submit(change)
            second.start().wait_healthy()
            learn(second, 1, forgotten=40)
            wait_until(lambda: second.status()["applied"] >= 40, lambda: second.screen()[-1000:])
            stop.set()
            job.result(LIMIT)
        wait_until(lambda: saved(first), "a checkpoint")
        learn(second, 1, forgotten=first.status()["applied"])
        wait_until(lambda: second.status()["applied"] == first.status()["applied"], lambda: second.screen()[-1000:])
        question = {"reads": [{"all": True}]}
        assert first.post("/read", question)[1]["values"] == second.post("/read", question)[1]["values"]


class Liar(http.server.BaseHTTPRequestHandler):
    """A learner whose snapshots are not good."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"snapshot": True} if self.path == "/fetch" else self.server.page).replace(" ", "").encode()
        self.server.pages += self.path == "/snapshot"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def test_a_snapshot_that_does_not_fit_together_is_not_installed():
    good = {"learnerId": 2, "instanceId": 9, "commands": 2, "first": 1, "last": 2, "part": False, "noted": 2,
            "forgotten": 0, "from": 1, "sessions": [1, 1, 2, 2],
            "writes": [{"number": 1, "resource": "x", "data": 1}, {"number": 2, "resource": "y", "data": 2}]}
    bad = [{"sessions": [1, 1]}, {"sessions": [1, 1, 1, 1]}, {"sessions": [1, 1, 2]}, {"sessions": [-1, 1, 2, 2]},
           {"sessions": 7}, {"writes": []}, {"writes": list(reversed(good["writes"]))}, {"commands": 1}, {"last": 3},
           {"noted": 3}, {"from": 2}, {"instanceId": "9"}, {"instanceId": 2 ** 60}]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    server.daemon_threads, server.pages = True, 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with alone() as cluster:
        learner = cluster.learners[0].start(
            LEARNERS=f"{cluster.learners[0].address},127.0.0.1:{server.server_port}").wait_healthy()
        learn(learner, 1, forgotten=9)
        for change in bad:
            server.page = good | change
            pages = server.pages
            wait_until(lambda pages=pages: server.pages > pages + 1, "it asks again")
            assert learner.status()["applied"] == 0, change
        server.page = good
        wait_until(lambda: learner.status()["applied"] == 9, lambda: learner.screen()[-1000:])
        assert value_of(learner, "y") == 2 and learner.status()["commands"] == 2
    server.shutdown()
    server.server_close()


# ---- telling clients ----

class Client(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.told.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def test_only_a_client_that_is_configured_is_told():
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Client) for _ in range(2)]
    addresses = [f"127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.daemon_threads, server.told = True, []
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with alone() as cluster:
        # A client is told once: it has its time, however long the machine stands still.
        learner = cluster.learners[0].start(CLIENTS=addresses[0], TIMEOUT_MS="30000").wait_healthy()
        decide(learner, 1, [command(1, notify=addresses[1]), command(2, notify=addresses[0]),
                            command(3, notify="127.0.0.1:1"), command(4, notify=addresses[0])])
        wait_until(lambda: len(servers[0].told) == 2, "the client is told")
        assert sorted(servers[0].told, key=lambda told: told[1]["version"]) == [
            ("/notification", {"learnerId": 1, "instanceId": 1, "clientId": "c", "timestamp": number,
                               "operation": "SET", "resource": "x", "version": number}) for number in (2, 4)]
        assert not servers[1].told
    for server in servers:
        server.shutdown()
        server.server_close()


# ---- bad input ----

def test_bad_input_is_refused_and_changes_nothing():
    with alone() as cluster:
        learner = cluster.learners[0].start().wait_healthy()
        good = {"acceptorId": 1, "forgotten": 0, "accepted": [accepted(1, [command(1)])]}
        bodies = [b"", b"{", b"[]", b"null", b"\xff\xfe", {}, good | {"acceptorId": 0}, good | {"acceptorId": 32},
                  good | {"acceptorId": "1"}, good | {"forgotten": -1}, good | {"accepted": {}},
                  good | {"accepted": [7]}, good | {"accepted": [accepted(0, None)]},
                  good | {"accepted": [accepted(2 ** 53 + 1, None)]}, good | {"accepted": [accepted(1, None, (0, 1))]},
                  good | {"accepted": [accepted(1, None, (2 ** 53 + 1, 1))]}, good | {"accepted": [accepted(1, "x")]},
                  good | {"accepted": [accepted(1, [{}])]}, good | {"accepted": [accepted(1, [])]}]
        for body in bodies:
            status, answer, _ = learner.post("/learn", body if isinstance(body, bytes) else canonical(body))
            assert status == 400 and isinstance(answer["error"], str), (body, status, answer)
        for path, body in [("/read", {}), ("/read", {"reads": 7}), ("/read", {"reads": [{"resource": ""}]}),
                           ("/read", {"instanceId": -1, "reads": []}), ("/leader-heartbeat", {}),
                           ("/leader-heartbeat", {"proposerId": 1, "proposalNumber": 0, "instanceId": 1}),
                           ("/fetch", {}), ("/fetch", {"learnerId": 0, "instanceId": 1}), ("/snapshot", {"after": []}),
                           ("/snapshot", {"noted": -1}), ("/writes", {"resource": 7}), ("/writes", b"\x00")]:
            assert learner.post(path, body)[0] == 400, (path, body)
        for path in ("/store/rejoin", "/store/outcome"):
            assert learner.post(path, {"storeId": 1})[0] == 503  # it drives none
        assert learner.post("/read", {"reads": [{"resource": "x"}] * 4097})[0] == 413
        for path, wanted in [("/instance/0", 400), ("/instance/x", 400), ("/instance/1", 404), ("/resource/x", 400),
                             ("/resource/x?stale=true", 404), ("/instances?count=257", 400), ("/nothing", 404),
                             ("/learn", 405)]:
            assert learner.get(path)[0] == wanted, path
        assert request(learner.address, "DELETE", "/snapshot")[0] == 405
        learn(learner, 3, accepted(2 ** 53, [command(1)]), accepted(2 ** 20 + 5, [command(1)]), forgotten=0)
        status = learner.status()
        assert (status["applied"], status["commands"]) == (0, 0), status
        decide(learner, 1, [command(1)])
        assert value_of(learner, "x") == 1


def test_settings_that_are_wrong_stop_it():
    with alone() as cluster:
        for settings, wanted in [({"ACCEPTORS": ""}, "ACCEPTORS"), ({"ACCEPTORS": "nowhere"}, "ACCEPTORS"),
                                 ({"USE_CLUSTER_STORE": "true"}, "STORES"), ({"USE_CLUSTER_STORE": "maybe"}, "USE_CLUSTER")]:
            learner = cluster.learners[0].start(**settings)
            assert learner.process.wait(LIMIT) == 1 and wanted in learner.screen(), learner.screen()


main(sys.modules[__name__])
