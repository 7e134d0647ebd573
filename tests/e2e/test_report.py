#!/usr/bin/env python3
"""The report, as a reader sees it: real runs, opened in a real browser."""

import atexit

from browser import *
from ordem import *

ALIKE = ("send", "receive", "deliver", "hold", "invoke")  # their lines are rebuilt whole, but for their level


@functools.cache
def folder():
    path = tempfile.mkdtemp(prefix="ordem-test-")
    atexit.register(shutil.rmtree, path, True)
    return path


def run(name, part, *options):
    path = os.path.join(folder(), name)
    if not os.path.exists(path):
        status, out, err = lab("run", part, "--out", path, *options)
        assert status in (0, 1, 2), err
        assert f"{path}/report.html" in out, out
    return path


def diverging():
    return run("parte1", "parte1", "--ops", "90", "--rate", "60", "--delay", "0-30ms", "--loss", "0.05", "--duplicate", "0.05")


def ordered():
    return run("parte3", "parte3", "--ops", "90", "--rate", "60", "--delay", "0-30ms", "--wait", "--kill", "node2@400ms",
               "--restart-after", "300ms")


def led():
    return run("parte4", "parte4", "--ops", "120", "--rate", "60", "--kill", "leader@400ms", "--restart-after", "300ms",
               "--pause", "node2@900ms-2900ms")  # long, so that it can be seen in a run that took long, too


def report(name, *runs, expect=0, **environment):
    path = os.path.join(folder(), f"{name}.html")
    status, out, err = lab("report", *runs, "--out", path, **environment)
    assert status == expect, (status, err)
    return path


def lines_of(path):
    """The events of a run's logs."""
    return [event for name in glob.glob(os.path.join(path, "*.jsonl")) for event in read_log(name)]


def opened(path, **options):
    browser = shared_browser()
    browser.open(path, **options)
    assert browser.complaints() == []
    assert browser.requests() == []
    return browser


def drawn(browser, number=0):
    return browser.run(f"return window.ordem.runs[{number}].drawn")


def show_all(browser):
    browser.run("document.getElementById('all').click()")
    browser.frame()


def mark(browser, kind, number=0):
    """A mark of that kind that stands alone, and its place in the window."""
    return browser.run("""
        const [kind, number] = arguments, run = window.ordem.runs[number];
        const canvas = document.querySelectorAll("canvas.diagram")[number];
        canvas.scrollIntoView({block: "center"});
        const box = canvas.getBoundingClientRect();
        const alone = run.marks.find((m) => m.kind === kind && m.x > 130 && m.x < box.width - 60 &&
          run.marks.every((o) => o.rank === m.rank || o.kind !== kind || Math.hypot(o.x - m.x, o.y - m.y) > 20));
        return [box.left + alone.x, box.top + alone.y];""", kind, number)


def pixels(browser, colour):
    """How many pixels of the diagram have the page's colour of that name."""
    return browser.run("""
        const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${arguments[0]}`).trim();
        const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
        const canvas = document.querySelector("canvas.diagram");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let count = 0;
        for (let i = 0; i < data.length; i += 4) count += data[i] === r && data[i + 1] === g && data[i + 2] === b;
        return count;""", colour)


def test_first_view_is_the_counterexample():
    path = diverging()
    browser = opened(os.path.join(path, "report.html"))
    told = json.loads(lab("compare", "--json", path)[1])["verdicts"]["total_order"]
    assert told["outcome"] == "violated"
    assert drawn(browser)["highlighted"] == len(told["evidence"])
    assert told["story"] in browser.run("return document.querySelector('.story').innerText").replace("\u2068", "").replace("\u2069", "")
    assert pixels(browser, "first") > 50 and pixels(browser, "second") > 50 and pixels(browser, "bad") > 50
    browser.picture("parte1-light")
    show_all(browser)
    assert drawn(browser)["highlighted"] == 0 and pixels(browser, "first") == 0


def test_everything_in_the_logs_is_drawn():
    path = diverging()
    browser = opened(os.path.join(path, "report.html"))
    show_all(browser)
    events = lines_of(path)
    lost = sum(e["event"] == "fault" and e["fault"] == "loss" for e in events)
    assert lost > 0 and drawn(browser)["crosses"] == lost, (lost, drawn(browser))
    seen = [(e["node"], e["message_uuid"]) for e in events if e["event"] == "receive"]
    assert drawn(browser)["repeated"] <= len(seen) - len(set(seen)) and len(set(seen)) < len(seen)
    assert drawn(browser)["repeated"] > 0 and drawn(browser)["strips"] == 1
    assert drawn(browser)["marks"] == browser.run("return window.ordem.runs[0].events")
    assert browser.run("return window.ordem.runs[0].lanes.map(({name}) => name)") == ["node1", "node2", "node3"]


def test_lines_are_rebuilt_as_they_stand_in_the_logs():
    for path in (diverging(), ordered()):
        browser = opened(os.path.join(path, "report.html"))
        rebuilt = [json.loads(line) for line in browser.run("return window.ordem.lines(0)")]
        bare = [{k: v for k, v in e.items() if k != "level"} for e in lines_of(path)]
        for kind in ALIKE:
            expected = sorted(json.dumps(e) for e in bare if e["event"] == kind)
            assert sorted(json.dumps(e) for e in rebuilt if e["event"] == kind) == expected, kind
        completed = [{k: v for k, v in e.items() if k != "reason"} for e in bare if e["event"] == "complete"]
        assert sorted(json.dumps(e, sort_keys=True) for e in rebuilt if e["event"] == "complete") == \
            sorted(json.dumps(e, sort_keys=True) for e in completed)
        told = {e["event"] for e in rebuilt}
        assert {"start", "ready", "stop"} <= told


def test_a_crash_breaks_the_line():
    browser = opened(os.path.join(ordered(), "report.html"))
    show_all(browser)
    assert drawn(browser)["crashes"] == 1 and drawn(browser)["restarts"] == 1, drawn(browser)
    assert drawn(browser)["operations"] > 0
    assert "sequencer" in browser.run("return window.ordem.runs[0].lanes.map(({name}) => name)")
    browser.picture("parte3-light")


def test_a_missing_delivery_is_no_other_order():
    path = os.path.join(folder(), "missing")
    os.makedirs(path, exist_ok=True)
    for node, numbers in (("node1", (1, 2, 3)), ("node2", (1, 3))):
        events = [{"event": "start", "part": "parte1"}, {"event": "ready"}]
        for place, number in enumerate(numbers, 1):
            fields = {"message_uuid": f"{number:08}-0000-4000-8000-000000000000", "sender_id": "node1", "command_type": "SET",
                      "key": "x", "value": str(number)}
            events += ([{"event": "send"} | fields] if node == "node1" else []) + [{"event": "deliver"} | fields | {"ordem_local": place}]
        with open(os.path.join(path, f"{node}.jsonl"), "w", encoding="utf-8") as file:
            for number, event in enumerate(events):
                record = {"ts": f"2026-01-01T00:00:00.{number:06}Z", "level": "info", "node": node} | event
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
    browser = opened(report("missing", path))
    assert browser.run("return document.querySelector('#orders tr.parting').cells[0].innerText") == "2"
    assert "opposite" in browser.run("return document.querySelector('#orders .told').innerText")


def test_what_is_held_back_and_where_the_network_is_cut():
    """Made by hand: the second command comes first and waits; then node2 hears nothing any more."""
    path = os.path.join(folder(), "held")
    os.makedirs(path, exist_ok=True)
    now = 0
    with open(os.path.join(path, "node1.jsonl"), "w", encoding="utf-8") as file:
        def line(event, number=None, **fields):
            nonlocal now
            now += 1
            record = {"ts": f"2026-01-01T00:00:00.{now:03}000Z", "level": "info", "node": "node1", "event": event}
            if number is not None:
                record |= {"message_uuid": f"{number:08}-0000-4000-8000-000000000000", "sender_id": "node1",
                           "command_type": "SET", "key": "x", "value": str(number)}
            file.write(json.dumps(record | fields, separators=(",", ":")) + "\n")
        line("start", part="parte3")
        line("ready")
        line("send", 1), line("send", 2)
        line("receive", 2, seq=2), line("hold", 2, seq=2), line("receive", 1, seq=1)
        line("deliver", 1, seq=1, ordem_local=1), line("deliver", 2, seq=2, ordem_local=2)
        line("fault", fault="settings", delay_ms="0-0", loss=0, duplicate=0, partition="node1|node2")
        line("send", 3), line("fault", 3, fault="partition")
        line("stop", ordem_local=2, keys=1)
    browser = opened(report("held", path))
    show_all(browser)
    told = drawn(browser)
    assert told["waits"] == 2 and told["cuts"] == 1 and told["crosses"] == 1, told
    assert pixels(browser, "lost") > 10


def test_a_leader_is_killed_and_a_follower_paused():
    browser = opened(os.path.join(led(), "report.html"), width=1024, height=768)
    show_all(browser)
    told = drawn(browser)
    assert told["crashes"] == 1 and told["pauses"] == 1 and told["elected"] >= 2 and told["recovered"] > 0, told
    assert pixels(browser, "pause") > 50
    browser.picture("parte4-narrow")
    browser.scheme("dark")
    browser.frame()
    browser.picture("parte4-dark")
    assert json.loads(lab("compare", "--json", led())[1])["verdicts"]["total_order"]["outcome"] == "holds"
    assert browser.run("return document.querySelectorAll('#orders .bad, #orders .differs').length") == 0


def test_a_chat_beside_a_store():
    """Other guarantees, other commands, listeners: and what one of the two does not promise is left open."""
    chat = run("chat", "parte5", "--ops", "60", "--rate", "60")
    browser = opened(report("chat-and-store", chat, ordered()))
    rows = browser.run("""return Object.fromEntries([...document.querySelectorAll("table.verdicts tr")].slice(1).map((row) =>
        [row.cells[0].innerText, [...row.cells].slice(1).map((cell) => cell.innerText)]));""")
    assert len(rows["identical data"]) == len(rows["total order"]) == 2, rows
    assert rows["identical data"][1] == rows["total order"][0] == "–", rows
    assert "servers end with the same" in rows["identical data"][0], rows
    browser = opened(os.path.join(chat, "report.html"))
    assert drawn(browser)["elected"] > 0
    said = [line for line in lines_of(chat) if line["event"] == "deliver" and line.get("command_type") == "publish"]
    assert {f"publish {line['key']}=\"{line['value']}\"" for line in said} & set(browser.run(
        "return [...document.querySelectorAll('#orders td')].map((cell) => cell.innerText)"))


def test_hover_and_pin():
    browser = opened(os.path.join(diverging(), "report.html"))
    x, y = mark(browser, "deliver")
    browser.pointer(x, y)
    line = json.loads(browser.run("return window.ordem.hovered"))
    assert line["event"] == "deliver" and line["ordem_local"] > 0
    assert line["message_uuid"] in browser.run("return document.querySelector('.tip').innerText")
    browser.press(x, y)
    browser.pointer(5, 5)
    assert browser.run("return window.ordem.hovered") is None
    assert json.loads(browser.run("return window.ordem.pinned")) == line
    assert line["message_uuid"] in browser.run("return document.querySelector('.pinned').innerText")
    browser.picture("parte1-pinned")
    browser.click(".pinned button")
    assert browser.run("return window.ordem.pinned") is None


def test_search():
    path = diverging()
    browser = opened(os.path.join(path, "report.html"))
    wanted = next(e for e in lines_of(path) if e["event"] == "deliver")
    for query, field in ((wanted["message_uuid"], "message_uuid"), (wanted["value"], "value")):
        browser.run("const s = document.getElementById('search'); s.value = ''; s.dispatchEvent(new Event('input'))")
        browser.type("#search", query)
        known = [e for e in lines_of(path) if "message_uuid" in e]
        matching = {e["message_uuid"] for e in known if
                    any(query in (e.get(name) or "") for name in ("message_uuid", "key", "value", "sender_id"))}
        expected = sum(e["message_uuid"] in matching for e in known)
        wait_until(lambda: browser.run("return window.ordem.found") == expected, f"{expected} found for {query}")
    browser.click("#next")
    assert json.loads(browser.run("return window.ordem.pinned"))["message_uuid"] in matching
    browser.type("#search", "zzz")
    wait_until(lambda: browser.run("return window.ordem.found") == 0, "nothing found")


def test_zoom_and_pan():
    browser = opened(os.path.join(diverging(), "report.html"))
    show_all(browser)

    def view():
        browser.frame()
        return browser.run("return window.ordem.view")
    x, y = browser.run("const c = document.querySelector('canvas.diagram'); c.scrollIntoView({block: 'center'}); "
                       "const b = c.getBoundingClientRect(); return [b.left + b.width / 3, b.top + b.height / 3]")
    whole = view()
    browser.wheel(x, y, -400)
    near = view()
    assert near["to"] - near["from"] < whole["to"] - whole["from"]
    browser.drag(x, y + 20, x - 200)
    assert view()["from"] > near["from"]
    browser.run("document.querySelector('canvas.diagram').focus()")
    before = view()
    browser.send("actions", actions=[{"type": "key", "id": "keys", "actions": [
        {"type": "keyDown", "value": "\ue012"}, {"type": "keyUp", "value": "\ue012"}]}])
    assert view()["from"] < before["from"]
    browser.click("#zoom-out")
    after = view()
    assert after["to"] - after["from"] > before["to"] - before["from"]
    browser.click("#all")
    assert abs(view()["from"] - whole["from"]) < 1


def test_verdicts_lead_to_the_diagram():
    browser = opened(os.path.join(diverging(), "report.html"))
    show_all(browser)
    browser.click(".verdicts button.go")
    wait_until(lambda: drawn(browser)["highlighted"] > 0, "a counterexample is shown")
    assert browser.run("return document.querySelector('.story').hidden") is False


def test_states_and_orders():
    path = diverging()
    browser = opened(os.path.join(path, "report.html"))
    told = json.loads(lab("compare", "--json", path)[1])
    rows = browser.run("return [...document.querySelectorAll('.states tr.differs')].map((r) => r.cells[0].innerText)")
    assert rows == sorted(told["differences"]), (rows, told["differences"])
    browser.run("document.querySelector('.orders').scrollIntoView()")
    place = int(browser.run("return document.querySelector('.orders tr.parting').cells[0].innerText"))
    orders = [[e["message_uuid"] for e in lines_of(path) if e["event"] == "deliver" and e["node"] == f"node{n}"] for n in (1, 2, 3)]
    expected = next(i for i, row in enumerate(zip(*orders), 1) if len(set(row)) > 1)
    assert place == expected
    shown = browser.run("return [...document.querySelector('.orders tr.parting').cells].slice(1).map((c) => c.innerText)")
    assert len(set(shown)) > 1
    assert browser.run("return document.querySelectorAll('.plot polyline').length") == 1


def test_two_runs_are_linked():
    browser = opened(report("two", diverging(), ordered()), width=1920, height=1080)
    assert browser.run("return window.ordem.runs.map(({name}) => name)") == ["parte1", "parte3"]
    assert drawn(browser, 0)["highlighted"] > 0
    assert drawn(browser, 1)["followed"] > 0, "the same commands are followed in the other run"
    browser.picture("two-above")
    browser.click("#layout")
    assert browser.run("const [a, b] = document.querySelectorAll('canvas.diagram'); "
                       "return b.getBoundingClientRect().left > a.getBoundingClientRect().right")
    browser.picture("two-beside")
    browser.run("const s = document.getElementById('second'); s.value = ''; s.dispatchEvent(new Event('change'))")
    wait_until(lambda: browser.run("return window.ordem.runs.length") == 1, "one run is left")
    assert browser.complaints() == []


def test_the_matrix_leads_to_its_counterexamples():
    path = os.path.join(folder(), "demo")
    status, out, err = lab("demo", "--quick", "--seeds", "1", "--json", "--out", path)
    assert status in (0, 1, 2), err
    browser = opened(os.path.join(path, "report.html"), width=1024, height=768)
    marks = {"holds": "✓", "violated": "✗", "unknown": "?", "not_applicable": "–"}
    for row in json.loads(out)["rows"]:
        told = [marks[cell["outcome"]] for cell in list(row["cells"].values())[:9]]
        shown = browser.run("return [...document.querySelectorAll('.matrix tr')].find((r) => r.cells[0].innerText.startsWith(arguments[0]))"
                            ".querySelectorAll('.mark').values().map((m) => m.innerText).toArray()", row["part"])
        assert shown == told, (row["part"], shown, told)
    assert browser.run("return document.querySelector('.matrix').scrollWidth <= innerWidth")
    browser.picture("matrix-narrow")
    count = browser.run("return document.querySelectorAll('.matrix button.cell').length")
    assert count >= 3
    for number in range(count):
        browser.run("document.querySelectorAll('.matrix button.cell')[arguments[0]].click()", number)
        browser.frame()
    wait_until(lambda: browser.run("return window.ordem.runs[0].name") != "parte1-seed42", "another run is shown")
    browser.run("document.querySelector('.matrix button.cell').click()")
    wait_until(lambda: browser.run("return window.ordem.runs[0].name.startsWith('parte1') && window.ordem.runs[0].drawn.highlighted > 0"),
               "the counterexample of the first cell")
    assert browser.complaints() == []
    browser.resize(1920, 1080)
    browser.scheme("dark")
    browser.frame()
    browser.picture("matrix-dark")


def test_light_dark_and_print():
    browser = opened(os.path.join(diverging(), "report.html"), scheme="dark")
    back = "return getComputedStyle(document.body).backgroundColor"
    dark = browser.run(back)
    assert browser.run("return window.ordem.theme") == "dark"
    browser.picture("parte1-dark")
    browser.click("#theme")
    assert browser.run("return window.ordem.theme") == "light" and browser.run(back) != dark
    pdf = base64.b64decode(browser.devtools("Page.printToPDF", printBackground=True)["data"])
    assert pdf.startswith(b"%PDF")


def test_language():
    for language, tag in (("C.UTF-8", "en"), ("pt_BR.UTF-8", "pt-BR")):
        browser = opened(report(f"in-{tag}", diverging(), LANG=language, LC_ALL=language, LANGUAGE=""))
        assert browser.run("return document.documentElement.lang") == tag
        words = browser.run("return document.querySelector('#diagram h2').innerText")
        assert words != "" and browser.complaints() == []
        assert tag != "en" or words == "Space and time"


HOSTILE = ['</script><script>window.stolen = 1</script>', '<img src=x onerror="window.stolen = 1">', "\u202egnp.exe", "שלום\u2067",
           "${window.stolen = 1}", "a\u0000b\u001b[31m", "&lt;!--", "\ufeff\ufffe", "x" * 200000, "']\"\\`"]


def hostile_run():
    path = os.path.join(folder(), "hostile</script><b>")
    os.makedirs(path, exist_ok=True)
    base = {"ts": "2026-01-01T00:00:00.000000Z", "level": "info"}
    for node in ("node1", "node2"):
        with open(os.path.join(path, f"{node}.jsonl"), "w", encoding="utf-8") as file:
            events = [{"event": "start", "part": "parte1", "pid": HOSTILE[0]}, {"event": "ready", "group": HOSTILE[1]}]
            for number, text in enumerate(HOSTILE if node == "node1" else reversed(HOSTILE)):
                place = number if node == "node1" else len(HOSTILE) - 1 - number
                key = "".join(c for c in text if c.isprintable()) or "k"
                fields = {"message_uuid": f"{place:08}-0000-4000-8000-000000000000" if place else "<i>no uuid</i>",
                          "sender_id": "node1", "command_type": "SET", "key": key, "value": text,
                          "seq": 2 ** 62 + place, "ordem_local": number + 1}
                events += ([{"event": "send"} | fields] if node == "node1" else []) + [{"event": "deliver"} | fields]
            for number, event in enumerate(events):
                stamp = {"ts": f"2026-01-01T00:00:00.{number:06}Z"}
                file.write(json.dumps(base | stamp | {"node": node} | event, ensure_ascii=False, separators=(",", ":")) + "\n")
        with open(os.path.join(path, f"{node}.jsonl"), "ab") as file:
            file.write(b"\xff\xfe not ours \x80\n" + b'{"ts":"9999-12-31T23:59:59.999999Z","node":"' + node.encode() +
                       b'","event":"connect"}\n{"ts":"2026-01-01T00:00:01.000000Z","le')
    return path


def test_hostile_logs_neither_break_nor_script_the_page():
    path = report("hostile", hostile_run())
    browser = opened(path)
    assert browser.run("return window.stolen === undefined && document.querySelectorAll('main img, main b, main i').length === 0")
    rebuilt = [json.loads(line) for line in browser.run("return window.ordem.lines(0)") if len(line) < 4000]
    assert {e["message_uuid"] for e in rebuilt if e["event"] == "deliver"} >= {"<i>no uuid</i>"}
    show_all(browser)
    browser.run("document.querySelectorAll('button').forEach((b) => { if (b.innerText !== 'Print') b.click(); })")
    browser.frame()
    assert browser.complaints() == [] and browser.run("return window.stolen === undefined")
    assert browser.run("return document.querySelector('.problems') !== null"), "torn logs are told of"
    browser.picture("hostile")
    with open(path, "rb") as file:
        assert b"stolen" not in file.read()


def large_run(events):
    """Three nodes that deliver everything in one order."""
    path = os.path.join(folder(), f"large{events}")
    os.makedirs(path)
    files = [open(os.path.join(path, f"node{n}.jsonl"), "w", encoding="utf-8") for n in (1, 2, 3)]
    for n, file in enumerate(files, 1):
        for number, event in enumerate(("start", "ready")):
            file.write(f'{{"ts":"2026-01-01T00:00:00.00000{number}Z","node":"node{n}","event":"{event}","part":"parte1"}}\n')
    for number in range(events // 4):
        us = 1000 + number * 200
        for n, file in enumerate(files, 1):
            command = (f'"message_uuid":"{number:08x}-0000-4000-8000-000000000000","sender_id":"node1","command_type":"SET",'
                       f'"key":"k{number % 50}","value":"v{number}"')
            for event, more, late in ((("send", "", 0),) if n == 1 else ()) + (("deliver", f',"ordem_local":{number + 1}', 50 * n),):
                at = us + late
                file.write(f'{{"ts":"2026-01-01T00:{at // 60000000:02}:{at // 1000000 % 60:02}.{at % 1000000:06}Z",'
                           f'"node":"node{n}","event":"{event}",{command}{more}}}\n')
    for file in files:
        file.close()
    return path


def test_a_large_run_comes_in_windows():
    browser = opened(report("large", large_run(400000)))
    browser.frame()
    whole = browser.run("return window.ordem.runs[0]")
    assert whole["drawn"]["density"] > 1000 and whole["drawn"]["marks"] < 100
    assert len(whole["loaded"]) <= 12 and whole["events"] > 400000
    for share in (0.02, 0.5, 0.98):
        x, y = browser.run("const c = document.querySelector('canvas.small'); c.scrollIntoView({block: 'center'}); "
                           "const b = c.getBoundingClientRect(); return [b.left + 8 + arguments[0] * (b.width - 16), b.top + 20]", share)
        browser.press(x, y)
        for _ in range(14):
            browser.click("#zoom-in")
        wait_until(lambda: drawn(browser)["marks"] > 10 and drawn(browser)["arrows"] > 5, f"single events at {share}")
        browser.picture("large")
        for _ in range(14):
            browser.click("#zoom-out")
    assert len(browser.run("return window.ordem.runs[0].loaded")) <= 12
    browser.type("#search", "v99999")
    wait_until(lambda: browser.run("return window.ordem.found") == 4, "a command near the end is found")
    place = browser.run("document.querySelector('.orders').closest('#orders').querySelectorAll('button')[1].click(); "
                        "return document.querySelector('#orders th[scope=row]').innerText")
    assert place == "1"
    wait_until(lambda: browser.run("return document.querySelector('#orders th[scope=row]').innerText") == "41", "the next places")
    assert browser.complaints() == []


def test_errors():
    empty = os.path.join(folder(), "empty")
    os.makedirs(empty, exist_ok=True)
    nothing = os.path.join(folder(), "nothing.jsonl")
    with open(nothing, "w", encoding="utf-8") as file:
        file.write("not a log\n")
    out = os.path.join(folder(), "x.html")
    full = os.path.join(folder(), "full.html")
    os.symlink("/dev/full", full)
    for arguments, words in (([empty], "no such file"), ([nothing], "holds no line"), ([], "needs the logs"),
                             ([diverging(), "--out", f"{nothing}/x.html"], "nothing.jsonl"),
                             ([diverging(), "--out", full], "full.html: No space left"), ([diverging(), empty], "no such file")):
        status, _, err = lab("report", *arguments, *([] if "--out" in arguments else ["--out", out]), LANGUAGE="en")
        assert status == 2 and words in err, (arguments, status, err)
        assert not os.path.exists(out)


if __name__ == "__main__":
    main(sys.modules[__name__])
