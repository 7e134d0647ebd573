#!/usr/bin/python3
"""Parte 5 with passwords: who is let in, as whom, and what never shows."""

import base64
import hashlib
import hmac
import pty
import select

from chat import *

SECRET = "a secret that has 32 characters!"
PASSWORD = "o segredo da ana"


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token_of(user, algorithm="HS256", secret=SECRET, **claims):
    """A token as somebody else would make it."""
    claims = {"user": user, "iat": int(time.time()), "exp": int(time.time()) + 3600} | claims
    signed = ".".join(encode(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims))
    signature = b"" if algorithm == "none" else hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encode(signature)}"


def guarded(servers=3, **settings):
    return Chat(servers, **({"ACCOUNTS": "passwords", "JWT_SECRET": SECRET, "LOG_LEVEL": "debug"} | settings))


def enter(client, user, password=PASSWORD):
    """Registers and logs in; returns the token."""
    answer = client.ask("register", user=user, password=password)
    assert answer["status"] == "sucesso", answer
    answer = client.ask("login", user=user, password=password)
    assert answer["status"] == "sucesso", answer
    return answer["token"]


def reason(answer):
    assert answer["status"] == "erro" and "token" not in answer, answer
    return answer.get("description") or answer["message"]


def wrong_until_slow(client, user):
    """Guesses until it is told to wait; returns what it was told before."""
    told = set()
    while True:
        why = reason(client.ask("login", user=user, password="a guess"))
        if "too many wrong passwords: try again in " in why:
            return told
        told.add(why)


def test_a_session():
    with guarded() as chat, chat.client() as client, chat.subscriber("geral") as subscriber:
        ana = enter(client, "ana")
        head, claims, _ = (json.loads(base64.urlsafe_b64decode(part + "==")) if i < 2 else part
                           for i, part in enumerate(ana.split(".")))
        assert head["alg"] == "HS256" and claims["user"] == "ana" and claims["exp"] - claims["iat"] == 8 * 3600
        for packed in (True, False):
            assert client.ask("login", packed, user="ana", password=PASSWORD)["token"].count(".") == 2
        assert reason(client.ask("register", user="ana", password="x")) == "user ana exists already"
        rui = enter(client, "rui", "outra")
        assert client.ask("channel", channel="geral", token=ana)["status"] == "sucesso"
        assert client.ask("subscribe", channel="geral", token=rui)["status"] == "sucesso"  # the token says who

        def is_heard():  # its subscription may be on its way
            assert client.ask("publish", False, user="ana", channel="geral", message="oi", token=ana)["status"] == "OK"
            return subscriber.socket.poll(50)

        wait_until(is_heard, "the publication")
        assert client.ask("message", src="rui", dst="ana", message="secret", token=rui)["status"] == "OK"
        assert client.ask("users", token=rui)["users"] == ["ana", "rui"]
        assert client.ask("time", token=rui)["time"] > 1700000000000
        for who in ({"user": "ana"}, {}):
            assert [item["message"] for item in client.ask("history", token=ana, **who)["messages"]] == ["secret"]
        message = msgpack.unpackb(subscriber.socket.recv_multipart()[1])["data"]
        assert message["user"] == "ana" and "token" not in message


def test_nobody_gets_in_without_a_token_of_his_own():
    with guarded(1) as chat, chat.client() as client:
        ana, bia = enter(client, "ana"), enter(client, "bia")
        assert client.ask("channel", channel="geral", token=ana)["status"] == "sucesso"
        said = {"user": "ana", "channel": "geral", "message": "as ana"}
        bad = [None, "", "nonsense", ana[:-1], ana[:ana.rindex(".") + 1], ana + "A", token_of("ana", "none"),
               token_of("ana", "none") + ana.split(".")[2], token_of("ana", "RS256"), token_of("ana", "HS512"),
               token_of("ana", secret="b" * 32), token_of("ana", exp=int(time.time()) - 1), token_of("ana", exp="never"),
               token_of("ana", exp=None), token_of(7), token_of("a/b")]
        for token in bad:
            assert reason(client.ask("publish", **said, token=token)) == "no valid token: log in", token
        for token in (ana * 20, 7, [ana], {"token": ana}):
            assert "token" in reason(client.ask("publish", **said, token=token))
        for service, data in (("users", {}), ("channels", {}), ("time", {}), ("history", {"channel": "geral"}),
                              ("channel", {"channel": "other"}), ("subscribe", {"channel": "geral", "user": "ana"}),
                              ("leave", {"channel": "geral", "user": "ana"}), ("message", {"src": "ana", "dst": "bia",
                                                                                           "message": "x"})):
            assert reason(client.ask(service, **data)) == "no valid token: log in", service
        for service, data in (("publish", said), ("message", {"src": "ana", "dst": "bia", "message": "as ana"}),
                              ("history", {"user": "ana"}), ("subscribe", {"channel": "geral", "user": "ana"}),
                              ("leave", {"channel": "geral", "user": "ana"}), ("channel", {"channel": "c", "user": "ana"})):
            assert reason(client.ask(service, **data, token=bia)) == "the token is another user's", service
        assert client.ask("publish", **said, token=token_of("ana"))["status"] == "OK"  # the good one, made elsewhere
        assert [item["message"] for item in client.ask("history", channel="geral", token=bia)["messages"]] == ["as ana"]


def test_a_wrong_user_is_told_what_a_wrong_password_is_and_guesses_are_slowed_down():
    with guarded(1) as chat, chat.client(LIMIT * 1000) as client:
        enter(client, "ana")
        for data in ({}, {"password": ""}, {"password": None}):
            assert reason(client.ask("login", user="ana", **data)) == "a password is needed"
            assert reason(client.ask("login", user="nobody", **data)) == "a password is needed"

        def told(user):  # who shares a place with another waits with him first
            return wait_until(lambda: wrong_until_slow(client, user), "a guess that is looked at")

        assert told("nobody") == told("ana") == {"wrong user or password"}

        def right_one_is_held_back():
            answer = client.ask("login", user="ana", password=PASSWORD)
            if answer["status"] == "erro":
                assert "try again in" in reason(answer)
                return True
            wrong_until_slow(client, "ana")
            return False

        wait_until(right_one_is_held_back, "even the right password has to wait")
        wait_until(lambda: client.ask("login", user="ana", password=PASSWORD)["status"] == "sucesso", "a login")
        assert reason(client.ask("login", user="ana", password=PASSWORD, junk="x" * 20000)).startswith("far more than")
        assert client.ask("login", user="eva", password="x")["status"] == "erro"
        assert client.ask("users", token=token_of("ana"))["users"] == ["ana"]  # a login makes nobody


def test_guesses_all_at_once_are_not_all_looked_at():
    with guarded(1) as chat, chat.client() as client:
        enter(client, "ana")
        with Socket(zmq.DEALER, chat.broker.endpoint("CLIENTS_PORT")) as crowd:
            for i in range(12):
                data = {"user": "ana", "password": "a guess", "request_id": str(uuid.uuid4())}
                crowd.socket.send_multipart([b"", msgpack.packb({"service": "login", "data": data})])
            told = []
            for i in range(12):
                crowd.socket.recv()
                told.append(reason(crowd.answer(True, "login")))
        assert told.count("wrong user or password") >= 4 and any("try again in" in why for why in told), told


def test_a_login_that_is_asked_again_while_it_waits_is_answered():
    with guarded(1) as chat, chat.client() as client, Socket(zmq.DEALER, chat.broker.endpoint("CLIENTS_PORT")) as crowd:
        enter(client, "ana")
        data = {"user": "ana", "password": PASSWORD, "request_id": str(uuid.uuid4())}
        question = msgpack.packb({"service": "login", "data": data})
        for _ in range(30):
            crowd.socket.send_multipart([b"", question])
        crowd.socket.recv()
        assert crowd.answer(True, "login")["token"]
        before = len(chat.data(1))
        assert client.ask("login", **data)["token"]  # known already, and yet looked at
        assert "token" not in client.ask("login", **(data | {"password": "a guess"}))
        assert len(chat.data(1)) == before
        assert "token" not in client.ask("login", **(data | {"user": "bia"}))


def test_tokens_accounts_and_bots_outlive_the_primary():
    with guarded() as chat, chat.client() as client, chat.start("bot", BOT_INTERVAL_MS="10", BROKER=addresses(chat)["BROKER"],
                                                                PROXY=addresses(chat)["PROXY"]) as bot:
        ana = enter(client, "ana")
        wait_until(lambda: bot.said(), "a bot that talks")  # in the channel that it made
        chat.servers[chat.leader()].kill()
        for i in range(5):
            assert client.ask("publish", user="ana", channel="geral", message=str(i), token=ana)["status"] == "OK"
        assert client.ask("login", user="ana", password=PASSWORD)["token"]
        with chat.client(LIMIT * 1000) as patient:  # asked again, a guess would be one more
            assert reason(patient.ask("login", user="ana", password="a guess")) == "wrong user or password"
        before = len(bot.said())
        wait_until(lambda: len(bot.said()) >= before + 12, "a bot that goes on")


def test_accounts_that_are_asked_for_while_the_primary_is_replaced():
    with guarded() as chat:
        names = [f"user{i}" for i in range(6)]
        tokens = {}

        def ask_for(name):
            with chat.client() as client:
                tokens[name] = enter(client, name)

        def reigns(server):
            return sum(event.get("state") == "leads" for event in server.events("elect"))

        before = {n: (reigns(server), len(server.events("step_down"))) for n, server in chat.servers.items()}
        first = chat.leader()
        threads = [threading.Thread(target=ask_for, args=(name,), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        chat.servers[first].process.send_signal(signal.SIGSTOP)  # with passwords being looked at, perhaps
        second = wait_until(lambda: next((n for n, server in chat.servers.items()
                                          if n != first and reigns(server) > before[n][0]), None), "another primary")
        chat.servers[first].process.send_signal(signal.SIGCONT)
        wait_until(lambda: len(chat.servers[first].events("step_down")) > before[first][1],
                   "the first learns that it does not lead")
        wait_until(lambda: len(tokens) == len(names), lambda: (second, tokens))
        with chat.client() as client:
            for name in names:
                assert sorted(client.ask("users", token=tokens[name])["users"]) == names
        registered = [change["user"] for change in chat.same_data() if change["type"] == "register"]
        assert sorted(registered) == names  # once each


def test_what_is_secret_is_in_no_log():
    with guarded() as chat, chat.client() as client:
        token = enter(client, "ana")
        for packed in (True, False):
            client.ask("login", packed, user="ana", password="a guess")
            client.ask("login", packed, user="ana", password="\ud83d".encode("utf-16", "surrogatepass").decode("latin-1"))
            client.ask("register", packed, user="a/b", password=PASSWORD)
            client.ask("register", packed, user="rui", password=PASSWORD * 100)
            client.ask("users", packed, token=token + "x")
            client.ask("users", packed, token=token)
            client.ask("publish", packed, user="ana", channel="a/b", message="x", token=token)
        chat.servers[chat.leader()].kill()
        client.ask("login", user="ana", password=PASSWORD)
        for process in (*chat.servers.values(), chat.reference, chat.proxy, chat.broker):
            process.kill()
        hashes = [change["body"] for change in chat.data(1) if change["type"] == "register"]
        assert len(hashes) == 1 and hashes[0].startswith("$argon2id$")
        secrets = [PASSWORD, SECRET, "a guess", "argon2", *token.split("."), *hashes[0].split("$")[-2:]]
        logs = ""
        for process in (*chat.servers.values(), chat.reference, chat.proxy, chat.broker):
            with open(process.log, encoding="utf-8") as file:
                logs += file.read() + "".join(process.screen)
        assert '"event":"elect"' in logs
        assert [secret for secret in secrets if secret in logs] == []


def test_the_secret_of_a_single_server_is_a_file_of_its_own():
    with guarded(1, JWT_SECRET="") as chat, chat.client() as client:
        token = enter(client, "ana")
        path = os.path.join(chat.folder, "data-server1", "jwt_secret")
        assert os.stat(path).st_mode & 0o777 == 0o600 and os.path.getsize(path) == 65
        chat.servers[1].stop()
        chat.start_server(1)
        assert client.ask("users", token=token)["users"] == ["ana"]
        chat.servers[1].stop()
        for mode, content in ((0o644, None), (0o600, "short\n")):
            os.chmod(path, mode)
            if content:
                with open(path, "w", encoding="ascii") as file:
                    file.write(content)
            server = chat.start("server", NODE_ID="server1")
            assert server.process.wait(LIMIT) == 1
            wait_until(lambda: any("jwt_secret cannot be used" in line for line in server.screen), lambda: server.screen)


def test_settings_that_cannot_be():
    with hold_port() as one, hold_port() as another:
        right = {"NODE_ID": "server1", "SERVERS": addresses_of([one]), "ACCOUNTS": "passwords"}
        two = addresses_of([one, another])
        for settings, name in (({"ACCOUNTS": "maybe"}, "ACCOUNTS"), ({"JWT_SECRET": "x" * 31}, "JWT_SECRET"),
                               ({"TOKEN_HOURS": "0"}, "TOKEN_HOURS"), ({"SERVERS": two}, "JWT_SECRET is unset")):
            process = Process("server", **(right | settings))
            assert process.process.wait(LIMIT) == 1
            wait_until(lambda: any(name in line for line in process.screen), lambda: process.screen)
            assert not any("xxx" in line for line in process.screen)
            shutil.rmtree(process.folder)


# ---- our own client and bot ----


def addresses(chat):
    return {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}", "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"}


def typed(chat, *lines):
    """What our client shows for the lines of a script, and its exit status."""
    run = subprocess.run([program("parte5"), "client"], input="".join(line + "\n" for line in lines), capture_output=True,
                         text=True, timeout=LIMIT, env=os.environ | addresses(chat))
    assert run.stderr == "", run.stderr
    return run.stdout.splitlines(), run.returncode


def test_our_client_logs_in_from_a_script():
    with guarded(1) as chat:
        shown, status = typed(chat, f"register ana {PASSWORD}", f"login ana {PASSWORD}", "create geral", "pub geral oi",
                              "history geral", "users")
        assert status == 0 and shown == ["OK"] * 4 + ["[geral] ana: oi", "ana"], shown
        shown, status = typed(chat, "users", "register ana", "register ana x", "login ana", "login ana x", "login bia x",
                              "join geral", "login ana " + PASSWORD, "users")
        assert status == 1 and shown == [
            "login first", "something is missing: help shows the commands", "refused: user ana exists already",
            "refused: a password is needed", "refused: wrong user or password", "refused: wrong user or password", "login first",
            "OK", "ana"], shown
    with Chat(1) as chat:  # no passwords: whatever is given is not looked at
        shown, status = typed(chat, "register ana x", "login ana", "login ana x", "users")
        assert status == 1 and shown == ["refused: this chat has no passwords: login is all", "OK", "OK", "ana"], shown


def test_our_client_takes_the_servers_time():
    with Chat(1) as chat:
        shown, status = typed(chat, "time", "sync_time", "login ana")
        assert status == 0 and int(shown[0]) > 1700000000000, shown
        words = shown[1].split()
        assert words[1:5] == ["ms,", "give", "or", "take"] and abs(float(words[0])) <= float(words[5]), shown  # one machine


class Terminal:
    """Our client at a terminal."""

    def __init__(self, chat):
        self.seen = b""
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execve(program("parte5"), ["parte5", "client"], os.environ | addresses(chat) | {"TERM": "xterm"})

    def type(self, keys):
        os.write(self.terminal, keys)

    def read(self, until):
        """What comes until that is there; the rest stays."""
        wait_until(lambda: self.shows(until), lambda: (until, self.seen))
        before, self.seen = self.seen.split(until, 1)
        return before + until

    def shows(self, what):
        """Is that among what came?"""
        if select.select([self.terminal], [], [], 0.1)[0]:
            self.seen += os.read(self.terminal, 65536)
        return what in self.seen

    def end(self):
        """Waits for it to leave; its exit status."""
        child, status = wait_until(lambda: (lambda ended: ended if ended[0] else None)(os.waitpid(self.child, os.WNOHANG)), "its end")
        self.child = None
        return os.waitstatus_to_exitcode(status)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os.close(self.terminal)


def test_a_password_is_typed_unseen():
    with guarded(1) as chat, Terminal(chat) as terminal:
        shown = terminal.read(b"chat> ")
        terminal.type(b"register ana\n")
        shown += terminal.read(b"password: ")
        terminal.type("sxgred\x7f\x7f\x7f\x7f\x7fegr\u00e3\x7fedo\n".encode())  # with errors, erased
        shown += terminal.read(b"OK")
        terminal.type(b"login ana\nsegredo\nusers\n")  # all ahead of the question
        shown += terminal.read(b"password: ") + terminal.read(b"OK") + terminal.read(b"ana\r\n")
        with chat.client() as client:
            def say(text):
                client.ask("message", src="ana", dst="ana", message=text, token=token_of("ana"))

            def is_heard():  # its subscription may be on its way
                say("probe")
                return terminal.shows(b"[ana] ana: probe")

            wait_until(is_heard, lambda: terminal.seen)
            say("the last one")
            shown += terminal.read(b"[ana] ana: the last one")
            terminal.type(b"login ana\n")
            shown += terminal.read(b"password: ")
            say("meanwhile")
        shown += terminal.read(b"[ana] ana: meanwhile") + terminal.read(b"password: ")  # it stands there again
        terminal.type(b"wrong\x15segredo\n")
        shown += terminal.read(b"OK")
        terminal.type(b"login ana\n")
        shown += terminal.read(b"password: ")
        terminal.type(b"another\n")
        shown += terminal.read(b"refused: wrong user or password")
        terminal.type(b"login ana segredo!\n")
        shown += terminal.read(b"the name alone, please")
        for _ in range(20):  # the history, all of it
            terminal.type(b"\x1b[A")
        terminal.type(b"\x15help\n")
        shown += terminal.read(b"whom you are")
        terminal.type(b"login ana\n")
        shown += terminal.read(b"password: ")
        terminal.type(b"\x04")  # leaves
        assert terminal.end() == 0
        assert b"segr" not in shown.replace(b"login ana segredo!", b"") and b"another" not in shown


def test_a_client_and_a_bot_log_in_again_when_their_tokens_are_worth_nothing():
    with guarded(1) as chat:
        bots = [chat.start("bot", NODE_ID=f"bot{i}", BOT_SEED=str(i), BOT_INTERVAL_MS="10", **addresses(chat), **settings)
                for i, settings in ((1, {}), (2, {"BOT_PASSWORD": PASSWORD}))]
        client = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env=os.environ | addresses(chat))
        shown = []
        threading.Thread(target=lambda: shown.extend(client.stdout), daemon=True).start()

        def type_line(line, answer):
            client.stdin.write(line + "\n")
            client.stdin.flush()
            wait_until(lambda: shown, line)
            assert shown.pop(0) == answer + "\n"

        try:
            type_line(f"register ana {PASSWORD}", "OK")
            type_line(f"login ana {PASSWORD}", "OK")
            wait_until(lambda: all(len(bot.said()) >= 12 for bot in bots), "the first ten and more")
            chat.servers[1].kill()
            chat.settings["JWT_SECRET"] = "another secret, with which nothing before was signed"
            chat.start_server(1)
            before = [len(bot.said()) for bot in bots]
            wait_until(lambda: all(len(bot.said()) >= n + 12 for bot, n in zip(bots, before)), "more")
            type_line("pub geral oi", "the login is over: login again")
            type_line("pub geral oi", "login first")
            type_line(f"login ana {PASSWORD}", "OK")
            type_line("pub geral oi", "OK")
            client.stdin.close()
            assert client.wait(LIMIT) == 1
            for bot in bots:
                bot.stop()
        finally:
            client.kill()
            client.wait()
            for bot in bots:
                bot.kill()
        logs = "".join(open(bot.log, encoding="utf-8").read() for bot in bots)
        assert '"event":"complete"' in logs and PASSWORD not in logs


if __name__ == "__main__":
    main(sys.modules[__name__])
