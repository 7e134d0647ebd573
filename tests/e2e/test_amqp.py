#!/usr/bin/env python3
"""common/net/amqp_link with a real RabbitMQ: order, confirms, and everything that can happen to a broker.

tests/tools/amqp_probe holds one link each; see there for what it is told and what it tells."""

import atexit
import contextlib
import functools
import ssl
import threading

from ordem import *  # noqa: F403

MANY = 10000


class Probe:
    """One link. What it tells is in a file, so that it never waits for a reader."""

    def __init__(self, url, *steps, quiet=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="ordem-amqp-")
        self.screen_path = os.path.join(self.folder, "screen")
        self.told_path = os.path.join(self.folder, "told")
        self.log_path = os.path.join(self.folder, "log")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AMQP_", "LOG_"))}
        words = ([f"quiet:{quiet}"] if quiet else []) + list(steps)
        with open(self.told_path, "wb") as out, open(self.screen_path, "wb") as err:
            self.process = subprocess.Popen(
                [program("tests/tools/amqp_probe"), *words], stdin=subprocess.PIPE, stdout=out, stderr=err,
                env=clean | {"AMQP_URL": url, "LOG_FILE": self.log_path} | settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def told(self, start=""):
        with open(self.told_path, encoding="utf-8") as file:
            return [line for line in file.read().split("\n")[:-1] if line.startswith(start)]

    def wait_for(self, start, count=1):
        def enough():
            lines = self.told(start)
            if len(lines) < count and self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.screen()}")
            return lines if len(lines) >= count else None
        return wait_until(enough, lambda: f"{count} × \"{start}\"; last told {self.told()[-3:]}, "
                                          f"screen {self.screen()[-600:]}")

    def connected(self, count=1):
        return self.wait_for("state connected", count)

    def ping(self):
        """The loop goes on."""
        before = len(self.told("pong"))
        self.type("ping")
        self.wait_for("pong", before + 1)

    def bodies(self, kind="got"):
        return [int(line.split("body=")[1].split(" ")[0]) for line in self.told(kind)]

    def done(self):
        """The numbers of the messages that the broker has."""
        return [int(line.split(" ")[1]) for line in self.told("done") if line.endswith(" none")]

    def screen(self):
        with open(self.screen_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self, *kinds):
        return [event for event in read_log(self.log_path) if not kinds or event["event"] in kinds]

    def leave(self):
        """Closes the link; the program ends well."""
        self.process.stdin.close()
        status = self.process.wait(LIMIT)
        assert status == 0, f"ended with {status}: {self.screen()}"


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:8]}"


def fanout(exchange, queue):
    return [f"exchange:{exchange}", f"queue:{queue}", f"bind:{queue}:{exchange}", f"consume:{queue}"]


def repeats_removed(numbers):
    return list(dict.fromkeys(numbers))


def messages_in(*queues):
    """Those that were handed out and not acknowledged are among them."""
    return [q["messages"] for q in shared_broker().list_queues() if q["name"] in queues]


# ---- a broker that is well ----

def test_messages_arrive_once_and_in_order_and_are_confirmed():
    exchange = unique("ex")
    queues = [unique("q") for _ in range(2)]
    url = shared_broker().url
    with Probe(url, *fanout(exchange, queues[0])) as one, Probe(url, *fanout(exchange, queues[1])) as two, \
            Probe(url, f"exchange:{exchange}") as publisher:
        for probe in (one, two, publisher):
            probe.connected()
        publisher.type(f"publish {exchange} - 1 {MANY} 200")
        publisher.wait_for("published")
        assert sorted(publisher.done()) == list(range(1, MANY + 1))
        for probe in (one, two):
            probe.wait_for("got", MANY)
            assert probe.bodies() == list(range(1, MANY + 1))
            assert all(" size=200 again=0 " in line for line in probe.told("got"))
        wait_until(lambda: messages_in(*queues) == [0, 0], "all of it to be acknowledged")
        for probe in (one, two, publisher):
            probe.leave()
    assert messages_in(*queues) == [0, 0]


def test_a_link_publishes_to_itself_and_a_reply_finds_its_queue():
    queue = unique("q")
    with Probe(shared_broker().url, f"queue:{queue}", f"consume:{queue}") as probe:
        probe.connected()
        probe.type(f"reply - {queue} back.to.me")
        probe.wait_for("got")
        assert f"got {queue} size=2 again=0 reply_to=back.to.me body=0" in probe.told("got")[0]
        probe.type(f"publish - {queue} 1 3 2000000")  # of many frames each
        probe.wait_for("got", 4)
        assert [line.split(" ")[2] for line in probe.told("got")[1:]] == ["size=2000000"] * 3
        probe.leave()


def test_acknowledgements_in_any_order():
    queue = unique("q")
    url = shared_broker().url
    with Probe(url, f"queue:{queue}", f"consume:{queue}", AMQP_PREFETCH="50") as probe:
        probe.connected()
        probe.type("hold")
        probe.type(f"publish - {queue} 1 120")
        probe.wait_for("got", 50)
        assert len(probe.told("got")) == 50  # the prefetch
        probe.type("release")  # the last first
        probe.wait_for("got", 120)
        assert probe.bodies() == list(range(1, 121))
        wait_until(lambda: messages_in(queue) == [0], "all of it to be acknowledged")
        probe.leave()
    assert messages_in(queue) == [0]


def test_what_was_not_acknowledged_comes_again():
    queue = unique("q")
    url = shared_broker().url
    with Probe(url, f"queue:{queue}", f"consume:{queue}") as probe:
        probe.connected()
        assert "made=1" in probe.told("state connected")[0]
        probe.type("hold")
        probe.type(f"publish - {queue} 1 10")
        probe.wait_for("got", 10)
        probe.leave()
    with Probe(url, f"queue:{queue}", f"consume:{queue}") as probe:
        probe.wait_for("got", 10)
        assert "made=0" in probe.told("state connected")[0]
        assert probe.bodies() == list(range(1, 11))
        assert all(" again=1 " in line for line in probe.told("got"))


def test_closing_hands_over_what_was_published():
    broker = shared_broker()

    def handed_over():
        """All of it? A broker that is slow may not confirm in the second that a link takes to close."""
        queue = unique("q")
        with Probe(broker.url, f"queue:{queue}") as probe:  # closed before it is connected
            probe.type(f"publish - {queue} 1 100")
            probe.leave()
            assert len(probe.told("done")) == 100 and probe.told()[-1] == "closed", "each is told of"
            done = probe.done()
        held = sum(q["messages"] for q in broker.list_queues() if q["name"] == queue)
        assert held >= len(done), "what is said to be done is in the queue"
        return done == list(range(1, 101)) and held == 100
    wait_until(handed_over, "all of it to be handed over")


def test_an_exclusive_queue_is_had_by_one_at_a_time():
    queue = unique("lock")
    url = shared_broker().url
    with Probe(url, f"exclusive:{queue}") as first:
        first.connected()
        with Probe(url, f"exclusive:{queue}") as second:
            second.wait_for("state disconnected")
            assert f"queue {queue} is held by another connection" in second.told("state")[0]
            second.ping()  # its log is written at the end of a turn
            assert len(second.log("connect")) == 1
            first.leave()
            second.connected()


# ---- what exists already ----

def test_a_queue_and_an_exchange_of_the_original_nodes_are_joined_as_they_are():
    exchange, queue = unique("ex"), unique("q")
    url = shared_broker().url
    with Probe(url, *fanout(exchange, queue), AMQP_DURABLE="no") as original:
        original.connected()
        original.leave()
    with Probe(url, *fanout(exchange, queue)) as probe:
        probe.connected()
        assert "made=0" in probe.told("state connected")[0]
        wait_until(lambda: f"exchange {exchange} exists with other properties, and is joined as it is" in [
            e.get("message") for e in probe.log("connect")], "a line that says so")
        probe.type(f"publish {exchange} - 1 10")
        probe.wait_for("got", 10)
        probe.leave()
    found = [q for q in shared_broker().list_queues("name", "durable") if q["name"] == queue]
    assert found == [{"name": queue, "durable": False}]


def test_an_exchange_of_another_type_is_an_error():
    broker = shared_broker()
    with Probe(broker.url, "exchange:amq.direct") as probe:
        probe.wait_for("state disconnected")
        assert "exchange amq.direct: PRECONDITION_FAILED - inequivalent arg 'type'" in probe.told("state")[0]
        probe.ping()
        probe.leave()


def test_a_message_that_the_broker_refuses_is_found_among_the_others():
    queue = unique("q")
    with Probe(shared_broker().url, f"queue:{queue}", f"consume:{queue}") as probe:
        probe.connected()
        probe.type(f"flood - {queue} 5 0")
        probe.wait_for("published")
        probe.type("flood no.such.exchange - 1 0")
        probe.wait_for("published", 2)
        assert probe.told("done")[-1] == "done 5 broker"
        probe.type(f"flood - {queue} 5 0")
        probe.wait_for("published", 3)
        wait_until(lambda: repeats_removed(probe.bodies()) == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10], "the others")
        assert "no exchange 'no.such.exchange'" in probe.told("state disconnected")[0]
        probe.leave()


def looking(type_of_queue):
    queue = unique("q")
    url = shared_broker().url
    settings = {"AMQP_QUEUE_TYPE": type_of_queue}
    with Probe(url, f"queue:{queue}", f"look:{queue}", **settings) as publisher:
        publisher.connected()
        assert publisher.told("look") == []  # nothing there yet
        publisher.type(f"publish - {queue} 1 2000 300")
        publisher.wait_for("published")
    for _ in range(3):
        with Probe(url, f"queue:{queue}", f"look:{queue}", **settings) as probe:
            probe.connected()
            assert probe.bodies("look") == list(range(1, 2001))
            assert probe.told("got") == []
            probe.leave()
    with Probe(url, f"queue:{queue}", f"look:{queue}", f"consume:{queue}", **settings) as probe:
        probe.wait_for("got", 2000)
        assert probe.bodies("look") == probe.bodies("got") == list(range(1, 2001))
        assert [line.split(" ")[0] for line in probe.told()[:2001]] == ["look"] * 2000 + ["state"]

        def emptied():
            found = [q for q in shared_broker().list_queues("name", "messages", "type") if q["name"] == queue]
            assert type_of_queue in found[0]["type"], found
            return found[0]["messages"] == 0
        wait_until(emptied, "what was acknowledged to leave the queue")  # a link that closes has but a second for it
        probe.leave()


def test_looking_leaves_a_classic_queue_as_it_was():
    looking("classic")


def test_looking_leaves_a_quorum_queue_as_it_was():
    looking("quorum")


def last_value(type_of_queue):
    queue = unique("last")
    url = shared_broker().url
    for number in range(3):
        with Probe(url, f"short:{queue}", f"look:{queue}", AMQP_QUEUE_TYPE=type_of_queue) as probe:
            probe.connected()
            assert probe.bodies("look") == ([number * 10] if number > 0 else [])
            probe.type(f"publish - {queue} {number * 10 + 1} 10")
            probe.wait_for("published")
            probe.leave()


def test_a_queue_of_one_message_keeps_the_last():
    last_value("classic")
    last_value("quorum")


def test_a_deleted_queue_is_made_anew():
    queue = unique("q")
    with Probe(shared_broker().url, f"queue:{queue}", f"consume:{queue}") as probe:
        probe.connected()
        shared_broker().control("delete_queue", queue)
        probe.connected(2)
        assert "made=1" in probe.told("state connected")[1]
        assert "stopped the consumer" in probe.told("state disconnected")[0]
        probe.type(f"publish - {queue} 1 5")
        probe.wait_for("got", 5)


# ---- refusals ----

def refusal(url, **settings):
    """The one line that a link which never connects writes, in which there is no password."""
    with Probe(url, "exchange:any", **settings) as probe:
        probe.wait_for("state disconnected")
        probe.ping()
        time.sleep(1)  # some more tries, which say the same
        assert len(probe.log("connect")) == 1, probe.log()
        probe.leave()
        assert probe.told("state connected") == []
        everything = "".join(probe.told()) + probe.screen() + str(probe.log())
        assert "secret" not in everything, everything
        return probe.log("connect")[0]["message"]


def test_a_wrong_password():
    line = refusal(f"amqp://guest:secret@127.0.0.1:{shared_broker().port}")
    assert line.startswith('the broker refuses user "guest": ACCESS_REFUSED'), line


def test_an_unknown_virtual_host():
    line = refusal(shared_broker().url + "/elsewhere")
    assert "vhost elsewhere not found" in line, line


def test_nobody_there():
    with reserved_port() as port:
        assert refusal(f"amqp://guest:secret@127.0.0.1:{port}") == "no connection: Connection refused"


def test_an_unknown_host():
    assert refusal("amqp://guest:secret@no.such.host.invalid").startswith("no address is known for no.such.host.invalid")


def test_tls_to_a_port_without_it():
    line = refusal(f"amqps://guest:secret@localhost:{shared_broker().port}", AMQP_CA_FILE=certificate().ca)
    assert line.startswith("TLS refused: the handshake failed"), line


def test_authorities_that_are_none():
    line = refusal(f"amqps://guest:secret@localhost:{shared_broker().port}", AMQP_CA_FILE=__file__)
    assert line == f"TLS refused: AMQP_CA_FILE {__file__[:100]} holds no authorities in PEM form", line


def test_a_server_that_is_no_broker():
    with Babbler(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        line = refusal(f"amqp://guest:secret@127.0.0.1:{server.port}")
        assert line == "what answers there does not speak AMQP 0-9-1 (a port that wants amqps://?)", line
    with Babbler(b"") as server:
        line = refusal(f"amqp://guest:secret@127.0.0.1:{server.port}")
        assert line.startswith("the broker hung up during the login"), line


def test_a_wrong_setting_ends_the_program_and_keeps_the_password():
    with Probe("amqp://guest:secret@host:nonsense", "exchange:any") as probe:
        assert probe.process.wait(LIMIT) == 1
        assert 'AMQP_URL is "amqp://guest:***@host:nonsense": the port is not a number' in probe.screen()
        assert "secret" not in probe.screen()


# ---- TLS ----

class Babbler:
    """Says the same to everybody, and hangs up."""

    def __init__(self, words):
        self.words = words
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.answer(connection)

    def answer(self, connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(8)
            connection.sendall(self.words)


class TlsProxy(Babbler):
    """A broker with TLS: what it decrypts goes to the shared broker."""

    def __init__(self, keys):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(keys.certificate, keys.key)
        super().__init__(b"")

    def answer(self, connection):
        threading.Thread(target=self.carry, args=(connection,), daemon=True).start()

    def carry(self, connection):
        with contextlib.suppress(OSError), self.context.wrap_socket(connection, server_side=True) as outer, \
                socket.create_connection(("127.0.0.1", shared_broker().port)) as inner:
            outer.settimeout(0.01)
            inner.settimeout(0.01)
            while True:
                for source, target in ((outer, inner), (inner, outer)):
                    with contextlib.suppress(TimeoutError):
                        piece = source.recv(65536)
                        if not piece:
                            return
                        target.settimeout(LIMIT)
                        target.sendall(piece)
                        target.settimeout(0.01)


class Keys:
    """An authority, and the key and certificate of a host `localhost`."""

    def __init__(self, host="localhost"):
        self.folder = tempfile.mkdtemp(prefix="ordem-keys-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.ca, self.certificate, self.key = (os.path.join(self.folder, name) for name in ("ca.pem", "pem", "key"))
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{self.ca}.key", "-out", self.ca,
                     "-days", "2", "-subj", "/CN=authority")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", f"{self.key}.csr",
                     "-subj", f"/CN={host}")
        with open(f"{self.key}.ext", "w", encoding="utf-8") as file:
            file.write(f"subjectAltName=DNS:{host}\n")
        self.openssl("x509", "-req", "-in", f"{self.key}.csr", "-CA", self.ca, "-CAkey", f"{self.ca}.key",
                     "-CAcreateserial", "-out", self.certificate, "-days", "2", "-extfile", f"{self.key}.ext")

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr


@functools.cache
def certificate(host="localhost"):
    if shutil.which("openssl") is None:
        raise Skip("openssl is missing")
    return Keys(host)


def test_tls_with_an_authority_that_is_trusted():
    queue = unique("q")
    with TlsProxy(certificate()) as proxy, \
            Probe(f"amqps://localhost:{proxy.port}", f"queue:{queue}", f"consume:{queue}",
                  AMQP_CA_FILE=certificate().ca) as probe:
        probe.connected()
        probe.type(f"publish - {queue} 1 2000 2000")
        probe.wait_for("got", 2000)
        assert probe.bodies() == list(range(1, 2001))
        probe.leave()


def test_tls_with_an_authority_that_is_not():
    with TlsProxy(certificate()) as proxy:
        line = refusal(f"amqps://guest:secret@localhost:{proxy.port}", AMQP_CA_FILE=certificate("elsewhere").ca)
        assert line.startswith("TLS refused: no authority that is trusted has signed"), line


def test_tls_with_a_certificate_for_another_host():
    with TlsProxy(certificate("elsewhere")) as proxy:
        line = refusal(f"amqps://guest:secret@localhost:{proxy.port}", AMQP_CA_FILE=certificate("elsewhere").ca)
        assert line == "TLS refused: the broker's certificate is not for the name localhost", line


# ---- a broker that is not well ----

def test_a_broker_that_comes_up_later_and_is_killed_under_load():
    queue = unique("q")
    with Broker() as broker:
        with Probe(broker.url, f"queue:{queue}") as probe:
            probe.connected()
            broker.sync_metadata()
            probe.leave()
        broker.kill()
        steps = [f"queue:{queue}", f"consume:{queue}"]
        with Probe(broker.url, *steps) as consumer, Probe(broker.url, f"queue:{queue}") as publisher:
            for probe in (consumer, publisher):
                probe.wait_for("state disconnected")
            publisher.type(f"publish - {queue} 1 30000 200")  # waits for the broker
            publisher.ping()
            broker.restart()
            for kill in range(2):
                # Both are at work, and then their broker is no more.
                publisher.connected(kill + 1)
                consumer.connected(kill + 1)
                publisher.wait_for("done", 4000 * (kill + 1))
                consumer.wait_for("got", 4000 * (kill + 1))
                broker.kill()
                publisher.ping()
                broker.restart()
            publisher.wait_for("published")
            assert sorted(publisher.done()) == list(range(1, 30001))
            wait_until(lambda: len(set(consumer.bodies())) == 30000, "all that was confirmed")
            # Each message for the first time in the order of the sender; what is repeated was sent or delivered again.
            assert repeats_removed(consumer.bodies()) == list(range(1, 30001))
            for probe in (consumer, publisher):
                probe.connected(3)
                probe.leave()


def forgets_what_was_under_way():
    """False if the broker had confirmed all before it was killed."""
    queue = unique("q")
    with Broker() as broker:
        steps = [f"queue:{queue}", f"consume:{queue}"]
        with Probe(broker.url, *steps) as consumer, Probe(broker.url, "forget", f"queue:{queue}") as publisher:
            consumer.connected()
            publisher.connected()
            broker.sync_metadata()
            publisher.type(f"flood - {queue} 15000 200")
            publisher.wait_for("done", 2000)
            broker.kill()
            publisher.wait_for("state disconnected")
            kinds = [line.split(" ")[0] for line in publisher.told()]
            assert kinds.index("published") < len(kinds) - 1 - kinds[::-1].index("state")  # all were done before
            done = publisher.told("done")
            if len(publisher.done()) == len(done) == 15000:
                return False
            assert {line.split(" ", 2)[2] for line in done} == {"none", "broker"}, done[-1]
            assert sorted(int(line.split(" ")[1]) for line in done) == list(range(15000))
            publisher.type(f"flood - {queue} 10 200")  # for the next connection
            broker.restart()
            publisher.wait_for("published", 2)
            assert publisher.told("done")[15000:] == [f"done {n} none" for n in range(15000, 15010)]
            wait_until(lambda: 15009 in consumer.bodies(), "what was published after")
            assert set(consumer.bodies()) >= set(publisher.done())
            for probe in (consumer, publisher):
                probe.leave()
            return True


def test_a_link_that_forgets_publishes_nothing_again():
    wait_until(forgets_what_was_under_way, "a broker that is killed under load")


def test_the_second_broker_is_used_when_the_first_is_dead():
    queue = unique("q")
    url = shared_broker().url
    with reserved_port() as port, \
            Probe(f"amqp://127.0.0.1:{port},{url}", f"queue:{queue}", f"consume:{queue}") as probe:
        probe.connected()
        assert [line.split(" ")[1] for line in probe.told("state")] == ["disconnected", "connected"]
        assert f"127.0.0.1:{shared_broker().port}" in probe.told("state connected")[0]


def test_a_silent_broker_is_noticed_and_the_loop_goes_on():
    queue = unique("q")
    with Broker() as broker:
        steps = [f"queue:{queue}", f"consume:{queue}"]
        with Probe(broker.url, *steps, AMQP_HEARTBEAT="1") as idle, \
                Probe(broker.url, *steps, AMQP_HEARTBEAT="1") as busy, \
                Probe(broker.url, *steps, AMQP_HEARTBEAT="1") as stuck, \
                Probe(broker.url, *steps, AMQP_HEARTBEAT="60") as patient:
            for probe in (idle, busy, stuck, patient):
                probe.connected()
            probes = (idle, busy, stuck, patient)

            def states():
                return [len(probe.told("state")) for probe in probes]

            lost = []

            def undisturbed():
                """Did heartbeats keep the idle connections, until the broker stood still? Not where others did, too."""
                before, lost[:] = states(), [len(probe.told("state disconnected")) for probe in probes]
                time.sleep(4)
                if states() != before or not all(" connected " in probe.told("state")[-1] for probe in probes):
                    return False
                broker.pause()
                if states() == before:
                    return True
                broker.resume()
                return False
            wait_until(undisturbed, lambda: f"connections that hold: {states()}")
            busy.type(f"flood - {queue} 15000 4000")  # more than all buffers on the way can hold
            for probe in (stuck, patient):
                probe.type(f"flood - {queue} 1 16000000")  # stops in mid-write; RabbitMQ 4 takes at most 16 MiB
            for probe in (busy, stuck, patient):
                probe.ping()
            for probe, before in zip((idle, busy, stuck), lost):
                probe.wait_for("state disconnected", before + 1)
                probe.ping()
            assert "silent for 2 s" in idle.told("state disconnected")[lost[0]]
            idle.leave()
            patient.leave()  # still connected to a broker that does not answer
            assert len(patient.told("state")) == 1 and patient.told("done") == ["done 0 broker"]
            broker.resume()
            for probe in (busy, stuck):
                probe.wait_for("published")
            assert sorted(busy.done()) == list(range(15000)) and stuck.done() == [0]
            for probe in (busy, stuck):
                probe.leave()


def test_closing_while_a_broker_does_not_answer():
    with Broker() as broker:
        broker.pause()
        with Probe(broker.url, "exchange:any") as connecting:
            connecting.type("publish any - 1 10")
            connecting.ping()
            connecting.leave()
            assert connecting.told("done") == [f"done {n} broker" for n in range(1, 11)]
        with Probe(f"amqps://localhost:{broker.port}", "exchange:any", AMQP_CA_FILE=certificate().ca) as shaking_hands:
            shaking_hands.ping()
            shaking_hands.leave()
        broker.resume()


def test_a_broker_that_takes_no_publishes_for_now():
    queue = unique("q")
    with Broker() as broker, Probe(broker.url, f"queue:{queue}", f"consume:{queue}", AMQP_HEARTBEAT="4") as probe:
        def wait_for_line(words):
            wait_until(lambda: [e for e in probe.log("connect") if words in e.get("message", "")], words)
        probe.connected()
        states = probe.told("state")
        broker.control("set_vm_memory_high_watermark", "0.000001")  # its memory alarm,
        wait_until(lambda: "blocking" in broker.control("list_connections", "state"), "the connection to hear of it")
        broker.pause()
        probe.type(f"flood - {queue} 1500 20000")  # more than all buffers on the way can hold
        time.sleep(1)
        broker.resume()
        wait_for_line("the broker takes no publishes for now")
        probe.ping()
        assert len(probe.told("done")) < 1500
        time.sleep(9)  # longer than two heartbeats: a broker that says why it takes nothing is not dead
        broker.control("set_vm_memory_high_watermark", "0.4")
        probe.wait_for("published")
        probe.wait_for("got", 1500)
        wait_for_line("the broker takes publishes again")
        assert probe.bodies() == list(range(1500)) and probe.told("state") == states
        probe.leave()


def test_what_waits_is_bounded():
    with reserved_port() as port, Probe(f"amqp://127.0.0.1:{port}", "exchange:any") as probe:
        probe.type("flood any - 30000 10")
        refused = probe.wait_for("refused")[0]
        assert refused == "refused 20000 full 20000 messages wait for the broker already: it cannot be reached", refused
        probe.type("ping")
        probe.leave()
        assert len(probe.told("done")) == 20000 and probe.done() == []
    with reserved_port() as port, Probe(f"amqp://127.0.0.1:{port}", "exchange:any") as probe:
        probe.type("flood any - 30000 1000000")
        refused = probe.wait_for("refused")[0]
        assert refused.startswith("refused 67 full "), refused
        probe.leave()


if __name__ == "__main__":
    main(sys.modules[__name__])
