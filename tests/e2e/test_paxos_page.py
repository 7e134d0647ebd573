#!/usr/bin/env python3
"""The page of Paxos's client, as a reader sees it: a real cluster, in a real browser."""

import atexit

from browser import *
from ordem import *
from paxos import Cluster

HOSTILE = '<script>window.hurt=1</script><img src=x onerror="window.hurt=1">'


@functools.cache
def shared_cluster():
    """Five and five, as in the composition; tests leave everybody up."""
    cluster = Cluster(proposers=5, acceptors=5, learners=2, stores=3, clients=2, USE_CLUSTER_STORE="true")
    atexit.register(cluster.__exit__)
    for client in cluster.clients:
        client.start("--timeout", str(LIMIT))  # so long may an election take
    cluster.start().leader()
    for client in cluster.clients:
        client.wait_healthy()
    return cluster


def opened(client, width=1600, height=1000, scheme="light", language="en"):
    browser = shared_browser()
    browser.send("url", url="about:blank")
    browser.log("browser"), browser.log("performance")
    browser.resize(width, height)
    browser.scheme(scheme)
    browser.send("url", url=f"http://{client.address}/?lang={language}")
    wait_until(lambda: browser.run("return window.paxos?.ready === true"), "the page is drawn")
    return browser


def text(browser, selector):
    return browser.run("return document.querySelector(arguments[0])?.innerText ?? null", selector)


def tile(browser, name):
    """The classes of a tile, and what it says."""
    return browser.run("""const tile = document.querySelector(`.tile[data-name="${arguments[0]}"]`);
        return [[...tile.classList], tile.innerText];""", name)


def leader_on_page(browser):
    return browser.run("return [...document.querySelectorAll('.tile.leader')].map((tile) => tile.dataset.name)")


def marked_leader(cluster, browser):
    """The leader, once the page marks the one that leads (on a busy machine it may change at any time)."""
    return wait_until(lambda: (leader := cluster.find_leader()) is not None and leader_on_page(browser) == [leader.name] and leader,
                      lambda: f"the leader is marked: {leader_on_page(browser)}")


def fill(browser, **values):
    browser.run("for (const [id, value] of Object.entries(arguments[0])) document.getElementById(id).value = value;", values)


def answer(browser, *words):
    """What the form tells, once it tells all of these."""
    return wait_until(lambda: (told := text(browser, "#answer") or "") and all(w in told for w in words) and told,
                      lambda: f"{words} in {text(browser, '#answer')!r}")


def overflows(browser):
    """Does anything stand out of the window, so that the page scrolls sideways?"""
    return browser.run("return document.documentElement.scrollWidth > innerWidth")


def outsiders(browser, client):
    return [url for url in browser.requests() if not url.startswith(f"http://{client.address}/")]


def test_the_cluster_as_it_is():
    cluster = shared_cluster()
    browser = opened(cluster.clients[0])
    marked_leader(cluster, browser)
    names = browser.run("return [...document.querySelectorAll('.tile')].map((tile) => tile.dataset.name)")
    assert sorted(names) == sorted(member.name for member in cluster.all()), names
    def all_promised():
        cluster.write("x", 1)  # who was not there to promise promises as it accepts
        leader = marked_leader(cluster, browser)
        ballot = leader.status().get("ballot")
        shown = ballot and f"{ballot['proposalNumber']}.{ballot['proposerId']}"
        tiles = [tile(browser, acceptor.name) for acceptor in cluster.acceptors]
        return shown and text(browser, "#leader") == f"{leader.name} leads with ballot {shown}" and \
            all("promised" in classes and shown in said for classes, said in tiles) and \
            browser.run("return document.querySelectorAll('.links path').length") == 5
    wait_until(all_promised, "all have promised to it, and lines tell so")
    for store in cluster.stores:
        wait_until(lambda: "serves" in tile(browser, store.name)[0], "the stores serve")
    assert browser.complaints() == [] and outsiders(browser, cluster.clients[0]) == []


def test_what_is_written_on_one_page_is_read_on_another():
    cluster = shared_cluster()
    browser = opened(cluster.clients[0])
    fill(browser, resource="greeting", value="olá")
    browser.click("#write")
    told = answer(browser, "Decided in instance")
    instance = int(told.split("instance ")[1].split(" ")[0].replace(",", ""))
    assert cluster.read("greeting")["value"] == "olá"
    wait_until(lambda: "SET greeting = olá" in (text(browser, "#history") or ""), "it stands in the history")
    browser = opened(cluster.clients[1])
    fill(browser, resource="greeting")
    browser.click("#read")
    answer(browser, "greeting = olá", "version")
    browser.click("#read_all")
    answer(browser, '"greeting": "olá"')
    fill(browser, resource="nothing here")
    browser.click("#read")
    answer(browser, "nothing here has no value")
    browser.click("#stale")
    fill(browser, resource="greeting")
    def reads_stale():  # it may be older than the write
        browser.click("#read")
        wait_until(lambda: text(browser, "#answer .told") is not None, "an answer")
        told = text(browser, "#answer")
        return "greeting = olá" in told and "old" in told
    wait_until(reads_stale, lambda: f"a stale read that shows the write: {text(browser, '#answer')!r}")
    def learner_shows():  # once it was heard of
        _, applied, figures = tile(browser, "learner-1")[1].partition("applied\n")
        return applied and int(figures.split("\n")[0].replace(",", "")) >= instance
    wait_until(learner_shows, "the learner's tile goes along")
    assert browser.complaints() == []


def test_hostile_names_and_values_are_text():
    cluster = shared_cluster()
    browser = opened(cluster.clients[0])
    fill(browser, resource=HOSTILE, value=HOSTILE)
    browser.click("#write")
    answer(browser, "Decided in instance")
    browser.click("#read")
    answer(browser, f"{HOSTILE} = {HOSTILE}")
    browser.click("#read_all")
    answer(browser, "onerror")
    wait_until(lambda: HOSTILE in (text(browser, "#history") or ""), "it stands in the history")
    cluster.clients[0].post("/operation", {"operation": HOSTILE, "resource": HOSTILE})
    wait_until(lambda: f"{HOSTILE} {HOSTILE}" in (text(browser, "#history") or ""), "the refusal, too")
    assert browser.run("return window.hurt ?? null") is None
    assert browser.run("return document.querySelectorAll('main img, main script').length") == 0
    assert browser.complaints() == []
    fill(browser, resource="x" * 5000, value="1")
    browser.click("#write")
    answer(browser, "Not done")
    assert not overflows(browser)
    cluster.write(HOSTILE, "gone")


def test_a_dead_leader_is_seen_and_the_next_one_too():
    cluster = shared_cluster()
    browser = opened(cluster.clients[0])
    old = marked_leader(cluster, browser)
    browser.run("""const change = document.getElementById("change");
        window.changes = [];
        new MutationObserver(() => window.changes.push(change.textContent)).observe(change,
            {childList: true, characterData: true, subtree: true});""")
    old.kill()
    wait_until(lambda: "down" in tile(browser, old.name)[0], "its tile is dead")
    assert "does not answer" in tile(browser, old.name)[1]
    new = marked_leader(cluster, browser)
    assert new is not old
    wait_until(lambda: any(" leads since " in told for told in browser.run("return window.changes")), "the change is told")
    fill(browser, resource="after", value="the fall")
    browser.click("#write")
    answer(browser, "Decided in instance")
    browser.picture("paxos-leader-killed")
    old.start().wait_healthy()
    wait_until(lambda: "up" in tile(browser, old.name)[0], "it is back")
    acceptors = cluster.acceptors[:3]
    for acceptor in acceptors:
        acceptor.kill()
    wait_until(lambda: all("down" in tile(browser, a.name)[0] for a in acceptors), "three acceptors are dead")
    wait_until(lambda: leader_on_page(browser) == [] and " led until " in text(browser, "#change") and
               "Nobody leads" in text(browser, "#leader"), lambda: f"nobody leads without a majority: {text(browser, '#leader')}")
    browser.picture("paxos-no-majority")
    for acceptor in acceptors:
        acceptor.start().wait_healthy()
    wait_until(lambda: all("up" in tile(browser, a.name)[0] for a in acceptors), "they are back")
    cluster.leader()


def test_a_load_is_begun_and_ended():
    cluster = shared_cluster()
    client = cluster.clients[1]
    browser = opened(client)
    fill(browser, rate="200", keys="5", read_share="25", size="40")
    browser.click("#load")
    wait_until(lambda: client.status()["running"] and client.status()["done"] > 100, "it runs")
    settings = client.status()
    assert (settings["rate"], settings["keys"], settings["readShare"], settings["size"]) == (200, 5, 0.25, 40), settings
    def figures():
        return dict(zip(*[iter((text(browser, "#figures") or "").split("\n"))] * 2))
    wait_until(lambda: int(figures().get("done", "0").replace(",", "")) > 100, "the page counts along")
    assert figures()["failed"] == "0" and figures()["half within"] != "–", figures()
    wait_until(lambda: text(browser, "#load") == "Stop", "the button stops it")
    assert "makes load" in tile(browser, client.name)[1] or wait_until(lambda: "makes load" in tile(browser, client.name)[1], "its tile tells")
    browser.click("#load")
    wait_until(lambda: not client.status()["running"] and text(browser, "#load") == "Start", "it has ended")
    fill(browser, rate="1000000")
    browser.click("#load")
    assert not client.status()["running"], "the form refuses what is beyond its bounds"


def test_the_logs_of_all():
    cluster = shared_cluster()
    browser = opened(cluster.clients[0])
    def lines():
        return [line.split("\n") for line in (text(browser, "#lines") or "").split("\n")]
    everybody = {member.name for member in cluster.all()}
    def heard():  # by the client, which keeps 512 lines: who was quiet while others said so much is not among them
        lines = cluster.clients[0].get("/cluster")[1]["lines"]
        return everybody if lines["next"] <= 512 else {line["node"] for line in lines["items"]} & everybody
    def speakers():
        return set(browser.run("return [...document.querySelectorAll('#lines b')].map((who) => who.textContent)"))
    def kept():
        """Whose lines the page has; it shows the newest of them, and who talks much leaves the others no room there."""
        shown, newest, names = browser.run("""const names = window.paxos.logs.lines.map(({node}) => node);
            return [[...document.querySelectorAll('#lines b')].map((who) => who.textContent), names.slice(0, LINES_SHOWN), names];""")
        assert shown == newest, (shown, newest)
        return set(names)
    wait_until(lambda: kept() >= heard(), lambda: f"all speak: {everybody - kept()}")
    times = browser.run("return window.paxos.logs.lines.map(({ts}) => ts)")
    assert times == sorted(times, reverse=True) and len(times) > 20
    browser.run("const who = document.getElementById('who'); who.value = 'acceptor'; who.dispatchEvent(new Event('change'))")
    assert speakers() == {member.name for member in cluster.acceptors}
    browser.run("const who = document.getElementById('who'); who.value = ''; who.dispatchEvent(new Event('change'))")
    browser.type("#filter", "elect")
    assert speakers() and speakers() <= {member.name for member in cluster.all()} and all("elect" in line[0] for line in lines()), lines()
    browser.type("#filter", "no such words")
    assert speakers() == set() and "No line fits" in text(browser, ".logs")


def test_a_tile_tells_all():
    cluster = shared_cluster()
    browser = opened(cluster.clients[0])
    def told():  # a member that is slow to answer is asked by the next click only; of its lines the last 40 are shown
        newest = cluster.proposers[0].get("/logs/important")[1]["logs"][-1]
        when = browser.run("return formatClock(arguments[0])", newest["ts"])
        if browser.run("return document.getElementById('detail').open"):
            browser.run("document.querySelector('#detail button').click()")
        browser.click('.tile[data-name="proposer-1"]')
        wait_until(lambda: browser.run("return document.querySelector('#detail :is(.all, .bad)') !== null"), "an answer")
        shown = text(browser, "#detail")
        return all(word in shown for word in ("firstUndecided", "acceptor-5", "closed", when, newest["event"]))
    wait_until(told, lambda: f"its status: {text(browser, '#detail')}")
    browser.picture("paxos-detail", whole=False)
    browser.run("document.querySelector('#detail button').click()")
    assert not browser.run("return document.getElementById('detail').open")


def test_a_client_that_is_gone_is_told():
    with Cluster(0, 0, clients=1, PROPOSERS="127.0.0.1:9") as cluster:
        client = cluster.start().clients[0]
        browser = opened(client)
        assert text(browser, ".silence") == ""
        client.kill()
        wait_until(lambda: "client-1 does not answer" in (text(browser, ".silence") or ""), "it is told")
        client.start().wait_healthy()
        wait_until(lambda: browser.run("return document.querySelector('.silence').hidden"), "and forgotten when it is back")


def test_how_it_looks():
    """In English and Portuguese, light and dark, on a projector, a small screen and a telephone."""
    cluster = shared_cluster()
    client = cluster.clients[0]
    client.post("/start", {"rate": 60})
    for name, width, height, scheme, language in (("projector-light", 1920, 1080, "light", "en"), ("projector-dark", 1920, 1080, "dark", "pt"),
                                                  ("laptop-light", 1024, 768, "light", "pt"), ("laptop-dark", 1024, 768, "dark", "en"),
                                                  ("telephone-light", 390, 844, "light", "en"), ("telephone-dark", 390, 844, "dark", "pt")):
        browser = opened(client, width, height, scheme, language)
        wait_until(lambda: len(leader_on_page(browser)) == 1, "the leader is marked")
        fill(browser, resource="sala", value="B-12")
        browser.click("#write")
        answer(browser, "Decided in instance" if language == "en" else "Decidido na instância")
        assert text(browser, "h1") == ("Paxos, as client-1 sees it" if language == "en" else "Paxos, como client-1 o vê")
        assert browser.run("return document.documentElement.lang") == ("en" if language == "en" else "pt-BR")
        assert not overflows(browser), f"{name}: nothing stands out of the window"
        dark = browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 26)"
        assert dark == (scheme == "dark"), name
        browser.picture(f"paxos-{name}")
        browser.click("#theme")
        assert dark != (browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 26)"), "the button turns it"
        assert browser.complaints() == [] and outsiders(browser, client) == []
    client.post("/stop", {})


def test_every_text_is_there_in_both_languages():
    browser = opened(shared_cluster().clients[0])
    words = browser.run("return Object.entries(WORDS)")
    assert len(words) > 50
    for name, texts in words:
        assert len(texts) == 2 and all(texts), name
        holes = [sorted(set(text[i:i + 3] for i in range(len(text)) if text[i] == "{")) for text in texts]
        assert holes[0] == holes[1], name
    source = browser.run("return fetch('page.js').then((reply) => reply.text())")
    for name, _ in words:  # some are put together: `from_${from}`, `${role}_does`
        said = [f'"{name}"', f"`{name.split('_')[0]}_${{", f"}}_{name.split('_')[-1]}`"]
        assert any(form in source for form in said), f"{name} is said somewhere"


if __name__ == "__main__":
    main(sys.modules[__name__])
