"""What holds for both engines without either: each has its words for what is dispatched, and these stand in one folder.
That they mean the same is `make test-spark`'s to show (tests/spark/)."""

import re

from tests.dbt.built_warehouse import PROJECT

MACROS = PROJECT / "macros"
ENGINE = MACROS / "engine"


def macros_of(folder) -> dict[str, str]:
    """Name and file of each macro under the folder."""
    found = {}
    for path in sorted(folder.rglob("*.sql")):
        for name in re.findall(r"\{%-? macro (\w+)\(", path.read_text()):
            found[name] = str(path.relative_to(MACROS))
    return found


def test_each_engine_has_its_words_for_what_is_dispatched():
    macros = macros_of(MACROS)
    text = "\n".join(path.read_text() for path in MACROS.rglob("*.sql"))
    dispatched = set(re.findall(r"adapter\.dispatch\('(\w+)'\)", text))

    assert len(dispatched) >= 20
    for name in dispatched:
        for engine in ("duckdb", "spark"):
            assert f"{engine}__{name}" in macros or f"default__{name}" in macros, (engine, name)


def test_what_engines_differ_about_stands_in_one_folder():
    of_an_engine = {
        name: file for name, file in macros_of(MACROS).items() if re.match(r"(duckdb|spark|default)__", name)
    }

    assert of_an_engine
    assert {name: file for name, file in of_an_engine.items() if not file.startswith("engine/")} == {}


def test_a_recursion_names_itself_alike_from_beginning_to_end():
    """spark_queries.sql takes the parts of a recursion apart by these words."""
    marked = 0
    for path in PROJECT.glob("models/**/*.sql"):
        text = path.read_text()
        begun = re.findall(r"(\w+) as \(\s*\{\{ recursion_begins\('(\w+)'\) \}\}", text)
        assert all(part == name for part, name in begun), path.name
        assert [name for _, name in begun] == re.findall(r"recursion_ends\('(\w+)'\)", text), path.name
        assert len(begun) == len(re.findall(r"recursion_repeats\('union(?: all)?'\)", text)), path.name
        # every recursion is marked, or dispatched as a whole
        assert not re.search(r"with recursive", text) or begun or "classified_days(" in text, path.name
        marked += len(begun)
    assert marked == 3
