#!/usr/bin/env python3
"""Copies the first C++ program of a Markdown file into a source file, so that it is compiled as it stands there:
readme_program.py README.md OUTPUT.cpp
"""
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        program = file.read().split("```cpp\n", 1)[1].split("```\n", 1)[0]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(program)


if __name__ == "__main__":
    main()
