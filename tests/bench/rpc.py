"""The gRPC server alone (tests/tools/kv_single: Get of a value that it holds), against nghttpd serving a static file as
long as the reply; h2load asks both. And what an idle connection costs."""

import os
import re
import subprocess
import time

from harness import LIMIT, Failure, Lab, Process, Row, median, program, say
from replicas import free_port

CALLS = 400_000
CONNECTIONS, STREAMS = 10, 10
IDLE_CONNECTIONS = 1000


class Server(Process):
    """kv_single."""

    def __init__(self, lab):
        self.port = free_port()
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOG_", "RPC_", "NODE_ID", "REPLY_"))}
        super().__init__(lab, [program("tests/tools/kv_single")], clean | {
            "NODE_ID": "node1", "RPC_HOST": "127.0.0.1", "RPC_PORT": str(self.port), "LOG_LEVEL": "warning"})
        wait_for_port(self.port)


class StaticServer(Process):
    """nghttpd."""

    def __init__(self, lab, folder):
        self.port = free_port()
        super().__init__(lab, ["nghttpd", "--no-tls", "--address=127.0.0.1", f"--htdocs={folder}", str(self.port)])
        wait_for_port(self.port)


def wait_for_port(port):
    deadline = time.monotonic() + LIMIT
    line = f":{port:04X} 00000000:0000 0A "  # listening
    while time.monotonic() < deadline:
        with open("/proc/net/tcp") as file:
            if line in file.read():
                return
        time.sleep(0.01)
    raise Failure(f"nothing listens on port {port}")


class Load:
    """What h2load saw: per_second, and the bytes of one reply's body."""

    def __init__(self, url, calls, *options):
        done = subprocess.run(["h2load", f"--requests={calls}", f"--clients={min(CONNECTIONS, calls)}",
                               f"--max-concurrent-streams={STREAMS}", "--threads=1", *options, url],
                              capture_output=True, text=True, timeout=LIMIT)
        speed = re.search(r"finished in .*?, ([\d.]+) req/s", done.stdout)
        good = re.search(r"status codes: (\d+) 2xx", done.stdout)
        data = re.search(r"\((\d+)\) data", done.stdout)
        if done.returncode != 0 or not (speed and good and data) or int(good[1]) != calls:
            raise Failure(f"h2load {url}: {done.stdout}{done.stderr}")
        self.per_second = float(speed[1])
        self.reply_bytes = int(data[1]) / calls


def call(lab, server, method, message, calls):
    """Calls the method so many times."""
    path = os.path.join(lab.folder, f"request-{method}")
    with open(path, "wb") as file:
        file.write(b"\0" + len(message).to_bytes(4, "big") + message)
    return Load(f"http://127.0.0.1:{server.port}/kv.KvService/{method}", calls, f"--data={path}",
                "--header=content-type: application/grpc", "--header=te: trailers")


def measure_grpc(rounds):
    ours, static = [], []
    with Lab() as lab:
        server = Server(lab)
        call(lab, server, "Set", b'{"key":"x","value":"a value of some length"}', 1)
        length = round(call(lab, server, "Get", b'{"key":"x"}', CALLS).reply_bytes)
        with open(os.path.join(lab.folder, "reply"), "wb") as file:
            file.write(b"x" * length)
        reference = StaticServer(lab, lab.folder)
        for number in range(rounds):
            def measure_ours():
                ours.append(call(lab, server, "Get", b'{"key":"x"}', CALLS))

            def measure_static():
                static.append(Load(f"http://127.0.0.1:{reference.port}/reply", CALLS))
            for measure in (measure_ours, measure_static) if number % 2 == 0 else (measure_static, measure_ours):
                measure()
            say(f"  grpc: round {number + 1} of {rounds}: {ours[-1].per_second:,.0f}/s against "
                f"{static[-1].per_second:,.0f}/s")
    if any(abs(load.reply_bytes - length) > 1 for load in ours + static):  # replies of ours count the calls
        raise Failure("a reply was not as long as the others")
    ratios = [a.per_second / b.per_second for a, b in zip(ours, static)]
    return [Row("grpc", "Get/s of a local value", f"{median([r.per_second for r in ours]):,.0f}",
                f"{median([r.per_second for r in static]):,.0f}", median(ratios), at_least=0.5, unit="x",
                spread=(min(ratios), max(ratios)),
                notes=[f"{CONNECTIONS} connections of {STREAMS} streams, replies of {length} bytes; "
                       "the reference is nghttpd"])]


def measure_idle(rounds):
    costs = []
    for _ in range(rounds):
        with Lab() as lab:
            server = Server(lab)
            before = server.memory("status", "VmRSS")
            clients = Process(lab, [program("tests/bench/kv_blaster"), "idle", str(IDLE_CONNECTIONS),
                                    f"127.0.0.1:{server.port}"])
            clients.expect("ready")
            costs.append((server.memory("status", "VmRSS") - before) / IDLE_CONNECTIONS / 1024)
        say(f"  idle: {costs[-1]:.2f} KiB")
    return [Row("idle", "memory of an idle connection", f"{median(costs):.2f} KiB", figure=median(costs), at_most=16,
                unit=" KiB", notes=[f"VmRSS, by {IDLE_CONNECTIONS:,} connections that were used once"])]


SECTIONS = {"grpc": measure_grpc, "idle": measure_idle}
