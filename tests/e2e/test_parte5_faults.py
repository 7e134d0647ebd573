#!/usr/bin/python3
"""Parte 5: processes that die, stand still or come back, and files that a crash or a hand has damaged."""

import chat_kills
from chat_hostile import *


def test_kills_at_random_instants_lose_nothing():
    chat_kills.run(0, 8)  # `make test-seeds` does a hundred


def paused(process):
    process.process.send_signal(signal.SIGSTOP)


def resumed(process):
    process.process.send_signal(signal.SIGCONT)


def test_a_request_to_a_server_that_stands_still_takes_effect_once():
    """The broker goes on giving questions to it, until its connection is silent for too long."""
    with Chat(HEARTBEAT_TIMEOUT_MS="4000", REPLICATION_TIMEOUT_MS="2500") as chat, chat.client() as client:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        for number in [*chat.servers]:
            paused(chat.servers[number])
            for i in range(6):  # some of them were in its hands
                assert client.ask("publish", user="ana", channel="geral", message=f"{number} {i}")["status"] == "OK"
            resumed(chat.servers[number])
            chat.leader()
            chat.same_data()  # it has all that it missed
        assert client.ask("publish", user="ana", channel="geral", message="end")["status"] == "OK"
        said = [change["body"] for change in chat.same_data() if change["type"] == "publish"]
        assert said == [f"{number} {i}" for number in chat.servers for i in range(6)] + ["end"]


def test_clients_wait_for_a_broker_that_stands_still_or_starts_again():
    """Ours asks again and again, with the same request id; what it asked takes effect once."""
    with Chat() as chat, chat.client() as client:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        ours = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=addresses(chat, REQUEST_TIMEOUT_MS="1500"))
        shown = []
        threading.Thread(target=lambda: shown.extend(ours.stdout), daemon=True).start()

        def type_and_wait(line, count):
            ours.stdin.write(line + "\n")
            ours.stdin.flush()
            wait_until(lambda: len(shown) >= count, lambda: shown)

        type_and_wait("login ana", 1)
        paused(chat.broker)
        ours.stdin.write("pub geral while it stands still\n")
        ours.stdin.flush()
        time.sleep(4)  # some tries
        resumed(chat.broker)
        wait_until(lambda: len(shown) == 2, lambda: shown)
        for i in range(3):
            chat_kills.restart(chat, "broker")
            type_and_wait(f"pub geral {i}", 3 + i)
        ours.stdin.close()
        assert ours.wait(LIMIT) == 0 and shown == ["OK\n"] * 5, shown
        said = [change["body"] for change in chat.same_data() if change["type"] == "publish"]
        assert said == ["while it stands still", "0", "1", "2"]


def test_subscriptions_outlive_the_proxy():
    with Chat() as chat, chat.client() as client, chat.subscriber("geral") as subscriber:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        ours = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=addresses(chat))
        shown = []
        threading.Thread(target=lambda: shown.extend(ours.stdout), daemon=True).start()
        ours.stdin.write("login eva\njoin geral\n")
        ours.stdin.flush()
        wait_until(lambda: len(shown) == 2, lambda: shown)
        for life in range(3):

            def is_heard(life=life):
                client.ask("publish", user="ana", channel="geral", message=f"life {life}")
                heard = subscriber.socket.poll(50) and subscriber.socket.recv_multipart()
                return heard and f"life {life}".encode() in heard[1] and f"[geral] ana: life {life}\n" in shown

            wait_until(is_heard, lambda life=life: f"life {life}: {shown[-3:]}")
            chat_kills.restart(chat, "proxy")
        ours.stdin.close()
        assert ours.wait(LIMIT) == 0


# ---- files ----

FILES = ("users", "channels", "publications", "messages")


def path_of(chat, name):
    return os.path.join(chat.folder, "data-server1", name)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def fill(client):
    for name in ("ana", "rui"):
        client.ask("login", user=name)
    for name in ("geral", "redes"):
        client.ask("channel", channel=name)
    for i in range(3):
        client.ask("publish", user="ana", channel="geral", message=str(i))
        client.ask("message", src="rui", dst="ana", message=str(i))


def damages(draw, content):
    """(what, the damaged file): each kind of damage, somewhere."""
    lines = content.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    inside = draw.randrange(len(lines[at]) - 1)
    broken = lines[at][:inside] + bytes([lines[at][inside] ^ 0x80]) + lines[at][inside + 1:]
    yield "a bit", b"".join(lines[:at] + [broken] + lines[at + 1:])
    yield "zeros", b"".join(lines[:at] + [bytes(len(lines[at]) - 1) + b"\n"] + lines[at + 1:])
    yield "an empty line", b"".join(lines[:at] + [b"\n"] + lines[at:])
    yield "a line twice", b"".join(lines[:at + 1] + lines[at:])
    yield "another order", b"".join(lines[::-1])
    yield "half a line", b"".join(lines[:at] + [lines[at][:len(lines[at]) // 2] + b"\n"] + lines[at + 1:])
    yield "nonsense", draw.randbytes(50).replace(b"\n", b"") + b"\n" + content
    yield "nesting", b"[" * 100000 + b"\n" + content
    yield "a long line", b"x" * 3_000_000 + b"\n" + content


def test_damage_is_refused_with_file_and_line_and_left_alone():
    draw = random.Random(7)
    with Chat(servers=1) as chat, chat.client() as client:
        fill(client)
        chat.servers[1].stop()
        for name in FILES:
            path = path_of(chat, name + ".json")
            content = read(path)
            for what, damaged in damages(draw, content):
                write(path, damaged)
                server = chat.start("server", NODE_ID="server1")
                assert server.process.wait(LIMIT) == 1, (name, what)
                wait_until(lambda: any(f"{name}.json is damaged in line" in line for line in server.screen),
                           lambda: (name, what, server.screen))
                assert read(path) == damaged, (name, what)
            write(path, content)
        for content in (b"", b"{}", b'{"epoch":-1}\n', b'{"epoch":1e9}\n', b"x" * 5000, b'{"epoch":99999999999999999999}\n'):
            write(path_of(chat, "epoch.json"), content)
            server = chat.start("server", NODE_ID="server1")
            assert server.process.wait(LIMIT) == 1, content
            wait_until(lambda: any("epoch.json" in line for line in server.screen), lambda: (content, server.screen))
            assert read(path_of(chat, "epoch.json")) == content


def test_a_torn_end_is_dropped_with_a_warning_wherever_it_was_torn():
    draw = random.Random(7)
    with Chat(servers=1) as chat, chat.client() as client:
        fill(client)
        path = path_of(chat, "publications.json")
        for _ in range(4):
            chat.servers[1].kill()
            before = chat.data(1)
            tail = next(json.dumps(change).encode() for change in before if change["type"] == "publish")
            torn = tail[:draw.randrange(1, len(tail))]
            write(path, read(path) + torn)
            chat.start_server(1)
            assert any("the last line was cut" in str(event) for event in chat.servers[1].events("recover"))
            assert chat.data(1)[:len(before)] == before
            assert client.ask("publish", user="ana", channel="geral", message="after")["status"] == "OK"
            assert not read(path).count(torn + b"{")


if __name__ == "__main__":
    main(sys.modules[__name__])
