#!/usr/bin/python3
"""Parte 5, highly available: servers on a shared volume, under kill -9, SIGSTOP, and hands that reach into the volume."""

import resource

from chat import *

ID = "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"


class SharedChat(Chat):
    """Broker, proxy and servers on one volume."""

    def __init__(self, servers=3, start=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        self.volume = os.path.join(self.folder, "shared")
        self.settings = {"COORDINATION": "lease", "LEASE_MS": "3000", "DATA_DIR": self.volume,
                         "SERVERS": ",".join(f"server{i + 1}=127.0.0.1:{5560 + i}" for i in range(servers))} | settings
        self.servers = {}
        self.broker = self.start("broker")
        self.proxy = self.start("proxy")
        self.reference = self.proxy  # there is none
        try:
            self.broker.ready()
            self.proxy.ready()
            for i in range(servers if start is None else start):
                self.start_server(i + 1)
            if self.servers:
                self.leader()
        except BaseException:
            self.__exit__()
            raise

    def start_server(self, number, **settings):
        address = {"BROKER": f"127.0.0.1:{self.broker.port('SERVERS_PORT')}",
                   "PROXY": f"127.0.0.1:{self.proxy.port('SERVERS_PORT')}"}
        self.servers[number] = self.start("server", NODE_ID=f"server{number}", **(address | settings))
        return self.servers[number].ready()

    def path(self, *names):
        return os.path.join(self.volume, *names)

    def lock(self):
        with open(self.path("leader.lock")) as file:
            return json.load(file)

    def data(self, number=None):
        """What whoever looks at the volume sees, all in one reign: all changes, by their places."""
        changes, reign = [], os.path.realpath(self.path("current"))
        for name in ("usuarios", "canais", "publicacoes", "mensagens"):
            changes += read_changes(os.path.join(reign, "data", name + ".json"))
        return sorted(changes, key=lambda change: change["seq"])

    def serves(self, number):
        """Does this one lead, by its own log?"""
        turns = [e["state"] for e in self.servers[number].events() if e["event"] in ("elect", "step_down")]
        return turns[-1:] == ["leads"] and self.servers[number].process.poll() is None

    def said(self):
        return [change["body"] for change in self.data() if change["type"] == "publish"]

    def another(self, first):
        """Waits until another than this one leads, whatever this one believes; returns its number."""
        return wait_until(lambda: next((n for n in self.servers if n != first and self.serves(n)), None), "another leader")


def fill(client):
    assert client.ask("login", user="ana")["status"] == "sucesso"
    assert client.ask("channel", channel="geral")["status"] == "sucesso"


def publish_many(client, first, count):
    for i in range(first, first + count):
        assert client.ask("publish", user="ana", channel="geral", message=str(i))["status"] == "OK"


def stop_and_wait(process):
    """SIGSTOP, and until it stands still."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def heard_by(server, event, **fields):
    return [e for e in server.events(event) if all(e.get(k) == v for k, v in fields.items())]


def test_one_of_three_leads_and_serves():
    with SharedChat(LEASE_MS="20000") as chat, chat.client() as client, chat.subscriber("geral") as subscriber:
        leader = chat.leader()
        fill(client)

        def heard():
            client.ask("publish", user="ana", channel="geral", message="bom dia")
            return subscriber.socket.poll(50)

        wait_until(heard, "the publication")
        assert msgpack.unpackb(subscriber.socket.recv_multipart()[1])["data"]["message"] == "bom dia"
        assert client.ask("users")["users"] == ["ana"] and client.ask("time")["time"] > 1700000000000
        assert "exists already" in client.ask("channel", channel="geral")["description"]
        lock = chat.lock()
        assert lock["owner"] == f"server{leader}" and lock["fence"] == 1 and lock["renewed"] > 1700000000000, lock
        for number, server in chat.servers.items():
            if number != leader:
                wait_until(lambda: heard_by(server, "elect", state="follows", epoch=1), "a follower")
                assert not heard_by(server, "elect", state="leads")
        for number in sorted(chat.servers, key=lambda number: number == leader):
            chat.servers[number].stop()
        assert not os.path.exists(chat.path("leader.lock"))  # its owner has left
        data = chat.data()
        assert [change["seq"] for change in data] == list(range(1, len(data) + 1))


def test_nothing_acknowledged_is_lost_when_the_leader_dies():
    with SharedChat() as chat, chat.client() as client:
        fill(client)
        for reign in range(3):
            first = chat.leader()
            publish_many(client, reign * 10, 10)
            mine = client.ask("publish", user="ana", channel="geral", message=f"once {reign}", request_id=ID[:-1] + str(reign))
            assert mine["status"] == "OK"
            chat.servers[first].kill()
            again = client.ask("publish", user="ana", channel="geral", message=f"once {reign}", request_id=ID[:-1] + str(reign))
            assert again["status"] == "OK" and chat.another(first)
            chat.start_server(first)
        said = chat.said()
        assert [text for text in said if text.isdigit()] == [str(i) for i in range(30)], said
        assert [text for text in said if not text.isdigit()] == [f"once {i}" for i in range(3)], said
        assert chat.lock()["fence"] >= 4
        epochs = [change["epoch"] for change in chat.data()]
        assert epochs == sorted(epochs)
        reigns = [name for name in os.listdir(chat.volume) if name.startswith("reign-")]
        assert len(reigns) <= 10, reigns  # old ones are removed


class OwnBroker:
    """A broker that speaks to one server alone."""

    def __init__(self):
        self.socket = context.socket(zmq.DEALER)
        self.socket.rcvtimeo = self.socket.sndtimeo = LIMIT * 1000
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")

        self.others = []  # answers to what was sent, and not asked

    def send(self, service, **data):
        """Returns the request id."""
        data = {"timestamp": 1, "clock": 1, "request_id": str(uuid.uuid4())} | data
        self.socket.send_multipart([b"client", b"", msgpack.packb({"service": service, "data": data})])
        return data["request_id"]

    def ask(self, service, **data):
        """Asks again, with the same request id, while nobody leads, or answers: who steps down forgets whom it owed it."""
        data["request_id"] = str(uuid.uuid4())

        def answered():
            if not self.socket.poll(100, zmq.POLLOUT):
                return None
            self.send(service, **data)
            while self.socket.poll(2000):
                answer = msgpack.unpackb(self.socket.recv_multipart()[2])["data"]
                if answer["request_id"] != data["request_id"]:
                    self.others.append(answer)
                elif "no primary" in answer.get("description", answer.get("message", "")):
                    return None
                else:
                    return answer
            return None

        return wait_until(answered, f"an answer to {service}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(0)


def test_a_leader_that_was_stopped_takes_no_write_more():
    with SharedChat(start=0, LEASE_MS="3000") as chat, OwnBroker() as broker, chat.client() as client:
        first = chat.start_server(1, BROKER=f"127.0.0.1:{broker.port}")
        wait_until(chat.primary, "the first leader")
        assert broker.ask("login", user="ana")["status"] == "sucesso"
        assert broker.ask("channel", channel="geral")["status"] == "sucesso"
        assert broker.ask("publish", user="ana", channel="geral", message="before")["status"] == "OK"
        stop_and_wait(first.process)
        while not chat.serves(1):  # it stood still for a lease, and has stepped down
            first.process.send_signal(signal.SIGCONT)
            wait_until(lambda: chat.serves(1), "it leads again")
            stop_and_wait(first.process)
        # These wait in its sockets.
        late = {broker.send("publish", user="ana", channel="geral", message="too late") for _ in range(50)}
        chat.start_server(2)
        chat.start_server(3)
        chat.another(1)
        publish_many(client, 0, 5)
        first.process.send_signal(signal.SIGCONT)
        wait_until(lambda: heard_by(first, "step_down", state="follows"), "the old leader steps down")
        wait_until(lambda: heard_by(first, "elect", state="follows"), "and follows")
        wait_until(lambda: not broker.socket.poll(0, zmq.POLLOUT), "it is not connected any more")
        publish_many(client, 5, 5)
        chat.servers[2].stop()
        chat.servers[3].stop()
        wait_until(lambda: broker.socket.poll(0, zmq.POLLOUT), "it leads, and is connected again")
        assert broker.ask("users")["users"] == ["ana"]
        for answer in broker.others:  # from before
            if answer["request_id"] in late:
                assert answer["status"] == "erro" and "no primary" in answer["message"], answer
        first.stop()
        assert chat.said() == ["before"] + [str(i) for i in range(10)], chat.said()


def test_a_leader_looks_at_the_fence_before_it_says_ok():
    with SharedChat(LEASE_MS="3600000") as chat, chat.client() as client:  # by its clock it leads for an hour
        fill(client)
        first = chat.servers[chat.leader()]
        os.mkdir(chat.path("made"))
        with open(chat.path("made", "leader.lock"), "w") as file:
            json.dump({"owner": "a server of another list", "fence": 2, "beat": 0}, file)
        os.rename(chat.path("made"), chat.path("reign-2"))
        answers = []
        asker = threading.Thread(target=lambda: answers.append(
            client.ask("publish", user="ana", channel="geral", message="after")))
        asker.start()
        wait_until(lambda: heard_by(first, "discard", reason="fence"), "it finds itself deposed")
        wait_until(lambda: heard_by(first, "step_down"), "and steps down")
        assert not answers and chat.said() == []
        os.unlink(chat.path("reign-2", "leader.lock"))  # that server leaves
        asker.join()
        assert answers[0]["status"] == "OK" and chat.said() == ["after"] and chat.lock()["fence"] == 3


def test_leaders_are_stopped_while_they_write():
    with SharedChat() as chat, chat.client() as client:
        fill(client)
        acknowledged, done = [], threading.Event()

        def write():
            with chat.client() as other:
                while not done.is_set():
                    text = f"m{len(acknowledged)}"
                    if other.ask("publish", user="ana", channel="geral", message=text)["status"] == "OK":
                        acknowledged.append(text)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(2):
                turns = {n: len(heard_by(server, "step_down")) for n, server in chat.servers.items()}
                first, before = chat.leader(), len(acknowledged)
                wait_until(lambda: len(acknowledged) >= before + 5, "writes")
                stop_and_wait(chat.servers[first].process)
                chat.another(first)
                before = len(acknowledged)
                wait_until(lambda: len(acknowledged) >= before + 3, "writes at the other")
                chat.servers[first].process.send_signal(signal.SIGCONT)
                wait_until(lambda: len(heard_by(chat.servers[first], "step_down")) > turns[first], "the first steps down")
        finally:
            done.set()
            for server in chat.servers.values():
                server.process.send_signal(signal.SIGCONT)
            writer.join()
        assert chat.said() == acknowledged, (chat.said(), acknowledged)


def test_a_leader_that_leaves_hands_over_at_once():
    with SharedChat(LEASE_MS="3600000") as chat, chat.client() as client:  # nobody would live to see it run out
        fill(client)
        for i in range(2):
            first = chat.leader()
            publish_many(client, i * 5, 5)
            chat.servers[first].stop()
            chat.another(first)
        publish_many(client, 10, 5)
        assert chat.said() == [str(i) for i in range(15)]
        assert chat.lock()["fence"] == 3


def test_one_of_many_creates_the_channel():
    with SharedChat() as chat:
        create_at_once(chat)
        assert [change["target"] for change in chat.data() if change["type"] == "channel"] == ["geral"]


def test_the_seeds_test_of_high_availability():
    with SharedChat() as chat:
        environment = {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}",
                       "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}", "REQUEST_TIMEOUT_MS": "10000"}

        def typed(*lines):
            run = subprocess.run([program("parte5"), "client"], input="".join(line + "\n" for line in lines), text=True,
                                 capture_output=True, timeout=LIMIT, env=os.environ | environment)
            assert run.returncode == 0 and run.stderr == "", run
            return run.stdout.splitlines()

        assert typed("login ana", "create geral", "pub geral bom dia") == ["OK"] * 3
        first = chat.leader()
        chat.servers[first].stop()
        chat.another(first)
        assert typed("login ana", "pub geral boa noite", "channels", "users") == ["OK", "OK", "geral", "ana"]
        assert typed("history geral") == ["[geral] ana: bom dia", "[geral] ana: boa noite"]


def reigns(chat):
    """The number of every reign that ever began, as the logs tell."""
    return [event["epoch"] for server in chat.servers.values() for event in read_log(server.log, "elect")
            if event.get("state") == "leads" and "epoch" in event]  # without one it is a complaint


def complains(server, words):
    return any(words in event.get("reason", "") for event in server.events("elect"))


def test_hands_in_the_volume():
    with SharedChat(LEASE_MS="4000") as chat, chat.client() as client:
        fill(client)
        with open(chat.path("leader.lock"), "w") as file:
            file.write("garbage" * 100)

        def renewed():
            try:
                return chat.lock()["beat"] > 0
            except (OSError, ValueError):
                return False

        wait_until(renewed, "the leader's next renewal")
        publish_many(client, 0, 2)
        names = [chat.path(name) for name in ("current", "leader.lock", "usuarios.json")]  # they are only shown
        for name in names:
            os.unlink(name)
        wait_until(lambda: all(map(os.path.exists, names)), "the names again")
        publish_many(client, 2, 2)
        fence = chat.lock()["fence"]
        os.unlink(chat.path(f"reign-{fence}", "leader.lock"))
        wait_until(lambda: os.path.exists(chat.path("leader.lock")) and chat.lock()["fence"] > fence, "the next reign")
        publish_many(client, 4, 2)
        assert chat.said() == [str(i) for i in range(6)]
        begun = reigns(chat)
        assert len(begun) == len(set(begun))


def test_a_damaged_lock_is_an_error_and_nobody_leads_until_it_is_mended():
    for damage in (lambda path: open(path, "w").close(), os.mkdir, os.mkfifo):
        # A server that complains often need not say each time why: its first complaint is always there.
        with SharedChat(LEASE_MS="20000") as chat, chat.client() as client:
            fill(client)
            publish_many(client, 0, 1)
            first = chat.leader()
            fence = chat.lock()["fence"]
            path = chat.path(f"reign-{fence}", "leader.lock")
            followers = [server for number, server in chat.servers.items() if number != first]
            for follower in followers:
                stop_and_wait(follower.process)
            chat.servers[first].kill()
            os.unlink(path)
            damage(path)
            words = "is damaged" if os.path.isfile(path) else "cannot be read"
            for follower in followers:
                follower.process.send_signal(signal.SIGCONT)
            for follower in followers:
                wait_until(lambda: complains(follower, f"reign-{fence}/leader.lock {words}"), "a complaint")
            assert not os.path.exists(chat.path(f"reign-{fence + 1}"))
            os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
            chat.another(first)
            publish_many(client, 1, 1)
            chat.start_server(first)
            publish_many(client, 2, 1)
            assert chat.said() == ["0", "1", "2"]


def test_a_lock_that_is_damaged_again_and_again_is_mended_by_its_leader():
    with SharedChat(LEASE_MS="1000") as chat, chat.client() as client:
        fill(client)
        path = chat.path(f"reign-{chat.lock()['fence']}", "leader.lock")
        until = time.monotonic() + 3
        while time.monotonic() < until:  # so often that a renewal is damaged before its writer has read it again
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
            except FileNotFoundError:  # two leaders later nobody needs it
                break
            os.write(descriptor, b"garbage")
            os.close(descriptor)
        publish_many(client, 0, 2)
        assert chat.said() == ["0", "1"]


def test_damaged_files_are_refused_and_left_alone():
    with SharedChat(LEASE_MS="3000") as chat, chat.client() as client:
        fill(client)
        publish_many(client, 0, 3)
        first = chat.leader()
        followers = [server for number, server in chat.servers.items() if number != first]
        for follower in followers:  # none reads what is not yet damaged
            stop_and_wait(follower.process)
        chat.servers[first].kill()
        path = os.path.realpath(chat.path("publicacoes.json"))
        with open(path) as file:
            lines = file.readlines()
        with open(path, "w") as file:
            file.writelines(damaged := [lines[0], "nonsense\n", lines[2]])
        for follower in followers:
            follower.process.send_signal(signal.SIGCONT)
        wait_until(lambda: any(complains(server, "publicacoes.json is damaged in line 2") for server in chat.servers.values()),
                   "a complaint")
        with open(path) as file:
            assert file.readlines() == damaged
        with open(path + ".mended", "w") as file:
            file.writelines(lines)
        os.replace(path + ".mended", path)  # all of it at once: they go on reading
        publish_many(client, 3, 3)
        assert chat.said() == [str(i) for i in range(6)]


def test_a_server_is_told_to_leave_while_it_takes_over():
    with SharedChat(servers=1) as chat, chat.client(patience_ms=20000) as client:
        fill(client)
        publish_many(client, 0, 1)
        chat.servers[1].stop()
        with open(os.path.realpath(chat.path("publicacoes.json")), "a") as file:
            change = chat.data()[-1]
            for _ in range(20000):
                change = change | {"seq": change["seq"] + 1, "request_id": str(uuid.uuid4())}
                file.write(json.dumps(change) + "\n")
        for _ in range(2):
            server = chat.start_server(1)
            wait_until(lambda: heard_by(server, "elect", state="takes over"), "it takes over")
            server.stop()
        chat.start_server(1)
        publish_many(client, 1, 1)
        assert chat.said() == ["0"] * 20001 + ["1"]


def test_clocks_need_not_agree():
    """On another machine, time since it was started is another."""
    under = ("unshare", "--user", "--map-root-user", "--time", "--boottime", "1000000")
    if subprocess.run([*under, "true"], capture_output=True).returncode != 0:
        raise Skip("no right to make a time namespace")
    with SharedChat(start=0) as chat, chat.client() as client:
        chat.start_server(1)
        chat.start_server(2, under=under)
        fill(client)
        for reign in range(2):
            first = chat.leader()
            publish_many(client, reign * 2, 2)
            chat.servers[first].kill()
            publish_many(client, reign * 2 + 1000, 1)
            chat.start_server(first, under=under if first == 2 else ())
        assert chat.said() == ["0", "1", "1000", "2", "3", "1002"], chat.said()
        begun = reigns(chat)
        assert len(begun) == len(set(begun))


def test_a_full_disk_refuses_writes_and_the_leader_stays():
    with SharedChat(LEASE_MS="20000") as chat, chat.client() as client:
        fill(client)
        publish_many(client, 0, 3)
        leader = chat.servers[chat.leader()].process.pid
        size = os.path.getsize(chat.path("publicacoes.json"))
        resource.prlimit(leader, resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
        answer = client.ask("publish", user="ana", channel="geral", message="no room")
        assert answer["status"] == "erro" and "full" in answer["message"], answer
        assert [item["message"] for item in client.ask("history", channel="geral")["messages"]] == ["0", "1", "2"]
        resource.prlimit(leader, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_until(lambda: client.ask("publish", user="ana", channel="geral", message="3")["status"] == "OK", "room")
        assert chat.said() == ["0", "1", "2", "3"] and chat.lock()["fence"] == 1


def test_tokens_outlive_the_leader():
    with SharedChat(ACCOUNTS="passwords") as chat, chat.client() as client, chat.client(patience_ms=20000) as patient:
        assert patient.ask("register", user="ana", password="correct horse")["status"] == "sucesso"
        token = patient.ask("login", user="ana", password="correct horse")["token"]
        assert client.ask("channel", channel="geral", token=token)["status"] == "sucesso"
        chat.servers[chat.leader()].kill()
        assert client.ask("publish", user="ana", channel="geral", message="oi", token=token)["status"] == "OK"
        assert patient.ask("login", user="ana", password="correct horse")["status"] == "sucesso"
        assert patient.ask("login", user="ana", password="wrong")["status"] == "erro"
        assert os.stat(chat.path("jwt_secret")).st_mode & 0o777 == 0o600


if __name__ == "__main__":
    main(sys.modules[__name__])
