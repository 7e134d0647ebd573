#!/usr/bin/python3
"""ZeroMQ sockets in our loop (common/net/zmq_socket), against libzmq as Python has it."""

import itertools
import threading

import zmq

from ordem import *

context = zmq.Context()
context.linger = 0

# Memory is measured: the address sanitizer shall not keep what is freed.
ENVIRONMENT = os.environ | {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}


class Probe:
    """One socket of ours, in a process of its own."""

    def __init__(self, kind, how="bind", endpoint="tcp://127.0.0.1:*", **options):
        self.process = subprocess.Popen(
            [program("tests/tools/zmq_probe"), kind, how, endpoint, *(f"{k}={v}" for k, v in options.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.said = []
        self.more = threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()
        self.endpoint = f"tcp://127.0.0.1:{self.next('port')}"

    def listen(self):
        for line in self.process.stdout:
            with self.more:
                self.said.append(json.loads(line))
                self.more.notify()

    def next(self, key):
        """The next line that has this key; its value. The others stay."""
        deadline = time.monotonic() + LIMIT
        with self.more:
            while True:
                for i, line in enumerate(self.said):
                    if key in line:
                        return self.said.pop(i)[key]
                if not self.more.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no {key}: {self.said[:5]}")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def counters(self):
        self.tell("counters")
        deadline = time.monotonic() + LIMIT
        with self.more:
            while True:
                for i, line in enumerate(self.said):
                    if "malformed" in line:
                        return self.said.pop(i)
                assert self.more.wait(deadline - time.monotonic()), "no counters"

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(LIMIT) == 0, self.process.stderr.read()

    def memory(self):
        """KiB that it holds."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stderr.close()


class Peer:
    """A socket of libzmq's own."""

    def __init__(self, kind, endpoint=None, **options):
        self.socket = context.socket(kind)
        self.socket.linger = 0
        self.socket.rcvtimeo = self.socket.sndtimeo = LIMIT * 1000
        for name, value in options.items():
            setattr(self.socket, name, value)
        if endpoint:
            self.socket.connect(endpoint)
        else:
            self.endpoint = f"tcp://127.0.0.1:{self.socket.bind_to_random_port('tcp://127.0.0.1')}"

    def send(self, *frames):
        self.socket.send_multipart([frame.encode() if isinstance(frame, str) else frame for frame in frames])

    def receive(self):
        return [frame.decode() for frame in self.socket.recv_multipart()]

    def has_nothing_yet(self, ms=100):
        return self.socket.poll(ms) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(0)


def subscribed(probe, topic, subscriber):
    """Waits until the subscription has arrived: publishes until something comes, and takes all of that."""
    while subscriber.has_nothing_yet(10):
        probe.tell(f"send {topic} first")
    probe.tell(f"send {topic} last")
    while subscriber.receive() != [topic, "last"]:
        pass


def test_router_and_rep_answer_those_who_ask():
    for kind in ("router", "rep"):
        with Probe(kind, echo=1) as probe, Peer(zmq.REQ, probe.endpoint) as client:
            for i in range(3):
                client.send("question", str(i), "")
                assert client.receive() == ["question", str(i), ""]
            probe.close()


def test_dealer_and_req_ask():
    with Peer(zmq.REP) as server:
        for kind in ("req", "dealer"):
            with Probe(kind, "connect", server.endpoint) as probe:
                probe.tell("send hello" if kind == "req" else "send - hello")
                assert server.receive() == ["hello"]
                server.send("world", "2")
                assert probe.next("frames") == (["world", "2"] if kind == "req" else ["", "world", "2"])
                probe.close()


def test_a_request_that_was_not_answered_may_be_repeated():
    with Probe("req", "connect", "tcp://127.0.0.1:1") as probe, Peer(zmq.REP) as server:
        probe.tell("send first")
        probe.tell("disconnect tcp://127.0.0.1:1")
        probe.tell(f"connect {server.endpoint}")
        probe.tell("send again")
        while server.receive() != ["again"]:
            server.send("late")
        server.send("yes")
        while probe.next("frames") != ["yes"]:
            pass


def test_publications_reach_their_subscribers():
    for kind in ("pub", "xpub"):
        with Probe(kind) as probe, Peer(zmq.SUB, probe.endpoint) as ana, Peer(zmq.SUB, probe.endpoint) as rui:
            ana.socket.subscribe(b"geral")
            rui.socket.subscribe(b"")
            subscribed(probe, "geral", ana)
            subscribed(probe, "rui", rui)
            probe.tell("send other 1")
            probe.tell("send geral 2")
            assert ana.receive() == ["geral", "2"]
            assert rui.receive() == ["other", "1"] and rui.receive() == ["geral", "2"]
            probe.close()


def test_what_is_subscribed_to_is_received():
    with Peer(zmq.XPUB) as publisher, Probe("sub", "connect", publisher.endpoint) as probe:
        probe.tell("subscribe geral")
        assert publisher.socket.recv() == b"\1geral"
        publisher.send("other", "0")
        publisher.send("geral", "1")
        assert probe.next("frames") == ["geral", "1"]
        probe.tell("unsubscribe geral")
        assert publisher.socket.recv() == b"\0geral"


def test_xsub_and_xpub_pass_subscriptions_on():
    with Probe("xpub") as probe, Peer(zmq.SUB, probe.endpoint) as subscriber:
        subscriber.socket.subscribe(b"geral")
        assert probe.next("frames") == ["\1geral"]
    with Peer(zmq.XPUB) as publisher, Probe("xsub", "connect", publisher.endpoint) as probe:
        probe.tell("send \1geral")
        assert publisher.socket.recv() == b"\1geral"
        publisher.send("geral", "1")
        assert probe.next("frames") == ["geral", "1"]


def test_frames_of_any_kind_arrive_as_they_were_sent():
    with Probe("rep", echo=1) as probe, Peer(zmq.REQ, probe.endpoint) as client:
        for frames in ([b""], [b"", b""], [b"\0\1\xff" * 100], [os.urandom(1 << 20), b"", b"x"], [b"x"] * 16):
            client.send(*frames)
            assert client.socket.recv_multipart() == frames


def test_a_message_of_too_many_frames_is_thrown_away():
    with Probe("dealer", echo=1) as probe, Peer(zmq.DEALER, probe.endpoint) as peer:
        peer.send(*["x"] * 17)
        peer.send(*["x"] * 5000)
        peer.send(*["y"] * 16)
        assert peer.receive() == ["y"] * 16
        assert probe.counters()["malformed"] == 2


def test_who_sends_a_frame_that_is_too_long_is_cut_off_and_nobody_else():
    with Probe("router", echo=1, frame_max=1000) as probe, Peer(zmq.DEALER, probe.endpoint) as good, \
            Peer(zmq.DEALER, probe.endpoint) as bad:
        good.send("x" * 1000)
        assert good.receive() == ["x" * 1000]
        bad.send("x" * 1001)
        while bad.has_nothing_yet():
            bad.send("after")  # perhaps lost with the connection; then on a new one
        assert bad.receive() == ["after"]
        good.send("still there")
        assert good.receive() == ["still there"]
        probe.counters()  # all is printed
        assert {line["frames"][-1] for line in probe.said} == {1000, "after", "still there"}


def test_what_nobody_takes_waits_and_what_is_too_much_is_refused():
    with Probe("dealer", waiting_max=3) as probe:
        for _ in range(3):
            probe.tell("send waits")
            assert probe.next("sent")
        probe.tell("send refused")
        assert not probe.next("sent") and probe.counters()["refused"] == 1
        with Peer(zmq.DEALER, probe.endpoint) as peer:
            assert probe.next("drained")
            assert [peer.receive() for _ in range(3)] == [["waits"]] * 3
            probe.tell("send there")
            assert peer.receive() == ["there"]
            assert probe.counters()["sent"] == 4


def test_many_that_wait_keep_their_order():
    """Through queues of libzmq's so short that they are full again and again: whoever overlooks once that there is room
    sends no more."""
    for high_water in [1000] + 20 * [2]:
        with Probe("dealer", waiting_max=100000, high_water=high_water) as probe:
            probe.tell("flood 20000 8")
            assert probe.next("flooded") == 20000
            with Peer(zmq.DEALER, probe.endpoint, rcvhwm=high_water) as peer:
                for i in range(20000):
                    assert peer.receive()[0].split()[0] == str(i)


def test_nobody_there_or_not_its_turn():
    with Probe("router") as probe:
        probe.tell("send nobody - hello")
        assert not probe.next("sent") and probe.counters()["unreachable"] == 1
    with Probe("rep") as probe:
        probe.tell("send unasked")
        assert not probe.next("sent")
        with Peer(zmq.REQ, probe.endpoint) as client:
            client.send("question")
            assert probe.next("frames") == ["question"]
            probe.tell("send answer")
            assert client.receive() == ["answer"]


def test_what_comes_while_one_sends_is_not_overlooked():
    """Sending swallows the wake-up call for what arrives meanwhile: without a look after it, this hangs."""
    with Probe("dealer", high_water=1000000, waiting_max=100000) as ours, Peer(zmq.DEALER, ours.endpoint) as peer:
        ours.tell("quiet")
        for burst in range(5):
            ours.tell("flood 20000 10")
            for _ in range(20000):
                peer.socket.send(peer.socket.recv())
            wait_until(lambda: ours.counters()["received"] == (burst + 1) * 20000, "echoes")


def test_two_of_ours_talk():
    with Probe("router", echo=1) as server, Probe("dealer", "connect", server.endpoint, waiting_max=100000) as client:
        server.tell("quiet")
        client.tell("quiet")
        client.tell("flood 30000 20")
        wait_until(lambda: client.counters()["received"] + server.counters()["refused"] == 30000, client.counters)
        assert server.counters()["received"] == 30000


def test_who_floods_keeps_nobody_else_from_being_served():
    with Probe("router", echo=1) as probe, Peer(zmq.DEALER, probe.endpoint, sndtimeo=100) as flooder, \
            Peer(zmq.REQ, probe.endpoint) as client:
        probe.tell("quiet")
        over = threading.Event()

        def flood():
            while not over.is_set():
                try:
                    flooder.send(b"x" * 100)  # and reads no answer
                except zmq.Again:
                    pass

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            wait_until(lambda: probe.counters()["received"] > 5000, "the flood")
            for i in range(100):
                client.send(str(i))
                assert client.receive() == [str(i)]
            before = probe.counters()["received"]  # it reads its input, too
            wait_until(lambda: probe.counters()["received"] > before, "more of the flood")
        finally:
            over.set()
            thread.join()


def test_a_peer_that_does_not_read_costs_bounded_memory():
    with Probe("router", echo=1, high_water=100) as probe, \
            Peer(zmq.DEALER, probe.endpoint, rcvhwm=1, rcvbuf=4096) as deaf, Peer(zmq.REQ, probe.endpoint) as client:
        probe.tell("quiet")
        before = probe.memory()
        for _ in range(3000):
            deaf.send(b"x" * 50000)  # 150 MB
        wait_until(lambda: probe.counters()["received"] == 3000, probe.counters)
        counters = probe.counters()
        assert counters["refused"] > 0 and counters["sent"] + counters["refused"] == 3000
        assert probe.memory() - before < 60000
        client.send("still there")
        assert client.receive() == ["still there"]


def test_a_subscriber_that_never_reads_loses_and_the_others_do_not():
    with Probe("xpub", high_water=100) as probe, Peer(zmq.SUB, probe.endpoint) as good, \
            Peer(zmq.SUB, probe.endpoint, rcvhwm=1, rcvbuf=4096) as deaf:
        for peer in (good, deaf):
            peer.socket.subscribe(b"")
        probe.next("frames")
        before = probe.memory()
        subscribed(probe, "geral", good)
        count = itertools.count()
        for _ in range(100):  # 50 at a time: within the mark of whoever reads
            probe.tell("flood 50 20000 t")
            for i in range(50):
                topic, body = good.receive()
                assert topic == "t" and body.split()[0] == str(i) and next(count) >= 0
        assert next(count) == 5000
        assert probe.counters()["overflowed"] >= 1
        assert probe.memory() - before < 60000


def test_a_pause_holds_back_and_loses_nothing():
    with Probe("dealer") as probe, Peer(zmq.DEALER, probe.endpoint) as peer:
        peer.send("one")
        assert probe.next("frames") == ["one"]
        probe.tell("pause")
        probe.counters()  # it has read that
        for i in range(10):
            peer.send(str(i))
        time.sleep(0.1)
        assert probe.counters()["received"] == 1
        probe.tell("resume")
        assert [probe.next("frames") for _ in range(10)] == [[str(i)] for i in range(10)]


def test_it_closes_when_it_should():
    with Probe("dealer", "connect", "tcp://127.0.0.1:1", linger_ms=50) as probe:
        probe.tell("flood 500 10")  # to nobody
        probe.next("flooded")
        probe.close()
        assert probe.next("closed")
    with Probe("dealer", linger_ms=LIMIT * 1000) as probe, Peer(zmq.DEALER, probe.endpoint) as peer:
        peer.send("here")
        probe.next("frames")
        probe.tell("flood 500 10")
        probe.close()  # lingers until it has all
        assert [peer.receive()[0].split()[0] for _ in range(500)] == [str(i) for i in range(500)]


def test_strangers_do_no_harm():
    with Probe("router", echo=1) as probe, Peer(zmq.REQ, probe.endpoint) as client:
        port = int(probe.endpoint.rsplit(":", 1)[1])
        for i in range(500):
            with socket.create_connection(("127.0.0.1", port)) as stranger:
                stranger.sendall([b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, os.urandom(200)][i % 4])
        client.send("still there")
        assert client.receive() == ["still there"]


def test_an_endpoint_that_is_none_is_refused():
    for how, endpoint, error in (("bind", "nonsense", "config"), ("connect", "http://x:1", "config"),
                                 ("bind", "tcp://127.0.0.1:99999", "config"), ("connect", "tcp://127.0.0.1", "config"),
                                 ("connect", "tcp://127.0.0.1:-1", "config"), ("bind", "ipc:///tmp/x", "config"),
                                 ("connect", "tcp://127.0.0.1:*", "config"), ("bind", "tcp://192.0.2.1:*", "network")):
        run = subprocess.run([program("tests/tools/zmq_probe"), "router", how, endpoint], input="",
                             capture_output=True, text=True, timeout=LIMIT)
        assert run.returncode == 1 and run.stderr.startswith(error + ": "), run.stderr
    with Probe("router") as probe:
        run = subprocess.run([program("tests/tools/zmq_probe"), "router", "bind", probe.endpoint], input="",
                             capture_output=True, text=True, timeout=LIMIT)
        assert run.stderr == f"network: {probe.endpoint} cannot be used: Address already in use\n"


if __name__ == "__main__":
    main(sys.modules[__name__])
