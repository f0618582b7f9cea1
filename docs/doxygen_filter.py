#!/usr/bin/env python3
"""Doxygen's input filter for the public headers: doxygen_filter.py HEADER.

The headers have plain comments, as the whole source has. Here those at declarations become Doxygen's. Declarations that
follow each other without an empty line share the comment above the first one. What needs no words (moving, copying,
destroying) gets a standard phrase. The file's first comment becomes the file's, up to what it tells of the source.
Base classes that have public members leave the namespace detail, which is not shown. Every line stays where it is.
"""
import re
import sys

BASES = r"(chan_end|send_end|recv_end|condition)\b"
COMMENT = re.compile(r"( *)//(?! ?----) ?(.*)$")    # no heading
BEHIND = re.compile(r"(?!\s*}\s*//)(.*[^\s/]) *// (.*)$")    # but not behind a namespace's end
SCOPE = re.compile(r"^\s*(template\s+|typedef\s+)?(requires\b[^{]*?)?(inline\s+|constexpr\s+)*"
                   r"((namespace|class|struct|enum|union)\b|extern \"\")")
NO_DECLARATION = re.compile(r"[#})]|public:|private:|protected:|friend\b(?!.*operator)|static_assert|namespace\b|extern \"C\"|\w+;$")
PHRASES = [
    (r"^~\w+\(", "The destructor."),
    (r"= delete;", "Cannot be copied."),
    (r"operator=\(.*&& ?\w*\)|^(\w+)\(\1&& ?\w*\)", "Can be moved."),
    (r"^(\w+)\(const \1& ?\w*\)|operator=\(\w+ ?\w*\)|operator=\(const", "Can be copied."),
    (r"^(constexpr )?\w+\(\)", "The default one."),
    (r"void swap\(", "Exchanges the two."),
    (r"\w+\((detail|sched)::[\w<>:]+\*? \w+\)|(identity|node)\(\)|using iterator_concept", "For the library itself."),
]


def strip(line):
    """The line without comments, strings and template arguments."""
    line = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'', '""', re.sub(r"//.*", "", line))
    while re.search(r"<[^<>()]*>", line):
        line = re.sub(r"<[^<>()]*>", "", line)
    return line


class scanner:
    """Knows whether a line begins among declarations: in no function's body, no initializer, no argument list."""

    def __init__(self):
        self.scopes, self.text, self.parentheses = [], "", 0

    def among_declarations(self):
        return all(self.scopes) and not self.text.strip() and not self.parentheses

    def take(self, line):
        if line.startswith("#"):
            return
        for c in strip(line):
            self.parentheses += {"(": 1, ")": -1}.get(c, 0)
            if c in "{};" and not self.parentheses:
                if c == "{":
                    self.scopes.append(bool(SCOPE.match(self.text.strip())))
                elif c == "}" and self.scopes:
                    self.scopes.pop()
                self.text = ""
            elif self.parentheses and c in "{}":
                pass
            else:
                self.text += c
        if re.match(r"\s*(public|private|protected):\s*$", strip(line)):
            self.text = ""
        self.text += " "


def show_bases(lines):
    """Puts base classes into a namespace that is shown."""
    for number, line in enumerate(lines):
        if line == "namespace detail {":
            end = next(n for n in range(number + 1, len(lines)) if lines[n].startswith("}  //") or lines[n] == "}")
            inside = any(re.match(rf"class (alignas\(\w+\) )?{BASES}", l) for l in lines[number:end])
            line = "namespace bases {" if inside else line
        yield re.sub(rf"\bdetail::{BASES}(?=[<: {{])", r"bases::\1", line)


def phrase(line):
    return next((words for pattern, words in PHRASES if re.search(pattern, line.strip())), None)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = list(show_bases(file.read().splitlines()))
    state = scanner()
    shared, depth, fresh = None, -1, False   # the comment in force, how deep it stands, whether it was just said
    first, hidden = True, False              # the file's own comment; a specialization of something of std's
    shown, name = True, re.sub(r".*/(?=rove/)", "", sys.argv[1])
    for number, line in enumerate(lines):
        here, level = state.among_declarations(), len(state.scopes)
        comment, behind = COMMENT.match(line), BEHIND.match(line)
        if not line.strip():
            shared, fresh, first = None, False, False
        elif comment and first:
            shown = shown and not comment[2].startswith("Pairs.")
            if shown:
                print(f"/// {'' if number else f'@file {name} @brief '}{comment[2]}")
                continue
        elif comment and here:
            shared = f"{shared} {comment[2]}" if fresh else comment[2]
            depth, fresh = level, True
            print(f"{comment[1]}/// {comment[2]}")
            continue
        elif here and not comment and not NO_DECLARATION.match(line.strip()):
            sharing = shared and depth == level and not line.endswith("= delete;")
            words = shared if sharing else phrase(line)
            if behind and behind[1].rstrip().endswith((";", ",", "}")):
                line = f"{behind[1]} ///< {behind[2]}"
            elif words and not fresh:
                line = f"/** {words} */ {line}"
            fresh = False
        elif behind and not state.parentheses and (state.scopes[-1] if level else line.startswith("#define")):
            line = f"{behind[1]} ///< {behind[2]}"
        state.take(re.sub(r"/\*\*.*?\*/", "", line))
        if line == "template <>" and lines[number + 1].startswith("struct std::"):
            line, hidden = f"/** @cond */ {line}", True
        elif hidden and not state.scopes and state.among_declarations():
            line, hidden = f"{line} /** @endcond */", False
        print(line)


if __name__ == "__main__":
    main()
