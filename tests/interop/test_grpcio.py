#!/usr/bin/env python3
"""gRPC with a library that is not ours, Python's grpcio: its clients call our server, and our client calls its servers.
Where `python3` has no grpcio but the system's own has, this runs under that one."""

import os
import sys

try:
    import grpc
except ImportError:
    grpc = None
    if sys.executable != "/usr/bin/python3" and os.access("/usr/bin/python3", os.X_OK):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
# pylint: disable=wrong-import-position
from concurrent import futures

from kv import *

LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def needs_grpcio(test):
    def run():
        if grpc is None:
            raise Skip("python3-grpcio is not installed")
        test()
    return run


def same(data):
    """Bytes are bytes: no code is generated."""
    return data


def method(channel, name):
    return channel.unary_unary(f"/kv.KvService/{name}", request_serializer=same, response_deserializer=same)


def refusal(call, request, **options):
    """The status and the sentence with which a call is refused."""
    try:
        call(request, timeout=LIMIT, **options)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    raise AssertionError(f"not refused: {request[:80]}")


# ---- its clients, our server ----

@needs_grpcio
def test_grpcio_sets_gets_and_prints():
    with KvServer() as server, grpc.insecure_channel(server.target) as channel:
        reply = json.loads(method(channel, "Set")(b'{"key":"x","value":[1,"a\\u00e7"]}', timeout=LIMIT))
        assert reply == {"status": "ok", "message": "applied", "node": "node1", "seq": 1}, reply
        assert json.loads(method(channel, "Get")(b'{"key":"x"}', timeout=LIMIT))["local_value"] == '[1,"aç"]'
        assert json.loads(method(channel, "Print")(b"{}"))["snapshot"] == '{"x":[1,"aç"]}', "without a deadline"
        channel.close()
        assert server.stop() == 0


@needs_grpcio
def test_grpcio_hears_the_right_status():
    with KvServer() as server, grpc.insecure_channel(server.target, LARGE) as channel:
        for name, request, status, words in [
                ("Nope", b"{}", "UNIMPLEMENTED", "/kv.KvService/Nope"), ("Set", b"{", "INVALID_ARGUMENT", "not JSON"),
                ("Set", b'{"key":"x"}', "INVALID_ARGUMENT", "value is missing"),
                ("Get", b'{"key":"100% \\u0001"}', "INVALID_ARGUMENT", "control character"),
                ("Set", '{"key":"x","value":1,"message_uuid":"100% é"}'.encode(), "INVALID_ARGUMENT", "100% é"),
                ("Get", b"x" * (1024 * 1024 + 1), "RESOURCE_EXHAUSTED", "1048577 bytes"),
                ("Get", b"x" * (20 * 1024 * 1024), "RESOURCE_EXHAUSTED", "at most 1048576")]:
            code, details = refusal(method(channel, name), request)
            assert code == status and words in details, (name, request[:60], code, details)
        code, details = refusal(method(channel, "Set"), b'{"key":"x","value":"' + b"z" * 5000 + b'"}',
                                compression=grpc.Compression.Gzip)
        assert code == "UNIMPLEMENTED" and "compressed" in details, details
        many = channel.stream_unary("/kv.KvService/Get", request_serializer=same, response_deserializer=same)
        code, details = refusal(many, iter([GET, GET]))
        assert code == "UNIMPLEMENTED" and "more than one message" in details, details
        code, details = refusal(many, iter([]))
        assert code == "UNIMPLEMENTED" and "no message" in details, details
        assert json.loads(method(channel, "Get")(GET, timeout=LIMIT))["status"] == "ok"
        channel.close()
        assert server.stop() == 0


@needs_grpcio
def test_a_hundred_calls_at_once_and_their_cancellation():
    with KvServer(REPLY_DELAY_MS="200") as server, grpc.insecure_channel(server.target) as channel:
        calls = [method(channel, "Set").future(f'{{"key":"k{i}","value":{i}}}'.encode(), timeout=LIMIT)
                 for i in range(100)]
        assert sorted(json.loads(call.result())["seq"] for call in calls) == list(range(1, 101))
        calls = [method(channel, "Get").future(GET) for _ in range(100)]
        # This one is refused at once, and sent after them: a call that is cancelled before it is sent, grpcio (1.51) resets
        # without having opened it, which by HTTP/2 (RFC 9113, 5.1) ends the connection.
        assert refusal(method(channel, "Nope"), b"{}")[0] == "UNIMPLEMENTED"
        for call in calls[::2]:
            call.cancel()
        assert all(json.loads(call.result())["status"] == "ok" for call in calls[1::2])
        code, _ = None, None
        try:
            method(channel, "Get")(GET, timeout=0.05)
        except grpc.RpcError as error:
            code = error.code().name
        assert code == "DEADLINE_EXCEEDED", code
        channel.close()
        assert server.stop() == 0


@needs_grpcio
def test_replies_of_many_mib_reach_grpcio():
    with KvServer() as server, grpc.insecure_channel(server.target, LARGE) as channel:
        for i in range(12):
            method(channel, "Set")(f'{{"key":"k{i}","value":"{str(i % 10) * 1000000}"}}'.encode(), timeout=LIMIT)
        calls = [method(channel, "Print").future(b"{}", timeout=LIMIT) for _ in range(5)]
        for call in calls:
            snapshot = json.loads(json.loads(call.result())["snapshot"])
            assert len(snapshot) == 12 and snapshot["k7"] == "7" * 1000000
        channel.close()
        assert server.stop() == 0


def patient(call, request):
    """Calls again while the status is UNAVAILABLE: a channel that nobody uses does not notice that its server left."""
    def attempt():
        try:
            return call(request, timeout=LIMIT, wait_for_ready=True)
        except grpc.RpcError as error:
            assert error.code().name == "UNAVAILABLE", error
            return None
    return json.loads(wait_until(attempt, "the server is back"))


@needs_grpcio
def test_grpcio_survives_a_restart_of_our_server():
    with reserved_port() as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        server = KvServer(port=port)
        for _ in range(3):
            with server:
                assert patient(method(channel, "Get"), GET)["seq"] == 1
                assert server.stop() == 0
            server = KvServer(port=port)
        with server:
            assert patient(method(channel, "Get"), GET)["seq"] == 1


# ---- our client, its servers ----

class Original:
    """A KvService made with grpcio, as the original nodes have it: answers what `answer` returns for a request."""

    def __init__(self, answer, port=0, options=()):
        self.requests = []
        self.answer = answer
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=32), options=[*LARGE, *options])
        handlers = {name: grpc.unary_unary_rpc_method_handler(self.handler(name), request_deserializer=same,
                                                              response_serializer=same)
                    for name in ["Set", "Get", "Print"]}
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("kv.KvService", handlers)])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.target = f"127.0.0.1:{self.port}"
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait()

    def handler(self, name):
        def handle(request, context):
            self.requests.append((name, json.loads(request)))
            return self.answer(name, request, context)
        return handle


@needs_grpcio
def test_our_client_is_understood_and_shows_what_it_is_told():
    reply = {"status": "ok", "message": "enviado ao sequenciador", "node": "nó1"}
    with Original(lambda *_: json.dumps(reply).encode()) as server:
        code, lines = client(server.target, "SET x some  text\nGET x\nPRINT\n", "--wait")
        assert code == 0 and lines == [reply] * 3
    names = [request.pop("message_uuid") for _, request in server.requests]
    assert len(set(names)) == 3 and all(uuid.UUID(name).version == 4 for name in names)
    assert server.requests == [("Set", {"key": "x", "value": "some  text", "wait": True}),
                               ("Get", {"key": "x", "wait": True}), ("Print", {"wait": True})]


@needs_grpcio
def test_replies_pass_unchanged_unless_a_terminal_would_obey_them():
    replies = [b'{"status": "ok",  "b": 1.50, "a": "\\u001b[2J \xc3\xa7"}',  # escaped: harmless, kept to the byte
               b'{"status":"ok",\n "b":"\x7f"}', '{"status":"ok","b":"\u009b2J"}'.encode(), b'{"status":"error"}',
               b'{"message":"?"}', b"[]", b"\xff\xfe", b"", b'{"status":"ok","status":"error"}']
    waiting = list(replies)
    with Original(lambda *_: waiting.pop(0)) as server:
        done = subprocess.run([program("tests/tools/kv_single"), "client", "--target", server.target],
                              input=b"PRINT\n" * len(replies), capture_output=True, timeout=LIMIT)
    lines = done.stdout.split(b"\n")[:-1]
    assert done.returncode == 1 and lines[0] == replies[0]
    assert lines[1] == b'{"status":"ok","b":"\\u007f"}' and lines[2] == b'{"status":"ok","b":"\\u009b2J"}', lines
    assert lines[3:5] == replies[3:5] and lines[8] == replies[8]
    for line in lines[5:8]:
        assert json.loads(line)["node"] is None and "not understood" in json.loads(line)["message"], line


@needs_grpcio
def test_a_reply_of_forty_mib_is_taken_and_one_of_seventy_is_not():
    sizes = [40 << 20, 70 << 20, 10]
    with Original(lambda *_: b'{"status":"ok","snapshot":"' + b"s" * sizes.pop(0) + b'"}') as server:
        code, lines = client(server.target, "PRINT\nPRINT\nPRINT\n", "--timeout", str(LIMIT))
    assert code == 1 and len(lines[0]["snapshot"]) == 40 << 20 and len(lines[2]["snapshot"]) == 10
    assert lines[1]["status"] == "error" and lines[1]["message"].startswith("RESOURCE_EXHAUSTED"), lines[1]


@needs_grpcio
def test_what_the_transport_refuses_becomes_an_error_line():
    def answer(name, request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "100% não \x1b[2J")
    with Original(answer) as server:
        code, lines = client(server.target, "GET x\n")
        assert code == 1 and lines == [{"status": "error", "message": "FAILED_PRECONDITION: 100% não ?[2J",
                                        "node": None}], lines
        assert load(server.target, "/kv.KvService/Nope", "{}", 10, 10)["UNIMPLEMENTED"] == 10


@needs_grpcio
def test_an_unavailable_server_is_asked_again_with_the_same_uuid():
    def answer(name, request, context):
        if len(server.requests) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return b'{"status":"ok"}'
    with Original(answer) as server:
        assert client(server.target, "SET x 1\n") == (0, [{"status": "ok"}])
    assert len(server.requests) == 3 and server.requests[0] == server.requests[1] == server.requests[2]

    def was_refused():
        """Was that the last it heard? Where somebody stood still, it was not sent, or not answered in time."""
        with Original(lambda name, request, context: context.abort(grpc.StatusCode.UNAVAILABLE, "never")) as server:
            code, lines = client(server.target, "SET x 1\n", "--timeout", "0.5")
        assert code == 1 and ("may or may not" in lines[0]["message"] or not server.requests), lines
        assert len({json.dumps(request) for request in server.requests}) <= 1
        return "never" in lines[0]["message"]
    wait_until(was_refused, "a refusal as its reason")


@needs_grpcio
def test_calls_beyond_what_a_server_takes_at_once_wait_for_their_turn():
    busy = []

    def answer(name, request, context):
        busy.append(1)
        most.append(len(busy))
        time.sleep(0.002)
        busy.pop()
        return b'{"status":"ok"}'
    most = []
    with Original(answer, options=[("grpc.max_concurrent_streams", 4)]) as server:
        counted = load(server.target, "/kv.KvService/Get", GET.decode(), 1000, 200)
    assert counted["OK"] == 1000 and max(most) <= 4, (counted, max(most))


@needs_grpcio
def test_requests_of_many_mib_respect_the_servers_windows():
    with Original(lambda name, request, context: b'{"status":"ok","length":%d}' % len(request)) as server:
        counted = load(server.target, "/kv.KvService/Set", json.dumps({"key": "x", "value": "v" * 100000}), 50, 20)
        assert counted["OK"] == 50, counted
        text = "w" * 900000
        code, lines = client(server.target, f"SET x {text}\nSET y 1\n")
    assert code == 0 and lines[0]["length"] > 900000


if __name__ == "__main__":
    main(sys.modules[__name__])
