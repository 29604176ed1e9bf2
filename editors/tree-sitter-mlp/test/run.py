"""The tests of the tree-sitter grammar: what `tree-sitter test` does, and more, without building its command line.

Needs a C compiler and the PyPI package `tree_sitter`. `--update` writes the trees of the corpus anew: read them.
"""

import argparse
import ctypes
import hashlib
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from tree_sitter import Language, Parser, Query, QueryCursor

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
# Files of the repository that are right, beside the examples.
GOOD = ["lang/src/syntax/tests/good.mlp", "lang/src/syntax/tests/layouts.mlp", "lang/src/syntax/tests/whole.mlp"]

failures = []


def fail(what):
    failures.append(what)
    print(f"FAILED {what}")


def language(folder):
    library = pathlib.Path(folder) / "mlp.so"
    sources = [str(HERE / "src" / name) for name in ("parser.c", "scanner.c")]
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-I", str(HERE / "src"), *sources, "-o", str(library)],
        check=True,
    )
    function = ctypes.cdll.LoadLibrary(str(library)).tree_sitter_mlp
    function.restype = ctypes.c_void_p
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype = ctypes.py_object
    capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return Language(capsule(function(), b"tree_sitter.Language", None))


# ---- the generated parser is the grammar's ----


def grammar_hash():
    return hashlib.sha256((HERE / "grammar.js").read_bytes()).hexdigest()


def generated():
    written = (HERE / "src" / "grammar.js.sha256").read_text().strip()
    if written != grammar_hash():
        fail("src/parser.c was generated from another grammar.js: run generate.sh")
    size = (HERE / "src" / "parser.c").stat().st_size
    if size > 2_000_000:
        fail(f"src/parser.c has {size} bytes")


# ---- corpus ----

CASE = re.compile(r"^={3,}\n(?P<name>[^\n]+)\n={3,}\n\n(?P<source>.*?)\n---\n\n(?P<tree>.*?)(?=^={3,}\n|\Z)", re.S | re.M)


def pretty(tree):
    """The S-expression with one node a line, as the tree-sitter command line writes it."""
    depth, lines = 0, []
    for token in re.findall(r"""(?:\w+: )?\((?:MISSING "[^\s]+?"(?=\))|MISSING \w+|UNEXPECTED '[^']*'|\w+)|\)""", str(tree)):
        if token == ")":
            depth -= 1
            lines[-1] += ")"
        else:
            lines.append("  " * depth + token)
            depth += 1
    return "\n".join(lines)


def corpus(parser, update):
    count = 0
    for path in sorted((HERE / "test" / "corpus").glob("*.txt")):
        text = path.read_bytes().decode()
        cases = list(CASE.finditer(text))
        new = []
        for case in cases:
            count += 1
            # As the command line does: the newline before `---` is not part of the source.
            tree = pretty(parser.parse(case["source"].encode()).root_node)
            new.append((case["name"], case["source"], tree))
            if not update and " ".join(tree.split()) != " ".join(case["tree"].split()):
                fail(f"{path.name}: {case['name']}\n{tree}")
        if update:
            bar = "=" * 80
            text = "\n".join(f"{bar}\n{name}\n{bar}\n\n{source}\n---\n\n{tree}\n" for name, source, tree in new)
            path.write_bytes(text.encode())
    return f"{count} cases of the corpus"


# ---- what is right parses without an error ----


def errors(node):
    if node.type == "ERROR" or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from errors(child)


def right_texts():
    for path in sorted((ROOT / "examples").rglob("*.mlp")):
        yield str(path.relative_to(ROOT)), path.read_text()
    for name in GOOD:
        if (ROOT / name).exists():
            yield name, (ROOT / name).read_text()
    # Cases of the specification, with what must be found in them: E01xx are mistakes of syntax.
    for folder in sorted((ROOT / "spec" / "conformance").glob("*/expected.json")):
        for name, outcome in json.loads(folder.read_text()).items():
            if not any(finding.startswith("E01") for finding in outcome["findings"]):
                path = folder.parent / name
                yield str(path.relative_to(ROOT)), path.read_text()
    for path in sorted([*(ROOT / "spec").rglob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]):
        text = path.read_text()
        # A page of a mistake of syntax has it in the examples above this heading.
        begin = max(text.find("\n## Right\n"), 0) if path.name.startswith("E01") else 0
        for fence in re.finditer(r"^```mlp(?:[ \t]+with=\S+)?[ \t]*\n(.*?)^```", text, re.S | re.M):
            if fence.start() >= begin:
                line = text[: fence.start()].count("\n") + 2
                yield f"{path.relative_to(ROOT)}:{line}", fence[1]


def right(parser):
    count = 0
    for name, text in right_texts():
        count += 1
        for node in errors(parser.parse(text.encode()).root_node):
            row, column = node.start_point
            fail(f"{name}: line {row + 1} of it, column {column + 1}: {node}")
    if count < 20:
        fail(f"only {count} right texts were found")
    return f"{count} right texts"


# ---- a mistake stays in its declaration ----

TOKEN = re.compile(r'"""|"|\$\{|[A-Za-z_]\w*|[0-9][\w.%]*|[^\w\s]')


def declarations(parser, text):
    root = parser.parse(text.encode()).root_node
    return [child for child in root.children if child.is_named and not child.is_extra]


def recovery(parser):
    """Deletes one token of an example: all declarations but the touched one keep their trees."""
    kept = total = 0
    chance = random.Random(7)
    texts = [text for name, text in right_texts() if name.startswith("examples") or name in GOOD]
    for text in texts:
        tokens = [t for t in TOKEN.finditer(text) if not text[text.rfind("\n", 0, t.start()) + 1 : t.start()].lstrip().startswith("#")]
        before = declarations(parser, text)
        for token in chance.sample(tokens, min(len(tokens), 150)):
            broken = text[: token.start()] + text[token.end() :]
            at = len(text[: token.start()].encode())
            touched = [d for d in before if d.start_byte <= at < d.end_byte]
            others = [str(d) for d in before if d not in touched]
            after = [str(d) for d in declarations(parser, broken)]
            total += len(others)
            for other in others:
                if other in after:
                    after.remove(other)
                    kept += 1
    share = kept / total
    if share < 0.98:
        fail(f"only {share:.2%} of the declarations survive a mistake in another one")
    return f"{share:.2%} of {total} declarations survive the loss of a token in another one"


def hostile(parser):
    """Arbitrary text ends in a tree of the whole text."""
    chance = random.Random(11)
    pieces = ["{", "}", "(", ")", "[", '"', '"""', "${", "\n", "\nstep a = ", "\nschema S {\n", " ", "#", "a", "1", "%", "=", ":", ".", "\\", "\r\n", "é", "\0"]
    for _ in range(400):
        text = "".join(chance.choice(pieces) for _ in range(chance.randrange(200))).encode()
        root = parser.parse(text).root_node
        if root.end_byte > len(text):
            fail(f"a tree beyond its text: {text!r}")
    for deep in ("(", "[", "{", "-", "a.", 'f("${', "not "):
        parser.parse(b"param a: int = " + deep.encode() * 20_000)
    return "400 arbitrary texts"


# ---- queries ----


def query(lang, name):
    return Query(lang, (HERE / "queries" / f"{name}.scm").read_text())


def captures(lang, name, root):
    """(start, end, pattern, capture), in the order in which the last one wins."""
    found = []
    for pattern, nodes in QueryCursor(query(lang, name)).matches(root):
        for capture, among in nodes.items():
            found.extend((node.start_byte, node.end_byte, pattern, capture) for node in among)
    return found


def highlights(lang, parser):
    """`# ^ name` and `# <- name` under a line, as the tree-sitter command line has them."""
    count = 0
    for path in sorted((HERE / "test" / "highlight").glob("*.mlp")):
        text = path.read_text()
        root = parser.parse(text.encode()).root_node
        for node in errors(root):
            fail(f"{path.name}: {node}")
        found = captures(lang, "highlights", root)
        starts = [0]
        for line in text.split("\n"):
            starts.append(starts[-1] + len(line.encode()) + 1)
        above = 0
        for number, line in enumerate(text.split("\n")):
            assertion = re.fullmatch(r"\s*#\s*(\^+|<-)\s+(!?)([\w.]+)\s*", line)
            if not assertion:
                above = number
                continue
            column = line.index("#") if assertion[1] == "<-" else line.index("^")
            at = starts[above] + column
            here = [c for c in found if c[0] <= at < c[1]]
            # The smallest node; among the captures of one node, the last pattern.
            best = min(here, key=lambda c: (c[1] - c[0], -c[2]), default=None)
            got = best[3] if best else "nothing"
            count += 1
            if (got == assertion[3]) == bool(assertion[2]):
                fail(f"{path.name}:{number + 1}: expected {assertion[2]}{assertion[3]}, found {got}")
    return f"{count} highlights"


def other_queries(lang, parser):
    text = (ROOT / GOOD[0]).read_text() + '\nstep q = sql """\nselect ${x} + 1\n"""\n'
    root = parser.parse(text.encode()).root_node
    for name in ("folds", "indents", "locals", "outline"):
        if not captures(lang, name, root):
            fail(f"{name}.scm captures nothing")
    injected = [text.encode()[a:b] for a, b, _, c in captures(lang, "injections", root) if c == "injection.content"]
    if not any(b"select" in piece for piece in injected) or not any(b"+ 1" in piece for piece in injected):
        fail("injections.scm does not find the SQL")
    folded = {root.descendant_for_byte_range(a, b).type for a, b, _, _ in captures(lang, "folds", root)}
    for wanted in ("columns", "gate_block", "check_block", "arguments"):
        if wanted not in folded:
            fail(f"folds.scm does not fold a {wanted}")
    return "queries"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--update", action="store_true")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lang = language(folder)
        parser = Parser(lang)
        generated()
        print(corpus(parser, options.update))
        print(right(parser))
        print(recovery(parser))
        print(hostile(parser))
        print(highlights(lang, parser))
        print(other_queries(lang, parser))
    if failures:
        sys.exit(f"{len(failures)} failed")


main()
