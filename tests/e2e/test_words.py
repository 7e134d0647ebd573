#!/usr/bin/env python3
"""The words that programs print: complete in both languages, and in the one that LANG asks for."""

import glob
import re

from ordem import *

CATALOGUE = os.path.join(ROOT, "po", "pt_BR.po")

# What these write is read by programs, or by this house's own page.
DATA = ("json", "html", "shiviz", "run_description", "matrix_data", "event", "log", "log_sink", "message", "broker_files",
        "client_log", "http")


def run(*arguments, input=None, **environment):
    """A program, in an environment that asks for no language but what is given."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    done = subprocess.run(arguments, input=input or "", capture_output=True, text=True, timeout=LIMIT, env=clean | environment)
    return done.returncode, done.stdout, done.stderr


def tool(*arguments):
    code, out, err = run(*arguments, LC_ALL="C.UTF-8")
    assert code == 0, err
    return out


def unquoted(block, field):
    """A field of an entry of a catalogue; None if there is none."""
    found = re.search(rf'^{re.escape(field)} ((?:"(?:[^"\\]|\\.)*"\n?)+)', block, re.M)
    return found and "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found[1]))


def entries():
    """The catalogue's, as pairs of a text and its translation."""
    with open(CATALOGUE, encoding="utf-8") as file:
        blocks = file.read().split("\n\n")[1:]
    for block in blocks:
        if unquoted(block, "msgid_plural") is None:
            yield unquoted(block, "msgid"), unquoted(block, "msgstr")
        else:
            yield unquoted(block, "msgid"), unquoted(block, "msgstr[0]")
            yield unquoted(block, "msgid_plural"), unquoted(block, "msgstr[1]")


def test_every_text_is_translated_and_no_translation_is_left_over():
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        template = os.path.join(folder, "ordem.pot")
        merged = os.path.join(folder, "pt_BR.po")
        tool(os.path.join(ROOT, "tools", "words"), "--template", template)
        tool("msgmerge", "--quiet", "--no-fuzzy-matching", "--output-file", merged, CATALOGUE, template)
        for what in ("--untranslated", "--only-fuzzy", "--only-obsolete"):
            assert tool("msgattrib", what, "--no-location", merged) == "", \
                f"{what}: make words, then po/pt_BR.po:\n" + tool("msgattrib", what, merged)
        tool("msgfmt", "--check-format", "--check-domain", "--output-file", os.devnull, merged)


def test_translations_name_the_same_things():
    for text, translation in entries():
        assert sorted(re.findall(r"{\d}", text)) == sorted(re.findall(r"{\d}", translation)), (text, translation)
        for edge in (r"^\s*", r"\s*$", r"(\\n)?$"):
            assert re.search(edge, text)[0] == re.search(edge, translation)[0], (text, translation)


# ---- what is printed and not marked ----

PRINTING = re.compile(r"\b(v?f?printf|f?puts|prompt_answer|page_print\w*|progress_draw|buffer_add_(?:string|format)|"
                      r"error_set|error_because|kv_client_refuse|show_error)\(")


def arguments_of(source, start):
    """The text between a call's brackets, the first of which stands before `start`."""
    depth = 1
    for found in re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'|[()]').finditer(source, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return source[start:found.start()]
    return source[start:]


def without_marked(text):
    """Takes out _("..."), N_("...") and ngettext(...)."""
    while found := re.search(r"(?<!\w)(?:_|N_|ngettext|gettext)\(", text):
        inside = arguments_of(text, found.end())
        text = text[:found.start()] + text[found.end() + len(inside) + 1:]
    return text


def is_sentence(literal):
    """Two words of a language: what is left without conversions, escapes, options and names of variables."""
    plain = re.sub(r"%[-0-9.*]*(?:ll|z|h)?[a-zA-Z]|\\x1b\[[0-9;?]*[a-zA-Z]|\\.|--?[\w-]+|<[^>]*>|[\w.]*[\d_./=][\w.]*", " ",
                   literal)
    return re.search(r"\b[A-Za-zÀ-ÿ]{2,}[,;:]? +[A-Za-zÀ-ÿ]{2,}\b", plain) is not None


def unmarked(source):
    source = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), source, flags=re.S)
    for call in PRINTING.finditer(source):
        inside = arguments_of(source, call.end())
        literals = re.findall(r'"(?:[^"\\\n]|\\.)*"', re.sub(r'"\s*(?:PRI\w+\s*)?"', "", without_marked(inside)))
        if call[1] in ("error_set", "error_because"):
            literals = literals[1:]  # the first is the sentence, which they translate
        for literal in filter(is_sentence, literals):
            yield source.count("\n", 0, call.start()) + 1, call[1], literal


def test_nothing_is_printed_that_is_not_marked():
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, "common", "**", "*.c"), recursive=True)
                       + glob.glob(os.path.join(ROOT, "p*", "*.c"))):
        name = os.path.basename(path)[:-2]
        if os.path.basename(os.path.dirname(path)) == "po" or any(part in name for part in DATA):
            continue
        with open(path, encoding="utf-8") as file:
            found += [f"{os.path.relpath(path, ROOT)}:{line}: {function}: {literal}"
                      for line, function, literal in unmarked(file.read())]
    assert not found, "\n".join(found)


def test_what_is_not_marked_is_found():
    assert list(unmarked('x();\nfprintf(out, "no such file: %s\\n", name);')) == [(2, "fprintf", '"no such file: %s\\n"')]
    assert list(unmarked('error_set(e, C, "it %s", a ? "may be" : "was not done");'))
    assert list(unmarked('fputs(a ? _("one two") : "three four", out);'))
    assert not list(unmarked('fputs(_("no such" " file"), out); fprintf(out, "%s: %s\\n", a, b); say("no such file");'))
    assert not list(unmarked('fprintf(out, ngettext("%d of them (one)", "%d of them", n), n); /* puts("an old one") */'))
    assert not list(unmarked('error_set(e, C, "no such file: %s" "%" PRIu64 " times", n);'))


# ---- programs ----

PORTUGUESE = ("uso: lab run", "usage: lab run")


def speaks(**environment):
    code, out, err = run(program("lab"), "--help", **environment)
    assert code == 0 and err == "", err
    portuguese, english = (start in out for start in PORTUGUESE)
    assert portuguese != english, out
    return "pt" if portuguese else "en"


def test_the_language_is_the_environments():
    for language in ("pt_BR.UTF-8", "pt_BR", "pt", "pt_PT.UTF-8", "pt_BR.ISO-8859-1", "pt_BR@euro"):
        assert speaks(LANG=language) == "pt", language
    for language in ("C", "POSIX", "C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "ptx", "", "/etc/passwd", "x" * 100000):
        assert speaks(LANG=language) == "en", language
    assert speaks() == "en"
    assert speaks(LANG="en_US.UTF-8", LC_MESSAGES="pt_BR.UTF-8") == "pt"
    assert speaks(LANG="pt_BR.UTF-8", LC_MESSAGES="en_US.UTF-8") == "en"
    assert speaks(LC_ALL="C", LC_MESSAGES="pt_BR.UTF-8", LANG="pt_BR.UTF-8", LANGUAGE="pt_BR") == "en"
    assert speaks(LC_ALL="", LANG="pt_BR.UTF-8") == "pt"
    assert speaks(LANG="en_US.UTF-8", LANGUAGE="pt_BR:en") == "pt"
    assert speaks(LANG="pt_BR.UTF-8", LANGUAGE="en:pt_BR") == "en"
    assert speaks(LANG="pt_BR.UTF-8", LANGUAGE="de:fr") == "pt"


def test_the_catalogue_lies_beside_the_program():
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        moved = os.path.join(folder, "lab")
        shutil.copy(program("lab"), moved)
        shutil.copytree(program("locale"), os.path.join(folder, "locale"))
        assert PORTUGUESE[0] in run(moved, "--help", LANG="pt_BR.UTF-8")[1]
        catalogue = os.path.join(folder, "locale", "pt_BR", "LC_MESSAGES", "ordem.mo")
        for content in (b"", b"nonsense" * 100):  # a damaged one is as good as none
            with open(catalogue, "wb") as file:
                file.write(content)
            assert PORTUGUESE[1] in run(moved, "--help", LANG="pt_BR.UTF-8")[1]


def test_errors_on_the_terminal():
    for language, said in (("pt_BR.UTF-8", ('"--nonsense" não é uma opção aqui', "permite-se uma probabilidade de 0 a 1",
                                            "não existe esse arquivo", "permite-se um número inteiro",
                                            "o arquivo ou a pasta não existe", "a quem devo perguntar?")),
                           ("en_US.UTF-8", ('"--nonsense" is no option here', "a probability from 0 to 1 is allowed",
                                            "no such file", "a whole number from", "No such file or directory",
                                            "whom shall I ask?"))):
        lab_program, part = program("lab"), program("parte1")
        calls = (((lab_program, "run", "--nonsense"), {}), ((lab_program, "run", "parte1", "--loss", "7"), {}),
                 ((lab_program, "compare", __file__ + ".none"), {}), ((part,), {"MULTICAST_TTL": "x"}),
                 ((part,), {"LOG_FILE": __file__ + ".none/x"}), ((program("parte2"), "client"), {}))
        for (arguments, settings), expected in zip(calls, said):
            code, out, err = run(*arguments, LANG=language, **settings)
            assert code in (1, 2) and out == "" and expected in err, (arguments, err)


def test_verdicts_and_stories():
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        lab("run", "parte1", "--delay", "0-30ms", "--loss", "0.05", "--duplicate", "0.05", "--ops", "120", "--out", folder)
        code, english, _ = run(program("lab"), "compare", folder, LANG="en_US.UTF-8")
        assert code == 1 and "total order" in english and "3 nodes, 120 commands, " in english, english
        code, out, _ = run(program("lab"), "compare", folder, LANG="pt_BR.UTF-8")
        assert code == 1 and "✗ ordem total " in out and "3 nós, 120 comandos, " in out, out
        for word in ("delivered", "before", "network", "pairs", "deliveries", "total order", "differently"):
            assert word in english and word not in out, word
        # Columns stand under each other whatever their words are: findings start in one column.
        starts = {re.match(r"  [✓✗?] (.*?)  +", line).end() for line in out.splitlines() if line.startswith(("  ✗", "  ✓"))
                  and ":" not in line}
        assert len(starts) == 1, out
        # The keys of JSON and its numbers are the same everywhere, its sentences are for people.
        _, english, _ = run(program("lab"), "compare", "--json", folder, LANG="C")
        _, out, _ = run(program("lab"), "compare", "--json", folder, LANG="pt_BR.UTF-8", LC_NUMERIC="pt_BR.UTF-8")
        english, out = json.loads(english), json.loads(out)
        assert english.keys() == out.keys() and english["verdicts"].keys() == out["verdicts"].keys()
        for name, verdict in english["verdicts"].items():
            other = out["verdicts"][name]
            assert verdict["outcome"] == other["outcome"] and verdict["count"] == other["count"], name
            assert verdict["finding"] != other["finding"] and verdict.get("story", 1) != other.get("story", 2), verdict


def test_logs_are_the_same_in_every_language():
    heard = {}
    for language in ("C", "pt_BR.UTF-8"):
        with Group() as group:
            node = group.start("node1", LC_ALL=language, LOG_LEVEL="debug")
            group.send(b"nonsense", b"{}", command(key="k" * 5000), command("DANCE"))
            node.wait_for("discard", 4)
            node.type("SET x olá", "GET x", "HELP", "nonsense")
            node.wait_for("deliver", 2)
            node.wait()
            heard[language] = sorted((e["event"], e.get("reason", ""), e.get("message", "")) for e in node.events())
            answers = node.answers()
        help_text, wrong = (("this text", "error: unknown command"), ("este texto", "erro: comando desconhecido"))[
            language != "C"]
        assert help_text in answers and wrong in answers, answers
    assert heard["C"] == heard["pt_BR.UTF-8"], heard


def test_a_client_answers_in_the_language_of_its_user():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{taken.getsockname()[1]}"
        for language, said in (("pt_BR.UTF-8", ("não foi feito", "digite HELP")), ("C", ("it was not done", "type HELP"))):
            code, out, err = run(program("parte2"), "client", "--target", target, "--timeout", "0.3",
                                 input="SET x 1\nnonsense\n", LC_ALL=language)
            replies = [json.loads(line) for line in out.splitlines()]
            assert code == 1 and [reply["status"] for reply in replies] == ["error", "error"], err
            assert all(part in reply["message"] for part, reply in zip(said, replies)), replies


if __name__ == "__main__":
    main(sys.modules[__name__])
