#!/usr/bin/python3
"""Parte 5: our client and our bot among hostile ones: long scripts, what others say, and brokers that talk nonsense."""

from chat_hostile import *


def typed(chat, script, as_file=False, **settings):
    """What our client shows for this script, from a pipe or from a file, and its exit status."""
    with tempfile.TemporaryFile() as file:
        file.write(script)
        file.seek(0)
        run = subprocess.run([program("parte5"), "client"], capture_output=True, timeout=5 * LIMIT,
                             env=addresses(chat, **settings), **({"stdin": file} if as_file else {"input": script}))
    assert run.stderr == b"", run.stderr
    return run.stdout.decode().splitlines(), run.returncode


def test_a_long_script_is_carried_out_line_by_line():
    with Chat(servers=1) as chat:
        for as_file in (False, True):
            lines = [b"login ana"] + [b"time", b"", b"help me", b"users"] * 2500 + [b"users"]  # the last without its end
            shown, status = typed(chat, b"\n".join(lines), as_file)
            assert status == 0, shown[-3:]
            assert shown[0] == "OK" and sum(line.isdigit() for line in shown) == 2500 and shown.count("ana") == 2501
        shown, status = typed(chat, b"\n" * 300_000 + b"login ana\nusers\n")
        assert status == 0 and shown == ["OK", "ana"]


def test_a_script_of_many_blocks_loses_no_line_and_repeats_none():
    with Chat(servers=1) as chat:
        for kind in ("pipe", "file"):
            names = [f"{kind}-{i:05}-{'x' * 20}" for i in range(9000)]  # five times what is read at once
            script = "".join(f"create {name}\n" for name in names)
            shown, status = typed(chat, f"login {kind}\n{script}channels\n".encode(), as_file=kind == "file")
            assert status == 0 and shown[:9001] == ["OK"] * 9001, [line for line in shown[:9001] if line != "OK"][:5]
            assert [name for name in shown[9001:] if name.startswith(kind)] == names, shown[9001:9011]


def test_lines_that_are_no_commands_are_refused_and_those_after_them_obeyed():
    draw = random.Random(7)
    with Chat(servers=1) as chat:
        nonsense = [b"\x00" * 50, b"\xff\xfe login ana", b"login \xff", b"login " + b"x" * 5000, b"pub", b"msg x", b"\x1b[2J",
                    b"login a/b", b"login servers", "login \u0085".encode(), b"x" * 2_000_000, b"create " + b"\xc3\xa9" * 33]
        nonsense += [draw.randbytes(60).replace(b"\n", b"").replace(b"q", b"") + b"!" for _ in range(200)]
        for as_file in (False, True):
            shown, status = typed(chat, b"\n".join(nonsense) + b"\nlogin ana\nusers\n", as_file)
            assert status == 1 and shown[-2:] == ["OK", "ana"], shown[-3:]
            assert not any("\x1b" in line or "\x00" in line for line in shown)


def test_names_may_be_commands_and_what_others_say_moves_no_cursor():
    with Chat(servers=1) as chat, chat.client() as client:
        for name in ("quit", "help", "users", "login"):
            assert client.ask("login", user=name)["status"] == "sucesso"
        assert client.ask("channel", channel="history")["status"] == "sucesso"
        nasty = "\u001b]0;owned\u0007\u001b[2J\r\n> login mallory\u0000\u009b31m"
        assert client.ask("publish", user="quit", channel="history", message=nasty)["status"] == "OK"
        assert client.ask("message", src="help", dst="login", message=nasty)["status"] == "OK"
        script = b"login login\njoin history\npub history quit\nmsg quit help\nmsg users users\nhistory history\nhistory\n"
        shown, status = typed(chat, script)
        assert status == 0 and shown.count("OK") == 5, shown
        assert "[history] login: quit" in shown and "[quit] login: help" in shown
        assert [line for line in shown if "owned" in line and "mallory" in line and line.startswith("[")], shown
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for line in shown for c in line), shown


class Liar(threading.Thread):
    """A broker that answers with what `answers` gives for each question, many times."""

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers, self.over = answers, threading.Event()
        self.socket = context.socket(zmq.ROUTER)
        self.socket.linger, self.socket.rcvtimeo = 0, 100
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")

    def run(self):
        while not self.over.is_set():
            try:
                frames = self.socket.recv_multipart()
            except zmq.Again:
                continue
            for answer in self.answers(msgpack.unpackb(frames[-1])):
                self.socket.send_multipart(frames[:-1] + answer)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        self.socket.close(0)


def lies(question):
    """Before the one right answer: all that is none."""
    service, data = question["service"], question["data"]
    right = {"timestamp": 1, "clock": data["clock"] + 1, "status": "OK", "users": ["ana"], "request_id": data["request_id"]}
    yield from ([raw] for raw in nonsense(7))
    yield from ([b"x"] * count for count in (2, 16, 40))
    yield [pack(service, right | {"request_id": str(uuid.uuid4()), "users": ["an old answer"]})]
    yield [pack(service, right | {"users": ["a/b"], "status": 7})]
    yield [pack(service, right | {"users": ["\u001b[2J"]})]
    yield [pack(service, right)]
    yield [pack(service, right | {"users": ["twice"]})]


def test_a_broker_that_lies_is_heard_only_when_it_answers():
    with Liar(lies) as liar, Process("proxy") as proxy:
        environment = os.environ | {"BROKER": f"127.0.0.1:{liar.port}", "PROXY": f"127.0.0.1:{proxy.port('CLIENTS_PORT')}",
                                    "REQUEST_TIMEOUT_MS": "30000"}
        run = subprocess.run([program("parte5"), "client"], input="login ana\nusers\nusers\nquit\n", capture_output=True, text=True,
                             timeout=LIMIT, env=environment)
        assert run.stdout.splitlines() == ["OK", "ana", "ana"] and run.returncode == 0 and run.stderr == "", run
        with Process("bot", NODE_ID="bot7", BOT_SEED="7", BOT_INTERVAL_MS="0", **{name: environment[name] for name in (
                "BROKER", "PROXY", "REQUEST_TIMEOUT_MS")}) as bot:
            wait_until(lambda: bot.events("discard"), "a word about nonsense")
            bot.stop()


def test_publications_that_are_none_are_discarded():
    with Chat(servers=1) as chat, Socket(zmq.PUB, chat.proxy.endpoint("SERVERS_PORT")) as server:
        ours = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=addresses(chat))
        shown = []
        threading.Thread(target=lambda: shown.extend(ours.stdout), daemon=True).start()
        ours.stdin.write("create geral\nlogin ana\njoin geral\n")
        ours.stdin.flush()
        wait_until(lambda: len(shown) == 3, lambda: shown)
        good = {"user": "rui", "channel": "geral", "message": "good", "timestamp": 1, "clock": 5}

        def is_heard():
            for raw in nonsense(7):
                server.socket.send_multipart([b"geral", raw])
            for frames in ([b"geral"], [b"geral"] * 16, [b"geral"] * 30, [b"ana", pack("users", {})]):
                server.socket.send_multipart(frames)
            server.socket.send_multipart([b"geral", pack("publication", good | {"channel": "x" * 65, "message": "bad"})])
            server.socket.send_multipart([b"geral", pack("publication", good)])
            return any("good" in line for line in shown)

        wait_until(is_heard, lambda: shown)
        assert set(shown[3:]) == {"[geral] rui: good\n"}
        ours.stdin.write("users\n")
        ours.stdin.close()
        assert ours.wait(LIMIT) == 0 and wait_until(lambda: "ana\n" in shown, lambda: shown[-1])


if __name__ == "__main__":
    main(sys.modules[__name__])
