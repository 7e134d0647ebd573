#!/usr/bin/python3
"""Parte 5: the processes between clients and servers, with clients and servers of libzmq's own."""

from chat import *


def test_the_broker_gives_each_server_its_turn_and_each_client_its_answer():
    with Process("broker") as broker, Socket(zmq.REP, broker.endpoint("SERVERS_PORT")) as one, \
            Socket(zmq.REP, broker.endpoint("SERVERS_PORT")) as two, Socket(zmq.REQ, broker.endpoint("CLIENTS_PORT")) as ana, \
            Socket(zmq.REQ, broker.endpoint("CLIENTS_PORT")) as rui:
        asked = {1: 0, 2: 0}
        while min(asked.values()) < 5:  # both are connected, sooner or later
            ana.socket.send(b"from ana")
            rui.socket.send(b"from rui")
            for _ in range(2):
                wait_until(lambda: one.socket.poll(0) or two.socket.poll(0), "a question")
                number, server = (1, one) if one.socket.poll(0) else (2, two)
                asked[number] += 1
                server.socket.send(server.socket.recv() + b", answered")
            assert ana.socket.recv() == b"from ana, answered"
            assert rui.socket.recv() == b"from rui, answered"
        broker.stop()


def test_a_server_that_is_gone_is_asked_no_more():
    with Process("broker") as broker, Socket(zmq.DEALER, broker.endpoint("CLIENTS_PORT")) as ana, \
            Socket(zmq.REP, broker.endpoint("SERVERS_PORT")) as stays:
        with Socket(zmq.REP, broker.endpoint("SERVERS_PORT")) as leaves:
            asked = set()
            while len(asked) < 2:  # both are connected, sooner or later
                ana.socket.send_multipart([b"", b"begin"])
                wait_until(lambda: stays.socket.poll(0) or leaves.socket.poll(0), "a question")
                server = stays if stays.socket.poll(0) else leaves
                asked.add(server)
                server.socket.send(server.socket.recv())
                assert ana.socket.recv_multipart() == [b"", b"begin"]
        last = 0

        def is_answered():
            """A question, with a number of its own. One that does not come went to the other, whose end is on its way."""
            nonlocal last
            last += 1
            ana.socket.send_multipart([b"", b"%d" % last])
            while stays.socket.poll(2000):
                question = stays.socket.recv()
                stays.socket.send(question)
                assert ana.socket.recv_multipart() == [b"", question]
                if question == b"%d" % last:
                    return True
            return False

        wait_until(lambda: all(is_answered() for _ in range(20)), "twenty questions in a row, none of which is lost")


def test_questions_wait_for_a_server_and_too_many_are_refused_in_kind():
    with Process("broker") as broker, Socket(zmq.DEALER, broker.endpoint("CLIENTS_PORT")) as crowd:
        id = str(uuid.uuid4())
        for i in range(1000):
            crowd.socket.send_multipart([b"", b"waits"])
        for packed in (True, False):
            question = {"service": "users", "data": {"timestamp": 1, "clock": 1, "request_id": id}}
            crowd.socket.send_multipart([b"", msgpack.packb(question) if packed else json.dumps(question).encode()])
            crowd.socket.recv()  # the empty frame
            answer = crowd.answer(packed, "users")
            assert answer["status"] == "erro" and answer["request_id"] == id and "no server" in answer["description"]
        crowd.socket.send_multipart([b"", b"\xc1 nonsense"])
        crowd.socket.recv()
        assert crowd.answer(True, "error")["status"] == "erro"
        with Socket(zmq.REP, broker.endpoint("SERVERS_PORT")) as server:
            for _ in range(1000):
                assert server.socket.recv() == b"waits"
                server.socket.send(b"done")
                assert crowd.socket.recv_multipart() == [b"", b"done"]


def test_the_proxy_passes_publications_to_those_who_subscribed():
    with Process("proxy") as proxy, Socket(zmq.PUB, proxy.endpoint("SERVERS_PORT")) as server, \
            Socket(zmq.SUB, proxy.endpoint("CLIENTS_PORT"), "geral") as ana, \
            Socket(zmq.SUB, proxy.endpoint("CLIENTS_PORT"), "rui", "geral") as rui:
        for subscriber, topic in ((ana, b"geral"), (rui, b"rui")):
            while not subscriber.socket.poll(20):
                server.socket.send_multipart([topic, b"first"])
        for i in range(100):
            server.socket.send_multipart([b"geral", b"%d" % i])
            server.socket.send_multipart([b"rui", b"%d" % i])
            server.socket.send_multipart([b"nobody", b"%d" % i])
        for subscriber, topics in ((ana, [b"geral"]), (rui, [b"geral", b"rui"])):
            heard = []
            while heard.count((topics[-1], b"99")) == 0:
                topic, body = subscriber.socket.recv_multipart()
                if body != b"first":
                    heard.append((topic, body))
            assert heard == [(topic, b"%d" % i) for i in range(100) for topic in topics]
        proxy.stop()


def test_the_proxy_survives_a_subscriber_that_never_reads():
    with Process("proxy") as proxy, Socket(zmq.PUB, proxy.endpoint("SERVERS_PORT")) as server, \
            Socket(zmq.SUB, proxy.endpoint("CLIENTS_PORT"), "x") as deaf, \
            Socket(zmq.SUB, proxy.endpoint("CLIENTS_PORT"), "x") as good:
        for subscriber in (deaf, good):
            while not subscriber.socket.poll(20):
                server.socket.send_multipart([b"x", b"first"])
        while good.socket.poll(100):
            good.socket.recv_multipart()
        for burst in range(200):
            for i in range(50):
                server.socket.send_multipart([b"x", b"%d" % i, b"." * 20000])
            for i in range(50):
                while (body := good.socket.recv_multipart()[1]) == b"first":
                    pass  # some may come late
                assert body == b"%d" % i
        wait_until(lambda: proxy.events("discard"), "a warning")


def test_the_reference_server_gives_ranks_and_lists_who_is_alive():
    with Process("reference", HEARTBEAT_TIMEOUT_MS="500") as reference, \
            Socket(zmq.REQ, reference.endpoint("REFERENCE_PORT")) as server:
        assert server.ask("heartbeat", user="s1")["status"] == "erro"
        assert server.ask("rank", user="s1")["rank"] == 1
        said, pauses = [time.monotonic()], []  # of s2: when it was heard at the earliest, and when at the latest once more
        assert server.ask("rank", user="s2", packed=False)["rank"] == 2
        assert server.ask("rank", user="s1")["rank"] == 1

        def listed_after_heartbeats_of(*names):
            said.append(time.monotonic())
            for name in names:
                assert server.ask("heartbeat", user=name)["status"] == "OK"
            pauses.append(time.monotonic() - said[-2])
            return server.ask("list")["list"]

        both = [{"name": "s1", "rank": 1}, {"name": "s2", "rank": 2}]
        wait_until(lambda: listed_after_heartbeats_of("s1", "s2") == both, "both are alive")
        wait_until(lambda: listed_after_heartbeats_of("s2") == both[1:], "s1 is silent")
        wait_until(lambda: "s1" in [e["server"] for e in reference.events("disconnect")], "a word about s1")
        gone = {e["server"] for e in reference.events("disconnect")}
        pauses.append(time.monotonic() - said[-1])
        if max(pauses) < 0.2:  # else this test may have been as silent
            assert gone == {"s1"}
        wait_until(lambda: listed_after_heartbeats_of("s1", "s2") == both, "s1 is back")
        reference.stop()


def test_the_reference_server_answers_nonsense_with_an_error():
    with Process("reference") as reference, Socket(zmq.REQ, reference.endpoint("REFERENCE_PORT")) as server:
        for raw in (b"", b"\xc1", b"\xdf\xff\xff\xff\xff", b"\xc1" + os.urandom(500), b"\x91" * 1000):
            server.socket.send(raw)
            assert server.answer(True, "error")["status"] == "erro"
        server.socket.send(b"{\"service\":")
        assert server.answer(False, "error")["status"] == "erro"
        assert server.ask("rank", user="a/b")["description"] == "user: holds a path separator"
        assert server.ask("rank", user=7)["description"] == "user is of type integer, it must be of type string"
        assert server.ask("rank")["description"] == "user is missing"
        assert server.ask("users")["status"] == "erro"
        assert 2**62 < server.ask("list", clock=2**63 - 1)["clock"] < 2**62 + 100  # and there is room above that
        wait_until(lambda: reference.events("discard"), "a word about nonsense")


def test_ranks_outlive_the_reference_server():
    with Process("reference") as first, Socket(zmq.REQ, first.endpoint("REFERENCE_PORT")) as server:
        assert [server.ask("rank", user=name)["rank"] for name in ("s3", "s1", "s2")] == [1, 2, 3]
        first.kill()
        record = os.path.join(first.folder, "data-reference", "ranks.txt")
        with open(record, "a") as file:
            file.write("s4")  # a crash cut this line
        with Process("reference", first.folder) as second, Socket(zmq.REQ, second.endpoint("REFERENCE_PORT")) as again:
            assert [again.ask("rank", user=name)["rank"] for name in ("s5", "s2", "s1", "s3")] == [4, 3, 2, 1]
            second.kill()
        for damage in ("s1\n", "a/b\n", "\xff\n", "\n"):
            with open(record, "w", encoding="latin-1") as file:
                file.write("s3\ns1\n" + damage)
            third = Process("reference", first.folder)
            assert third.process.wait(LIMIT) == 1
            wait_until(lambda: third.screen, "a reason")
            with open(record, encoding="latin-1") as file:
                assert file.read() == "s3\ns1\n" + damage  # not overwritten


def sizes(log):
    """Of the messages that are said to have been sent."""
    return [event["bytes"] for event in read_log(log, "send")]


def test_the_encoding_is_an_option_of_client_and_bot():
    with Process("proxy") as proxy, context.socket(zmq.ROUTER) as broker:
        broker.linger, broker.rcvtimeo = 0, LIMIT * 1000
        log = os.path.join(proxy.folder, "said.jsonl")
        settings = {"BROKER": f"127.0.0.1:{broker.bind_to_random_port('tcp://127.0.0.1')}", "LOG_LEVEL": "debug",
                    "PROXY": f"127.0.0.1:{proxy.port('CLIENTS_PORT')}", "ENCODING": "messagepack", "LOG_FILE": log,
                    "REQUEST_TIMEOUT_MS": "60000"}
        for role in ("client", "bot"):
            run = subprocess.Popen([program("parte5"), role, "--encoding", "json"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, env=os.environ | settings)
            try:
                run.stdin.write(b"login ana\n")
                run.stdin.flush()
                _, _, question = broker.recv_multipart()
                assert question.startswith(b'{"service":"login"'), question
                if role == "client":  # how long a password is, which a bot has, is told to no log
                    wait_until(lambda: sizes(log) == [len(question)], "its size in the log")
            finally:
                run.kill()
                run.communicate()
    for line, status in (("client --encoding", 2), ("broker --encoding json", 2), ("client --encoding xml", 1),
                         ("client --encoding json x", 2), ("bot --decoding json", 2)):
        run = subprocess.run([program("parte5"), *line.split()], capture_output=True, text=True, timeout=LIMIT)
        assert run.returncode == status and run.stderr.startswith("usage:" if status == 2 else "parte5: ENCODING"), run


def test_our_client_waits_for_a_primary_as_long_as_for_an_answer():
    with Process("proxy") as proxy, context.socket(zmq.ROUTER) as broker:
        broker.linger, broker.rcvtimeo = 0, LIMIT * 1000
        settings = {"BROKER": f"127.0.0.1:{broker.bind_to_random_port('tcp://127.0.0.1')}",
                    "PROXY": f"127.0.0.1:{proxy.port('CLIENTS_PORT')}", "REQUEST_TIMEOUT_MS": "30000"}
        run = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=os.environ | settings)
        run.stdin.write("login ana\n")
        run.stdin.close()
        ids = set()
        for left in range(14, -1, -1):
            client, empty, question = broker.recv_multipart()
            ids.add(msgpack.unpackb(question)["data"]["request_id"])
            data = {"timestamp": 1, "clock": 1} | ({"status": "erro", "description": "no primary at this moment: try again"}
                                                   if left else {"status": "sucesso"})
            broker.send_multipart([client, empty, msgpack.packb({"service": "login", "data": data})])
        assert run.stdout.read() == "OK\n" and run.wait(LIMIT) == 0 and len(ids) == 1
        run.stdout.close()


def test_a_setting_that_does_not_parse_is_named():
    for role, name, value in (("broker", "CLIENTS_PORT", "x"), ("proxy", "SERVERS_PORT", "70000"),
                              ("reference", "HEARTBEAT_TIMEOUT_MS", "0"), ("broker", "NODE_ID", "a b"),
                              ("broker", "LOG_LEVEL", "loud")):
        process = Process(role, **{name: value})
        assert process.process.wait(LIMIT) == 1
        wait_until(lambda: any(name in line for line in process.screen), lambda: process.screen)
        shutil.rmtree(process.folder)
    with Process("broker") as broker:
        second = Process("broker", CLIENTS_PORT=str(broker.port("CLIENTS_PORT")))
        assert second.process.wait(LIMIT) == 1
        wait_until(lambda: any("in use" in line for line in second.screen), lambda: second.screen)
        shutil.rmtree(second.folder)


if __name__ == "__main__":
    main(sys.modules[__name__])
