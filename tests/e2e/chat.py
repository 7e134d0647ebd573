"""What the tests of the chat share: its processes, and clients that are not ours (pyzmq and msgpack)."""

import threading

import msgpack
import zmq

from ordem import *

context = zmq.Context()
context.linger = 0


class Process:
    """parte5 in one role, in a folder of its own unless told; started by the words of `under`."""

    def __init__(self, role, folder=None, under=(), **settings):
        self.folder = folder or tempfile.mkdtemp(prefix="ordem-test-")
        self.mine = folder is None
        self.role = role
        name = settings.get("NODE_ID", role)
        self.log = os.path.join(self.folder, f"{name}.jsonl")
        self.before = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        clean = {k: v for k, v in os.environ.items() if k != "NODE_ID" and not k.startswith(("LOG_", "NET_"))}
        self.process = subprocess.Popen(
            [*under, program("parte5"), role], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=clean | {"LOG_FILE": self.log, "DATA_DIR": os.path.join(self.folder, f"data-{name}"), "BIND_HOST": "127.0.0.1",
                         "LOG_FORMAT": "json", "CLIENTS_PORT": "0", "SERVERS_PORT": "0", "REFERENCE_PORT": "0"} | settings)
        self.screen = []
        threading.Thread(target=lambda: self.screen.extend(self.process.stderr), daemon=True).start()

    def ready(self):
        wait_until(lambda: self.events("ready") or self.process.poll() is not None, lambda: self.screen)
        assert self.process.poll() is None, self.screen
        return self

    def events(self, name=None):
        """Of this life."""
        return read_log(self.log, name, self.before)

    def said(self):
        """Of a bot: what it has been told OK."""
        return [line for line in self.events("complete") if line["status"] == "ok"]

    def port(self, variable):
        return next(line["port"] for line in self.events("connect") if line.get("socket") == variable)

    def endpoint(self, variable):
        return f"tcp://127.0.0.1:{self.port(variable)}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT) == 0, self.screen

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.ready()

    def __exit__(self, *_):
        self.kill()
        if self.mine:
            shutil.rmtree(self.folder, ignore_errors=True)


class Socket:
    """One of libzmq's own sockets."""

    def __init__(self, kind, endpoint, *topics):
        self.socket = context.socket(kind)
        self.socket.linger = 0
        self.socket.rcvtimeo = self.socket.sndtimeo = LIMIT * 1000
        for topic in topics:
            self.socket.subscribe(topic.encode())
        self.socket.connect(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close(0)

    def ask(self, service, packed=True, **data):
        """A question, in MessagePack or in JSON, and the data of its answer, which must come in kind."""
        message = {"service": service, "data": {"timestamp": int(time.time() * 1000), "clock": 1} | data}
        self.socket.send(msgpack.packb(message) if packed else json.dumps(message).encode())
        return self.answer(packed, service)

    def answer(self, packed, service):
        raw = self.socket.recv()
        answer = msgpack.unpackb(raw) if packed else json.loads(raw)
        assert answer["service"] == service, answer
        assert answer["data"]["timestamp"] > 0 and answer["data"]["clock"] > 0, answer
        return answer["data"]


def addresses_of(holders):
    """The setting SERVERS, of servers on these ports."""
    return ",".join(f"server{i + 1}=127.0.0.1:{holder.getsockname()[1]}" for i, holder in enumerate(holders))


def read_changes(path):
    """Its whole lines, by one read(): in pieces, between which the server cuts the file, two lines would become one."""
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size + 1_000_000  # it may grow
        return [json.loads(line) for line in file.read(size).split(b"\n")[:-1]]


PORTS = {"broker": ("CLIENTS_PORT", "SERVERS_PORT"), "proxy": ("CLIENTS_PORT", "SERVERS_PORT"), "reference": ("REFERENCE_PORT",)}


class Chat:
    """Broker, proxy, reference server and servers, on free ports."""

    held = ()
    fixed = {}  # by role, by setting: who holds the port, also while nobody listens there

    def __init__(self, servers=3, **settings):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        # Who is late is believed dead, and then two may lead (bully.c): so long must a busy machine need for nothing.
        slow = 4 if "sanitize" in BUILD else 1
        # Who returns takes over once the latter has passed, with what it has, if no other has its promise on the disk by then.
        self.settings = {"HEARTBEAT_TIMEOUT_MS": str(max(4000, 2400 * slow)),
                         "REPLICATION_TIMEOUT_MS": str(max(2500, 1000 * slow))} | settings
        self.held = [hold_port() for _ in range(servers)]
        self.fixed = {role: {name: hold_port() for name in names} for role, names in PORTS.items()}
        self.ports = [holder.getsockname()[1] for holder in self.held]
        self.settings["SERVERS"] = addresses_of(self.held)
        self.servers = {}
        self.broker = self.start("broker")
        self.proxy = self.start("proxy")
        self.reference = self.start("reference")
        try:
            for process in (self.broker, self.proxy, self.reference):
                process.ready()
            for i in range(servers):
                self.launch_server(i + 1)
            for server in self.servers.values():
                server.ready()
            wait_until(self.strongest_leads, "the first server leads, and all follow it")
        except BaseException:
            self.__exit__()
            raise

    def start(self, role, **settings):
        ports = {name: str(holder.getsockname()[1]) for name, holder in self.fixed.get(role, {}).items()}
        return Process(role, self.folder, **(self.settings | ports | settings))

    def launch_server(self, number):
        address = {"BROKER": f"127.0.0.1:{self.broker.port('SERVERS_PORT')}",
                   "PROXY": f"127.0.0.1:{self.proxy.port('SERVERS_PORT')}",
                   "REFERENCE": f"127.0.0.1:{self.reference.port('REFERENCE_PORT')}"}
        self.servers[number] = self.start("server", NODE_ID=f"server{number}", **address)

    def start_server(self, number):
        self.launch_server(number)
        self.servers[number].ready()

    def primary(self):
        """The number of the server that leads, as far as the logs tell; None if there is none."""
        for number, server in self.servers.items():
            if server.process.poll() is None:
                turns = [e["state"] for e in server.events() if e["event"] in ("elect", "step_down")]
                if turns and turns[-1] == "leads":
                    return number
        return None

    def leader(self):
        """The same, when there is one: while one takes over from another, there is none."""
        return wait_until(self.primary, "a primary")

    def strongest_leads(self):
        """Does the first server lead, and has each the change that its reign begins with? Another may lead before, if the
        first was slow to start."""
        if self.primary() != 1:
            return False
        reign = self.servers[1].events("elect")[-1]["epoch"]
        return all(data and data[-1]["epoch"] == reign for data in map(self.data, self.servers))

    def client(self, patience_ms=500):
        return Client(self.broker.endpoint("CLIENTS_PORT"), patience_ms)

    def subscriber(self, *topics):
        return Socket(zmq.SUB, self.proxy.endpoint("CLIENTS_PORT"), *topics)

    def data(self, number):
        """What a server has on its disk: all changes, by their places."""
        folder = os.path.join(self.folder, f"data-server{number}")
        changes = []
        for name in ("users", "channels", "publications", "messages"):
            changes += read_changes(os.path.join(folder, name + ".json"))
        return sorted(changes, key=lambda change: change["seq"])

    def same_data(self):
        """Waits until all live servers have the same; returns that."""
        def same():
            all_data = [self.data(n) for n, server in self.servers.items() if server.process.poll() is None]
            return all_data[0] if all(data == all_data[0] for data in all_data) else None
        return wait_until(same, "equal disks")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (*self.servers.values(), self.reference, self.proxy, self.broker):
            process.kill()
        for holder in (*self.held, *(holder for ports in self.fixed.values() for holder in ports.values())):
            holder.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Client(Socket):
    """Asks again after a time-out, on a new socket, with the same request id."""

    def __init__(self, endpoint, patience_ms):
        super().__init__(zmq.REQ, endpoint)
        self.endpoint = endpoint
        self.socket.rcvtimeo = self.patience_ms = patience_ms

    def ask(self, service, packed=True, **data):
        data = {"request_id": str(uuid.uuid4())} | data
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                answer = super().ask(service, packed, **data)
                if "no primary" not in answer.get("description", answer.get("message", "")):
                    return answer
            except zmq.Again:
                self.socket.close(0)
                super().__init__(zmq.REQ, self.endpoint)
                self.socket.rcvtimeo = self.patience_ms
            assert time.monotonic() < deadline, service
            time.sleep(0.02)


def create_at_once(chat):
    """Twenty ask for one channel while the server that leads dies; one of them makes it."""
    answers = []

    def create():
        with chat.client() as client:
            answers.append(client.ask("channel", channel="geral"))

    creators = [threading.Thread(target=create) for _ in range(20)]
    for creator in creators:
        creator.start()
    chat.servers[chat.leader()].kill()
    for creator in creators:
        creator.join()
    assert sorted(answer["status"] for answer in answers) == ["erro"] * 19 + ["sucesso"], answers
