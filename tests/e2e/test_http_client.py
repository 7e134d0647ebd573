#!/usr/bin/env python3
"""The HTTP/1.1 client (common/net/http_client): against our own server, and against servers that behave otherwise."""

import threading

from ordem import *
from test_http import Server


def ask(target, *lines, connections=0, timeout=LIMIT * 1000):
    """What each call ended with, in the order of their ends."""
    run = subprocess.run([program("tests/tools/http_ask"), str(target), str(connections), str(timeout)],
                         input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=2 * LIMIT)
    assert run.returncode == 0, run.stderr
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert not any(result["during"] for result in results), "on_done comes later"
    return results


class Peer:
    """A server of a few lines: `behave` gets each connection, and how many there were before."""

    def __init__(self, behave):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.behave = behave
        self.taken = []  # who has connected
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, address = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.behave, args=(connection, len(self.taken)), daemon=True).start()
            self.taken.append(address)

    def connections(self):
        """How many there were until now: all that wait to be taken stand before one that is made now."""
        host, port = self.target.split(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT) as last:
            wait_until(lambda: last.getsockname() in self.taken, "the last connection to be taken")
            return self.taken.index(last.getsockname())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def reply(body=b"", *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def read_request(connection):
    """Until the blank line: these requests have no body."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        part = connection.recv(4096)
        if not part:
            return None
        data += part
    return data


def test_calls_come_back_with_what_was_answered():
    with Server() as server:
        get, post, bad = ask(f"http://127.0.0.1:{server.port}", "GET /a%20b?c", "wait", 'POST /echo {"x":1}', "wait",
                             "GET /%ff")
        assert (get["status"], json.loads(get["body"])["path"]) == (200, "/a b")
        assert (post["status"], post["body"]) == (200, '{"x":1}')
        assert bad["status"] == 400 and "encoded" in bad["body"]


def test_many_calls_share_few_connections():
    with Server() as server:
        results = ask(f"127.0.0.1:{server.port}", *(["GET /later"] * 40 + ["GET /x"] * 500), connections=4)
        assert len(results) == 540 and all(result["status"] == 200 for result in results)
    with Peer(lambda connection, _: [connection.sendall(reply(b"a")) for _ in iter(lambda: read_request(connection), None)]) as peer:
        assert [r["status"] for r in ask(peer.target, *["GET /"] * 50, connections=3)] == [200] * 50
        assert peer.connections() == 3, peer.taken


def test_a_large_answer_comes_whole():
    with Server() as server:
        assert [result["length"] for result in ask(f"127.0.0.1:{server.port}", *["GET /big"] * 3)] == [8 * 1024 * 1024] * 3


def test_nobody_listens():
    with reserved_port() as port:
        results = ask(f"127.0.0.1:{port}", "GET /", "GET /", "wait", "GET /")
    assert [result["status"] for result in results] == [-1] * 3 and "refused" in results[0]["body"], results
    assert ask("no-such-host.invalid:80", "GET /")[0]["status"] == -1


def test_a_server_that_says_nothing():
    with Peer(lambda connection, _: time.sleep(LIMIT)) as peer:
        def was_sent():
            """Was the first one? A client that stood still for two seconds has sent neither, and knows that."""
            first, second = ask(peer.target, "GET /", "GET /", connections=1, timeout=2000)
            assert second["status"] == -1, "it waited for the only one, and was never sent"
            assert "no connection" in second["body"], second
            words = {-3: "no answer", -1: "no connection"}[first["status"]]
            assert words in first["body"] and "within 2000 ms" in first["body"], first
            return first["status"] == -3
        wait_until(was_sent, "a call that was sent")


def test_what_is_not_http_or_is_cut_short_is_lost():
    for words in (b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"HTTP/1.1 200 OK\r\nContent-Le",
                  b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", b"\x00" * 10,
                  b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n"):
        def behave(connection, _, words=words):
            read_request(connection)
            connection.sendall(words)
            connection.close()

        with Peer(behave) as peer:
            assert ask(peer.target, "GET /")[0]["status"] == -2, words[:60]


def test_a_connection_that_was_closed_while_idle_is_replaced():
    def behave(connection, _):
        if read_request(connection):
            connection.sendall(reply(b"one"))
        connection.close()

    with Peer(behave) as peer:
        results = ask(peer.target, "GET /", "wait", "sleep 50", "GET /", "wait", "sleep 50", "GET /", connections=1)
        assert [result["status"] for result in results] == [200] * 3, results
        assert peer.connections() == 3, peer.taken


def test_a_connection_that_breaks_at_the_second_call_is_tried_once_more():
    def behave(connection, before):
        read_request(connection)
        connection.sendall(reply(b"one"))
        if before == 0:
            read_request(connection)  # and closes without a word
        else:
            read_request(connection)
            connection.sendall(reply(b"two"))
        connection.close()

    with Peer(behave) as peer:
        results = ask(peer.target, "GET /", "wait", "GET /", connections=1)
        assert [result["body"] for result in results] == ["one", "one"], results


def test_headers_that_say_where_and_when():
    def behave(connection, _):
        read_request(connection)
        connection.sendall(reply(b"", "LOCATION: http://127.0.0.1:8001/propose?x", "retry-after:  7 ",
                                 status="307 Temporary Redirect"))
        read_request(connection)
        connection.sendall(reply(b"", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", status="503 Service Unavailable"))

    with Peer(behave) as peer:
        first, second = ask(peer.target, "GET /", "wait", "GET /")
        assert (first["status"], first["location"], first["retry_after"]) == (307, "http://127.0.0.1:8001/propose?x", 7)
        assert (second["status"], second["location"], second["retry_after"]) == (503, "", -1)


def test_interim_answers_chunks_and_a_close():
    def behave(connection, _):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n"
                           b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        time.sleep(0.2)

    with Peer(behave) as peer:
        results = ask(peer.target, "GET /", "wait", "GET /", connections=1)
        assert [result["body"] for result in results] == ["abcde", "abcde"], results
        assert peer.connections() == 2, peer.taken


def test_answers_that_nobody_asked_for():
    def behave(connection, _):
        connection.sendall(reply(b"too early"))
        read_request(connection)
        connection.sendall(reply(b"one") + reply(b"another"))
        read_request(connection)

    with Peer(behave) as peer:
        results = ask(peer.target, "GET /", "wait", "sleep 20", "GET /", connections=1)
        assert results[0]["body"] in ("one", "too early") or results[0]["status"] == -2, results


def test_targets_that_are_none():
    for target in ("", "x", "x:", "x:0", "x:65536", "::1:80", "x:8 0", "http://:80"):
        run = subprocess.run([program("tests/tools/http_ask"), target], input="", capture_output=True, text=True, timeout=LIMIT)
        assert run.returncode == 1 and "host:port is allowed" in run.stderr, (target, run.stderr)


if __name__ == "__main__":
    main(sys.modules[__name__])
