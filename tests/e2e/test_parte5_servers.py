#!/usr/bin/python3
"""Parte 5: servers that replicate, under clients that are not ours, and kill -9."""

import re

from chat import *

ID = "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"


def fill(client):
    assert client.ask("login", user="ana")["status"] == "sucesso"
    assert client.ask("login", user="rui", packed=False)["status"] == "sucesso"
    assert client.ask("channel", channel="geral")["status"] == "sucesso"


def texts(answer):
    return [item["message"] for item in answer["messages"]]


def test_a_session():
    with Chat() as chat, chat.client() as client, chat.subscriber("geral", "rui") as subscriber:
        fill(client)
        assert client.ask("users")["users"] == ["ana", "rui"]
        assert client.ask("channels", packed=False)["channels"] == ["geral"]
        assert client.ask("channel", channel="probe")["status"] == "sucesso"
        subscriber.socket.subscribe(b"probe")  # it comes last: where it is heard, the others are

        def is_heard():
            client.ask("publish", user="ana", channel="probe", message="?")
            return subscriber.socket.poll(50)

        wait_until(is_heard, "the subscriptions")
        assert client.ask("channel", channel="geral")["description"] == "channel geral exists already"
        assert client.ask("publish", user="ana", channel="nowhere", message="x")["status"] == "erro"
        assert client.ask("publish", user="nobody", channel="geral", message="x")["status"] == "erro"
        assert client.ask("publish", user="ana", channel="geral", message="bom dia \u2615")["status"] == "OK"
        assert client.ask("message", src="ana", dst="rui", message="oi")["status"] == "OK"
        for service, topic in (("publication", b"geral"), ("private_message", b"rui")):
            while (frames := subscriber.socket.recv_multipart())[0] == b"probe":
                pass
            heard, body = frames
            message = msgpack.unpackb(body)
            assert heard == topic and message["service"] == service and message["data"]["clock"] > 0
        assert message["data"]["src"] == "ana" and message["data"]["message"] == "oi"
        history = client.ask("history", channel="geral")["messages"]
        assert [(item["user"], item["message"]) for item in history] == [("ana", "bom dia \u2615")]
        assert texts(client.ask("history", user="rui", packed=False)) == ["oi"]
        assert client.ask("subscribe", channel="geral", user="rui")["status"] == "sucesso"
        assert client.ask("leave", channel="geral", user="rui")["status"] == "sucesso"
        assert client.ask("time")["time"] > 1700000000000
        data = chat.same_data()
        assert [change["seq"] for change in data] == list(range(1, len(data) + 1))
        for server in chat.servers.values():
            server.stop()


def test_what_is_asked_again_takes_effect_once():
    with Chat() as chat, chat.client() as client:
        fill(client)
        for _ in range(6):  # at every server
            answer = client.ask("publish", user="ana", channel="geral", message="once", request_id=ID)
            assert answer["status"] == "OK" and answer["request_id"] == ID
        assert texts(client.ask("history", channel="geral")) == ["once"]


def test_nonsense_is_answered_with_an_error_and_hurts_nobody():
    with Chat() as chat, chat.client() as client:
        fill(client)
        with Socket(zmq.REQ, chat.broker.endpoint("CLIENTS_PORT")) as patient:  # nonsense has no id under which to ask again
            for raw in (b"", b"\xc1", b"\xdf\xff\xff\xff\xff", b"\xc1" + os.urandom(500), b"\x91" * 1000) * 3:
                patient.socket.send(raw)
                assert patient.answer(True, "error")["status"] == "erro"
        for data in ({"user": "a/b"}, {"user": "\u0007"}, {"user": ""}, {"user": 5}, {}, {"user": "x" * 65}):
            assert client.ask("login", **data)["status"] == "erro"
        assert client.ask("register", user="eva", password="x")["status"] == "erro"
        assert client.ask("replicate_ping", **{"from": 1, "epoch": 2**40, "seq": 1, "last_epoch": 1, "committed": 1,
                                                "counted": True})["status"] == "erro"
        with Socket(zmq.REQ, f"tcp://127.0.0.1:{chat.ports[0]}") as stranger:
            stranger.socket.send(b"\xc1")
            assert stranger.answer(True, "error")["status"] == "erro"
            assert stranger.ask("election")["election"] == "OK"
            assert stranger.ask("clock")["time"] > 1700000000000
        assert client.ask("users")["users"] == ["ana", "rui"]


def publish_many(chat, client, first, count):
    for i in range(first, first + count):
        assert client.ask("publish", user="ana", channel="geral", message=str(i))["status"] == "OK"


def check_all(chat, count):
    """Every message that was acknowledged is on every live server, once, in order."""
    data = chat.same_data()
    assert [change["body"] for change in data if change["type"] == "publish"] == [str(i) for i in range(count)]
    assert [change["seq"] for change in data] == list(range(1, len(data) + 1))


def test_nothing_acknowledged_is_lost_when_the_primary_dies():
    with Chat() as chat, chat.client() as client:
        fill(client)
        publish_many(chat, client, 0, 20)
        first = chat.leader()
        chat.servers[first].kill()
        publish_many(chat, client, 20, 20)
        wait_until(lambda: chat.primary() not in (None, first), "another primary")
        chat.start_server(first)
        publish_many(chat, client, 40, 20)
        check_all(chat, 60)
        wait_until(lambda: chat.data(first) == chat.same_data(), "all of it on the disk of the one that died")


def test_a_backup_dies_and_gets_what_it_missed():
    with Chat() as chat, chat.client() as client:
        fill(client)
        first = chat.leader()
        backup = next(number for number in chat.servers if number != first)
        chat.servers[backup].kill()
        publish_many(chat, client, 0, 100)
        chat.start_server(backup)
        wait_until(lambda: len(chat.data(backup)) >= 100, "the state")
        publish_many(chat, client, 100, 10)
        check_all(chat, 110)


def test_service_goes_on_without_the_reference_server():
    with Chat() as chat, chat.client() as client:
        fill(client)
        chat.reference.kill()
        publish_many(chat, client, 0, 10)
        first = chat.leader()
        chat.servers[first].kill()
        publish_many(chat, client, 10, 10)  # they elect among themselves
        check_all(chat, 20)


def test_everything_is_there_after_all_were_killed():
    with Chat() as chat, chat.client() as client:
        fill(client)
        publish_many(chat, client, 0, 10)
        for server in chat.servers.values():
            server.kill()
        for number in chat.servers:
            path = os.path.join(chat.folder, f"data-server{number}", "publications.json")
            with open(path, "a") as file:
                file.write('{"type":"publish","us')  # cut by the crash
            chat.start_server(number)
        publish_many(chat, client, 10, 10)
        check_all(chat, 20)
        assert any(chat.servers[1].events("recover"))


def test_a_damaged_file_is_refused_and_left_alone():
    with Chat(servers=1) as chat, chat.client() as client:
        fill(client)
        publish_many(chat, client, 0, 3)
        chat.servers[1].kill()
        path = os.path.join(chat.folder, "data-server1", "publications.json")
        with open(path) as file:
            lines = file.readlines()
        for damaged in ([lines[0], "{}\n", *lines[1:]], [lines[1], lines[0]], ["nonsense\n"], ["\n", *lines],
                        [lines[0].replace("publish", "message")]):
            with open(path, "w") as file:
                file.writelines(damaged)
            server = chat.start("server", NODE_ID="server1")
            assert server.process.wait(LIMIT) == 1
            wait_until(lambda: any("publications.json is damaged in line" in line for line in server.screen),
                       lambda: server.screen)
            with open(path) as file:
                assert file.readlines() == damaged


def test_what_follows_a_gap_is_set_aside():
    with Chat(servers=1) as chat, chat.client() as client:
        fill(client)
        publish_many(chat, client, 0, 3)
        chat.servers[1].kill()
        folder = os.path.join(chat.folder, "data-server1")
        with open(os.path.join(folder, "channels.json"), "w"):
            pass  # this file was not flushed when the others were
        chat.start_server(1)
        assert client.ask("channels")["channels"] == []
        with open(os.path.join(folder, "dropped.json")) as file:
            assert [json.loads(line)["body"] for line in file] == ["0", "1", "2"]
        assert client.ask("users")["users"] == ["ana", "rui"]


def typed(chat, *lines, **settings):
    """What our own client shows for these lines, and its exit status."""
    environment = {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}",
                   "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"}
    run = subprocess.run([program("parte5"), "client"], input="".join(line + "\n" for line in lines), capture_output=True,
                         text=True, timeout=LIMIT, env=os.environ | environment | settings)
    assert run.stderr == "", run.stderr
    return run.stdout.splitlines(), run.returncode


def test_our_client_says_and_shows():
    with Chat() as chat:
        for encoding in ("messagepack", "json"):
            name = encoding
            shown, status = typed(chat, f"login {name}", f"create c-{name}", f"join c-{name}", f"pub c-{name} ol\u00e1,  mundo",
                                  f"history c-{name}", f"msg {name} to myself", "history", "channels", "leave c-" + name,
                                  "", "HELP", "time", "quit", "users", ENCODING=encoding)
            assert status == 0 and shown[:3] == ["OK"] * 3, shown
            assert shown.count(f"[c-{name}] {name}: ol\u00e1,  mundo") in (1, 2), shown  # heard, perhaps, and in the history
            assert f"[{name}] {name}: to myself" in shown and f"c-{name}" in shown
            assert "json" not in shown  # what follows quit is not carried out
        shown, status = typed(chat, "pub x y", "fly", "login", "login a/b", "login ana", "pub nowhere x", "msg nobody x")
        assert status == 1 and shown == [
            "login first", "no such command: help shows those that there are", "something is missing: help shows the commands",
            "refused: user: holds a path separator", "OK", "refused: channel nowhere does not exist",
            "refused: user nobody is not known"], shown


def test_our_client_hears_others_and_no_topic_that_only_begins_alike():
    with Chat() as chat, chat.client() as client:
        fill(client)
        client.ask("channel", channel="geral2")
        environment = {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}",
                       "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"}
        ours = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                env=os.environ | environment)
        shown = []
        threading.Thread(target=lambda: shown.extend(ours.stdout), daemon=True).start()
        ours.stdin.write("login eva\njoin geral\n")
        ours.stdin.flush()
        wait_until(lambda: shown == ["OK\n", "OK\n"], lambda: shown)

        def heard():
            client.ask("publish", user="ana", channel="geral", message="first")
            return "[geral] ana: first\n" in shown

        wait_until(heard, "the subscription")
        client.ask("publish", user="ana", channel="geral2", message="not for eva")
        client.ask("message", src="ana", dst="rui", message="not for eva")
        client.ask("message", src="ana", dst="eva", message="\u001b[2Jfor eva")
        wait_until(lambda: "[eva] ana: ?[2Jfor eva\n" in shown, lambda: shown)
        assert not any("not for" in line for line in shown)
        ours.stdin.close()
        assert ours.wait(LIMIT) == 0


def test_our_client_asks_again_while_the_primary_is_replaced():
    with Chat() as chat, chat.client() as client:
        fill(client)
        chat.servers[chat.leader()].kill()
        shown, status = typed(chat, "login ana", *(f"pub geral {i}" for i in range(20)), REQUEST_TIMEOUT_MS="3000")
        assert status == 0 and shown == ["OK"] * 21, shown
        check_all(chat, 20)


def test_our_client_gives_up_when_nobody_answers():
    with Chat() as chat:
        for server in chat.servers.values():
            server.kill()
        shown, status = typed(chat, "login ana", REQUEST_TIMEOUT_MS="20")
        assert status == 1 and shown == ["no answer: try again later"]


def test_bots_talk_and_outlive_the_primary():
    with Chat(LOG_LEVEL="debug") as chat:
        environment = {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}", "BOT_INTERVAL_MS": "0",
                       "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"}
        bots = [chat.start("bot", NODE_ID=f"bot{i}", BOT_SEED=str(i), **environment) for i in (1, 2)]
        try:
            wait_until(lambda: all(len(bot.said()) >= 12 for bot in bots), "the first ten and more")
            first = chat.leader()
            chat.servers[first].kill()
            before = [len(bot.said()) for bot in bots]
            wait_until(lambda: all(len(bot.said()) >= n + 12 for bot, n in zip(bots, before)), "more")
            for bot in bots:
                bot.stop()
        finally:
            for bot in bots:
                bot.kill()
        acknowledged = {event["message_uuid"] for bot in bots for event in bot.said()}
        stored = [change["request_id"] for change in chat.same_data() if change["type"] == "publish"]
        assert acknowledged <= set(stored) and len(stored) == len(set(stored))
        assert {change["target"] for change in chat.same_data() if change["type"] == "channel"} == {"geral"}
        chat.start_server(first)
        chat.same_data()
        for server in chat.servers.values():
            server.stop()
        judged = subprocess.run([program("lab"), "compare", chat.folder], capture_output=True, text=True, timeout=LIMIT)
        assert judged.returncode == 0 and re.search(r"nothing acknowledged lost +[1-9]", judged.stdout), judged


def test_the_seeds_test_of_failures():
    """One person at one prompt, while each server is told to leave, whoever leads first, and comes back."""
    with Chat() as chat:
        environment = {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}", "REQUEST_TIMEOUT_MS": "3000",
                       "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"}
        person = subprocess.Popen([program("parte5"), "client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env=os.environ | environment)
        shown = []
        threading.Thread(target=lambda: shown.extend(person.stdout), daemon=True).start()

        def types(line, *wanted):
            before = len(shown)
            person.stdin.write(line + "\n")
            person.stdin.flush()
            wait_until(lambda: len(shown) >= before + len(wanted), lambda: (line, shown))
            assert shown[before:] == [answer + "\n" for answer in wanted], (line, shown)

        try:
            types("login ana", "OK")
            types("create geral", "OK")
            types("pub geral 0", "OK")
            said = ["[geral] ana: 0"]
            first = chat.leader()
            for number in sorted(chat.servers, key=lambda number: number != first):
                chat.servers[number].stop()
                types(f"pub geral {number}", "OK")
                said.append(f"[geral] ana: {number}")
                chat.same_data()  # who knows of no primary yet answers from what it has
                types("history geral", *said)
                chat.start_server(number)
                chat.same_data()  # it has what it missed before the next one leaves
            types("channels", "geral")
            person.stdin.close()
            assert person.wait(LIMIT) == 0
        finally:
            person.kill()
            person.wait()
        assert [f"[geral] ana: {change['body']}" for change in chat.same_data() if change["type"] == "publish"] == said


def test_one_of_many_creates_the_channel():
    with Chat() as chat:
        create_at_once(chat)
        assert [change["target"] for change in chat.same_data() if change["type"] == "channel"] == ["geral"]


def test_settings_that_cannot_be():
    with hold_port() as holder:
        right = {"NODE_ID": "server1", "SERVERS": addresses_of([holder])}
        for settings in ({"SERVERS": "x"}, {"SERVERS": "a=1.2.3.4:5,a=1.2.3.4:6"}, {"NODE_ID": "server7"},
                         {"BROKER": "nowhere"}, {"HEARTBEAT_TIMEOUT_MS": "500"}):
            process = Process("server", **(right | settings))
            assert process.process.wait(LIMIT) == 1
            wait_until(lambda: any(list(settings)[0] in line for line in process.screen), lambda: process.screen)
            shutil.rmtree(process.folder)


if __name__ == "__main__":
    main(sys.modules[__name__])
