#!/usr/bin/env python3
"""The demonstration where there is nothing but Docker: from a fresh copy without build/, whoever owns it.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
import tempfile

from containers import *

REPORT = pathlib.Path("build/report")


def copy(folder):
    """What git would clone, and what is not committed yet."""
    left_out = shutil.ignore_patterns(".git", "build", "__pycache__")
    shutil.copytree(ROOT, folder, symlinks=True, ignore=lambda *of: left_out(*of))


def give_to(folder, owner):
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner, owner, follow_symlinks=False)


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def demo_runs(folder, owner):
    whose = f"a folder of user {owner}"
    composition = Composition(folder / "common", [])
    before = tree(folder)
    try:
        status, output = composition.compose("run", "--rm", "-T", "demo", "--quick")
        rows = re.findall(r"^  (parte\d)  .*[✓✗]", output, re.M)
        check(f"{whose}: the demonstration fills a row for each part", status == 0 and
              [f"parte{number}" for number in (1, 2, 3, 4)] == rows[:4], output[-4000:])
        left = sorted(set(tree(folder)) - set(before))
        check(f"{whose}: it leaves the report and the logs in {REPORT}, and nothing elsewhere",
              str(REPORT / "report.html") in left and any(name.endswith("node1.jsonl") for name in left) and
              all(name == "build" or pathlib.Path(name).is_relative_to(REPORT) for name in left), left)
        check(f"{whose}: it says where", str(REPORT / "report.html") in output, output[-1000:])
        owners = {(folder / name).stat().st_uid for name in left if name not in ("build", str(REPORT))}
        check(f"{whose}: no process of it was root", owners and 0 not in owners, owners)
        if owner != 0:
            check(f"{whose}: all that it leaves is theirs", {(folder / name).stat().st_uid for name in left} == {owner})
        else:  # a rootless engine's root is the user, who must be able to remove what others made here
            closed = [name for name in left if (folder / name).is_dir() and name != "build"
                      and not (folder / name).stat().st_mode & 0o002]
            check(f"{whose}: they can remove all that it leaves", not closed, closed)
    finally:
        composition.remove()
    composition.leaves_nothing()


def story():
    users = [0, 12345] if os.geteuid() == 0 else [os.geteuid()]
    for user in users:
        with tempfile.TemporaryDirectory(prefix="ordem-demo-") as place:
            folder = pathlib.Path(place) / "ordem"
            copy(folder)
            if os.geteuid() == 0:
                os.chmod(place, 0o755)
                give_to(folder, user)
            demo_runs(folder, user)


if __name__ == "__main__":
    sys.exit(main(story))
