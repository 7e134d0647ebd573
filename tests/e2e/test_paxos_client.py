#!/usr/bin/env python3
"""The client of Paxos: its prompt, its service, and how it goes on asking."""

import itertools
import pty
import re
import select
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ordem import *
from paxos import Cluster, request


def prompt(lines, target, *options, **environment):
    """Types lines through a pipe; returns the exit status, the answers and what was said on standard error."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NODE_ID", "PROPOSERS", "ROLE")}
    options = options or ("--timeout", str(LIMIT))
    done = subprocess.run([program("paxos"), "client", "--target", target, *options], input="".join(line + "\n" for line in lines).encode(),
                          capture_output=True, timeout=2 * LIMIT, env=clean | environment)
    return done.returncode, [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")], done.stderr.decode()


NO_CONNECTION, NO_ANSWER = "no connection to", "no answer from"  # what a client says where it, or a FakeProposer, stood still


def prompt_until_error(target, seconds, *disturbed):
    """Types a command that has so little time that it ends with an error, again where the error tells of what is `disturbed`;
    returns the exit status and the answer."""
    def run():
        status, (reply,), _ = prompt(["SET x 1"], target, "--timeout", seconds)
        return None if any(words in reply.get("error", "") for words in disturbed) else (status, reply)
    return wait_until(run, f"a run in which nobody says {disturbed}")


def addresses(members):
    return ",".join(member.address for member in members)


class FakeProposer:
    """Does with each command what the next of `acts` says (the last one from then on), however often it is asked, as it is
    where somebody stood still for longer than a try may take; or, where `each_try`, with each request. Remembers the bodies."""

    def __init__(self, *acts, each_try=False):
        self.acts, self.bodies, self.each_try = list(acts), [], each_try
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.bodies.append(body)
                number = len(fake.bodies) - 1 if fake.each_try else fake.commands().index(body)
                act = fake.acts[min(number, len(fake.acts) - 1)]
                if act == "die":
                    fake.server.shutdown()
                    fake.server.server_close()
                    act = "hang up"
                if act == "hang up":
                    self.close_connection = True
                    return
                if act == "wait":
                    fake.leaving.wait(LIMIT)
                    self.close_connection = True
                    return
                status, reply, headers = (*act, {})[:3]
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.held, = hold_ports(1)  # also once it is dead
        self.server = ThreadingHTTPServer(self.held.getsockname(), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.leaving = threading.Event()
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def commands(self):
        """The bodies, each once."""
        return list(dict.fromkeys(self.bodies))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leaving.set()
        self.server.shutdown()
        self.server.server_close()
        self.held.close()


DECIDED = (200, {"status": "decided", "instanceId": 9, "proposerId": 1})


held = []  # for as long as this process lives


def nobody():
    """An address at which nobody listens, nor ever will."""
    held.extend(hold_ports(1))
    return f"127.0.0.1:{held[-1].getsockname()[1]}"


# ---- the prompt ----


def test_the_prompt_from_a_pipe():
    with Cluster(proposers=3, acceptors=3, learners=1) as cluster:
        cluster.start().leader()
        lines = ["SET x hello there", "get x", "", "GET y", "SET q \"quoted\"", "PRINT", "HELP", "EXIT", "SET x never"]
        status, replies, err = prompt(lines, addresses(cluster.proposers))
        assert status == 0 and err == "", (status, err)
        assert [reply["status"] for reply in replies] == ["decided"] * 5, replies
        assert replies[1]["value"] == "hello there" and replies[2]["value"] is None, replies
        assert replies[4]["snapshot"] == {"x": "hello there", "q": "\"quoted\""}, replies
        assert cluster.read("x")["value"] == "hello there"


def test_a_follower_sends_it_to_the_leader():
    with Cluster() as cluster:
        leader = cluster.start().leader()
        for follower in (member for member in cluster.proposers if member is not leader):
            status, (reply,), _ = prompt(["SET x 1"], follower.address)
            decider = cluster.proposers[reply["proposerId"] - 1]
            assert status == 0 and reply["proposer"] == decider.address, reply
            assert reply["tries"] > 1 or decider is follower, "on a busy machine another one may lead by now"


def test_lines_that_are_no_commands_are_answered_in_their_place():
    with FakeProposer(DECIDED) as proposer:
        lines = ["SET a 1", "frob", "GET", "SET a", "PRINT all", "GET a b", "SET " + "k" * 2000 + " 1", "SET b 2"]
        status, replies, _ = prompt(lines, proposer.address)
        assert status == 1 and ["error" in reply for reply in replies] == [False] + [True] * 6 + [False], replies
        assert len(proposer.commands()) == 2
        done = subprocess.run([program("paxos"), "client", "--target", proposer.address], input=b"SET a \xff\nSET a " + b"x" * (1 << 21) + b"\nSET b 1",
                              capture_output=True, timeout=LIMIT)
        replies = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 1 and ["error" in reply for reply in replies] == [True, True, False], replies


def test_what_a_proposer_refuses_is_shown():
    refusals = [(400, {"error": "no"}), (413, {"error": "too long"}), (200, b"<html>"), (200, b""), (418, {"error": "\x1b[31m"})]
    with FakeProposer(*refusals, DECIDED) as proposer:
        status, replies, _ = prompt(["SET a 1"] * 6, proposer.address)
        assert status == 1 and len(replies) == 6, replies
        assert [reply["error"] for reply in replies[:2]] == ["no", "too long"], replies
        assert all("not understood" in reply["error"] for reply in replies[2:4]), replies
        assert replies[5]["status"] == "decided", replies


def test_the_prompt_on_a_terminal():
    with FakeProposer((200, {"status": "decided", "instanceId": 1, "value": "hello"})) as proposer:
        child, terminal = pty.fork()
        if child == 0:
            os.environ["TERM"] = "xterm"
            os.execv(program("paxos"), ["paxos", "client", "--target", proposer.address])
        try:
            def shows(words):
                seen = b""
                deadline = time.monotonic() + LIMIT
                while words not in seen:
                    assert time.monotonic() < deadline, seen
                    if select.select([terminal], [], [], 0.1)[0]:
                        seen += os.read(terminal, 65536)
            shows(b"type HELP for the commands")
            os.write(terminal, b"GET xx\x7f\n")
            shows(b'"value":"hello"')
            os.write(terminal, b"\x1b[A\n")  # arrow up: the same again
            shows(b'"value":"hello"')
            os.write(terminal, b"nonsense\n")
            shows(b"type HELP")
            os.write(terminal, b"help\n")
            shows(b"read what was written last")
            os.write(terminal, b"exit\n")
            ended = wait_until(lambda: [e for e in [os.waitpid(child, os.WNOHANG)] if e[0] == child], "its end")
        except BaseException:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        finally:
            os.close(terminal)
        assert os.waitstatus_to_exitcode(ended[0][1]) == 0
        asked = [json.loads(body) for body in proposer.commands()]
        assert [body["resource"] for body in asked] == ["x", "x"], asked
        assert asked[0]["clientId"] == asked[1]["clientId"] and asked[0]["timestamp"] < asked[1]["timestamp"], asked


def test_arguments_that_are_wrong():
    def run(*arguments, **environment):
        clean = {k: v for k, v in os.environ.items() if k not in ("NODE_ID", "PROPOSERS", "ROLE")}
        done = subprocess.run([program("paxos"), "client", *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                              env=clean | environment)
        return done.returncode, done.stderr.decode()
    assert "whom shall I ask" in run()[1]
    for arguments in (("--target",), ("--target", "x:1", "more"), ("--frob", "1")):
        assert run(*arguments)[0] == 2 and "usage" in run(*arguments)[1], arguments
    for target in ("", "x", "x:", "x:0", "x:65536", "x:1,", ",x:1", "a:1,,b:2", "::1:80", "x:1," * 40 + "x:1", "h" * 300 + ":1"):
        status, said = run("--target", target)
        assert status == 2 and "--target" in said and len(said) < 1000, (target, said)
    assert run(PROPOSERS="x:y")[0] == 2 and "PROPOSERS" in run(PROPOSERS="x:y")[1]
    for seconds in ("0", "-1", "nan", "1e9", "1s", ""):
        assert "--timeout takes" in run("--target", "x:1", "--timeout", seconds)[1], seconds
    assert "standard input holds no commands" in run("--target", "x:1")[1]
    assert run("--help")[0] == 0


# ---- going on asking ----


def test_it_waits_until_somebody_leads():
    with FakeProposer((503, {"error": "no leader"})) as idle, Cluster() as cluster:
        cluster.start(*cluster.acceptors)
        target = f"{idle.address},{addresses(cluster.proposers)}"
        process = subprocess.Popen([program("paxos"), "client", "--target", target, "--timeout", str(LIMIT)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"SET x 1\n")
        process.stdin.flush()
        wait_until(lambda: idle.bodies, "it asks in vain")
        cluster.start()
        reply = json.loads(process.communicate(timeout=LIMIT)[0])
        assert process.returncode == 0 and reply["status"] == "decided" and reply["tries"] > 1, reply


def test_what_is_tried_again_has_the_same_name():
    acts = "hang up", (500, {"error": "?"}), (503, {"error": "no leader"}, {"Retry-After": "1"}), (504, {}), DECIDED
    with FakeProposer(*acts, each_try=True) as proposer:
        status, (reply,), _ = prompt(["SET x 1"], proposer.address)
        assert status == 0 and reply["tries"] >= 5, reply  # more where somebody stood still
        assert len(proposer.commands()) == 1 and len(proposer.bodies) >= 5, proposer.bodies
        assert {"clientId", "timestamp", "operation", "resource", "data"} == set(json.loads(proposer.bodies[0]))


def test_it_goes_to_the_next_one():
    with FakeProposer((503, {"error": "no leader"})) as idle, FakeProposer(DECIDED) as leader:
        target = f"{nobody()},{idle.address},{leader.address}"

        def is_asked_first():
            status, replies, _ = prompt(["SET x 1", "SET x 2"], target)
            assert status == 0 and [reply["proposer"] for reply in replies] == [leader.address] * 2, replies
            return replies[1]["tries"] == 1

        wait_until(is_asked_first, "the one that answered is asked first, unless it seemed to be gone")


def test_redirects_to_nowhere_and_in_a_circle_come_to_an_end():
    with FakeProposer(DECIDED) as leader:
        for location in ("", "http://", "ftp://x", "/propose", f"http://{nobody()}/propose", "http://" + "h" * 400 + ":1/", "http://x:99999/"):
            with FakeProposer((307, {}, {"Location": location})) as lost:
                status, (reply,), _ = prompt(["SET x 1"], f"{lost.address},{leader.address}")
                assert status == 0 and reply["proposer"] == leader.address, (location, reply)
    with FakeProposer((200, {})) as one:
        one.acts = [(307, {}, {"Location": f"http://{one.address}/propose"})]
        status, reply = prompt_until_error(one.address, "1", NO_CONNECTION, NO_ANSWER)
        assert status == 1 and "it was not done" in reply["error"] and reply["tries"] < 200, reply


def test_it_says_whether_it_may_have_been_done():
    status, (reply,), _ = prompt(["SET x 1"], f"{nobody()},{nobody()}", "--timeout", "0.5")
    assert status == 1 and "it was not done: " in reply["error"], reply
    assert "refused" in reply["error"] or "no connection" in reply["error"], reply  # the latter where the machine stood still
    with FakeProposer((503, {"error": "no leader is in sight"})) as proposer:
        status, reply = prompt_until_error(proposer.address, "0.5", NO_CONNECTION, NO_ANSWER)
        assert "it was not done" in reply["error"] and "no leader is in sight" in reply["error"], reply
    for act in ("wait", "hang up", (504, {"error": "unknown"}), (500, {})):
        with FakeProposer(act) as proposer:
            status, reply = prompt_until_error(proposer.address, "0.5", NO_CONNECTION)
            assert status == 1 and "may or may not have been done" in reply["error"], (act, reply)


def test_a_proposer_that_dies_with_a_command_may_have_done_it():
    with FakeProposer(DECIDED, "die") as proposer:  # time enough for a second try of the first one, which may need it
        status, replies, _ = prompt(["SET x 1", "SET x 2"], proposer.address, "--timeout", "6")
        assert status == 1 and replies[0]["status"] == "decided" and len(proposer.commands()) == 2, (replies, proposer.bodies)
        assert "may or may not have been done" in replies[1]["error"], "though nobody can be reached any more"


def test_it_speaks_portuguese():
    status, (reply,), _ = prompt(["SET x 1"], nobody(), "--timeout", "0.3", LANG="pt_BR.UTF-8", LC_ALL="pt_BR.UTF-8")
    assert "não foi feito" in reply["error"], reply


# ---- the service ----


def test_what_one_client_writes_another_reads():
    with Cluster(proposers=3, acceptors=3, learners=2, clients=2) as cluster:
        one, two = cluster.clients
        for client in cluster.clients:
            client.start("--timeout", str(LIMIT))  # so long may an election take
        cluster.start().leader()
        for client in cluster.clients:
            client.wait_healthy()
        for data in ("text", 7, None, {"a": [1, {"b": "ç"}]}, "<script>alert(1)</script>"):
            status, reply, _ = one.post("/operation", {"operation": "SET", "resource": "x", "data": data})
            assert status == 200 and reply["status"] == "decided" and reply["latencyUs"] > 0, reply
            status, reply, _ = two.post("/operation", {"operation": "get", "resource": "x"})
            assert status == 200 and reply["value"] == data, (data, reply)
        status, reply, _ = two.post("/operation", {"operation": "GET", "resource": "x", "stale": True})
        assert status == 200 and reply["status"] == "stale" and reply["ageMs"] >= 0, reply
        status, reply, _ = two.post("/operation", {"operation": "PRINT"})
        assert reply["snapshot"] == {"x": "<script>alert(1)</script>"}, reply
        asked = one.get("/history")[1]["operations"]["items"]
        assert [item["operation"] for item in asked] == ["SET"] * 5 and asked[-1]["data"] == "<script>alert(1)</script>", asked
        told = wait_until(lambda: one.get("/history")[1]["notifications"]["items"], "a learner says that it is applied")
        assert isinstance(told[0], dict), told
        assert one.stop() == 0


def test_a_load():
    with Cluster(proposers=3, acceptors=3, learners=1, clients=1) as cluster:
        client = cluster.clients[0]
        client.start("--timeout", str(LIMIT))  # so long may an election take
        cluster.start().leader()
        client.wait_healthy()
        assert client.post("/start", {"rate": 500, "operations": 200, "keys": 3, "readShare": 0.5, "size": 100})[0] == 200
        ended = wait_until(lambda: (s := client.status())["done"] + s["failed"] == 200 and s, "its end")
        assert ended["failed"] == 0 and not ended["running"] and 0 < ended["p50Us"] <= ended["p99Us"], ended
        writes = [len(cluster.read(f"key{i}")["value"] or "") for i in range(3)]
        assert set(writes) <= {0, 100} and 100 in writes, writes
        assert client.post("/start", {"rate": 100})[0] == 200
        status, reply, _ = client.post("/start", {"rate": 100})
        assert status == 409 and "running" in reply["error"], reply
        wait_until(lambda: client.status()["done"] > 20, "some are done")
        cluster.leader().kill()
        before = client.status()["done"]
        wait_until(lambda: client.status()["done"] > before + 100, "it goes on under another leader")
        stopped = client.post("/stop", {})[1]
        assert not stopped["running"], stopped
        ended = wait_until(lambda: (s := client.status())["inFlight"] == 0 and s, "its end")
        assert ended["done"] + ended["failed"] == ended["sent"] and ended["failed"] == 0, ended
        assert client.post("/stop", {})[0] == 200, "twice does no harm"
        assert client.get("/history")[1]["notifications"]["items"] == [], "nobody is told of each operation of a load"
        kinds = [e["message"] for e in client.events("load")]
        assert len(kinds) == 4, kinds


def test_what_is_wrong_is_told():
    with FakeProposer(DECIDED) as proposer, Cluster(0, 0, clients=1, PROPOSERS=proposer.address) as cluster:
        client = cluster.start().clients[0]
        for body, word in (("", "JSON"), ("{", "JSON"), ("[]", "JSON"), ("{}", "operation"), ({"operation": 1}, "operation"),
                           ({"operation": None}, "operation"), ({"operation": "GET", "stale": "yes"}, "stale")):
            status, reply, _ = client.post("/operation", body)
            assert status == 400 and word in reply["error"], (body, reply)
        assert proposer.bodies == [], "none of them went on"
        for body, word in (({"rate": 0}, "rate"), ({"rate": -1}, "rate"), ({"rate": 1.5}, "rate"), ({"rate": "9"}, "rate"), ({"rate": 1e30}, "rate"),
                           ('{"rate": 99999999999999999999999999999999999999999}', "rate"), ({"operations": -1}, "operations"), ({"keys": 0}, "keys"),
                           ({"keys": None}, "keys"), ({"size": 65537}, "size"), ({"readShare": 1.1}, "readShare"), ({"readShare": "half"}, "readShare"),
                           ({"readShare": -0.1}, "readShare"), ("{]", "JSON")):
            status, reply, _ = client.post("/start", body)
            assert status == 400 and word in reply["error"] and len(reply["error"]) < 300, (body, reply)
        assert not client.status()["running"]
        assert client.post("/notification", "nonsense")[0] == 400
        assert client.post("/notification", {"x": "y" * 5000})[0] == 413
        assert client.post("/operation", b"x" * (2 << 20))[0] == 413
        for path in ("/history?after=x", "/history?count=100000", "/cluster?lines=-1", "/cluster?operations=1e9"):
            assert client.get(path)[0] == 400, path
        for path in ("/nothing", "/members", "/members/client-1", "/members//status", "/members/client-1/propose", "/members/client-1/status/x",
                     "/members/client-2/status", "/members/proposer-1%2f..%2fclient-1/status", "/page.js/", "/../page.js"):
            assert client.get(path)[0] == 404, path
        for method, path, allowed in (("GET", "/operation", "POST"), ("DELETE", "/", "GET"), ("POST", "/cluster", "GET"), ("POST", "/members/client-1/status", "GET")):
            status, reply, headers = request(client.address, method, path)
            assert status == 405 and headers["Allow"] == allowed, (method, path, headers)


def test_members_are_asked_for_those_who_look():
    with Cluster(proposers=3, acceptors=3, learners=1, clients=1, DEBUG="true") as cluster:
        cluster.start().leader()
        client = cluster.clients[0]
        def told(path):  # 503: the member has not answered in time, or a while ago
            status, reply = wait_until(lambda: (answer := client.get(path))[0] != 503 and answer, f"{path} is answered")
            assert status == 200, (status, reply)
            return reply
        assert told("/members/acceptor-1/status")["role"] == "acceptor"
        assert told("/members/learner-1/health") == {"status": "healthy"}
        assert told("/members/proposer-2/logs")["logs"][0]["node"] == "proposer-2"
        assert told("/members/client-1/logs/important")["logs"][0]["event"] == "start"
        assert told("/members/acceptor-1/stats")["requests"] > 0
        def seen():
            view = client.get("/cluster")[1]
            return view if all(m["state"] == "up" for m in view["members"]) and view["lines"]["items"] else None
        view = wait_until(seen, "all are up, and say something")
        assert [m["name"] for m in view["members"]] == [f"proposer-{i}" for i in (1, 2, 3)] + [f"acceptor-{i}" for i in (1, 2, 3)] + ["learner-1", "client-1"]
        assert all("peers" not in m["status"] for m in view["members"])
        wait_until(lambda: {f"acceptor-{i}" for i in (1, 2, 3)} <= {line["node"] for line in client.get("/cluster")[1]["lines"]["items"]},
                   "the lines of all")
        lines = client.get("/cluster")[1]["lines"]
        assert len({json.dumps(line) for line in lines["items"]}) == len(lines["items"]), "each line once"
        known = lines["items"]
        def nothing_is_new():  # members may have said more by now
            nonlocal known, lines
            lines = client.get(f"/cluster?lines={lines['next']}")[1]["lines"]
            assert not any(line in known for line in lines["items"]), "and not again"
            known = known + lines["items"]
            return lines["items"] == []
        wait_until(nothing_is_new, "all lines are told")
        def asked():  # what the client itself asked of one member: about twice a second, for its status and its log
            return next(peer["sent"] for peer in client.status()["peers"] if peer["name"] == "acceptor-1")
        before = asked()
        for _ in range(200):  # many look at once
            client.get("/cluster")
        assert asked() - before < 200, "they share what was asked once"
        cluster.acceptors[1].kill()
        def dead_one():  # another one that is slow to answer is down, too, until it has answered
            dead = [m for m in client.get("/cluster")[1]["members"] if m["state"] == "down"]
            return dead[0] if [m["name"] for m in dead] == ["acceptor-2"] else None
        dead = wait_until(dead_one, "it is seen to be dead")
        assert dead["error"] != "" and dead["status"]["role"] == "acceptor", dead
        status, reply = client.get("/members/acceptor-2/status")
        assert status == 503 and "error" in reply, reply
        cluster.acceptors[1].start().wait_healthy()
        wait_until(lambda: all(m["state"] == "up" for m in client.get("/cluster")[1]["members"]), "it is seen to be back")


def test_nobody_is_asked_when_nobody_looks():
    with Cluster(proposers=0, acceptors=1, clients=1, PROPOSERS=nobody()) as cluster:
        client = cluster.start().clients[0]
        client.get("/cluster")
        counts = [0]
        def is_quiet():
            counts.append(cluster.acceptors[0].get("/stats")[1]["requests"])
            time.sleep(2.5)  # longer than between two questions
            return cluster.acceptors[0].get("/stats")[1]["requests"] == counts[-1] + 1  # this one
        wait_until(is_quiet, "it asks no more")


def test_it_leaves_in_order_while_it_waits():
    with Cluster(0, 0, clients=1, PROPOSERS=nobody()) as cluster:
        client = cluster.start().clients[0]
        def requests():
            return client.get("/stats")[1]["requests"]
        answers, before, looks = [], requests(), itertools.count(1)
        asking = [threading.Thread(target=lambda: answers.append(client.post("/operation", {"operation": "GET", "resource": "x"}))) for _ in range(5)]
        for thread in asking:
            thread.start()
        wait_until(lambda: requests() - next(looks) == before + 5, "all five have come, with the looks for them")
        client.post("/start", {"rate": 100})
        wait_until(lambda: client.status()["inFlight"] > 10, "the load is under way")
        assert client.stop() == 0
        for thread in asking:
            thread.join(LIMIT)
        assert len(answers) == 5 and all(status == 503 and "was not done" in reply["error"] for status, reply, _ in answers), answers


def test_the_service_has_a_prompt_too():
    with FakeProposer(DECIDED) as proposer, Cluster(0, 0, clients=1, PROPOSERS=proposer.address) as cluster:
        member = cluster.clients[0]
        environment = cluster.environment() | cluster.settings | {"NODE_ID": "1", "PORT": str(member.port), "DATA_DIR": member.folder}
        def start():
            process = subprocess.Popen([program("paxos"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       env=environment)
            process.stdin.write(b"SET x 1\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["status"] == "decided"
            return process
        process = start()
        process.stdin.close()  # the pipe ends, the service does not
        asked = wait_until(lambda: member.get("/history")[1]["operations"]["items"], "it stands in the history")
        assert asked[0]["from"] == "prompt" and asked[0]["resource"] == "x", asked
        process.terminate()
        assert process.wait(LIMIT) == 0
        process.stdout.close()
        process = start()
        assert process.communicate(b"EXIT\n", timeout=LIMIT) == (b"", None) and process.returncode == 0


def test_the_page_is_served_at_both_ports():
    with Cluster(0, 0, clients=1, PROPOSERS=nobody()) as cluster:
        client = cluster.start().clients[0]
        page = f"127.0.0.1:{client.status()['pagePort']}"
        assert page != client.address and request(page, "GET", "/health")[1] == {"status": "healthy"}
        for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")):
            bodies = []
            for address in (page, client.address):
                done = subprocess.run(["curl", "-s", "-i", f"http://{address}{path}"], capture_output=True, timeout=LIMIT)
                head, _, body = done.stdout.decode().partition("\r\n\r\n")
                assert f"Content-Type: {kind}; charset=utf-8" in head and "default-src 'none'" in head, head
                assert "unsafe" not in head and "nosniff" in head, head
                bodies.append(body)
            assert bodies[0] == bodies[1] != ""
            assert re.search(r"https?://(?!www\.w3\.org/2000/svg)", bodies[0]) is None, "it asks nobody else"


def test_settings_that_are_wrong():
    def run(**environment):
        with Cluster(0, 0, clients=1, PROPOSERS=nobody()) as cluster:
            done = subprocess.run([program("paxos"), "client"], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                                  env=cluster.environment() | cluster.settings | {"NODE_ID": "1", "PORT": "0", "DATA_DIR": cluster.folder} | environment)
            return done.returncode, done.stderr.decode()
    for name, value in (("PAGE_PORT", "x"), ("PAGE_PORT", "65536"), ("NODE_ID", "0"), ("NODE_ID", "32"), ("PORT", "-1"), ("PROPOSERS", "x"),
                        ("ACCEPTORS", "a:1,"), ("CLIENTS", "a")):
        status, said = run(**{name: value})
        assert status != 0 and name in said, (name, value, said)


if __name__ == "__main__":
    main(sys.modules[__name__])
