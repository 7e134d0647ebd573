"""What the measurements share: processes that are started and ended, and the table that is shown."""

import contextlib
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
os.environ["LANG"] = os.environ["LC_ALL"] = "C.UTF-8"  # programs speak English to the benchmarks
LIMIT = 120  # seconds until something that does not happen is given up


class Failure(Exception):
    """Something could not run; says what."""


def median(numbers):
    return statistics.median(numbers)


def say(text):
    print(text, file=sys.stderr, flush=True)


def program(name):
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise Failure(f"{path} is not built: make bench builds it")
    return path


# ---- processes ----


def cpu_seconds(pid):
    """Time on a processor of all threads of a process, by the kernel's nanoseconds where it counts them."""
    try:
        total = 0
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                    total += int(file.read().split()[0])
        return total / 1e9
    except (OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Process:
    """A program of ours with its input and output as pipes, and what can be learned about it from outside."""

    def __init__(self, lab, command, environment=None, descriptors=()):
        self.name = os.path.basename(command[0])
        with open(os.path.join(lab.folder, "errors"), "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL if environment else errors, env=environment,
                                            pass_fds=descriptors, cwd=lab.folder)
        self.lab = lab
        lab.processes.append(self)
        self.pid = self.process.pid
        self.pending = b""

    def write(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Failure(f"{self.name} has ended") from error

    def read_line(self, limit=LIMIT):
        deadline = time.monotonic() + limit
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise Failure(f"{self.name} said nothing for {limit} seconds")
            piece = os.read(descriptor, 65536)
            if not piece:
                raise Failure(f"{self.name} ended with status {self.process.wait()}{self.lab.complaints()}")
            self.pending += piece
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def expect(self, word):
        """The rest of the next line, which begins with that word."""
        line = self.read_line().split()
        if not line or line[0] != word:
            raise Failure(f"{self.name} said {' '.join(line)!r} instead of {word!r}")
        return line[1:]

    def cpu_seconds(self):
        """Time on a processor so far, of all its threads."""
        return cpu_seconds(self.pid)

    def memory(self, file_name, field):
        """Bytes of a field of /proc/PID/FILE that is given in kB."""
        with open(f"/proc/{self.pid}/{file_name}") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise Failure(f"/proc/{self.pid}/{file_name} has no {field}")

    def end(self):
        """Ends it in any case, and waits until it is gone."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # what was not written yet has nobody to go to
                stream.close()


class Lab:
    """Everything that one measurement starts, in a folder of its own; all of it is gone at the end."""

    def __init__(self, within=None):
        self.folder = tempfile.mkdtemp(prefix="ordem-bench-", dir=within)
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
        for process in self.processes:
            process.end()
        shutil.rmtree(self.folder, ignore_errors=True)
        signal.signal(signal.SIGINT, impatient)

    def complaints(self):
        """What the programs said on standard error, and last in their logs."""
        texts = []
        for name in sorted(os.listdir(self.folder)):
            if name == "errors" or name.endswith(".jsonl"):
                with open(os.path.join(self.folder, name), errors="replace") as file:
                    texts += file.read().splitlines()[-3:]
        return "".join(f"\n{text}" for text in texts)


# ---- showing ----


class Row:
    """A line of the table: a ratio where there is a reference to divide by, else a figure of our own."""

    def __init__(self, section, what, ours, reference="", ratio=None, figure=None, at_least=None, at_most=None, unit="",
                 spread=None, notes=()):
        self.section, self.what, self.ours, self.reference, self.ratio = section, what, ours, reference, ratio
        self.figure = ratio if figure is None else figure
        self.at_least, self.at_most, self.unit = at_least, at_most, unit
        self.spread = spread  # the lowest and the highest ratio of all rounds
        self.notes = [note for note in notes if note]

    def met(self):
        if self.at_least is not None:
            return self.figure >= self.at_least
        return None if self.at_most is None else self.figure <= self.at_most

    def target(self):
        if self.met() is None:
            return ""
        bound = f"at least {self.at_least:,}" if self.at_least is not None else f"at most {self.at_most:,}"
        return f"{bound}{self.unit}: {'met' if self.met() else 'MISSED'}"


def show_table(rows):
    table = [("", "", "ours", "reference", "ratio", "rounds", "target")]
    for row in rows:
        ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
        spread = f"{row.spread[0]:.2f}x-{row.spread[1]:.2f}x" if row.spread else ""
        table.append((row.section, row.what, row.ours, row.reference, ratio, spread, row.target()))
    widths = [max(len(line[column]) for line in table) for column in range(7)]
    for line, row in zip(table, [None, *rows]):
        print(f"{line[0]:<{widths[0]}}  {line[1]:<{widths[1]}}  {line[2]:>{widths[2]}}  {line[3]:>{widths[3]}}  "
              f"{line[4]:>{widths[4]}}  {line[5]:<{widths[5]}}  {line[6]}".rstrip())
        for note in row.notes if row else ():
            print(f"{'':<{widths[0]}}    {note}")
