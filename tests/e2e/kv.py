"""What the tests of the key-value service over gRPC share: a kv_single process, its clients, and HTTP/2 by hand."""

import re
import resource
import struct

from ordem import *

GET = b'{"key":"x"}'


def message(json_bytes, flag=0):
    """A length-prefixed message."""
    return struct.pack(">BI", flag, len(json_bytes)) + json_bytes


class KvServer:
    """One kv_single, on a port of its own unless told."""

    def __init__(self, port=0, files=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="ordem-kv-")
        self.log_path = os.path.join(self.folder, "log.jsonl")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("RPC_", "LOG_", "NODE_ID", "REPLY_"))}
        limit = None if files is None else lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        with open(os.path.join(self.folder, "screen"), "wb") as screen:
            self.process = subprocess.Popen([program("tests/tools/kv_single")], stdin=subprocess.DEVNULL, stdout=screen,
                                            stderr=screen, preexec_fn=limit, env=clean | settings |
                                            {"RPC_PORT": str(port), "NODE_ID": "node1", "LOG_FILE": self.log_path})
        self.port = wait_until(lambda: self.events("ready") or self.gone(), "kv_single is ready")[0]["port"]
        self.target = f"127.0.0.1:{self.port}"

    def gone(self):
        assert self.process.poll() is None, self.screen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def screen(self):
        with open(os.path.join(self.folder, "screen"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def events(self, kind=None):
        return read_log(self.log_path, kind)

    def stop(self):
        """Asks it to leave; returns its exit status, which is not 0 if a sanitizer found something."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT)

    def memory(self):
        """Bytes resident."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def call(self, method="Get", request=GET):
        """The reply of one call, as an object."""
        with Http2(self.target, setting(4, 1 << 24)) as peer:
            peer.send(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 24)),
                      frame(HEADERS, END_HEADERS, 1, request_headers(b"/kv.KvService/" + method.encode())))
            body = message(request)
            for at in range(0, len(body), 16384):
                peer.send(frame(DATA, END_STREAM * (at + 16384 >= len(body)), 1, body[at:at + 16384]))
            reply = peer.read_reply(1)
        assert reply, "the call was refused"
        return json.loads(reply[5:])

    def nghttp(self, method, body, headers=(), path=None):
        """All headers and trailers of the answer."""
        names = {header.rsplit(":", 1)[0].strip().lower() for header in headers}
        given = [":method: POST", "content-type: application/grpc", "te: trailers"]
        headers = [h for h in given if h.rsplit(":", 1)[0].lower() not in names] + [h for h in headers if h[-1] != ":"]
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(body)
            file.flush()
            done = subprocess.run(["nghttp", "-v", "--no-dep", *sum((["-H", h] for h in headers), []), "-d", file.name,
                                   f"http://{self.target}{path or '/kv.KvService/' + method}"], capture_output=True,
                                  timeout=LIMIT)
        return {name.decode(): value.decode() for name, value in
                re.findall(rb"recv \(stream_id=\d+(?:, sensitive)?\) (:?[^:]+): (.*)", done.stdout)}


def client(target, commands, *arguments, **environment):
    """Runs the client with commands from a pipe; returns its exit status and its lines of output, as objects."""
    done = subprocess.run([program("tests/tools/kv_single"), "client", "--target", target, *arguments],
                          input=commands.encode() if isinstance(commands, str) else commands, capture_output=True,
                          timeout=2 * LIMIT, env=os.environ | environment)
    assert done.stderr == b"", done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.split(b"\n")[:-1]]


def load(target, method, request, calls, at_once, timeout_ms=60000):
    """Runs kv_load; returns what it counted."""
    done = subprocess.run([program("tests/tools/kv_load"), target, method, request, str(calls), str(at_once),
                           str(timeout_ms)], capture_output=True, timeout=2 * LIMIT)
    assert done.returncode == 0, (done.returncode, done.stderr.decode())
    return json.loads(done.stdout)


# ---- HTTP/2 by hand ----

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def setting(number, value):
    return struct.pack(">HI", number, value)


def header(name, value):
    """A literal that is not indexed, without Huffman's code."""
    def text(string):
        length = len(string)
        if length < 127:
            return bytes([length]) + string
        length -= 127
        prefix = b"\x7f"
        while length >= 128:
            prefix += bytes([length % 128 + 128])
            length //= 128
        return prefix + bytes([length]) + string
    return b"\x00" + text(name) + text(value)


def request_headers(path=b"/kv.KvService/Get", *more):
    return b"".join([header(b":method", b"POST"), header(b":scheme", b"http"), header(b":path", path),
                     header(b":authority", b"x"), header(b"content-type", b"application/grpc"),
                     header(b"te", b"trailers"), *more])


class Http2:
    """A connection whose frames are made by hand."""

    def __init__(self, target, settings=b"", greet=True):
        host, port = target.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=LIMIT)
        self.received = b""
        if greet:
            self.send(PREFACE, frame(SETTINGS, 0, 0, settings), frame(SETTINGS, ACK))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def request(self, stream, body=message(GET), flags=END_STREAM, path=b"/kv.KvService/Get"):
        return frame(HEADERS, END_HEADERS, stream, request_headers(path)) + frame(DATA, flags, stream, body)

    def read(self):
        """The next frame: kind, flags, stream, payload; None at the end."""
        try:
            while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
                more = self.socket.recv(1 << 16)
                if not more:
                    return None
                self.received += more
        except ConnectionResetError:
            return None
        length = int.from_bytes(self.received[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
        payload, self.received = self.received[9:9 + length], self.received[9 + length:]
        return kind, flags, stream, payload

    def read_until(self, kind, stream=None, flag=0, frames=None):
        """Reads up to the next frame of that kind, and returns its payload; None at the end. What comes is added to
        `frames`."""
        while (got := self.read()) is not None:
            if frames is not None:
                frames.append(got)
            if got[0] == kind and stream in (None, got[2]) and got[1] & flag == flag:
                return got[3]
        return None

    def read_reply(self, stream):
        """The bytes of a stream's DATA until its trailers; None if the stream or the connection ends before."""
        data = b""
        while (got := self.read()) is not None:
            if got[2] != stream:
                continue
            if got[0] == DATA:
                data += got[3]
            if got[0] == RST_STREAM:
                return None
            if got[0] == HEADERS and got[1] & END_STREAM:
                return data
        return None

    def ended(self, frames=None):
        """Reads everything up to the end of the connection."""
        while (got := self.read()) is not None:
            if frames is not None:
                frames.append(got)
        return True


__all__ = [name for name in dir() if not name.startswith("__")]
