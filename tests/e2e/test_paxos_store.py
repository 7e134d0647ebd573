#!/usr/bin/env python3
"""Cluster stores: read one, write all, by two-phase commit; the failures of the original assignment as drills."""

import concurrent.futures
import http.server
import os
import re
import resource
import subprocess
import sys
import threading

from ordem import LIMIT, ROOT, json, main, time, wait_until
from paxos import Cluster, request


def write(number, name, data):
    return {"number": number, "resource": name, "data": data, "timestamp": 1000 + number}


def alone():
    """A store that nobody drives but the test: no learners, no other stores."""
    return Cluster(proposers=0, acceptors=0, stores=1)


def prepare(store, *writes):
    return store.post("/prepare", {"first": writes[0]["number"], "last": writes[-1]["number"], "writes": writes})[:2]


def commit(store, *writes):
    return store.post("/commit", {"first": writes[0]["number"], "last": writes[-1]["number"], "writes": writes})[:2]


def driven(**counts):
    return Cluster(**({"proposers": 1, "acceptors": 3, "learners": 2, "stores": 3} | counts), USE_CLUSTER_STORE="true")


def status_of(member):
    try:
        return member.status() if member.is_up() else {}
    except OSError:
        return {}


def all_equal(cluster):
    """Every store serves, waits for nothing, and has what the learners have applied, to the version."""
    writes = {status_of(learner).get("writes") for learner in cluster.learners if learner.is_up()}
    if len(writes) != 1 or any(status_of(store).get("complete") not in writes for store in cluster.stores):
        return False
    states = [store.get("/resources/metadata")[1] for store in cluster.stores]
    seen = [[(item["resource"], item["version"], item["timestamp"]) for item in state["resources"]] for state in states]
    return (all(state["serves"] for state in states) and all(one == seen[0] for one in seen) and
            all(status_of(store)["pending"] == 0 for store in cluster.stores))


def expect_equal(cluster):
    wait_until(lambda: all_equal(cluster), lambda: "equal stores; " + "\n".join(
        str({k: v for k, v in status_of(m).items() if k != "peers"}) for m in cluster.learners + cluster.stores))


def left_out(cluster, number):
    """Do all learners that are up do without that store?"""
    return all(not status_of(learner)["stores"][number - 1]["live"] for learner in cluster.learners if learner.is_up())


# ---- the two phases ----

def test_a_write_is_shown_once_it_is_committed():
    with alone() as cluster:
        store = cluster.start().stores[0]
        assert prepare(store, write(1, "x", {"a": [1, "\"]}"]})) == \
            (200, {"storeId": 1, "answer": "ready", "complete": 0})
        status, transaction = store.get("/transaction/1")
        assert status == 200 and transaction["state"] == "ready" and transaction["resource"] == "x", transaction
        assert store.get("/resource/x")[0] == 404
        assert commit(store, write(1, "x", 0))[1]["answer"] == "done"
        assert store.get("/resource/x") == (200, {"resource": "x", "version": 1, "timestamp": 1001, "node_id": 1,
                                                  "data": {"a": [1, "\"]}"]}})
        assert store.get("/transaction/1")[1] == {"number": 1, "state": "committed"}
        assert store.get("/transaction/2")[1] == {"number": 2, "state": "unknown"}


def test_messages_that_come_twice_or_late_change_nothing():
    with alone() as cluster:
        store = cluster.start().stores[0]
        for _ in range(2):
            assert prepare(store, write(1, "x", "one"))[1]["answer"] == "ready"
        for _ in range(2):
            assert commit(store, write(1, "x", "one"))[1]["answer"] == "done"
        prepare(store, write(2, "x", "two"))
        commit(store, write(2, "x", "two"))
        assert prepare(store, write(1, "x", "late"))[1]["answer"] == "ready"
        assert commit(store, write(1, "x", "late"))[1]["answer"] == "done"
        assert store.get("/resource/x")[1]["data"] == "two" and store.status()["pending"] == 0


def test_an_aborted_write_is_not_shown():
    with alone() as cluster:
        store = cluster.start().stores[0]
        prepare(store, write(1, "x", "never"))
        assert store.post("/abort", {"number": 1, "resource": "x"})[1]["answer"] == "done"
        status, answer = commit(store, write(1, "x", "never"))
        assert (status, answer["answer"]) == (409, "unknown"), answer
        assert store.get("/resource/x")[0] == 404 and store.get("/transaction/1")[1]["state"] == "unknown"


def test_a_batch_names_only_the_last_write_of_a_resource():
    with alone() as cluster:
        store = cluster.start().stores[0]
        batch = {"first": 1, "last": 4, "writes": [write(3, "x", 3), write(4, "y", 4)]}
        assert store.post("/prepare", batch)[0] == 200 and store.post("/commit", batch)[0] == 200
        assert store.status()["complete"] == 4
        assert store.post("/read", {"number": 4, "reads": [{"resource": "x"}, {"resource": "z"}, {"all": True}]})[1] == {
            "values": [{"data": 3, "version": 3, "timestamp": 1003}, {"data": None, "version": 0, "timestamp": 0},
                       {"snapshot": {"x": 3, "y": 4}}]}
        assert store.post("/read", {"number": 5, "reads": []})[0] == 503


def test_what_it_said_survives_kill_9():
    with alone() as cluster:
        store = cluster.start().stores[0]
        prepare(store, write(1, "x", "kept"))
        commit(store, write(1, "x", "kept"))
        prepare(store, write(2, "x", "pending"), write(3, "y", "pending"))
        store.kill()
        cluster.start()
        assert store.get("/resource/x")[1]["data"] == "kept"
        assert [store.get(f"/transaction/{n}")[1]["state"] for n in (1, 2, 3)] == ["committed", "ready", "ready"]
        assert commit(store, write(2, "x", 0), write(3, "y", 0))[1] == \
            {"storeId": 1, "answer": "done", "complete": 3}
        assert store.get("/resource/y")[1]["data"] == "pending"


def test_writes_beyond_those_that_it_missed_are_not_taken():
    with alone() as cluster:
        store = cluster.start().stores[0]
        status, answer = prepare(store, write(2, "x", "second"))
        assert (status, answer["answer"]) == (409, "unknown") and store.status()["pending"] == 0


def test_the_readme_shows_what_a_store_answers():
    with open(os.path.join(ROOT, "paxos/README.md"), encoding="utf-8") as file:
        section = file.read().split("## The cluster store, by hand", 1)[1].split("\n## ", 1)[0]
    steps = re.findall(r"```sh\n((?:curl .*\n)+)```\n\n```json\n((?:\{.*\n)+)```", section)
    with alone() as cluster:
        store = cluster.start().stores[0]
        for typed, answered in steps:
            lines, wanted = typed.strip().splitlines(), answered.strip().splitlines()
            assert len(lines) == len(wanted), typed
            for line, answer in zip(lines, wanted):
                here = line.replace("localhost:8301", store.address).replace("curl ", "curl --silent ", 1)
                said = subprocess.run(["sh", "-c", here], capture_output=True, timeout=LIMIT, check=True).stdout
                assert json.loads(said) == json.loads(answer), (line, said)
    assert len(steps) == 3


# ---- driven by learners ----

def test_every_store_has_what_was_written():
    with driven() as cluster:
        cluster.start()
        for i in range(50):
            cluster.write(f"key{i % 7}", i)
        assert cluster.read("key1")["value"] == 43
        expect_equal(cluster)
        for store in cluster.stores:
            answer = store.get("/resource/key1")[1]
            assert (answer["data"], answer["version"], answer["node_id"]) == (43, 44, store.number), answer


def test_failure_1_a_store_dies_with_nothing_pending():
    with driven() as cluster:
        cluster.start()
        cluster.write("x", "before")
        expect_equal(cluster)
        cluster.stores[2].kill()
        cluster.write("x", "without it")
        assert cluster.read("x")["value"] == "without it"
        wait_until(lambda: left_out(cluster, 3), "store 3 is left out")
        cluster.start()
        expect_equal(cluster)
        assert cluster.stores[2].get("/resource/x")[1]["data"] == "without it"


def test_failure_2_a_store_dies_with_a_write_pending():
    with driven() as cluster:
        cluster.start()
        cluster.write("x", "before")
        expect_equal(cluster)
        cluster.stores[2].pause()  # it gets the prepare, and does not answer
        cluster.write("x", "pending")
        assert cluster.read("x")["value"] == "pending"  # the others do not wait for it for ever
        cluster.stores[2].kill()
        cluster.write("x", "after")
        cluster.start()
        expect_equal(cluster)
        assert cluster.stores[2].get("/resource/x")[1]["data"] == "after"


def test_failure_3_a_store_dies_after_it_said_ready():
    with driven() as cluster:
        cluster.start(*cluster.all()[:-2], cluster.proposers[0])
        cluster.stores[2].kill()
        cluster.stores[2].start(STORE_STOP_AFTER="prepare").wait_healthy()
        expect_equal(cluster)
        wait_until(lambda: cluster.write("x", "ready") and not cluster.stores[2].is_up(), "it is told to commit")
        assert cluster.stores[2].process.returncode == 3
        assert cluster.read("x")["value"] == "ready"
        wait_until(lambda: left_out(cluster, 3), "store 3 is left out")
        cluster.start()
        expect_equal(cluster)
        assert cluster.stores[2].get("/transaction/1")[1]["state"] == "committed"


def test_a_coordinator_that_dies_between_the_phases_blocks_nobody():
    with driven() as cluster:
        cluster.start(*cluster.stores)
        for store in cluster.stores:  # all are ready for the write that Paxos will decide first; nobody tells them more
            assert wait_until(lambda store=store: store.get("/transaction/1")[0] == 200, "an answer")
            prepare(store, write(1, "x", "first"))
        cluster.start()
        # With the timestamp that all have prepared: a store that copies x from another one, or a learner, has the same.
        status, reply = cluster.propose({"operation": "SET", "resource": "x", "data": "first", "timestamp": 1001})
        assert status == 200 and reply["status"] == "decided", (status, reply)
        expect_equal(cluster)
        assert [store.get("/resource/x")[1]["data"] for store in cluster.stores] == ["first"] * 3


def test_learners_that_die_while_they_drive_writes_leave_nothing_blocked():
    with driven() as cluster:
        cluster.start()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(cluster.write, f"key{i % 5}", i) for i in range(200)]
            for round_number in range(4):
                time.sleep(0.05)
                cluster.learners[round_number % 2].kill()
                cluster.start()
            for job in jobs:
                job.result(LIMIT)
        expect_equal(cluster)


def test_a_store_that_was_paused_does_not_answer_with_old_values():
    with driven() as cluster:
        cluster.start()
        cluster.write("x", 0)
        expect_equal(cluster)
        cluster.stores[0].pause()
        for i in range(1, 6):
            cluster.write("x", i)
            assert cluster.read("x")["value"] == i
        cluster.stores[0].resume()
        for i in range(6, 12):
            cluster.write("x", i)
            assert cluster.read("x")["value"] == i
        expect_equal(cluster)


def test_all_stores_die_and_come_back():
    with driven() as cluster:
        cluster.start()
        for i in range(20):
            cluster.write(f"key{i}", i)
        expect_equal(cluster)
        for store in cluster.stores:
            store.kill()
        cluster.write("key0", "meanwhile")  # decided, though no store has it yet
        cluster.start()
        assert cluster.read("key0")["value"] == "meanwhile" and cluster.read("key7")["value"] == 7
        expect_equal(cluster)


def test_everything_dies_and_comes_back():
    with driven() as cluster:
        cluster.start()
        for i in range(30):
            cluster.write(f"key{i % 9}", i)
        for member in cluster.all():
            member.kill()
        cluster.start()
        assert [cluster.read(f"key{i}")["value"] for i in range(9)] == [27, 28, 29, 21, 22, 23, 24, 25, 26]
        expect_equal(cluster)


def test_a_store_that_missed_much_copies_it_page_by_page():
    with driven() as cluster:
        cluster.start(*[member for member in cluster.all() if member is not cluster.stores[2]])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda i: cluster.write(f"key{i}", "v" * 400), range(3000)))
        cluster.start()
        expect_equal_of_many(cluster, 3000)


def expect_equal_of_many(cluster, count):
    wait_until(lambda: all(status_of(store).get("complete") == count and status_of(store)["serves"]
                           for store in cluster.stores), lambda: str([status_of(store) for store in cluster.stores]))
    seen = []
    for store in cluster.stores:
        items, after = [], 0
        while True:
            page = store.get(f"/resources/metadata?after={after}")[1]["resources"]
            if not page:
                break
            items += [(item["resource"], item["version"]) for item in page]
            after = page[-1]["version"]
        seen.append(items)
    assert len(seen[0]) == count and seen[0] == seen[1] == seen[2]


def test_a_store_whose_disk_is_full_says_so_and_goes_on_when_there_is_room():
    with alone() as cluster:
        store = cluster.start().stores[0]
        prepare(store, write(1, "x", "small"))
        commit(store, write(1, "x", "small"))
        resource.prlimit(store.process.pid, resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
        status, answer = prepare(store, write(2, "x", "large" * 30000))
        assert status == 507 and "error" in answer, answer
        wait_until(lambda: store.get("/resource/x")[0] == 200, "it serves what it has")
        assert store.get("/resource/x")[1]["data"] == "small"
        assert store.get("/transaction/2")[1]["state"] == "unknown"
        resource.prlimit(store.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert prepare(store, write(2, "x", "large" * 30000))[0] == 200
        assert commit(store, write(2, "x", 0))[0] == 200


class Learner(http.server.BaseHTTPRequestHandler):
    """One that says what a store in doubt asks for, and nothing else."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, question))
        answer = json.dumps({"/writes": {"first": 1, "last": 0, "writes": [], "part": False},
                             "/store/rejoin": {"live": True, "finished": 0},
                             "/store/outcome": {"committed": self.server.committed}}[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def test_a_store_in_doubt_asks_the_learners_for_the_outcome():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Learner)
    server.daemon_threads = True
    server.asked, server.committed = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with alone() as cluster:
        store = cluster.stores[0].start(LEARNERS=f"127.0.0.1:{server.server_port}").wait_healthy()
        wait_until(lambda: store.status()["serves"], "it serves")
        prepare(store, write(1, "x", "in doubt"), write(2, "y", "in doubt"))
        wait_until(lambda: ("/store/outcome", {"storeId": 1, "numbers": [1, 2]}) in server.asked, "it asks")
        assert store.status()["pending"] == 2  # nobody has told it anything
        server.committed = [2, 77, "x"]
        wait_until(lambda: store.get("/resource/y")[0] == 200, "y is committed")
        assert store.get("/transaction/1")[1]["state"] == "ready" and store.get("/resource/x")[0] == 404
    server.shutdown()
    server.server_close()


# ---- bad input ----

BAD_WRITES = ["", "[]", "{", "null", "7", "\"x\"", "{}", "\xff\xfe",
              {"first": 0, "last": 1, "writes": []}, {"first": 2, "last": 0, "writes": []},
              {"first": 1, "last": 9007199254740993, "writes": []}, {"first": 1, "last": 1.5, "writes": []},
              {"first": "1", "last": 1, "writes": []}, {"first": 1, "last": 1, "writes": {}},
              {"first": 1, "last": 1, "writes": [7]}, {"first": 1, "last": 1, "writes": [[]]},
              {"first": 1, "last": 1, "part": 1, "writes": []},
              {"first": 1, "last": 1, "writes": [{"number": 1, "data": 1}]},
              {"first": 1, "last": 1, "writes": [{"number": -1, "resource": "x", "data": 1}]},
              {"first": 1, "last": 1, "writes": [{"number": 10 ** 30, "resource": "x", "data": 1}]},
              {"number": 1, "resource": "", "data": 1}, {"number": 1, "resource": "a\nb", "data": 1},
              {"number": 1, "resource": "k" * 257, "data": 1}, {"number": 1, "resource": 7, "data": 1},
              {"number": 1, "resource": "x", "data": 1, "timestamp": "now"}]


def test_bad_input_is_refused_and_changes_nothing():
    with alone() as cluster:
        store = cluster.start().stores[0]
        for path in ("/prepare", "/commit", "/abort"):
            for body in BAD_WRITES:
                body = body.encode("latin-1") if isinstance(body, str) else body
                status, answer, _ = store.post(path, body)
                assert status == 400 and isinstance(answer["error"], str), (path, body, status, answer)
        many = [write(i + 1, "x", 0) for i in range(1025)]
        assert store.post("/prepare", {"first": 1, "last": 1025, "writes": many})[0] == 413

        def refuses_a_megabyte():
            try:
                assert store.post("/prepare", b" " * 1100000)[0] == 413
            except OSError:  # it answered and closed before all was sent, and the answer was lost with the connection
                return False
            return True
        wait_until(refuses_a_megabyte, "413")
        for path, body in [("/read", {}), ("/read", {"reads": [{}]}), ("/read", {"reads": [{"all": False}]}),
                           ("/read", {"number": -1, "reads": []}), ("/writes", {"after": "x"}),
                           ("/writes", {"resource": 1}), ("/synchronize", {"finished": {}}), ("/synchronize", b"x")]:
            assert store.post(path, body)[0] == 400, (path, body)
        for path, wanted in [("/transaction/0", 400), ("/transaction/x", 400), ("/transaction/99999999999999999999", 400),
                             ("/resource/nothing", 404), ("/nothing", 404), ("/resources/metadata?after=x", 400),
                             ("/resources/metadata?count=0", 400), ("/prepare", 405)]:
            assert store.get(path)[0] == wanted, path
        assert request(store.address, "DELETE", "/resource/x")[0] == 405
        status = store.status()
        assert (status["pending"], status["resources"], status["complete"]) == (0, 0, 0), status


def test_hostile_names_and_values_are_only_names_and_values():
    with alone() as cluster:
        store = cluster.start().stores[0]
        names = ["<script>", "a/b", "ü 漢字", "'; DROP TABLE resources; --", "%00", "\"", "{}", "[", ","]
        for number, name in enumerate(names, 1):
            prepare(store, write(number, name, {name: [name, None, 12345678901234567890]}))
            commit(store, write(number, name, 0))
        answer = store.post("/read", {"reads": [{"resource": name} for name in names]})[1]
        assert [value["data"] for value in answer["values"]] == \
            [{name: [name, None, 12345678901234567890]} for name in names]


def test_a_setting_that_is_wrong_stops_it():
    with alone() as cluster:
        store = cluster.stores[0].start(STORE_STOP_AFTER="lunch")
        assert store.process.wait(LIMIT) == 1 and "STORE_STOP_AFTER" in store.screen()


def test_only_one_process_has_the_file():
    with alone() as cluster:
        first = cluster.start().stores[0]
        second = Cluster(proposers=0, acceptors=0, stores=1)
        with second:
            other = second.stores[0]
            other.folder = first.folder
            other.start()
            assert other.process.wait(LIMIT) == 1 and "another store" in other.screen(), other.screen()


def test_it_leaves_in_good_order():
    with alone() as cluster:
        store = cluster.start().stores[0]
        assert store.stop() == 0 and store.events("stop")


main(sys.modules[__name__])
