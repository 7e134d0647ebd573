#!/usr/bin/env python3
"""The acceptor's process: what it promises and accepts over HTTP, what it keeps over a kill -9, a full disk and a damaged
file, what it forgets, and what it answers to those who mean it ill."""

import http.server
import random
import resource
import threading

from ordem import *
from paxos import Cluster, request

ROUND_MAX = INSTANCE_MAX = 2 ** 53
STEP_MAX = 2 ** 32  # from one round to the next that is believed


PATIENT = {"TIMEOUT_MS": "30000"}  # where a learner of these tests is told only once: it has its time, even if the machine stands still


def acceptor(**settings):
    """A cluster that is one acceptor."""
    return Cluster(proposers=0, acceptors=1, **settings)


def command(timestamp, data="x"):
    """As a proposer writes it: in its canonical form."""
    return {"clientId": "c", "data": data, "operation": "SET", "resource": "r", "timestamp": timestamp}


def prepare(member, number, instance=1, proposer=1):
    return member.post("/prepare", {"proposerId": proposer, "proposalNumber": number, "instanceId": instance})[:2]


def accept(member, number, instance, value, proposer=1):
    return member.post("/accept", {"proposerId": proposer, "proposalNumber": number, "instanceId": instance,
                                   "value": value})[:2]


class Learner:
    """A process that acceptors tell what they have accepted: it keeps the bodies."""

    def __init__(self, answers=True):
        learner = self
        self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                learner.told.append((self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=answers)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # the acceptor was killed
        if not answers:
            self.server.server_bind()
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        if answers:
            self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.thread.is_alive():
            self.server.shutdown()
        self.server.server_close()

    def listen(self):
        self.server.server_activate()
        self.thread.start()

    def heard(self):
        """The instances that it was told of, in their order."""
        return [proposal["instanceId"] for path, body in self.told if path == "/learn" for proposal in body["accepted"]]


def test_promises_accepts_and_refuses():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        assert member.status()["promised"] is None
        status, reply = prepare(member, 3)
        assert (status, reply) == (200, {"acceptorId": 1, "promised": True, "proposalNumber": 3, "proposerId": 1,
                                         "instanceId": 1, "forgotten": 0, "accepted": []}), reply
        status, reply = accept(member, 3, 1, [command(1), command(2)])
        assert (status, reply) == (200, {"acceptorId": 1, "accepted": True, "proposalNumber": 3, "proposerId": 1,
                                         "forgotten": 0, "instances": [1]}), reply
        for status, reply in (prepare(member, 2), accept(member, 2, 1, None), prepare(member, 2, proposer=31)):
            assert (status, reply) == (409, {"acceptorId": 1, "promised": False, "proposalNumber": 3,
                                             "proposerId": 1}), reply
        status, reply = prepare(member, 3, proposer=2)  # the same round, a higher number
        assert status == 200 and reply["accepted"] == [{"instanceId": 1, "proposalNumber": 3, "proposerId": 1,
                                                        "value": [command(1), command(2)]}], reply
        assert accept(member, 3, 1, None)[0] == 409, "the first one is too late now"
        status, reply = accept(member, 3, 1, None, proposer=2)
        assert status == 200 and member.get("/instance/1")[1]["value"] is None, reply
        status, reply, _ = member.post("/confirm", {"proposerId": 2, "proposalNumber": 3, "number": 9})
        assert (status, reply) == (200, {"acceptorId": 1, "confirmed": True, "proposalNumber": 3, "proposerId": 2,
                                         "number": 9}), reply
        assert member.post("/confirm", {"proposerId": 1, "proposalNumber": 3, "number": 9})[0] == 409


def test_several_instances_share_a_request():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        proposals = [{"instanceId": i, "value": [command(i)]} for i in range(1, 301)]
        body = {"proposerId": 1, "proposalNumber": 1, "proposals": proposals}
        status, reply, _ = member.post("/accept", body)
        assert status == 200 and reply["instances"] == list(range(1, 301)), reply
        status, reply = member.get("/instances?from=11&count=2")
        assert reply["instances"] == [{"instanceId": i, "proposalNumber": 1, "proposerId": 1, "value": [command(i)]}
                                      for i in (11, 12)], reply
        status, reply = member.get("/instances")
        assert len(reply["instances"]) == 256 and reply["lastInstance"] == 300, reply["lastInstance"]
        status = member.status()
        assert status["held"] == 300 and status["lastInstance"] == 300, status
        assert member.get("/stats")[1]["commits"] == 1, "one transaction for all of them"


def test_what_was_answered_outlives_kill_9():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        chance = random.Random(7)
        answered, wrong, highest = {}, [], 0
        for life in range(1, 9):
            def write(first):
                for i in range(first, first + 2000, 4):
                    try:
                        status, reply = accept(member, life, i, [command(i, life)])
                    except OSError:
                        return
                    if status != 200 or reply["instances"] != [i]:
                        wrong.append((status, reply))
                    answered[i] = life
            assert prepare(member, life)[0] == 200
            writers = [threading.Thread(target=write, args=(first,)) for first in range(1, 5)]
            for writer in writers:
                writer.start()
            if life == 1:
                wait_until(lambda: answered, member.screen)
            time.sleep(chance.uniform(0.0, 0.3))
            member.kill()
            for writer in writers:
                writer.join()
            assert wrong == []
            cluster.start()
            highest = life
            promised = member.status()["promised"]
            assert (promised["proposalNumber"], promised["proposerId"]) == (highest, 1), promised
            assert prepare(member, highest - 1)[0] == 409 or highest == 1
            held = {}
            while True:
                reply = member.get(f"/instances?from={max(held, default=0) + 1}")[1]
                held |= {p["instanceId"]: (p["proposalNumber"], p["value"]) for p in reply["instances"]}
                if not reply["instances"]:
                    break
            for instance, number in answered.items():
                assert held[instance][0] >= number, (instance, number, held.get(instance))
                assert held[instance][1] == [command(instance, held[instance][0])], held[instance]


def test_learners_are_told_and_may_ask_again():
    with Learner() as first, Learner() as second, acceptor(LEARNERS=f"{first.address},{second.address}", **PATIENT) as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        accept(member, 1, 1, [command(1)])
        accept(member, 1, 2, None)
        for learner in (first, second):
            wait_until(lambda: sorted(learner.heard()) == [1, 2], lambda: learner.told)
        path, body = next(t for t in first.told if t[1]["accepted"][0]["instanceId"] == 1)
        assert path == "/learn" and body["acceptorId"] == 1 and body["forgotten"] == 0, body
        assert body["accepted"][0] == {"instanceId": 1, "proposalNumber": 1, "proposerId": 1,
                                       "value": [command(1)]}, body
        told = len(first.told)
        status, reply, _ = member.post("/fetch", {"learnerId": 2, "instanceId": 2})
        assert (status, reply) == (200, {})
        wait_until(lambda: second.heard().count(2) == 2, lambda: second.told)
        assert len(first.told) == told, "nobody else is told"


def test_what_learners_have_on_disk_is_forgotten():
    with Learner() as first, Learner() as second, acceptor(LEARNERS=f"{first.address},{second.address}", **PATIENT) as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        for i in range(1, 11):
            accept(member, 5, i, [command(i)])
        assert member.post("/checkpoint", {"learnerId": 1, "instanceId": 8})[:2] == (200, {})
        assert member.status()["forgotten"] == 0, "the second has nothing on its disk yet"
        member.post("/checkpoint", {"learnerId": 2, "instanceId": 6})
        member.post("/checkpoint", {"learnerId": 3, "instanceId": 10})  # there is no such learner
        assert member.status()["forgotten"] == 6, member.status()
        assert member.get("/instance/6")[0] == 410 and member.get("/instance/7")[0] == 200
        assert member.get("/instance/11")[0] == 404
        status, reply = accept(member, 5, 6, [command(6)])
        assert (status, reply["instances"], reply["forgotten"]) == (200, [], 6), reply
        member.post("/checkpoint", {"learnerId": 1, "instanceId": 10})
        member.post("/checkpoint", {"learnerId": 2, "instanceId": 10})
        member.kill()
        cluster.start()
        after = member.status()
        assert (after["forgotten"], after["held"]) == (10, 0), after
        assert after["promised"] == {"proposalNumber": 5, "proposerId": 1}, "no row is left that says so"
        assert prepare(member, 4)[0] == 409


def memory_of(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_ten_times_as_much_needs_no_more_room():
    """What is decided and forgotten leaves no trace in the file, nor in memory."""
    def write(member, first, count):
        for start in range(first, first + count, 250):
            proposals = [{"instanceId": i, "value": [command(i, "y" * 300)]} for i in range(start, start + 250)]
            status, reply, _ = member.post("/accept", {"proposerId": 1, "proposalNumber": 1, "proposals": proposals})
            assert status == 200 and len(reply["instances"]) == 250, reply
            member.post("/checkpoint", {"learnerId": 1, "instanceId": start})
        return member.get("/stats")[1]["fileBytes"], memory_of(member.process.pid)

    # A learner that is not there: for one that reads slowly messages would wait in memory, up to their bound.
    # AddressSanitizer keeps what is freed, to see who uses it.
    with acceptor(LEARNERS="127.0.0.1:1", LOG_LEVEL="warning", ASAN_OPTIONS="quarantine_size_mb=1") as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        file, memory = write(member, 1, 10000)
        later_file, later_memory = write(member, 10001, 90000)
        assert later_file <= 1.2 * file, (file, later_file)
        assert later_memory <= memory + 8 * 2 ** 20, (memory, later_memory)
        assert member.status()["held"] == 249, member.status()
        member.kill()
        cluster.start()
        assert member.status()["lastInstance"] == 100000


def fill(member, first, number):
    """Accepts until the acceptor cannot; the instances that it took."""
    taken = []
    for i in range(first, first + 5000):
        status, reply = accept(member, number, i, [command(i, "z" * 20000)])
        if status == 507:
            assert "disk" in reply["error"], reply
            return taken
        assert status == 200 and reply["instances"] == [i], (status, reply)
        taken.append(i)
    raise AssertionError("the disk never was full")


def test_a_full_disk_stops_promises_and_nothing_else():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        pid = member.process.pid
        assert prepare(member, 1)[0] == 200
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (6 * 2 ** 20, limits[1]))
        taken = fill(member, 1, 1)
        assert taken, "there was some room"
        refused = taken[-1] + 1
        status = member.status()
        assert status["diskFull"] and status["lastInstance"] == taken[-1], status
        assert member.get(f"/instance/{refused}")[0] == 404, "what is not on disk is not remembered"
        assert member.get(f"/instance/{taken[0]}")[0] == 200 and member.get("/health")[0] == 200
        promised = 1  # a promise is refused, too, once there is no room even for that
        failed = member.get("/stats")[1]["failedCommits"]

        def no_room():  # for a while after an attempt in vain it refuses without another one
            nonlocal promised
            answer = prepare(member, promised + 1)[0]
            assert answer in (200, 507), answer
            promised += answer == 200
            return answer == 507 and member.get("/stats")[1]["failedCommits"] > failed

        wait_until(no_room, member.status)
        assert member.status()["promised"] == {"proposalNumber": promised, "proposerId": 1}, member.status()
        assert any(e["level"] == "error" for e in member.events("fault")), member.screen()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        wait_until(lambda: accept(member, promised, refused, [command(refused)])[0] == 200, member.screen)
        assert not member.status()["diskFull"] and member.events("recover")[-1]["message"], member.screen()
        member.kill()
        cluster.start()
        for i in taken:
            assert member.get(f"/instance/{i}")[1]["value"] == [command(i, "z" * 20000)], i
        assert member.get(f"/instance/{refused}")[1]["value"] == [command(refused)]


def test_a_file_is_nobody_elses():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        accept(member, 1, 1, [command(1)])
        second = subprocess.run([program("paxos"), "acceptor"], capture_output=True, text=True, timeout=LIMIT,
                                env=cluster.environment() | {"NODE_ID": "1", "PORT": "0", "DATA_DIR": member.folder})
        assert second.returncode == 1 and "another process has it open" in second.stderr, second
        member.stop()
        other = subprocess.run([program("paxos"), "acceptor"], capture_output=True, text=True, timeout=LIMIT,
                               env=cluster.environment() | {"NODE_ID": "2", "PORT": "0", "DATA_DIR": member.folder})
        assert other.returncode == 1 and "is of the acceptor 1" in other.stderr, other
        cluster.start()
        assert member.get("/instance/1")[0] == 200


def test_a_damaged_file_is_refused_and_left_alone():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        for i in range(1, 50):
            accept(member, 1, i, [command(i)])
        assert member.stop() == 0
        path = os.path.join(member.folder, "acceptor.db")
        with open(path, "r+b") as file:
            content = file.read()
            at = content.index(b'"timestamp":7}')
            file.seek(at)
            file.write(b'"timestamp";7}')
        with open(path, "rb") as file:
            before = file.read()
        member.start()
        assert member.process.wait(LIMIT) == 1
        assert "damaged" in member.screen() and "instance 7" in member.screen(), member.screen()
        with open(path, "rb") as file:
            assert file.read() == before


def test_bad_settings_are_named():
    for settings, words in (({"NODE_ID": "0"}, "NODE_ID"), ({"NODE_ID": "32"}, "NODE_ID"), ({"PORT": "x"}, "PORT"),
                            ({"LEARNERS": "localhost"}, "LEARNERS"), ({"LEARNERS": "a:1,,b:2"}, "LEARNERS"),
                            ({"LEARNERS": ",".join(["a:1"] * 32)}, "LEARNERS"), ({"DEBUG": "yes"}, "DEBUG"),
                            ({"TIMEOUT_MS": "10"}, "TIMEOUT_MS"), ({"NET_LOSS": "2"}, "NET_LOSS"),
                            ({"DATA_DIR": "/dev/null/x"}, "DATA_DIR"), ({"DATA_DIR": "y" * 5000}, "DATA_DIR")):
        folder = tempfile.mkdtemp(prefix="ordem-test-")
        try:
            done = subprocess.run([program("paxos"), "acceptor"], capture_output=True, text=True, timeout=LIMIT,
                                  env=os.environ | {"PORT": "0", "DATA_DIR": folder} | settings)
            assert done.returncode == 1 and words in done.stderr, (settings, done)
        finally:
            shutil.rmtree(folder)


BALLOT = {"proposerId": 1, "proposalNumber": 1}
BAD_BODIES = [
    ("/prepare", b""), ("/prepare", b"null"), ("/prepare", b"[]"), ("/prepare", b"{"), ("/prepare", b"{}"),
    ("/prepare", b"\xff{}"), ("/prepare", b'{"proposerId":1}x'), ("/prepare", b"\0"),
    ("/prepare", {"proposerId": 0, "proposalNumber": 1, "instanceId": 1}),
    ("/prepare", {"proposerId": 32, "proposalNumber": 1, "instanceId": 1}),
    ("/prepare", {"proposerId": "1", "proposalNumber": 1, "instanceId": 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": 0, "instanceId": 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": ROUND_MAX + 1, "instanceId": 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": 1.5, "instanceId": 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": -1, "instanceId": 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": 10 ** 30, "instanceId": 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": 1, "instanceId": INSTANCE_MAX + 1}),
    ("/prepare", {"proposerId": 1, "proposalNumber": 1, "instanceId": [1]}),
    ("/prepare", {"proposerId": 1, "proposalNumber": 1}),
    ("/accept", BALLOT), ("/accept", BALLOT | {"instanceId": 1}), ("/accept", BALLOT | {"value": None}),
    ("/accept", BALLOT | {"instanceId": 0, "value": None}), ("/accept", BALLOT | {"instanceId": 1, "value": {}}),
    ("/accept", BALLOT | {"instanceId": 1, "value": []}), ("/accept", BALLOT | {"instanceId": 1, "value": [None]}),
    ("/accept", BALLOT | {"instanceId": 1, "value": [{}]}), ("/accept", BALLOT | {"instanceId": 1, "value": "x"}),
    ("/accept", BALLOT | {"instanceId": 1, "value": [command(1) | {"operation": "DROP"}]}),
    ("/accept", BALLOT | {"instanceId": 1, "value": [command(1)] * 257}),
    ("/accept", BALLOT | {"proposals": {}}), ("/accept", BALLOT | {"proposals": [1]}),
    ("/accept", BALLOT | {"proposals": [{"instanceId": 1}]}),
    ("/accept", b'{"proposerId":1,"proposalNumber":1,"instanceId":1,"value":' + b"[" * 100000),
    ("/accept", b'{"proposerId":1,"proposalNumber":1,"instanceId":1,"value":[{"a":"\\ud800"}]}'),
    ("/confirm", BALLOT), ("/confirm", BALLOT | {"number": "x"}), ("/checkpoint", {"learnerId": 1}),
    ("/checkpoint", {"learnerId": 99, "instanceId": 1}), ("/fetch", {"instanceId": 1}), ("/fetch", {"learnerId": 1}),
]


def test_bad_input_is_refused_everywhere():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        for path, body in BAD_BODIES:
            status, reply, headers = member.post(path, body)
            assert status == 400 and reply["error"] and headers["Content-Type"] == "application/json", (path, body, reply)
        for method, path, wanted in (("GET", "/prepare", 405), ("DELETE", "/accept", 405), ("POST", "/status", 405),
                                     ("POST", "/instance/1", 405), ("GET", "/", 404), ("GET", "/instance/", 404),
                                     ("GET", "/instance/1/2", 404), ("POST", "/propose", 404),
                                     ("GET", "/instance/x", 400), ("GET", "/instance/0", 400),
                                     ("GET", "/instance/%ff", 400), ("GET", "/instance/-1", 400),
                                     ("GET", f"/instance/{10 ** 30}", 400), ("GET", "/instances?from=x", 400),
                                     ("GET", "/instances?count=0", 400), ("GET", "/instances?count=257", 400),
                                     ("GET", "/logs", 403)):
            status, reply, headers = request(member.address, method, path, None if method == "GET" else "{}")
            assert status == wanted and reply["error"], (method, path, status, reply)
            assert status != 405 or headers["Allow"], headers
        status, reply, _ = member.post("/accept", b'{"x":"' + b"y" * (1024 * 1024) + b'"}')
        assert status == 413 and reply["error"], (status, reply)
        after = member.status()
        assert after["promised"] is None and after["held"] == 0, "nothing of it was taken"


def test_numbers_at_their_limits_do_no_harm():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        status, reply = accept(member, 1, INSTANCE_MAX, [command(1)])
        assert (status, reply["instances"]) == (200, []), "too far ahead of what is forgotten"
        status, reply = accept(member, 1, 2 ** 20, None)
        assert (status, reply["instances"]) == (200, [2 ** 20]), reply
        assert accept(member, 1, 2 ** 20 + 1, None)[1]["instances"] == []
        status, reply = prepare(member, ROUND_MAX, INSTANCE_MAX, 31)
        assert status == 400 and "too far" in reply["error"], reply
        status, reply = prepare(member, STEP_MAX, INSTANCE_MAX, 31)
        assert status == 200 and reply["accepted"] == [], reply
        assert prepare(member, STEP_MAX, 1, 30)[0] == 409
        status, reply = prepare(member, STEP_MAX, 1, 31)
        assert [p["instanceId"] for p in reply["accepted"]] == [2 ** 20], reply
        member.post("/checkpoint", {"learnerId": 1, "instanceId": INSTANCE_MAX})
        member.kill()
        cluster.start()
        assert member.status()["promised"] == {"proposalNumber": STEP_MAX, "proposerId": 31}


def test_many_and_slow_connections_keep_nobody_waiting():
    with acceptor() as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        needed = 2100
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise Skip(f"only {hard} files may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
        body = json.dumps({"proposerId": 1, "proposalNumber": 1, "instanceId": 1, "value": None})
        whole = f"POST /accept HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

        def accepts():
            return member.get("/stats")[1]["accepts"]

        def all_are_answered():
            before, begun = accepts(), time.monotonic()
            connections = []
            try:
                for i in range(2000):
                    connection = socket.create_connection(("127.0.0.1", member.port), timeout=LIMIT)
                    connections.append(connection)
                    connection.sendall(whole[:i % len(whole)])  # half a request, of every length
                assert accept(member, 1, 2, [command(2)])[0] == 200, "they keep nobody waiting"
                for i, connection in enumerate(connections):
                    connection.sendall(whole[i % len(whole):])
                for connection in connections:
                    assert connection.recv(65536).startswith(b"HTTP/1.1 200 "), "and are answered once they are whole"
                assert accepts() == before + 2001
                return True
            except (AssertionError, OSError):
                # Whose request is not whole after 10 s is sent away, rightly: on a machine that stood still all is begun anew.
                if time.monotonic() - begun < 9:
                    raise
                return False
            finally:
                for connection in connections:
                    connection.close()

        wait_until(all_are_answered, "2,000 halves of requests that become whole in time")


def test_a_learner_that_is_away_is_left_alone_and_met_again():
    with Learner(answers=False) as learner, acceptor(LEARNERS=learner.address, **PATIENT) as cluster:
        cluster.start()
        member = cluster.acceptors[0]

        def peer():
            return member.status()["peers"][0]

        assert peer()["circuit"] == "closed" and peer()["lastError"] is None, peer()
        instances = iter(range(1, 100000))

        def becomes(circuit):
            accept(member, 1, next(instances), None)
            seen = peer()
            return seen if seen["circuit"] == circuit else None

        away = wait_until(lambda: becomes("open"), peer)
        assert away["failures"] >= 3 and learner.address in away["lastError"], away
        learner.listen()
        wait_until(lambda: (seen := becomes("closed")) and seen["failures"] == 0, peer)
        assert learner.heard(), peer()
        kinds = [event["event"] for event in member.get("/logs/important")[1]["logs"]]
        assert "disconnect" in kinds and "connect" in kinds, kinds


def test_the_network_may_be_bad_on_demand():
    with Learner() as learner, acceptor(LEARNERS=learner.address, NET_DELAY_MS="1-20", NET_LOSS="0.1",
                                        NET_SEED="3", TIMEOUT_MS="2500") as cluster:  # it is told each thing once
        member = cluster.acceptors[0]
        faults = os.path.join(cluster.folder, "faults.json")
        cluster.settings["NET_FAULTS_FILE"] = faults
        cluster.start()
        for i in range(1, 21):
            accept(member, 1, i, None)
        wait_until(lambda: sorted(learner.heard()) == list(range(1, 21)), learner.heard)
        seen = {(event["fault"], event["peer"]) for event in member.events("fault") if "peer" in event}
        assert ("delay", "learner-1") in seen and ("loss", "learner-1") in seen, seen
        with open(faults + ".new", "w", encoding="utf-8") as file:
            json.dump({"NET_PARTITION": "acceptor-1|learner-1"}, file)
        os.replace(faults + ".new", faults)  # whole from the start
        wait_until(lambda: any("learner-1" in e.get("partition", "") for e in member.events("fault")), member.screen)
        told = len(learner.told)
        accept(member, 1, 21, None)
        wait_until(lambda: any(e.get("fault") == "partition" for e in member.events("fault")), member.screen)
        wait_until(lambda: member.status()["peers"][0]["failures"] > 0, member.screen)
        assert len(learner.told) == told, "it is cut off"
        os.remove(faults)
        wait_until(lambda: member.post("/fetch", {"learnerId": 1, "instanceId": 21})[0] == 200 and
                   21 in learner.heard(), member.screen)


def test_logs_are_kept_and_told():
    with acceptor(DEBUG="true") as cluster:
        cluster.start()
        member = cluster.acceptors[0]
        prepare(member, 1)
        member.stop()
        cluster.start()
        prepare(member, 2)
        for path, kinds in (("/logs", {"start", "ready", "promise", "stop"}),
                            ("/logs/important", {"start", "ready", "promise", "stop"})):
            status, reply = member.get(path)
            assert status == 200 and kinds <= {event["event"] for event in reply["logs"]}, reply
            numbers = [e["proposal_number"] for e in reply["logs"] if e["event"] == "promise"]
            assert numbers == [1, 2], "those of the life before too"
        for name in ("all", "important"):
            with open(os.path.join(member.folder, "logs", f"acceptor-1_{name}.log"), encoding="utf-8") as file:
                assert all(json.loads(line)["node"] == "acceptor-1" for line in file), name


if __name__ == "__main__":
    main(sys.modules[__name__])
