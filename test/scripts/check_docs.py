#!/usr/bin/env python3
"""Checks that the code in README.md and docs/ is code that the tests compile and run, and that links lead somewhere.

  check_docs.py            checks
  check_docs.py --write    first puts the files' present text into blocks that show a whole file

A block of C++, C or Go stands below a comment that names a file beside the page, `<!-- tutorial/mutex.cpp -->`. If the
comment says `<!-- part of traps.cpp -->` the block is a run of that file's lines, indented as it may be; else it is the
whole file. Each such C++ or C file is named in docs/meson.build (or lies in examples/ or test/), which builds and runs
it. The first program of README.md is itself the source: examples/meson.build takes it from there.
"""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANGUAGES = {"cpp", "c", "go", "c++"}
BLOCK = re.compile(r"(?:<!-- (part of )?(\S+) -->\n)?^```(\w[\w+]*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def is_part(block, text):
    """Whether the block's lines follow each other in the text, all indented by the same."""
    wanted = textwrap.dedent(block).splitlines()
    lines = text.splitlines()
    return any(textwrap.dedent("\n".join(lines[i:i + len(wanted)])).splitlines() == wanted
               for i in range(len(lines) - len(wanted) + 1))


def is_built(path):
    if path.suffix == ".go":
        return path.with_suffix(".cpp").exists()
    if ROOT / "docs" not in path.parents:
        return True
    name = path.relative_to(ROOT / "docs").with_suffix("")
    return f"'{name}'" in (ROOT / "docs/meson.build").read_text(encoding="utf-8")


def check_block(page, match, first_of_readme):
    part, name, language, body = match.groups()
    if language not in LANGUAGES or first_of_readme:
        return None
    if name is None:
        return f"a block of {language} names no file: {body.splitlines()[0]!r}"
    path = (page.parent / name).resolve()
    if not path.exists():
        return f"{name} is not there"
    text = path.read_text(encoding="utf-8")
    if not (is_part(body, text) if part else body == text):
        return f"a block is not {part or ''}{name}: {body.splitlines()[0]!r}"
    if not is_built(path):
        return f"{name} is not in docs/meson.build"
    return None


def write_blocks(page):
    def fill(match):
        part, name, language, _ = match.groups()
        if part or name is None or language not in LANGUAGES | {"text"}:
            return match[0]
        return f"<!-- {name} -->\n```{language}\n{(page.parent / name).read_text(encoding='utf-8')}```"
    page.write_text(BLOCK.sub(fill, page.read_text(encoding="utf-8")), encoding="utf-8")


def check_page(page):
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    is_readme = page == ROOT / "README.md"
    faults = [check_block(page, match, is_readme and i == 0) for i, match in enumerate(blocks)]
    for link in LINK.findall(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)):
        if ":" not in link and not (page.parent / link).exists():
            faults.append(f"a link to {link}, which is not there")
    return [f"{page.relative_to(ROOT)}: {fault}" for fault in faults if fault]


def unshown():
    """Programs of the tutorial that no page shows."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/tutorial").glob("*.md"))
    return [f"docs/tutorial/{path.name} is in no page of the tutorial"
            for path in sorted((ROOT / "docs/tutorial").iterdir())
            if path.suffix in (".cpp", ".go") and f"<!-- {path.name} -->" not in pages]


def main():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "--write" in sys.argv[1:]:
        for page in pages:
            write_blocks(page)
    faults = [fault for page in pages for fault in check_page(page)] + unshown()
    print("\n".join(faults) if faults else f"{len(pages)} pages, all as it should be")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
