"""What a hostile program sends to the chat: messages that are none, wrong values in every field of every service, and
bytes on a bare connection."""

import math
import re

from chat import *

UUID = "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"

# ---- the table of services, read from the program's own (parte5-chat/chat_message_table.c) ----


def read_source(name):
    with open(os.path.join(ROOT, "parte5-chat", name), encoding="utf-8") as file:
        return file.read()


def services():
    """{service: {field: kind}}: all that a question may hold."""
    header, source = read_source("chat_message_table.h"), read_source("chat_message_table.c")
    fields = {code: (name, kind) for code, name, kind in re.findall(r'X\((\w+), "(\w+)", FIELD_(\w+),', header)}
    names = dict(re.findall(r'X\((SERVICE_\w+), "(\w+)"\)', read_source("chat_message.h")))
    sums = dict(re.findall(r"#define (NOTE\w*)\s+\((.*)\)", source))
    table = {}
    for code, sets in re.findall(r"^    \[(SERVICE_\w+)\] = \{([^}]*)\}", source, re.M):
        asked = ",".join(sets.split(",")[:2])
        while (known := re.search(r"\bNOTE\w*", asked)) is not None:
            asked = asked.replace(known[0], sums[known[0]], 1)
        codes = ["TIMESTAMP", "CLOCK", "REQUEST_ID"] + re.findall(r"BIT\((\w+)\)", asked)
        table[names[code]] = dict(fields[field] for field in codes)
    return table


GOOD = {"TEXT": "x", "NAME": "ana", "UUID": UUID, "NUMBER": 1, "MOMENT": 1, "FLAG": True, "STATUS": "OK", "TYPE": "login",
        "NAMES": [], "RANKS": [], "HISTORY": [], "CHANGES": []}
NO_TEXT = [7, -1, 1.5, True, b"bytes", [], {}, ["x"], {"x": "x"}, msgpack.ExtType(5, b"x"), "\udcff\udcfe", "x" * 20000]
NO_NAME = ["a/b", "a\\b", "..", ".", "servers", "a\u0007", "a\u0085", "a\0", "a\nb", "\u001b[2J", " a", "a ", "", "\u00e9" * 33]
NO_NUMBER = [-1, -2**63, 2**63, 2**64 - 1, 1e300, math.nan, math.inf, "1", "", True, [], {}, b"1", msgpack.ExtType(7, b"1234")]
NO_LIST = [7, "x", True, {}, b"", [7], [[]], [b"\xff"], [{}], [{"type": "login"}], [["deeper"] * 3]]
BAD = {"TEXT": NO_TEXT, "NAME": NO_TEXT + NO_NAME, "UUID": NO_TEXT + NO_NAME + [UUID[:-1], UUID + "0"],
       "NUMBER": NO_NUMBER + [1.5], "MOMENT": NO_NUMBER, "FLAG": [0, 1, "true", [], {}, b"", 1.0],
       "STATUS": NO_TEXT + ["perhaps", ""], "TYPE": NO_TEXT + ["kill", ""], "NAMES": NO_LIST, "RANKS": NO_LIST,
       "HISTORY": NO_LIST, "CHANGES": NO_LIST + [[{"type": "login", "seq": 1, "epoch": 2**63, "user": "x"}], [{}] * 5000]}


def pack(service, data):
    return msgpack.packb({"service": service, "data": data}, unicode_errors="surrogateescape")


def wrong_fields():
    """(service, question) for every wrong value of every field of every service."""
    for service, fields in services().items():
        good = {name: GOOD[kind] for name, kind in fields.items()}
        for name, kind in fields.items():
            for value in BAD[kind]:
                yield service, pack(service, good | {name: value})


# ---- what is no message at all ----


def nonsense(seed):
    """Bytes that no decoder may take for a message, in both encodings."""
    draw = random.Random(seed)
    good = pack("publish", {"user": "ana", "channel": "geral", "message": "x", "request_id": UUID})
    json_good = json.dumps({"service": "publish", "data": {"user": "ana", "channel": "geral", "message": "x"}}).encode()
    huge = (100 << 20).to_bytes(4, "big")
    yield from (b"", b"\xc1", b"\xc0", b"\x80", b"\x90", b"\x00", b"\xff", b"{", b"{}", b"[]", b" ", b"null", b"\xef\xbb\xbf{}")
    yield from (head + huge for head in (b"\xc6", b"\xc9", b"\xdb", b"\xdd", b"\xdf"))
    yield from (b"\x82\xa7service" + head + huge for head in (b"\xc6", b"\xc9", b"\xdb", b"\xdd", b"\xdf"))
    yield from (b"\x82\xa7service\xa5users\xa4data" + head + huge for head in (b"\xc6", b"\xc9", b"\xdb", b"\xdd", b"\xdf"))
    yield from (b"\x91" * 100000, b"\x81\xa1a" * 100000, b"\xdd\x00\x00\x00\x01" * 50000, b"\x82\xa4data" * 50000)
    yield from (b"[" * 100000, b'{"a":' * 100000, b'{"data":[' * 50000, b'{"service":"users","data":{"a":' + b"[" * 100000)
    yield from (good[:length] for length in range(len(good)))
    yield from (json_good[:length] for length in range(len(json_good)))
    yield from (good + b"\x00", json_good + b"{", json_good.replace(b"ana", b"\xff\xfe"), json_good.replace(b"ana", b"\\ud800"))
    yield b"\x82\xa7service\xa5users\xa4data\x80" * 2
    for _ in range(200):
        yield b"\xc1" + draw.randbytes(draw.randrange(2000))  # 0xc1 begins nothing


# ---- a bare connection, on which one may say what no library says ----

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)


def ready(kind=b"DEALER"):
    body = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    return b"\x04" + bytes([len(body)]) + body


def frame(body, more=False):
    """One frame of ZMTP 3."""
    if len(body) < 256:
        return bytes([more, len(body)]) + body
    return bytes([more | 2]) + len(body).to_bytes(8, "big") + body


def garbage(seed):
    """What is said on bare connections before they are dropped: half handshakes, and what follows a whole one."""
    draw = random.Random(seed)
    whole = GREETING + ready()
    yield from (GREETING[:length] for length in (0, 1, 9, 10, 11, 12, 13, 32, 33, 63, 64))
    yield from (whole[:64 + length] for length in (1, 2, 3, 8, len(ready()) - 1))
    yield from (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(32))
    yield from (b"\x01\x00", b"\x01\x00\x05\x00hello", b"\xff" + bytes(8) + b"\x7f\x01\x05", b"\xff" * 64, bytes(64))
    yield from (GREETING.replace(b"NULL\0", name) for name in (b"PLAIN", b"CURVE", b"XXXXX", b"\xff\xff\xff\xff\xff"))
    yield from (GREETING + ready(kind) for kind in (b"PUB", b"SUB", b"REP", b"", b"x" * 200, b"\xff\xfe"))
    yield GREETING + b"\x06" + (100 << 20).to_bytes(8, "big") + b"\x05READY"
    yield GREETING + b"\x04\x1d\x05READY\x0bSocket-Type" + (1 << 31).to_bytes(4, "big") + b"DEALER"
    yield GREETING + b"\x04\x01\xff" + GREETING + b"\x00\x05hello"
    sizes = (100 << 20, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
    yield from (whole + b"\x02" + size.to_bytes(8, "big") + b"x" * 100 for size in sizes)
    yield from (whole + bytes([flags, 5]) + b"hello" for flags in (0x08, 0x10, 0x80, 0xff, 0x05, 0x07))
    yield from (whole + b"\x04" + bytes([len(body)]) + body for body in
                (b"", b"\x04PING", b"\x04PING\xff\xff" + b"x" * 200, b"\x04PONG", b"\x05ERROR\xff", b"\x09SUBSCRIBE", b"\xff" * 9))
    yield from (whole + frame(b"", True) + frame(b"x" * length)[:-1] for length in (1, 255, 256, 5000))
    for _ in range(30):
        yield whole + draw.randbytes(draw.randrange(1, 300))


def connect(endpoint):
    port = int(endpoint.rsplit(":", 1)[1])
    return socket.create_connection(("127.0.0.1", port), LIMIT)


def shake_hands(connection, kind=b"DEALER"):
    """What comes before the other's answer, libzmq takes for a part of the handshake."""
    connection.sendall(GREETING + ready(kind))
    answer = b""
    while len(answer) <= len(GREETING):
        piece = connection.recv(4096)
        assert piece, "it hung up"
        answer += piece


def say(connection, piece):
    """All of it, even if the other has hung up meanwhile."""
    whole = GREETING + ready()
    try:
        if piece.startswith(whole):
            shake_hands(connection)
            piece = piece[len(whole):]
        connection.sendall(piece)
    except (OSError, AssertionError):
        pass


# ---- our own client ----


def addresses(chat, **settings):
    """The environment in which our client finds this chat."""
    return os.environ | {"BROKER": f"127.0.0.1:{chat.broker.port('CLIENTS_PORT')}",
                         "PROXY": f"127.0.0.1:{chat.proxy.port('CLIENTS_PORT')}"} | settings


# ---- what it costs ----

# Memory is measured: the address sanitizer shall not keep what is freed.
LEAN = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
# KiB that come and go, and prove nothing. The thread sanitizer keeps several bytes about each.
LITTLE = 60_000 * (5 if "thread" in BUILD else 1)


def memory(process):
    """KiB that it holds."""
    with open(f"/proc/{process.process.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])
