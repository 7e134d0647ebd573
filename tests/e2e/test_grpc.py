#!/usr/bin/env python3
"""gRPC as its users and its enemies meet it: the server with calls that are right, wrong, and no calls at all, and the
client at its prompt, through restarts."""

import fcntl
import pty
import termios
import threading

from kv import *

SNAPSHOT = 1000000  # bytes of the value that makes replies large


# ---- calls ----

def test_set_get_and_print():
    with KvServer() as server:
        assert server.call("Set", b'{"key":"x","value":{"b":[1,2.50],"a":null}}') == {
            "status": "ok", "message": "applied", "node": "node1", "seq": 1}
        assert server.call("Get")["local_value"] == '{"a":null,"b":[1,2.50]}'
        assert server.call("Get", b'{"key":"y"}')["local_value"] == "null"
        assert server.call("Set", '{"key":"ação","value":null,"other":[{}]}'.encode())["status"] == "ok"
        printed = server.call("Print", b"{}")
        assert json.loads(printed["snapshot"]) == {"ação": None, "x": {"a": None, "b": [1, 2.5]}}
        assert list(printed) == ["status", "message", "node", "seq", "snapshot"]
        assert server.stop() == 0


def test_a_request_that_is_wrong_is_refused_with_the_reason():
    wrong = {b"": "empty", b"{": "not JSON", b"[]": "not a JSON object", b"\xff": "UTF-8", b"{} x": "JSON",
             b"[" * 100000: "not", b"{}": "key is missing", b'{"key":7,"value":1}': "key is of type number",
             b'{"key":"","value":1}': "key is 0 bytes", b'{"key":"a\\nb","value":1}': "control character",
             b'{"key":"x"}': "value is missing", b'{"key":"x","value":1,"wait":"yes"}': "wait is of type string",
             b'{"key":"x","value":1,"message_uuid":"7"}': "message_uuid",
             b'{"key":"x","value":' + b"[" * 901 + b"]" * 901 + b"}": "901 levels"}
    with KvServer() as server:
        for request, reason in wrong.items():
            answer = server.nghttp("Set", message(request))
            assert answer["grpc-status"] == "3" and reason in answer["grpc-message"], (request[:80], answer)
        answer = server.nghttp("Set", message('{"key":"x","value":1,"message_uuid":"100% é"}'.encode()))
        assert "100%25 %C3%A9" in answer["grpc-message"], answer
        deep = b'{"key":"deep","value":' + b"[" * 900 + b"]" * 900 + b"}"
        assert server.call("Set", deep)["seq"] == 1, "none of the wrong ones was carried out"
        assert server.stop() == 0


def test_what_is_not_a_grpc_call_is_refused_as_the_protocol_says():
    with KvServer() as server:
        one = message(GET)
        for headers, status in [(["content-type: text/plain"], "415"), (["content-type: application/grpc-web"], "415"),
                                (["content-type:"], "415"), ([":method: PUT"], "405")]:
            answer = server.nghttp("Get", one, headers)
            assert answer[":status"] == status and "grpc-status" not in answer, (headers, answer)
        for kind in ["application/grpc", "application/grpc+json", "application/grpc+proto", "Application/gRPC;x=y"]:
            assert server.nghttp("Get", one, [f"content-type: {kind}"])["grpc-status"] == "0"
        for headers, body, status, reason in [
                (["te:"], one, "13", "te: trailers"), (["grpc-timeout: soon"], one, "13", "grpc-timeout"),
                (["grpc-timeout: 123456789S"], one, "13", "grpc-timeout"), (["x: " + "y" * 20000], one, "8", "headers"),
                ([], one + one, "12", "more than one"), ([], message(GET, 1), "12", "compressed"),
                ([], message(GET, 7), "13", "flag 7"), ([], b"", "12", "no message"), ([], one[:3], "13", "cut short"),
                ([], one[:-1], "13", "cut short"), ([], one + b"\0", "12", "more than one"),
                ([], b"\0\xff\xff\xff\xff" + b"x" * 100, "8", "4294967295 bytes")]:
            answer = server.nghttp("Get", body, headers)
            assert answer[":status"] == "200" and answer["content-type"] == "application/grpc", answer
            assert answer["grpc-status"] == status and reason in answer["grpc-message"], (headers, body[:20], answer)
        assert server.nghttp("Get", message(GET, 1))["grpc-accept-encoding"] == "identity"
        for path in ["/kv.KvService/Nope", "/", "/kv.KvService/GetX", "/" + "x" * 5000]:
            assert server.nghttp("", one, path=path)["grpc-status"] == "12", path
        assert server.stop() == 0


def test_a_request_of_one_mib_is_taken_and_a_longer_one_is_not_even_stored():
    with KvServer() as server:
        value = b"v" * (1024 * 1024 - 5000)
        assert server.call("Set", b'{"key":"x","value":"' + value + b'"}')["status"] == "ok"
        assert json.loads(server.call("Get")["local_value"]) == value.decode()
        assert server.nghttp("Set", message(b'{"key":"x","value":"' + b"v" * (1 << 20) + b'"}'))["grpc-status"] == "8"
        # As JSON among replicas it would be longer than a message may be: each of these becomes six bytes.
        escaped = '{"key":"x","value":"' + "\x7f" * 300000 + '"}'
        assert server.nghttp("Set", message(escaped.encode()))["grpc-status"] == "8"
        before = server.memory()
        with Http2(server.target) as peer:
            peer.send(frame(HEADERS, END_HEADERS, 1, request_headers()), frame(DATA, 0, 1, b"\0\x7f\xff\xff\xff"))
            assert peer.read_until(HEADERS, 1, END_STREAM) is not None, "refused before it has come"
            assert peer.read_until(RST_STREAM, 1) == struct.pack(">I", 0)
            for _ in range(60):  # what was on its way already
                peer.send(frame(DATA, 0, 1, b"x" * 16384))
            assert server.call()["status"] == "ok"
        assert server.memory() - before < 8 << 20
        assert server.stop() == 0


def test_a_hundred_calls_at_once_on_one_connection_and_three_thousand():
    with KvServer(REPLY_DELAY_MS="200") as server:
        assert load(server.target, "/kv.KvService/Get", GET.decode(), 100, 100)["OK"] == 100
        assert load(server.target, "/kv.KvService/Get", GET.decode(), 3000, 3000)["OK"] == 3000
        assert server.stop() == 0


def test_a_deadline_that_passes_is_answered_and_the_late_answer_goes_nowhere():
    with KvServer(REPLY_DELAY_MS="400") as server:
        answer = server.nghttp("Get", message(GET), ["grpc-timeout: 50m"])
        assert answer["grpc-status"] == "4", answer
        counted = load(server.target, "/kv.KvService/Get", GET.decode(), 50, 50, 50)
        assert counted["DEADLINE_EXCEEDED"] == 50, counted
        with Http2(server.target) as peer:  # reset, and gone, while the owner has the call
            peer.send(peer.request(1), frame(RST_STREAM, 0, 1, struct.pack(">I", 8)), peer.request(3))
        assert server.call()["status"] == "ok"
        wait_until(lambda: server.call()["seq"] >= 55, "the late answers are given")
        assert server.stop() == 0


# ---- flow control ----

def test_a_reply_respects_windows_of_one_byte():
    with KvServer() as server:
        with Http2(server.target, setting(4, 1)) as peer:
            peer.send(peer.request(1))
            reply = b""
            while (got := peer.read()) is not None and not (got[0] == HEADERS and got[1] & END_STREAM):
                if got[0] == DATA:
                    assert len(got[3]) <= 1, got
                    reply += got[3]
                    peer.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)))
            assert json.loads(reply[5:])["status"] == "ok"
        with Http2(server.target, setting(4, 0)) as peer:
            peer.send(peer.request(1))
            peer.read_until(HEADERS, 1)
            peer.send(frame(PING, 0, 0, b"12345678"))
            assert peer.read_until(PING) == b"12345678", "no data came between"
            peer.send(frame(SETTINGS, 0, 0, setting(4, 100000)))
            assert json.loads(peer.read_reply(1)[5:])["status"] == "ok"
        assert server.stop() == 0


def test_replies_of_many_mib_pass_and_a_peer_that_reads_nothing_costs_little():
    with KvServer() as server:
        for i in range(5):
            server.call("Set", f'{{"key":"k{i}","value":"{"v" * SNAPSHOT}"}}'.encode())
        code, lines = client(server.target, "PRINT\nPRINT\n")
        assert code == 0 and [len(json.loads(line["snapshot"])) for line in lines] == [5, 5]
        counted = load(server.target, "/kv.KvService/Print", "{}", 20, 20)
        assert counted["OK"] == 20 and counted["reply_bytes"] > 20 * 5 * SNAPSHOT, counted
        before = server.memory()
        wide = setting(4, 2**31 - 1)
        with Http2(server.target, wide) as silent, Http2(server.target) as closed:
            silent.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535)))
            for i in range(100):  # 500 MB of replies, of which nobody reads anything
                silent.send(silent.request(2 * i + 1, message(b"{}"), path=b"/kv.KvService/Print"))
                closed.send(closed.request(2 * i + 1, message(b"{}"), path=b"/kv.KvService/Print"))
            closed.send(frame(PING, 0, 0, b"12345678"))
            assert closed.read_until(PING) == b"12345678", "a closed window does not stop the rest"
            assert server.call()["status"] == "ok"
            assert server.memory() - before < 100 << 20, server.memory() - before
            for i in range(100):
                assert len(silent.read_reply(2 * i + 1)) > 5 * SNAPSHOT, "the replies wait for their reader"
        assert server.stop() == 0


# ---- connections ----

def test_pings_are_answered_and_a_flood_of_them_ends_the_connection():
    with KvServer() as server:
        with Http2(server.target) as peer:
            peer.send(frame(PING, 0, 0, b"12345678"))
            assert peer.read_until(PING, 0, ACK) == b"12345678"
        for flood in [frame(PING, 0, 0, b"12345678"), frame(SETTINGS, 0, 0, setting(3, 100))]:
            with Http2(server.target) as peer:
                try:
                    for _ in range(3000):  # without reading the answers
                        peer.send(flood * 1000)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                else:
                    raise AssertionError("the server took three million frames")
        assert server.call()["status"] == "ok"
        assert server.stop() == 0


def warnings_allowed(began):
    """How many of one kind a server may have written that started after that: five in ten seconds."""
    return 5 * (1 + (time.monotonic() - began) // 10)


def test_garbage_ends_a_connection_and_nothing_else():
    noise = random.Random(1)
    garbage = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
               PREFACE[:23] + b"x", PREFACE + b"\xff" * 100, PREFACE + frame(DATA, 0, 1, b"x"),
               PREFACE + frame(SETTINGS, 0, 0, b"12345"), PREFACE + frame(SETTINGS) + frame(HEADERS, 4, 1, b"\xff" * 50),
               PREFACE + frame(SETTINGS) + frame(DATA, 0, 1, b"data before headers"),
               PREFACE + frame(SETTINGS) + frame(HEADERS, 4, 2, request_headers()),
               PREFACE + frame(SETTINGS) + frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0"),
               PREFACE + frame(SETTINGS) + frame(CONTINUATION, 4, 1, b""),
               PREFACE + frame(SETTINGS) + b"\xff\xff\xff" + b"\0" * 6]
    garbage += [noise.randbytes(200) for _ in range(20)]
    garbage += [PREFACE + frame(SETTINGS) + noise.randbytes(200) for _ in range(50)]
    began = time.monotonic()
    with KvServer() as server:
        with Http2(server.target) as other:
            for bytes_sent in garbage:
                with Http2(server.target, greet=False) as peer:
                    peer.send(bytes_sent)
                    peer.socket.shutdown(socket.SHUT_WR)
                    assert peer.ended()
            other.send(other.request(1))
            assert json.loads(other.read_reply(1)[5:])["status"] == "ok"
        warnings = wait_until(lambda: server.events("discard"), "a warning")
        assert all(w["level"] == "warning" for w in warnings) and len(warnings) <= warnings_allowed(began), warnings
        assert warnings[0]["from"].startswith("127.0.0.1:") and warnings[0]["message"], warnings
        assert server.stop() == 0


def test_floods_of_streams_resets_and_headers_are_survived():
    with KvServer(REPLY_DELAY_MS="100") as server:
        with Http2(server.target) as peer:  # more calls at once than are allowed
            try:
                for i in range(1100):
                    peer.send(frame(HEADERS, END_HEADERS, 2 * i + 1, request_headers()))
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert peer.ended()
        with Http2(server.target) as peer:  # opened and reset, over and over
            try:
                for i in range(20000):
                    peer.send(peer.request(2 * i + 1), frame(RST_STREAM, 0, 2 * i + 1, struct.pack(">I", 8)))
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert peer.ended()
        for piece in [b"", header(b"x", b"y" * 16000)]:  # headers without end
            with Http2(server.target) as peer:
                try:
                    peer.send(frame(HEADERS, 0, 1, request_headers()))
                    for _ in range(10000):
                        peer.send(frame(CONTINUATION, 0, 1, piece))
                except (BrokenPipeError, ConnectionResetError):
                    pass
                assert peer.ended()
        assert server.call()["status"] == "ok"
        assert server.stop() == 0


def test_a_thousand_idle_connections_and_silent_ones_do_no_harm():
    with KvServer() as server:
        before = server.memory()
        # Truncated prefaces, a truncated frame, nothing at all: silent from then on.
        silent = [Http2(server.target, greet=False) for _ in range(20)]
        for i, peer in enumerate(silent):
            peer.send((PREFACE + frame(SETTINGS))[:i + 13] if i % 2 else b"")
        cut = Http2(server.target)
        cut.send(cut.request(1)[:-3])
        idle = [Http2(server.target) for _ in range(1000)]
        for peer in idle:
            peer.read_until(SETTINGS)
        cost = (server.memory() - before) / 1021
        assert "sanitize" in BUILD or cost <= 16 * 1024, cost
        assert load(server.target, "/kv.KvService/Get", GET.decode(), 20000, 100)["OK"] == 20000
        for peer in silent:
            assert peer.ended(), "who does not introduce himself is sent away"
        for peer in idle[::100] + [cut]:
            peer.send(frame(PING, 0, 0, b"still 1!")) if peer is not cut else peer.send(cut.request(1)[-3:])
        assert json.loads(cut.read_reply(1)[5:])["status"] == "ok"
        for peer in idle[::100]:
            assert peer.read_until(PING) == b"still 1!"
        for peer in idle + silent + [cut]:
            peer.socket.close()
        assert server.stop() == 0


def test_running_out_of_descriptors_is_survived():
    with KvServer(files=40) as server:
        peers = [Http2(server.target) for _ in range(100)]
        ended = [peer for peer in peers if peer.read() is None]
        assert 60 <= len(ended) < 100, len(ended)
        alive = next(peer for peer in peers if peer not in ended)
        alive.send(alive.request(1))
        assert json.loads(alive.read_reply(1)[5:])["status"] == "ok"
        for peer in peers:
            peer.socket.close()
        wait_until(lambda: "local_value" in json.dumps(client(server.target, "GET x\n")[1]), "there is room again")
        assert server.stop() == 0


def test_more_connections_than_are_taken_are_closed_with_a_warning():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[1] != resource.RLIM_INFINITY and limit[1] < 4500:
        raise Skip(f"a process may have only {limit[1]} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4500, limit[1]))
    began = time.monotonic()
    with KvServer() as server:
        peers = [Http2(server.target) for _ in range(4096)]  # who says nothing is sent away while the others still come
        wait_until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) > 4096, "all are taken")
        for _ in range(10):
            with Http2(server.target, greet=False) as one_more:
                assert one_more.read() is None
        warnings = wait_until(lambda: server.events("discard"), "a warning")
        assert len(warnings) <= warnings_allowed(began) and "4096" in warnings[0]["message"], warnings
        for peer in peers:
            peer.socket.close()
        wait_until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) < 100, "there is room again")
        assert server.call()["status"] == "ok"
        assert server.stop() == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


# ---- leaving ----

def says_goodbye():
    """False if somebody stood still until the grace of 3 s was over: a call that comes after it is lost, rightly."""
    with KvServer(REPLY_DELAY_MS="1000") as server:
        with Http2(server.target) as peer, Http2(server.target) as idle:
            idle.send(frame(PING, 0, 0, b"12345678"))
            idle.read_until(PING)
            peer.send(peer.request(1))
            peer.send(frame(PING, 0, 0, b"12345678"))
            frames = []  # all that come: the reply comes when it is due, whatever else is being waited for
            peer.read_until(PING, frames=frames)
            begun = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert peer.read_until(GOAWAY, frames=frames)[:4] == b"\x7f\xff\xff\xff", "a warning"
            ping = peer.read_until(PING, frames=frames)
            peer.send(peer.request(3), frame(PING, ACK, 0, ping))  # a call that crosses the warning
            if peer.read_until(HEADERS, 3, END_STREAM, frames) is None and time.monotonic() - begun >= 3:
                return False
            assert (3, END_STREAM) in [(stream, flags & END_STREAM) for kind, flags, stream, _ in frames if kind == HEADERS]
            last = peer.read_until(GOAWAY, frames=frames)
            assert last[:4] == struct.pack(">I", 3), last
            assert peer.ended(frames)
            assert (HEADERS, END_STREAM) in [(kind, flags & END_STREAM) for kind, flags, stream, _ in frames if stream == 1]
            reply = b"".join(payload for kind, _, stream, payload in frames if (kind, stream) == (DATA, 1))
            assert json.loads(reply[5:])["status"] == "ok"
            idle.send(frame(PING, ACK, 0, idle.read_until(PING)))
            assert idle.ended()
        assert server.process.wait(LIMIT) == 0
    return True


def test_a_server_that_leaves_answers_what_it_has_and_says_goodbye():
    wait_until(says_goodbye, "a goodbye through which nobody sleeps")
    with KvServer(REPLY_DELAY_MS="5000") as server:  # one whose answer comes too late, and one who does not listen
        with Http2(server.target) as peer, Http2(server.target, greet=False):
            peer.send(peer.request(1))
            peer.send(frame(PING, 0, 0, b"12345678"))
            peer.read_until(PING)
            server.process.send_signal(signal.SIGTERM)
            assert peer.ended(), "the grace is over"
        assert server.process.wait(LIMIT) == 0, "an answer to nobody"


def test_an_answer_that_is_due_when_the_grace_is_over_is_sent():
    with KvServer(REPLY_DELAY_MS="2500") as server, Http2(server.target) as peer:
        frames = []  # all that come: whoever stood still may have the reply before the warning
        peer.send(peer.request(1), frame(PING, 0, 0, b"12345678"))
        peer.read_until(PING, frames=frames)
        server.process.send_signal(signal.SIGTERM)
        peer.read_until(GOAWAY, frames=frames)
        server.process.send_signal(signal.SIGSTOP)  # until the grace of 3 s is over as well
        time.sleep(3.5)
        server.process.send_signal(signal.SIGCONT)
        assert peer.ended(frames)
        reply = b"".join(payload for kind, _, stream, payload in frames if (kind, stream) == (DATA, 1))
        assert json.loads(reply[5:])["status"] == "ok"
        assert server.process.wait(LIMIT) == 0


def test_a_port_that_is_taken_is_named():
    with KvServer() as server:
        for settings, words in [({"RPC_PORT": str(server.port)}, [str(server.port), "in use", "another port"]),
                                ({"RPC_PORT": "x"}, ["RPC_PORT", "65535"]), ({"RPC_HOST": "nowhere"}, ["RPC_HOST", "nowhere"]),
                                ({"RPC_PORT": "0", "RPC_HOST": "192.0.2.1"}, ["not available"])]:
            done = subprocess.run([program("tests/tools/kv_single")], capture_output=True, timeout=LIMIT,
                                  env=os.environ | settings)
            assert done.returncode == 1 and all(word in done.stderr.decode() for word in words), done.stderr


# ---- the client ----

def test_commands_from_a_pipe_are_answered_one_after_the_other():
    with KvServer(REPLY_DELAY_MS="20") as server:
        code, lines = client(server.target, "SET x some text\nget x\n\n  GET nothing  \nPRINT\nSET y \"q\" é\nGET y")
        assert code == 0 and [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
        assert [line.get("local_value") for line in lines] == [None, '"some text"', "null", None, None, '"\\"q\\" é"']
        code, lines = client(server.target, "SET x\nfoo\n" + "x" * (1 << 20) + "x\nGET x\n")
        assert code == 1 and [line["status"] for line in lines] == ["error"] * 3 + ["ok"]
        assert lines[0]["node"] is None and "SET <key> <value>" in lines[0]["message"] and "long" in lines[2]["message"]
        code, lines = client(server.target, "SET a 1\nEXIT\nSET b 2\n", TARGET="127.0.0.1:1")
        assert code == 0 and len(lines) == 1
        assert client(server.target, "") == (0, [])
        path = os.path.join(server.folder, "commands")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(f"SET k{i} {i}\n" for i in range(100)) + "PRINT")
        with open(path, "rb") as file:
            done = subprocess.run([program("tests/tools/kv_single"), "client"], stdin=file, capture_output=True,
                                  timeout=LIMIT, env=os.environ | {"TARGET": f"localhost:{server.port}"})
        assert done.returncode == 0 and len(json.loads(json.loads(done.stdout.split(b"\n")[100])["snapshot"])) == 103
        assert server.stop() == 0


def test_arguments_that_mean_nothing_are_refused():
    for arguments, words in [([], "--target"), (["--target", "nowhere"], "host:port"), (["--target", "x:99999"], "host:port"),
                             (["--target", "::1:50051"], "brackets"), (["--target", "x:1", "--timeout", "0"], "--timeout"),
                             (["--target", "x:1", "--timeout", "nan"], "--timeout"), (["--nonsense"], "usage"),
                             (["--target"], "usage"), (["--target", "x:1"], "no commands")]:
        done = subprocess.run([program("tests/tools/kv_single"), "client", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=LIMIT)
        assert done.returncode == 2 and words in done.stderr.decode() and done.stdout == b"", (arguments, done)


def test_what_no_server_answers_says_whether_it_may_have_been_done():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        for target in [f"127.0.0.1:{deaf.getsockname()[1]}", "127.0.0.1:1", "nosuch.invalid:50051"]:
            code, lines = client(target, "SET x 1\n", "--timeout", "0.3")
            assert code == 1 and lines[0]["status"] == "error" and lines[0]["node"] is None
            assert f"no answer from {target} within 0.3 s: it was not done" in lines[0]["message"], lines
    with KvServer(REPLY_DELAY_MS="1000") as server:
        answers = []

        def was_sent():
            """Was it? A client that stood still for so long has not sent it, and knows that."""
            code, lines = client(server.target, "SET x 1\n", "--timeout", "0.3")
            assert code == 1 and lines[0]["message"].startswith(f"no answer from {server.target} within 0.3 s: it ")
            answers.append(lines[0]["message"].split(" s: it ")[1])
            assert answers[-1].startswith(("may or may not have been done", "was not done")), lines
            return answers[-1].startswith("may")
        wait_until(was_sent, lambda: f"a command that was sent: {answers}")
        assert server.call()["seq"] <= 2, "those that were not done are not"


def test_the_client_outlives_its_server():
    with reserved_port() as port:
        outlive_servers(port)


def outlive_servers(port):
    server = KvServer(port=port)
    process = subprocess.Popen([program("tests/tools/kv_single"), "client", "--target", server.target, "--timeout", "60"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    def ask(line):
        process.stdin.write(line + b"\n")
        process.stdin.flush()
    def answer():
        return json.loads(process.stdout.readline())
    with server:
        ask(b"SET x 1")
        assert answer()["seq"] == 1
    ask(b"SET x 2")  # while there is no server
    with KvServer(port=port) as server:
        assert answer()["seq"] == 1
        ask(b"GET x")
        assert answer()["local_value"] == '"2"'
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(LIMIT) == 0, "the client lets it go at once"
    with KvServer(port=port, REPLY_DELAY_MS="60000") as server:
        ask(b"SET x 3")
        wait_until(lambda: connected(server), "the command is under way")
        time.sleep(0.2)
    with KvServer(port=port):
        assert answer()["seq"] == 1, "sent again, to another server"
        process.stdin.close()
        assert process.wait(LIMIT) == 0


def connected(server):
    """Has it a connection?"""
    with open(f"/proc/{server.process.pid}/net/tcp6", encoding="ascii") as file:
        return any(f":{server.port:04X} " in line and " 01 " in line for line in file)


def test_a_command_that_was_refused_for_now_is_sent_again_under_its_own_name():
    with KvServer(REPLY_FAIL="UNAVAILABLE") as server:
        code, lines = client(server.target, "SET x 1\nSET x 2\nGET x\n")
        assert code == 0 and [line["seq"] for line in lines] == [1, 2, 3], lines
        counted = load(server.target, "/kv.KvService/Set", '{"key":"x","value":3}', 10, 1)
        assert counted["UNAVAILABLE"] == 10, "each call has a name of its own there"


def through_restarts(end):
    """Makes calls for a while, during which their server ends in that way and another one takes its place, again and
    again; returns what became of the calls."""
    with reserved_port() as port:
        return through_restarts_at(port, end)


def through_restarts_at(port, end):
    server = KvServer(port=port, REPLY_DELAY_MS="20")
    result = []
    worker = threading.Thread(target=lambda: result.append(
        load(server.target, "/kv.KvService/Get", GET.decode(), 5000, 20)))
    worker.start()
    for _ in range(3):
        with server:
            wait_until(lambda: connected(server) or result, "it is used")
            time.sleep(0.3)
            end(server)
        server = KvServer(port=port, REPLY_DELAY_MS="20")
    with server:
        worker.join(2 * LIMIT)
        assert result, "kv_load hangs"
        assert server.stop() == 0
    return result[0]


def test_calls_that_a_dying_server_did_not_get_are_made_on_the_next_one():
    counted = through_restarts(lambda server: server.process.kill())
    # No call may have been under way when a server died.
    assert counted["OK"] >= 4940 and counted["OK"] + counted.get("UNAVAILABLE", 0) == 5000, counted
    assert counted["unsent"] == 0, counted


def test_a_clean_restart_costs_only_the_calls_that_cross_the_goodbye():
    def stop(server):
        assert server.stop() == 0
    counted = through_restarts(stop)
    assert counted["OK"] >= 4940 and counted["OK"] + counted.get("UNAVAILABLE", 0) == 5000, counted


def waiting_in(pipe):
    """How many bytes nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_a_signal_ends_the_client_whatever_it_waits_for():
    with KvServer(REPLY_DELAY_MS="60000") as server, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        for target in [server.target, f"127.0.0.1:{deaf.getsockname()[1]}", "127.0.0.1:1", "nosuch.invalid:50051"]:
            process = subprocess.Popen([program("tests/tools/kv_single"), "client", "--target", target],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(b"SET x 1\n" * 10)
            process.stdin.flush()
            wait_until(lambda pipe=process.stdin: waiting_in(pipe) == 0, "it has read the commands")
            time.sleep(0.3)  # mostly it has come to where it waits by then
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=LIMIT) == (b"", b"") and process.returncode == 1
        server.process.kill()


def test_the_prompt_on_a_terminal():
    with KvServer() as server:
        child, terminal = pty.fork()
        if child == 0:
            os.environ["TERM"] = "dumb"
            os.execv(program("tests/tools/kv_single"), ["kv_single", "client", "--target", server.target])
        screen = b""
        def shows(words):
            nonlocal screen
            while words not in screen:
                screen += os.read(terminal, 65536)
            screen = screen[screen.index(words) + len(words):]
        shows(server.target.encode() + b"> ")
        os.write(terminal, b"SET x hello there\r")
        shows(b'"seq":1}')
        os.write(terminal, b"get x\r")
        shows(b'"local_value":"\\"hello there\\""}')
        os.write(terminal, b"nonsense\r")
        shows(b"type HELP")
        os.write(terminal, b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os.close(terminal)
        assert server.stop() == 0


if __name__ == "__main__":
    main(sys.modules[__name__])
