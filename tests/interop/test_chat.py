#!/usr/bin/python3
"""Parte 5 with programs that are not ours: clients, a server and a reference server of pyzmq and msgpack, written from the
published formats alone. They know no request id, name no encoding, and leave out what those formats do not ask for."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from chat import *  # noqa: E402

PATIENT = {"HEARTBEAT_TIMEOUT_MS": "20000", "REPLICATION_TIMEOUT_MS": "10000"}  # no time-out is what is tested here


class Student:
    """A program with a logical clock, which is what each of them has, and an encoding."""

    def __init__(self, packed):
        self.packed, self.clock = packed, 0

    def dump(self, service, data):
        self.clock += 1
        message = {"service": service, "data": {"timestamp": int(time.time() * 1000), "clock": self.clock} | data}
        return msgpack.packb(message) if self.packed else json.dumps(message).encode()

    def load(self, raw, packed=None):
        message = msgpack.unpackb(raw) if (self.packed if packed is None else packed) else json.loads(raw)
        assert set(message) == {"service", "data"}, message
        data = message["data"]
        assert abs(data["timestamp"] / 1000 - time.time()) < 3600 and data["clock"] > 0, message
        self.clock = max(self.clock, data["clock"])
        return message["service"], data

    def asks(self, requests, service, **data):
        """The data of the answer, which comes in kind and later than the question; asked again while nobody leads."""
        deadline = time.monotonic() + LIMIT
        while True:
            requests.send(self.dump(service, data))
            sent = self.clock
            answered, answer = self.load(requests.recv())
            assert answered == service and answer["clock"] > sent, (answered, answer, sent)
            if "no primary" not in answer.get("description", "") + str(answer.get("message", "")):
                return answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.05)

    def hears(self, subscriber):
        """Of publications there is one copy for all, in MessagePack."""
        topic, body = subscriber.recv_multipart()
        return topic.decode(), *self.load(body, packed=True)


def a_socket(kind, port):
    plain = context.socket(kind)
    plain.linger, plain.rcvtimeo, plain.sndtimeo = 0, LIMIT * 1000, LIMIT * 1000
    plain.connect(f"tcp://127.0.0.1:{port}")
    return plain


def wait_for_subscription(student, requests, subscriber, name):
    """Publishes to itself until it hears that, and all that it has said: who subscribes does not learn when the servers
    know of it. The subscription to `name` is the last: those before it are known, too."""
    count = 0

    def heard():
        nonlocal count
        count += 1
        assert student.asks(requests, "message", src=name, dst=name, message=f"? {count}")["status"] == "OK"
        return subscriber.poll(100)

    wait_until(heard, "the subscription")
    while student.hears(subscriber)[2].get("message") != f"? {count}":
        pass


def a_client(chat, packed, name, others):
    """Everything that the published format has, in the order in which a student tries it."""
    student = Student(packed)
    requests = a_socket(zmq.REQ, chat.broker.port("CLIENTS_PORT"))
    subscriber = a_socket(zmq.SUB, chat.proxy.port("CLIENTS_PORT"))
    channel = f"canal-{name}"

    assert student.asks(requests, "login", user=name)["status"] == "sucesso"
    assert set(student.asks(requests, "users")["users"]) >= {name, *others}
    answer = student.asks(requests, "channel", channel=channel)
    assert answer["status"] == "sucesso", answer
    answer = student.asks(requests, "channel", channel=channel)  # there is one
    assert answer["status"] == "erro" and isinstance(answer["description"], str), answer
    assert channel in student.asks(requests, "channels")["channels"]
    subscriber.subscribe(channel)
    subscriber.subscribe(name)
    wait_for_subscription(student, requests, subscriber, name)

    for number in range(3):
        answer = student.asks(requests, "publish", user=name, channel=channel, message=f"olá {number}")
        assert answer["status"] == "OK", answer
    for number in range(3):
        topic, service, data = student.hears(subscriber)
        assert (topic, service) == (channel, "publication"), (topic, service, data)
        assert (data["user"], data["channel"], data["message"]) == (name, channel, f"olá {number}"), data
    assert student.asks(requests, "message", src=name, dst=name, message="só para mim")["status"] == "OK"
    topic, service, data = student.hears(subscriber)
    assert (topic, service) == (name, "private_message"), (topic, service, data)
    assert (data["src"], data["dst"], data["message"]) == (name, name, "só para mim"), data

    answer = student.asks(requests, "publish", user=name, channel="nenhum", message="x")
    assert answer["status"] == "erro" and "nenhum" in answer["message"], answer
    answer = student.asks(requests, "message", src=name, dst="ninguém", message="x")
    assert answer["status"] == "erro" and "ninguém" in answer["message"], answer
    history = student.asks(requests, "history", channel=channel, limit=2)["messages"]
    assert [item["message"] for item in history] == ["olá 1", "olá 2"], history
    assert [item["message"] for item in student.asks(requests, "history", user=name)["messages"]][-1] == "só para mim"
    assert abs(student.asks(requests, "time")["time"] / 1000 - time.time()) < 3600
    requests.send(student.dump("no-such-service", {}))
    service, data = student.load(requests.recv())
    assert data["status"] == "erro", (service, data)
    requests.close(0)
    subscriber.close(0)


def test_a_client_in_messagepack_and_one_in_json():
    with Chat(**PATIENT) as chat:
        a_client(chat, True, "ana", [])
        a_client(chat, False, "rui", ["ana"])


def test_a_student_s_client_and_ours_talk():
    with Chat(**PATIENT) as chat:
        student = Student(True)
        requests = a_socket(zmq.REQ, chat.broker.port("CLIENTS_PORT"))
        subscriber = a_socket(zmq.SUB, chat.proxy.port("CLIENTS_PORT"))
        student.asks(requests, "login", user="ana")
        student.asks(requests, "channel", channel="geral")
        subscriber.subscribe("geral")
        subscriber.subscribe("ana")
        wait_for_subscription(student, requests, subscriber, "ana")
        ours = subprocess.run(
            [program("parte5"), "client", "--encoding", "json"], capture_output=True, text=True, timeout=LIMIT,
            input="login eva\nchannels\npub geral bom dia\nmsg ana oi\n",
            env=os.environ | {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}",
                              "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"})
        assert (ours.returncode, ours.stdout) == (0, "OK\ngeral\nOK\nOK\n"), ours
        topic, service, data = student.hears(subscriber)
        assert (topic, service, data["user"], data["message"]) == ("geral", "publication", "eva", "bom dia"), data
        topic, service, data = student.hears(subscriber)
        assert (topic, service, data["src"], data["message"]) == ("ana", "private_message", "eva", "oi"), data


def test_a_student_s_server_among_ours():
    """It gets a rank, is listed, asks ours for their clocks, holds an election and hears who coordinates."""
    with Chat(**PATIENT) as chat:
        student = Student(True)
        reference = a_socket(zmq.REQ, chat.reference.port("REFERENCE_PORT"))
        assert student.asks(reference, "rank", user="aluno")["rank"] == 4
        assert student.asks(reference, "rank", user="aluno")["rank"] == 4
        assert student.asks(reference, "heartbeat", user="aluno").get("status") != "erro"
        listed = student.asks(reference, "list")["list"]
        assert {"name": "aluno", "rank": 4} in listed and all(set(entry) == {"name", "rank"} for entry in listed), listed
        for packed in (True, False):
            student.packed = packed
            for port in chat.ports:
                ours = a_socket(zmq.REQ, port)
                assert abs(student.asks(ours, "clock")["time"] / 1000 - time.time()) < 3600
                assert student.asks(ours, "election")["election"] == "OK"
                ours.close(0)

        student.packed = True
        subscriber = a_socket(zmq.SUB, chat.proxy.port("CLIENTS_PORT"))
        subscriber.subscribe("servers")
        requests = a_socket(zmq.REQ, chat.broker.port("CLIENTS_PORT"))
        assert student.asks(requests, "login", user="ana")["status"] == "sucesso"
        subscriber.subscribe("ana")
        wait_for_subscription(student, requests, subscriber, "ana")

        def announced():
            """Whoever leads says so once. To one that has just started, the subscription may come later than that."""
            first = chat.leader()
            chat.servers[first].stop()
            chat.start_server(first)
            while subscriber.poll(5000):
                topic, service, data = student.hears(subscriber)
                if topic == "servers":
                    return service, data
            return None

        service, data = wait_until(announced, "who coordinates")
        assert data["coordinator"] in {f"server{number}" for number in chat.servers}, (service, data)


class Background:
    """One of a student's servers: a REP socket, and a function from service and data to the data of the answer."""

    def __init__(self, answer, endpoint=None):
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        if endpoint is None:
            self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        else:
            self.socket.connect(endpoint)
        self.answer, self.asked, self.stopped = answer, [], False
        self.thread = threading.Thread(target=self._serve)

    def _serve(self):
        student = Student(True)
        while not self.stopped:
            if self.socket.poll(50):
                service, data = student.load(self.socket.recv())
                self.asked.append((service, data))
                self.socket.send(student.dump(service, self.answer(service, data)))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()
        self.socket.close(0)


def test_our_servers_under_a_student_s_reference_server():
    ranks = {}

    def answer(service, data):
        if service == "rank":
            return {"rank": ranks.setdefault(data["user"], int(data["user"].removeprefix("server")))}
        if service == "list":
            return {"list": [{"name": name, "rank": rank} for name, rank in sorted(ranks.items())]}
        return {"status": "OK"} if service == "heartbeat" else {"status": "erro"}

    with Background(answer) as reference, Process("broker") as broker, Process("proxy") as proxy, hold_port() as holder:
        settings = {"SERVERS": addresses_of([holder]), "BROKER": f"127.0.0.1:{broker.port('SERVERS_PORT')}",
                    "PROXY": f"127.0.0.1:{proxy.port('SERVERS_PORT')}", "REFERENCE": f"127.0.0.1:{reference.port}"}
        with Process("server", NODE_ID="server1", **PATIENT | settings):
            student = Student(True)
            requests = a_socket(zmq.REQ, broker.port("CLIENTS_PORT"))

            assert student.asks(requests, "login", user="ana")["status"] == "sucesso"
            wait_until(lambda: {"rank", "list", "heartbeat"} <= {service for service, _ in reference.asked}, reference.asked)
            assert all(data["user"] == "server1" for service, data in reference.asked if service != "list"), reference.asked
            assert student.asks(requests, "users")["users"] == ["ana"]


def test_our_client_and_a_student_s_server():
    """Which repeats no request id, and knows only what the published format has."""
    def answer(service, data):
        return {"login": {"status": "sucesso", "description": ""}, "users": {"users": ["ana", "rui"]},
                "channel": {"status": "erro", "description": "já existe"}, "channels": {"channels": []},
                "publish": {"status": "OK", "message": ""}}.get(service, {"status": "erro", "message": "?"})

    with Process("broker") as broker, Process("proxy") as proxy, \
            Background(answer, f"tcp://127.0.0.1:{broker.port('SERVERS_PORT')}") as server:
        ours = subprocess.run(
            [program("parte5"), "client"], capture_output=True, text=True, timeout=LIMIT,
            input="login ana\nusers\ncreate geral\npub geral olá\n",
            env=os.environ | {"BROKER": f"127.0.0.1:{broker.port('CLIENTS_PORT')}",
                              "PROXY": f"127.0.0.1:{proxy.port('CLIENTS_PORT')}", "REQUEST_TIMEOUT_MS": "30000"})
        assert ours.stdout == "OK\nana\nrui\nrefused: já existe\nOK\n", ours
        login, publish = server.asked[0], server.asked[-1]
        assert login[0] == "login" and login[1]["user"] == "ana", server.asked
        assert publish[0] == "publish", server.asked
        assert (publish[1]["user"], publish[1]["channel"], publish[1]["message"]) == ("ana", "geral", "olá"), server.asked


if __name__ == "__main__":
    main(sys.modules[__name__])
