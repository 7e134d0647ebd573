#!/usr/bin/python3
"""Parte 5: what hostile programs say, on every port: it is answered with an error, hurts nobody, and costs little."""

from chat_hostile import *


class Asker:
    """Asks raw questions of a ROUTER, as REQ or, with frames of its own making, as DEALER."""

    def __init__(self, endpoint):
        self.req = Socket(zmq.REQ, endpoint)
        self.dealer = Socket(zmq.DEALER, endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.req.socket.close(0)
        self.dealer.socket.close(0)

    def must_refuse(self, raw, service=None):
        """One answer of one frame, in kind, and it is no."""
        self.req.socket.send_multipart(raw if isinstance(raw, list) else [raw])
        answer, = self.req.socket.recv_multipart()
        self.check(answer, service, raw)

    @staticmethod
    def check(answer, service, raw):
        answer = json.loads(answer) if answer.startswith(b"{") else msgpack.unpackb(answer)
        assert answer["data"]["status"] == "erro" and answer["data"]["timestamp"] > 0, (raw[:200], answer)
        assert service in (None, answer["service"]), (raw[:200], answer)


def shapes():
    """Messages of too many frames, or too few: what a REQ socket may send."""
    good = pack("users", {})
    for count in (2, 3, 6, 13, 14, 15, 16, 17, 1000):
        yield from ([good] * count, [b""] * count, [good] + [b""] * (count - 1), [b""] * (count - 1) + [good])


def test_every_service_refuses_every_wrong_value_of_every_field():
    with Chat(servers=1) as chat, Asker(chat.broker.endpoint("CLIENTS_PORT")) as asker, chat.client() as client:
        for number, (service, question) in enumerate(wrong_fields()):
            asker.must_refuse(question, service)
            if number % 100 == 0:
                assert client.ask("login", user=f"user{number}")["status"] == "sucesso"
        chat.servers[1].stop()


def test_what_is_no_message_is_refused_by_the_broker_the_servers_and_the_reference_server():
    with Chat(servers=1) as chat:
        for endpoint in (chat.broker.endpoint("CLIENTS_PORT"), chat.reference.endpoint("REFERENCE_PORT"),
                         f"tcp://127.0.0.1:{chat.ports[0]}"):
            with Asker(endpoint) as asker:
                for raw in nonsense(7):
                    asker.must_refuse(raw, "error" if len(raw) < 20 else None)
                for frames in shapes():
                    asker.must_refuse(frames)
        with chat.client() as client:
            assert client.ask("users")["users"] == []
        assert chat.broker.events("discard") and chat.servers[1].events("discard") and chat.reference.events("discard")


def test_an_envelope_is_kept_as_it_came_unless_it_is_too_long():
    good = pack("users", {})
    with Chat(servers=1) as chat, Asker(chat.broker.endpoint("CLIENTS_PORT")) as asker:
        dealer = asker.dealer.socket
        for envelope in ([], [b""], [b"x" * 255, b""], [b"x", b"y", b"z", b""], [b"x"] * 6 + [b""]):
            dealer.send_multipart(envelope + [good])
            answer = dealer.recv_multipart()
            assert answer[:-1] == envelope and msgpack.unpackb(answer[-1])["data"]["users"] == []
        for envelope in ([b"x" * 256, b""], [b"x"] * 7 + [b""], [b"x"] * 13 + [b""]):
            dealer.send_multipart(envelope + [good])
            answer = dealer.recv_multipart()
            assert answer[:-1] == envelope
            asker.check(answer[-1], "users", envelope)
        for frames in ([b""], [b"x", b""], [b"x"] * 3, [b"x"] * 20 + [b"", good]):
            dealer.send_multipart(frames)
            asker.check(dealer.recv_multipart()[-1], None, frames)


def test_a_question_is_as_long_as_it_may_be_and_no_longer():
    with Chat(servers=1) as chat, Asker(chat.broker.endpoint("CLIENTS_PORT")) as asker, chat.client() as client:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        longest = "\u0001" * 16384  # in JSON six bytes each
        for packed in (True, False):
            answer = client.ask("publish", packed, user="ana", channel="geral", message=longest)
            assert answer["status"] == "OK", answer
            answer = client.ask("publish", packed, user="ana", channel="geral", message=longest + "x")
            assert answer["status"] == "erro" and "16384" in answer["message"], answer
        for length in (200_000, 1_000_000):  # longer frames end the connection
            asker.must_refuse(b"x" * length, "error")
            asker.must_refuse(pack("publish", {"x": "x" * length}))
        assert [item["message"] for item in client.ask("history", channel="geral")["messages"]] == [longest] * 2


def ports(chat):
    """Every port of the chat, and the process that listens there."""
    yield from ((chat.broker, chat.broker.endpoint("CLIENTS_PORT")), (chat.broker, chat.broker.endpoint("SERVERS_PORT")),
                (chat.proxy, chat.proxy.endpoint("CLIENTS_PORT")), (chat.proxy, chat.proxy.endpoint("SERVERS_PORT")),
                (chat.reference, chat.reference.endpoint("REFERENCE_PORT")))
    yield from ((chat.servers[i + 1], f"tcp://127.0.0.1:{port}") for i, port in enumerate(chat.ports))


def is_heard(client, subscriber):
    """Does what is published now reach the subscriber? Its subscription may be on its way."""
    assert client.ask("publish", user="ana", channel="geral", message="still there")["status"] == "OK"
    return subscriber.socket.poll(100) and msgpack.unpackb(subscriber.socket.recv_multipart()[1])["service"] == "publication"


def test_strangers_bytes_on_every_port_hurt_nobody():
    with Chat(**LEAN) as chat, chat.client() as client, chat.subscriber("geral") as subscriber:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        before = {process: memory(process) for process, _ in ports(chat)}
        held = []
        for _, endpoint in ports(chat):
            for piece in garbage(7):
                with connect(endpoint) as stranger:
                    say(stranger, piece)
            for piece in garbage(8):  # and half a handshake that never goes on
                held.append(connect(endpoint))
                say(held[-1], piece)
        wait_until(lambda: is_heard(client, subscriber), "the subscriber")
        for connection in held:
            connection.close()
        for process, used in before.items():
            assert process.process.poll() is None, process.screen
            assert memory(process) - used < LITTLE, (process.role, used, memory(process))
        assert {change["body"] for change in chat.same_data() if change["type"] == "publish"} == {"still there"}
        for process in (*chat.servers.values(), chat.reference, chat.proxy, chat.broker):
            process.stop()


def test_nobody_drives_the_logical_clock_to_where_others_do_not_follow():
    with Chat(servers=1) as chat, chat.client() as client:
        assert client.ask("users", clock=2**62)["status"] == "erro"  # far ahead of all that there was
        clock = 1
        while clock < 2**41:
            answer = client.ask("users", clock=clock)
            assert answer["users"] == []
            clock = answer["clock"] + 2**30 - 1000
        assert client.ask("login", user="ana", clock=clock)["status"] == "sucesso"
        chat.servers[1].kill()  # who starts again follows, and so does who has just come
        chat.start_server(1)
        for name in ("eva", "rui"):
            run = subprocess.run([program("parte5"), "client"], input=f"login {name}\nusers\n", capture_output=True, text=True,
                                 timeout=LIMIT, env=addresses(chat))
            assert run.returncode == 0 and run.stdout.splitlines()[:2] == ["OK", "ana"], run
        assert client.ask("login", user="eva", clock=0)["clock"] > 2**41


def foreign_notes(draw, senders, epochs):
    """What servers say to each other, said by somebody else: every field well-typed, and its value impossible."""
    numbers = [0, 1, 2, 63, 64, 2**31, 2**32, 2**53, 2**62 - 1, 2**62, 2**63 - 1]
    types = ["register", "login", "channel", "subscribe", "leave", "publish", "message", "reign"]
    table = {service: fields for service, fields in services().items()
             if service.startswith("replicate_") or service in ("election", "clock", "correct", "servers")}
    for service, fields in table.items():
        for _ in range(60):
            data = {name: draw.choice(numbers) for name, kind in fields.items() if kind in ("NUMBER", "MOMENT")}
            data |= {name: GOOD[kind] for name, kind in fields.items() if kind in ("NAME", "UUID", "STATUS")}
            data |= {name: draw.random() < 0.5 for name, kind in fields.items() if kind == "FLAG"}
            data |= {"timestamp": 1, "from": draw.choice(senders), "epoch": draw.choice(epochs)}
            if "changes" in fields:
                data["changes"] = [{"type": draw.choice(types), "seq": draw.choice(numbers), "epoch": draw.choice(epochs),
                                    "request_id": str(uuid.uuid4()), "user": "mallory", "target": "mallory", "body": "x"}
                                   for _ in range(draw.choice([0, 1, 64]))]
            yield {name: value for name, value in data.items() if draw.random() < 0.98 or name == "from"}, service


def test_impossible_notes_from_strangers_do_no_damage():
    draw = random.Random(7)
    with Chat(**LEAN) as chat, chat.client() as client:
        for name in ("ana", "rui"):
            client.ask("login", user=name)
        client.ask("channel", channel="geral")
        before = {server: memory(server) for server in chat.servers.values()}
        said = 0
        for port in chat.ports:
            with Socket(zmq.DEALER, f"tcp://127.0.0.1:{port}") as stranger:
                for data, service in foreign_notes(draw, [0, 1, 2, 3, 4, 63], [2**40, 2**61, 2**62 - 1, 2**62, 2**63]):
                    for frames in ([b"", pack(service, data)], [b"answer", pack(service, data)]):
                        stranger.socket.send_multipart(frames)
                stranger.socket.send_multipart([b"", pack("election", {})])
                while stranger.socket.recv_multipart()[-1].find(b"election") < 0:  # it has heard all that
                    pass
            said += 1
            assert client.ask("publish", user="ana", channel="geral", message=str(said))["status"] == "OK"
        for server in [*chat.servers.values()]:
            assert memory(server) - before[server] < LITTLE
            server.kill()
        for number in [*chat.servers]:  # nothing that it believed keeps it from starting again
            chat.start_server(number)
        assert client.ask("publish", user="ana", channel="geral", message="after")["status"] == "OK"
        changes = chat.same_data()
        assert [change["body"] for change in changes if change["type"] == "publish"] == ["1", "2", "3", "after"]
        assert [change["seq"] for change in changes] == list(range(1, len(changes) + 1))
        assert client.ask("users")["users"] == ["ana", "rui"] and max(change["epoch"] for change in changes) < 2**32


def test_state_transfers_that_nobody_needs_keep_nobody_from_writing():
    with Chat(HEARTBEAT_TIMEOUT_MS="20000", REPLICATION_TIMEOUT_MS="10000") as chat, chat.client() as client:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        for _ in range(64):
            client.ask("publish", user="ana", channel="geral", message="x" * 16000)
        primary = chat.leader()
        fetch = {"from": primary % 3 + 1, "epoch": chat.data(primary)[-1]["epoch"], "seq": 0, "last_epoch": 0}
        with Socket(zmq.DEALER, f"tcp://127.0.0.1:{chat.ports[primary - 1]}") as stranger:
            for _ in range(300):  # a megabyte each, to a backup that has it all
                stranger.socket.send_multipart([b"", pack("replicate_fetch", fetch)])
            assert client.ask("publish", user="ana", channel="geral", message="end")["status"] == "OK"
        assert [change["body"] for change in chat.same_data() if change["type"] == "publish"] == ["x" * 16000] * 64 + ["end"]


def open_files(process):
    return len(os.listdir(f"/proc/{process.process.pid}/fd"))


def crowd(endpoint, kind, said, size=500):
    """So many come at once, every other one says that, and all vanish."""
    connections = [connect(endpoint) for _ in range(size)]
    for number, connection in enumerate(connections):
        shake_hands(connection, kind)
        if number % 2:
            connection.sendall(said)
        connection.close()


def test_ten_thousand_clients_come_and_vanish():
    with Chat(servers=1, **LEAN) as chat, chat.client() as client:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        question = frame(b"", True) + frame(pack("publish", {"user": "ana", "channel": "geral", "message": "farewell"}))
        for process, kind, said, count in ((chat.broker, b"DEALER", question, 20),
                                           (chat.proxy, b"SUB", frame(b"\1geral"), 8)):
            endpoint, files = process.endpoint("CLIENTS_PORT"), open_files(process)
            crowd(endpoint, kind, said)
            before = memory(process)
            for _ in range(count - 1):
                crowd(endpoint, kind, said)
                assert client.ask("users")["users"] == ["ana"]
            wait_until(lambda p=process, n=files: open_files(p) <= n, lambda p=process: f"{open_files(p)} open files")
            assert memory(process) - before < LITTLE, (process.role, before, memory(process))
        wait_until(lambda: sum(change["type"] == "publish" for change in chat.data(1)) == 5000, "all that was asked")


def deaf_connection(endpoint, kind, said):
    """It takes part, says that, and never reads again."""
    connection = connect(endpoint)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    shake_hands(connection, kind)
    connection.sendall(said)
    return connection


def test_subscribers_that_do_not_read_cost_little_and_others_nothing():
    with Process("proxy", **LEAN) as proxy, Socket(zmq.PUB, proxy.endpoint("SERVERS_PORT")) as server, \
            Socket(zmq.SUB, proxy.endpoint("CLIENTS_PORT"), "geral") as good:
        deaf = [deaf_connection(proxy.endpoint("CLIENTS_PORT"), b"SUB", frame(b"\1geral")) for _ in range(20)]
        while not good.socket.poll(20):
            server.socket.send_multipart([b"geral", b"first"])
        server.socket.send_multipart([b"geral", b"last"])
        while good.socket.recv_multipart()[1] != b"last":
            pass
        before = memory(proxy)
        for _ in range(50):
            for i in range(100):  # 100 MB in all, each time less than may wait for whoever reads
                server.socket.send_multipart([b"geral", b"%d" % i, b"." * 20000])
            for i in range(100):
                assert good.socket.recv_multipart()[1] == b"%d" % i
        assert memory(proxy) - before < LITTLE, memory(proxy) - before
        wait_until(lambda: proxy.events("discard"), "a word about those who do not read")
        for connection in deaf:
            connection.close()
        proxy.stop()


def test_askers_that_do_not_read_keep_nobody_waiting_and_leave_nothing_behind():
    with Chat(servers=1, **LEAN) as chat, chat.client() as client:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        for i in range(60):
            client.ask("publish", user="ana", channel="geral", message="x" * 16000)
        before = memory(chat.broker)
        question = frame(b"", True) + frame(pack("history", {"channel": "geral", "limit": 1000}))  # a megabyte
        for _ in range(4):  # 400 MB in all
            deaf = [deaf_connection(chat.broker.endpoint("CLIENTS_PORT"), b"DEALER", question * 10) for _ in range(10)]
            for _ in range(10):
                assert client.ask("users")["users"] == ["ana"]
            for connection in deaf:
                connection.close()
        assert memory(chat.broker) - before < 4 * LITTLE, memory(chat.broker) - before


if __name__ == "__main__":
    main(sys.modules[__name__])
