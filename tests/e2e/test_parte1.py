#!/usr/bin/env python3
"""Parte 1 as its users meet it: real processes, real multicast, foreign datagrams, bad settings, kill -9."""

import pty
import select

from ordem import *


def test_three_nodes_apply_what_any_of_them_is_told():
    with Group() as group:
        nodes = group.start_many(3)
        nodes[0].type("SET x 1")
        nodes[1].wait_for("deliver", 1)
        nodes[1].type("set greeting hello, world")
        nodes[2].wait_for("deliver", 2)
        nodes[2].type("PRINT")
        for node in nodes:
            node.wait_for("deliver", 3)
            assert node.delivered() == [("SET", "x", "1"), ("SET", "greeting", "hello, world"), ("PRINT", None, None)]
            assert node.events("deliver")[2]["snapshot"] == {"greeting": "hello, world", "x": "1"}
            assert [e["ordem_local"] for e in node.events("deliver")] == [1, 2, 3]
            assert node.events("deliver")[0]["sender_id"] == "node1"


def test_log_lines_have_their_keys_in_the_fixed_order():
    with Group() as group:
        node = group.start("node1")
        node.type("SET x 1")
        node.wait_for("deliver")
        keys = list(node.events("deliver")[0])
        assert keys == ["ts", "level", "node", "event", "message_uuid", "sender_id", "command_type", "key", "value",
                        "ordem_local"], keys


def test_get_shows_the_local_value_at_once_and_is_multicast():
    with Group() as group:
        first, second = group.start_many(2)
        first.type("SET x some text", "GET nothing")
        second.wait_for("deliver", 2)
        second.type("GET x")
        first.wait_for("deliver", 3)
        assert second.answers() == 'x = "some text"\n'
        assert first.answers() == "nothing = null\n"
        assert first.delivered()[2] == ("GET", "x", None)


def test_a_node_applies_nothing_that_does_not_come_back_from_the_network():
    with Group(NET_LOSS="1") as group:
        node = group.start("node1")
        node.type("SET x 1", "GET x")
        assert [e["fault"] for e in node.wait_for("fault", 3)][1:] == ["loss", "loss"]
        assert node.answers() == "x = null\n"
        assert node.events("deliver") == []


def test_original_nodes_are_understood_and_understand_us():
    with Group() as group:
        node = group.start("node1")
        with group.listener() as original:
            group.send(command(value={"b": [1, 2.50, True, None], "a": 12345678901234567890}, seq=None, extra=[{}]))
            node.wait_for("deliver")
            assert node.events("deliver")[0]["value"] == {"a": 12345678901234567890, "b": [1, 2.50, True, None]}
            original.recv(65536)
            node.type("SET y ação")
            sent = json.loads(original.recv(65536))
            assert sent["command_type"] == "SET" and sent["key"] == "y" and sent["value"] == "ação"
            assert sent["sender_id"] == "node1" and uuid.UUID(sent["message_uuid"]).version == 4
            assert abs(sent["timestamp"] - time.time()) < 3600


INVALID = {
    "not_utf8": [b"\xff\xfe{}", command().replace(b"stranger", b"\xc0\x80")],
    "not_json": [b"", b"{", b"[]", b"null", b"\x00" * 100, command() + b"x", b"[" * 20000],
    "field_missing": [command(sender_id=...), command(message_uuid=...), command(command_type=...), command(key=...),
                      command(key=None), command("GET", key=...), b"{}"],
    "field_type": [command(key=7), command(sender_id=[]), command(message_uuid=1), command(command_type={}),
                   command(timestamp="now"), command(seq="1")],
    "field_value": [command("DELETE"), command("set"), command(key=""), command(key="k" * 257), command(key="a\nb"),
                    command(message_uuid="1"), command(sender_id=""), command(seq=-1), command(seq=1.5)],
    "too_long": [command(value="v" * 62000)],
}


def test_invalid_datagrams_are_discarded_with_the_reason_and_the_address():
    with Group() as group:
        node = group.start("node1")
        for reason, datagrams in INVALID.items():
            before = len(node.events("discard"))
            address = group.send(datagrams[0])
            discard = node.wait_for("discard", before + 1)[before]
            assert discard["reason"] == reason and discard["from"] == address, (reason, discard)
            assert discard["level"] == "warning" and discard["message"]
        for datagrams in INVALID.values():
            group.send(*datagrams[1:])
        group.send(command(key="still", value="here"))
        node.wait_for("deliver")
        assert node.delivered() == [("SET", "still", "here")]


def test_a_flood_of_invalid_datagrams_stops_nobody_and_fills_no_disk():
    with Group() as group:
        node = group.start("node1")
        noise = random.Random(1)
        for _ in range(200):
            group.send(*[noise.randbytes(noise.randrange(0, 300)) for _ in range(100)])
        sent = 0

        def gets_through():  # it may be lost, too, like any other datagram
            nonlocal sent
            sent += 1
            group.send(command())
            deadline = time.monotonic() + 5
            while not node.events("deliver") and time.monotonic() < deadline:
                time.sleep(0.05)
            return node.events("deliver")
        wait_until(gets_through, "the one that is valid")
        node.type("EXIT")
        assert node.wait() == 0
        discards = [e for e in node.events("discard") if e["reason"] != "receive_buffer_full"]
        assert len(discards) < 100, len(discards)
        counted = sum(e.get("count", 1) for e in discards)
        lost = sum(e["count"] for e in node.events("discard") if e["reason"] == "receive_buffer_full")
        assert 20000 <= counted + lost < 20000 + sent, (counted, lost, sent)


def test_what_is_too_large_or_no_command_is_refused_at_the_prompt():
    with Group() as group:
        node = group.start("node1")
        node.type("SET big " + "v" * 62000, "SET " + "k" * 257 + " v", "SET x", "GET", "GET x y", "FLY", "",
                  "PRINT all", "SET y " + "w" * (1024 * 1024), "SET fits " + "v" * 61000, "GET fits")
        node.wait_for("deliver", 2)
        answers = node.answers().splitlines()
        assert [a.split(":")[0] for a in answers[:-1]] == ["error"] * 7, answers
        assert node.wait_for("discard")[0]["level"] == "error"
        assert "61440 fit one datagram" in node.events("discard")[0]["message"]
        assert node.delivered()[0] == ("SET", "fits", "v" * 61000)


def test_help_exit_quit_and_the_end_of_input():
    with Group() as group:
        for last in (["EXIT"], ["quit"], []):
            node = group.start("node1", NODE_ID="leaver")
            before = len(node.events("stop"))
            node.type("HELP", "SET last words", *last)
            assert node.wait() == 0
            # Its own command comes back before it leaves.
            assert node.delivered()[-1] == ("SET", "last", "words")
            assert len(node.events("stop")) == before + 1
        assert node.answers().count("SET <key> <value>") == 3


def test_signals_let_a_node_leave_in_order():
    with Group() as group:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            node = group.start(f"node{int(number)}")
            node.process.send_signal(number)
            assert node.wait() == 0
            assert node.events()[-1]["event"] == "stop"


def test_a_node_without_standard_input_just_runs():
    with Group() as group:
        with open(os.devnull, "rb") as nothing:
            log = os.path.join(group.folder, "quiet.jsonl")
            process = subprocess.Popen([program("parte1")], stdin=nothing, stderr=subprocess.DEVNULL,
                                       env=group.environment(NODE_ID="quiet", LOG_FILE=log))
        try:
            talker = group.start("talker")
            wait_until(lambda: os.path.exists(log) and '"ready"' in open(log, encoding="utf-8").read(), "ready")
            talker.type("SET x 1")
            wait_until(lambda: '"deliver"' in open(log, encoding="utf-8").read(), "a delivery")
        finally:
            process.terminate()
        assert process.wait(LIMIT) == 0


def test_commands_from_a_file():
    with Group() as group:
        commands = os.path.join(group.folder, "commands")
        with open(commands, "w", encoding="utf-8") as file:
            file.write("SET x 1\r\nSET y 2\n\nGET x")
        log = os.path.join(group.folder, "filed.jsonl")
        with open(commands, "rb") as source:
            done = subprocess.run([program("parte1")], stdin=source, capture_output=True, timeout=LIMIT,
                                  env=group.environment(NODE_ID="filed", LOG_FILE=log))
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(b"x = ")
        with open(log, encoding="utf-8") as file:
            assert file.read().count('"event":"deliver"') == 3


BAD_SETTINGS = [("MULTICAST_GROUP", "10.0.0.1"), ("MULTICAST_GROUP", "group"), ("MULTICAST_PORT", "0"),
                ("MULTICAST_PORT", "65536"), ("MULTICAST_PORT", "50x"), ("MULTICAST_TTL", "256"),
                ("MULTICAST_TTL", "-1"), ("MULTICAST_INTERFACE", "no-such-if"), ("NODE_ID", "a b"),
                ("NODE_ID", "n" * 65), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"), ("LOG_FILE", "/no/such/folder/f"),
                ("NET_DELAY_MS", "30-0"), ("NET_DELAY_MS", "soon"), ("NET_LOSS", "2"), ("NET_LOSS", "5%"),
                ("NET_DUPLICATE", "-0.1"), ("NET_PARTITION", "a,|b"), ("NET_SEED", "x"),
                ("MULTICAST_RECEIVE_BUFFER", "1")]


def test_a_bad_setting_stops_the_program_with_one_line_that_names_it():
    with Group() as group:
        for name, value in BAD_SETTINGS:
            done = subprocess.run([program("parte1")], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                                  env=group.environment(**({"NODE_ID": "n"} | {name: value})))
            lines = [line for line in done.stderr.decode().splitlines() if "[node=" not in line]
            assert done.returncode == 1 and len(lines) == 1, (name, value, done)
            assert name in lines[0] and value[:50] in lines[0], lines


def test_unknown_arguments_are_refused():
    for arguments in (["sequencer"], ["node", "more"], ["--fast"]):
        done = subprocess.run([program("parte1"), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=LIMIT)
        assert done.returncode == 2 and b"usage: parte1" in done.stderr
    assert subprocess.run([program("parte1"), "--help"], capture_output=True, timeout=LIMIT).returncode == 0


def test_without_a_multicast_route_it_says_what_to_do():
    command_line = ["unshare", "--net", program("parte1")]
    if shutil.which("unshare") is None or subprocess.run(["unshare", "--net", "true"],
                                                         capture_output=True).returncode != 0:
        raise Skip("a network namespace of one's own needs root")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MULTICAST_")}
    done = subprocess.run(command_line, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, env=environment)
    message = done.stderr.decode()
    assert done.returncode == 1
    assert "cannot join the group 239.0.0.1" in message and "MULTICAST_INTERFACE=lo" in message, message
    assert "ip route add" in message


def test_kill_9_of_one_node_leaves_the_others_working():
    with Group() as group:
        nodes = group.start_many(3)
        nodes[0].type("SET x 1")
        for node in nodes:
            node.wait_for("deliver")
        nodes[1].kill()
        nodes[0].type("SET x 2")
        nodes[2].wait_for("deliver", 2)
        assert nodes[2].delivered()[-1] == ("SET", "x", "2")
        again = group.start("node2")  # an empty store: what was sent while it was away is gone
        nodes[2].type("SET y 3", "PRINT")
        again.wait_for("deliver", 3)
        assert again.events("deliver")[-1]["snapshot"] == {"y": "3"}
        assert nodes[0].wait_for("deliver", 4)[-1]["snapshot"] == {"x": "2", "y": "3"}


def test_a_line_that_kill_9_cut_is_not_in_the_way_of_the_next_life():
    with Group() as group:
        node = group.start("node1")
        node.kill()
        with open(node.log_path, "ab") as file:
            file.write(b'{"ts":"2026-11-21T09:30:00.123456Z","level":"inf')
        assert group.start("node1").log_path == node.log_path
        assert [event["event"] for event in node.events()].count("start") == 2
        with open(node.log_path, "rb") as file:
            assert [line[-4:] for line in file.read().splitlines() if not line.endswith(b"}")] == [b'"inf']


def test_the_network_can_be_cut_and_healed_while_nodes_run():
    with Group() as group:
        faults = os.path.join(group.folder, "faults.json")
        nodes = group.start_many(2, NET_FAULTS_FILE=faults)

        def set_network(text, count):
            with open(faults + ".new", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(faults + ".new", faults)
            for node in nodes:
                wait_until(lambda: len([e for e in node.events("fault") if e.get("fault") == "settings"
                                        or e["level"] == "warning"]) >= count, "new settings")

        set_network('{"NET_PARTITION": "node1|node2"}', 1)
        nodes[0].type("SET x 1")
        nodes[0].wait_for("deliver")
        wait_until(lambda: [e for e in nodes[1].events("fault") if e.get("fault") == "partition"], "the cut")
        set_network('{"NET_LOSS": "often"}', 2)  # refused with a warning, and nothing changes
        assert "NET_LOSS" in nodes[0].events("fault")[-1]["message"]
        set_network("{}", 3)
        nodes[0].type("SET x 2")
        nodes[1].wait_for("deliver")
        assert nodes[1].delivered() == [("SET", "x", "2")]


def test_a_full_disk_does_not_stop_a_node():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full here")
    with Group() as group:
        process = subprocess.Popen([program("parte1")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=group.environment(NODE_ID="n", LOG_FILE="/dev/full"))
        process.stdin.write(b"SET x 1\n")
        process.stdin.flush()
        watcher = group.start("watcher")
        process.stdin.write(b"SET x 2\n")
        process.stdin.flush()
        watcher.wait_for("deliver")
        _, err = process.communicate(timeout=LIMIT)  # it leaves when its own commands have come back
        assert process.returncode == 0
        assert err.count(b" deliver ") == 2, err
        assert err.count(b"cannot be written") == 1, err


def read_terminal(descriptor, until, seen=b""):
    deadline = time.monotonic() + LIMIT
    while until not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([descriptor], [], [], 0.1)[0]:
            seen += os.read(descriptor, 65536)
    return seen


def test_on_a_terminal_there_is_a_prompt_with_editing_and_history():
    with Group() as group:
        child, terminal = pty.fork()
        if child == 0:
            os.execve(program("parte1"), ["parte1"], group.environment(NODE_ID="me", TERM="xterm", LC_ALL="C.UTF-8"))
        try:
            read_terminal(terminal, b"me> ")
            os.write(terminal, b"SET x 12\x7f3\n")  # a typing error, erased
            read_terminal(terminal, b"deliver")
            other = group.start("other")
            os.write(terminal, b"GET ")
            other.type("SET y 1")
            # The line of the log comes, and then what was being typed stands there again.
            seen = read_terminal(terminal, b"key=y")
            read_terminal(terminal, b"GET ", seen.split(b"key=y")[1])
            os.write(terminal, b"x\n")
            read_terminal(terminal, b'x = "13"')
            os.write(terminal, b"\x1b[A\n")  # arrow up: the same again
            read_terminal(terminal, b'x = "13"')
            os.write(terminal, "SET nome São João\n".encode())
            other.wait_for("deliver", 4)
            assert other.delivered()[-1] == ("SET", "nome", "São João")
            os.write(terminal, b"\x04")  # Ctrl-D on an empty line: leave
            ended = wait_until(lambda: [e for e in [os.waitpid(child, os.WNOHANG)] if e[0] == child], "its end")
        except BaseException:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        assert os.waitstatus_to_exitcode(ended[0][1]) == 0


if __name__ == "__main__":
    main(sys.modules[__name__])
