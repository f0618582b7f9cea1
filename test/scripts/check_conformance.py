#!/usr/bin/env python3
"""Does docs/CONFORMANCE.md name tests that exist, and all tests of test/conformance?

A row of its tables names tests of ours as `folder/file.cpp` "case" (more cases of that file follow it), the file as
seen from test/. A row without a test says why in its last cell. Prints each offence; exit status 1 if there was one.
"""
import pathlib
import re
import sys

TABLE = pathlib.Path("docs/CONFORMANCE.md")
CASE = re.compile(r'\bTEST_CASE\("((?:[^"\\]|\\.)*)"')
NAMED = re.compile(r'`([\w/]+\.cpp)`|"([^"]+)"')


def cases_of(path, known={}):
    if path not in known:
        file = pathlib.Path("test", path)
        known[path] = set(CASE.findall(file.read_text())) if file.exists() else None
    return known[path]


def named_in(cell):
    """Pairs of file and case that the cell names; a file without a case is one with None."""
    file, pairs = None, []
    for path, case in NAMED.findall(cell):
        if path:
            file = path
            if cases_of(path) is None:
                pairs.append((path, None))
        else:
            pairs.append((file, case))
    return pairs


def offences():
    seen = set()
    rows = 0
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if not line.startswith("| ") or cells[0] in ("Go's test", "---"):
            continue
        where = f"{TABLE}:{number}"
        rows += 1
        if len(cells) != 4:
            yield f"{where}: {len(cells)} cells instead of 4"
            continue
        pairs = named_in(cells[2])
        if not pairs and len(cells[3]) < 3:
            yield f"{where}: neither a test nor a reason"
        for path, case in pairs:
            if path is None or cases_of(path) is None:
                yield f"{where}: there is no file {path}"
            elif case not in cases_of(path):
                yield f"{where}: {path} has no case \"{case}\""
            seen.add((path, case))
    if rows == 0:
        yield f"{TABLE}: no rows"
    for file in sorted(pathlib.Path("test/conformance").glob("*.cpp")):
        path = f"conformance/{file.name}"
        for case in sorted(cases_of(path)):
            if (path, case) not in seen:
                yield f"test/{path}: the table does not name \"{case}\""


def main():
    found = list(offences())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
