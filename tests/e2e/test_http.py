#!/usr/bin/env python3
"""The HTTP/1.1 server (common/net/http_server), through a program that answers what it was asked."""

import contextlib
import http.client
import re
import threading

from ordem import *


class Server:
    """The program, and connections to it."""

    def __enter__(self):
        self.process = subprocess.Popen([program("tests/tools/http_echo")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=os.environ | {"LOG_FORMAT": "json"}, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.leave()
        try:
            self.status = self.process.wait(timeout=180)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.status = self.process.wait()
        self.log = self.process.stdout.read() + self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        assert self.status == 0, f"the server ends with 0, not {self.status}: {self.log[-2000:]}"

    def leave(self):
        """Its input ends: it closes."""
        if not self.process.stdin.closed:
            self.process.stdin.close()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=180)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def say(self, *pieces, pause=0.0):
        """Sends bytes on a connection of their own and returns all that comes until the server closes it."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            return read_all(connection)

    def ask(self, method, target, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=180)
        try:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()


def read_all(connection):
    parts = []
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def get(target, *headers, method="GET"):
    lines = [f"{method} {target} HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode()


LAST = get("/last", "Connection: close")


def statuses(reply):
    return [status.decode() for status in re.findall(rb"HTTP/1\.1 (\d+) ", reply)]


def test_answers_what_was_asked():
    with Server() as server:
        status, headers, body = server.ask("POST", "/a%20b/%C3%A7?x=1&y", b"12345")
        assert status == 200 and headers["Content-Type"] == "application/json", (status, headers)
        assert json.loads(body) == {"method": "POST", "path": "/a b/ç", "query": "x=1&y", "body": 5}, body
        assert "Date" in headers and headers["Content-Length"] == str(len(body)), headers
        status, _, body = server.ask("GET", "http://else.where:80/there?q")
        assert json.loads(body)["path"] == "/there" and json.loads(body)["query"] == "q", body


def test_a_connection_persists_and_a_head_has_no_body():
    with Server() as server, server.connect() as connection:
        connection.sendall(get("/one", method="HEAD") + get("/two"))
        connection.sendall(LAST)
        reply = read_all(connection)
        assert statuses(reply) == ["200"] * 3, reply
        head = reply.split(b"\r\n\r\n")[0]
        assert b"Content-Length: " in head and b"Connection" not in head, head
        assert b'"path":"/one"' not in reply and b'"path":"/two"' in reply, reply
        assert reply.count(b"Connection: close") == 1, reply


def test_pipelined_answers_leave_in_the_order_of_the_requests():
    with Server() as server:
        count = 1500  # more than may wait at once
        reply = server.say(get("/later") + b"".join(get(f"/{i}") for i in range(count)) + LAST)
        assert statuses(reply) == ["200"] * (count + 2), len(statuses(reply))
        places = [reply.index(b"later\n")] + [reply.index(b'"path":"/%d"' % i) for i in range(count)]
        assert places == sorted(places), "in order"


def test_who_does_not_read_cannot_fill_the_memory():
    with Server() as server, server.connect() as connection:
        asked = 60  # of 8 MiB each: more than may wait
        connection.sendall(get("/big") * asked + LAST)
        status, _, _ = server.ask("GET", "/small")
        assert status == 200, "others are served"
        counts = {b"200": 0, b"503": 0}
        while part := connection.recv(1 << 20):
            for code in re.findall(rb"HTTP/1\.1 (\d+) ", part):
                counts[code] += 1
        assert counts[b"503"] > 0 and 20 <= counts[b"200"] < asked, counts
        status, _, body = server.ask("GET", "/big")
        assert status == 200 and len(body) == 8 * 2 ** 20, "there is room again"


def test_a_request_may_come_byte_by_byte():
    with Server() as server:
        request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        def whole():
            """What is not whole after 10 s is refused, rightly: it is sent once more."""
            begun, reply = time.monotonic(), b""
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                reply = server.say(*(request[i:i + 1] for i in range(len(request))), pause=0.001)
            assert reply.endswith(b"\r\n\r\nabc") or time.monotonic() - begun > 9, reply
            return reply.endswith(b"abc")
        wait_until(whole, "a request that came in time")


def test_a_body_may_come_in_chunks_and_after_a_question():
    with Server() as server, server.connect() as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n"
                           b"Connection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n", "go on"
        connection.sendall(b"3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\n\r\n")
        assert read_all(connection).endswith(b"\r\n\r\nabc0123456789abcdef"), "the body"


def test_a_large_answer_comes_whole_to_a_slow_reader():
    with Server() as server, server.connect() as connection:
        connection.sendall(get("/big") + LAST)
        time.sleep(0.3)
        reply = read_all(connection)
        head, _, rest = reply.partition(b"\r\n\r\n")
        assert b"Content-Length: 8388608" in head, head
        assert rest[:8388608] == (b"abcdefghijklmnopqrstuvwxyz" * 322640)[:8388608], "the body"
        assert b'"path":"/last"' in rest[8388608:], rest[8388608:]


def test_what_is_wrong_is_told_with_its_status():
    body = b"x" * (1024 * 1024 + 1)
    chunks = b"".join(b"10000\r\n" + b"y" * 65536 + b"\r\n" for _ in range(17))
    for status, request in {
        b"400": b"this is not HTTP\r\n\r\n",
        b"400 ": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody speaks TLS
        b"400  ": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"400   ": b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"400    ": b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"400     ": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"400      ": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"400       ": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"400        ": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"413": b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
        b"413 ": b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
        b"414": b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"431": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 17000 + b"\r\n\r\n",
    }.items():
        with Server() as server:
            with server.connect() as connection:
                try:
                    connection.sendall(request)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                reply = read_all(connection)
            assert reply.startswith(b"HTTP/1.1 " + status.strip()), (status, request[:60], reply[:200])
            assert b"Connection: close" in reply, reply
            assert "error" in json.loads(reply.partition(b"\r\n\r\n")[2]), reply
            assert server.ask("GET", "/")[0] == 200, "others are served"


def test_neither_a_path_nor_a_header_can_smuggle_a_header():
    with Server() as server:
        status, headers, _ = server.ask("GET", "/a%0d%0aX-Evil:%201")
        assert status == 200 and "X-Evil" not in headers and "X-Path" not in headers, headers
        assert server.ask("GET", "/%ff")[0] == 400 and server.ask("GET", "/%4")[0] == 400, "what encodes nothing"


def test_what_follows_the_last_request_is_not_read():
    with Server() as server:
        reply = server.say(LAST + get("/after") + b"garbage")
        assert statuses(reply) == ["200"] and b"/after" not in reply, reply


def test_an_upgrade_is_not_taken_up():
    with Server() as server:
        reply = server.say(get("/here", "Connection: Upgrade", "Upgrade: h2c") + LAST)
        assert statuses(reply) == ["200", "200"] and b'"path":"/here"' in reply, reply


def test_old_clients_are_answered_and_left():
    with Server() as server:
        reply = server.say(b"GET /old HTTP/1.0\r\n\r\n")
        assert statuses(reply) == ["200"] and b"Connection: close" in reply, reply


def test_a_client_that_leaves_harms_nobody():
    with Server() as server:
        for _ in range(200):
            with server.connect() as connection:
                connection.sendall(get("/later") + get("/never") + b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Le")
        assert server.ask("GET", "/later")[2] == b"later\n", "others are served"


def test_a_thousand_connections_are_served_at_once():
    with Server() as server:
        def served():
            """Who says nothing for 10 s is sent away, rightly: where the machine stood still all are opened again."""
            begun, answers = time.monotonic(), []
            connections = [server.connect() for _ in range(1000)]
            try:
                for connection in connections:
                    connection.sendall(get("/later"))
                answers = [connection.recv(4096) for connection in connections]
            except OSError:
                pass
            finally:
                for connection in connections:
                    connection.close()
            good = answers != [] and all(b"later\n" in answer for answer in answers)
            assert good or time.monotonic() - begun > 6, "an answer"
            return good
        wait_until(served, "a thousand connections that are used in time")


def test_a_server_that_closes_answers_what_it_has_and_takes_no_more():
    with Server() as server:
        replies = []
        idle, busy, hung = (server.connect() for _ in range(3))
        # The answer to the first of two tells that both were heard.
        busy.sendall(get("/first") + get("/later"))
        hung.sendall(get("/first") + get("/never"))
        heard = [b"", busy.recv(4096), hung.recv(4096)]
        assert all(b'"path":"/first"' in part for part in heard[1:]), heard
        server.leave()
        for connection in (idle, busy, hung):
            thread = threading.Thread(target=lambda c=connection: replies.append(read_all(c)))
            thread.start()
            thread.join(timeout=180)
            connection.close()
        assert replies[0] == b"" and b"later\n" in heard[1] + replies[1] and replies[2] == b"", replies


def test_an_answer_that_is_due_when_the_grace_is_over_is_sent():
    with Server() as server, server.connect() as idle, server.connect() as connection:
        connection.sendall(get("/first") + get("/late"))
        heard = connection.recv(4096)
        assert b'"path":"/first"' in heard, heard
        server.leave()
        assert read_all(idle) == b"", "it closes"
        server.process.send_signal(signal.SIGSTOP)  # until the grace of 3 s is over as well
        time.sleep(3.5)
        server.process.send_signal(signal.SIGCONT)
        assert b"later\n" in heard + read_all(connection)


def test_curl_understands_it():
    if shutil.which("curl") is None:
        raise Skip("there is no curl")
    with Server() as server:
        url = f"http://127.0.0.1:{server.port}"
        run = subprocess.run(["curl", "-sS", "--max-time", str(LIMIT), "--data-binary", "@-", f"{url}/echo", f"{url}/x"],
                             input=b"z" * 1000000, capture_output=True, check=True)
        assert run.stdout[:1000000] == b"z" * 1000000, "the body"


if __name__ == "__main__":
    main(sys.modules[__name__])
