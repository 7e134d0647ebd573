"""What the tests of parts 2 to 4 share: replicas behind a broker, and clients that are not ours (Python's grpcio)."""

import threading

import grpc
import pika

from ordem import *


class RefusedByTransport(AssertionError):
    """A gRPC status that is not OK; .code is its name."""

    def __init__(self, code, details):
        super().__init__(f"{code}: {details}")
        self.code = code


class Store:
    """A group of one part on one broker, with queues and exchanges of its own."""

    def __init__(self, part, broker, **settings):
        self.part = part
        self.broker = broker
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        self.suffix = "." + os.path.basename(self.folder)
        self.settings = settings
        self.members = []
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True
        for member in self.members:
            member.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self, **settings):
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith(("NET_", "AMQP_", "LOG_", "NODE_ID", "ROLE", "RPC_"))}
        return clean | {"AMQP_URL": self.broker.url, "QUEUE_SUFFIX": self.suffix, "RPC_PORT": "0",
                        "AMQP_HEARTBEAT": "5"} | self.settings | settings

    def start(self, name, role="node", ready=True, **settings):
        member = Member(self, name, role, settings)
        self.members.append(member)
        if ready:
            member.wait_for("ready", member.earlier_readies + 1)
        return member

    def name(self, name):
        """A queue or an exchange, as it is called on the broker."""
        return name + self.suffix

    def wait_until_equal(self, members, what="equal stores"):
        """Waits until all members hold the same and nothing waits for them; returns what they hold."""
        def equal():
            try:
                stores = [member.store() for member in members]
            except RefusedByTransport:  # one of them has just been started again
                return None
            return (stores[0],) if all(store == stores[0] for store in stores) else None
        return wait_until(equal, what)[0]


class Member:
    """One process of a part: a replica, or the sequencer."""

    def __init__(self, group, name, role, settings):
        self.group = group
        self.name = name
        self.role = role
        self.settings = settings
        self.log_path = os.path.join(group.folder, f"{name}.jsonl")
        self.screen_path = os.path.join(group.folder, f"{name}.err")
        self.channel = None
        self._start()

    def _start(self):
        self.earlier_readies = len(self.events("ready"))
        environment = self.group.environment(**({
            "NODE_ID": self.name, "LOG_FILE": self.log_path, "LOG_LEVEL": "debug",
            "DATA_DIR": os.path.join(self.group.folder, "data-" + self.name)} | self.settings))
        with open(self.screen_path, "ab") as err:
            self.process = subprocess.Popen([program(self.group.part), self.role], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=err, env=environment)

    # ---- its life ----

    def kill(self):
        self._close_channel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def restart(self, ready=True):
        self.kill()
        self._start()
        if ready:
            self.wait_for("ready", self.earlier_readies + 1)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        """SIGTERM; returns the exit status."""
        self._close_channel()
        self.process.terminate()
        return self.process.wait(LIMIT)

    # ---- its log ----

    def events(self, kind=None):
        return read_log(self.log_path, kind)

    def wait_for(self, kind, count=1, where=lambda event: True):
        def enough():
            found = [event for event in self.events(kind) if where(event)]
            if len(found) < count and self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.screen()}")
            return found if len(found) >= count else None
        return wait_until(enough, lambda: f"{count} {kind} events of {self.name}, screen: {self.screen()[-3000:]}")

    def screen(self):
        with open(self.screen_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- its clients ----

    def _close_channel(self):
        if self.channel is not None:
            self.channel, channel = None, self.channel
            channel.close()

    def port(self):
        return self.wait_for("ready", self.earlier_readies + 1)[-1]["port"]

    def call(self, method, timeout=LIMIT, **request):
        """Calls Set, Get or Print; returns the reply as a dictionary."""
        channel = self.channel
        if channel is None:
            channel = self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port()}")
        try:
            unary = channel.unary_unary(f"/kv.KvService/{method}")
            return json.loads(unary(json.dumps(request).encode(), timeout=timeout))
        except grpc.RpcError as error:
            self._close_channel()  # the process may be another by now, with another port
            raise RefusedByTransport(error.code().name, error.details()) from None

    def set(self, key, value, **more):
        return self.call("Set", key=key, value=value, **more)

    def get(self, key, **more):
        reply = self.call("Get", key=key, **more)
        return json.loads(reply["local_value"])

    def store(self):
        """What it holds, without one more command where that matters: PRINT is local in parte4, published elsewhere."""
        return json.loads(self.call("Print")["snapshot"])


class Stranger:
    """A program that is not ours at the broker (Python's pika, as the original systems have it)."""

    def __init__(self, broker):
        self.connection = pika.BlockingConnection(pika.URLParameters(broker.urls[0]))
        self.channel = self.connection.channel()

    def publish(self, exchange, routing_key, body):
        body = body if isinstance(body, bytes) else body.encode()
        self.channel.basic_publish(exchange, routing_key, body)

    def take(self, queue):
        """One message of a queue, as a dictionary; waits for it."""
        def get():
            method, _, body = self.channel.basic_get(queue, auto_ack=True)
            return (json.loads(body),) if method is not None else None
        return wait_until(get, f"a message in {queue}")[0]

    def close(self):
        self.connection.close()


class Writer(threading.Thread):
    """A client that sets keys one after the other, and remembers what was answered `ok`."""

    def __init__(self, member, prefix, keys=5, pause=0.0):
        super().__init__(daemon=True)
        self.member, self.prefix, self.keys, self.pause = member, prefix, keys, pause
        self.acknowledged = []  # (uuid, key, value)
        self.unknown = 0
        self.stopping = threading.Event()

    def run(self):
        number = 0
        while not self.stopping.is_set() and not self.member.group.closed:
            number += 1
            message_uuid = str(uuid.uuid4())
            key, value = f"{self.prefix}{number % self.keys}", f"{self.prefix}-{number}"
            try:
                reply = self.member.set(key, value, message_uuid=message_uuid, timeout=10)
                if reply["status"] == "ok":
                    self.acknowledged.append((message_uuid, key, value))
            except (RefusedByTransport, AssertionError, ValueError, OSError):
                self.unknown += 1
                time.sleep(0.05)
            time.sleep(self.pause)

    def finish(self):
        self.stopping.set()
        self.join(LIMIT)
        assert not self.is_alive()
        return self.acknowledged


def wait_until_nothing_is_missing(store, replicas, writers):
    """Waits until the replicas are equal, and each writer's keys hold its last acknowledged value or one that it sent
    later and has not heard of. In parte3 a command may be acknowledged and still wait for the sequencer."""
    missing = []

    def nothing_missing():
        held = store.wait_until_equal(replicas)
        missing[:] = [(key, value, held.get(key)) for writer in writers
                      for key, value in {key: value for _, key, value in writer.acknowledged}.items()
                      if int(held.get(key, "-0").rsplit("-")[-1]) < int(value.rsplit("-")[-1])]
        return not missing
    wait_until(nothing_missing, lambda: f"what was acknowledged: {missing}")


def delivered_seqs(member):
    """What a node delivered since it last started or took over a peer's state: the numbers, in order."""
    seqs = []
    for event in member.events():
        if event["event"] == "start" or "installed_seq" in event:
            seqs = []
        elif event["event"] == "deliver":
            seqs.append(event["seq"])
    return seqs
