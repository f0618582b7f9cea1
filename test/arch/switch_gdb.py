# Steps through every instruction of the switch, inlined or not, and of rove_entry, and looks at the stack from each.
#
#   gdb -batch -x test/arch/switch_gdb.py <program of switch_gdb.cpp>
#
# From each instruction the stack must end at main or at rove_entry, without a complaint; and each pass through a switch
# must show the stack that is left first, the stack that is entered last, and change from one to the other once. The
# last line is "N passed, N failed", an instruction each.
import gdb

FIBER = ["fiber_inner", "fiber_outer"]
THREAD = ["switch_checks::fiber::resume", "main"]


def plain(name):
    return (name or "?").replace("(anonymous namespace)::", "").split("(")[0]


def stack():
    frame, names = gdb.newest_frame(), []
    while frame is not None and len(names) < 50:
        names.append(plain(frame.name()))
        last, frame = frame, frame.older()
    ended_well = last.unwind_stop_reason() in (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST)
    return names, ended_well


def contains(names, wanted):
    return all(name in names for name in wanted)


def side(names, ended):
    started = "switch_checks::first_function" in names
    if names[-1] == "rove_entry" and (contains(names, FIBER) or ended or not started):
        return "fiber"
    if names[-1] == "main" and contains(names, THREAD):
        return "thread"
    return "?"


passed = failed = 0


def look(good, names):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed at", gdb.execute("x/i $pc", to_string=True).strip(), names)


def find_switches():
    """First and last instruction of each switch in the program: from `mov %rsp,(%rdi)` to `jmp *%rdx`."""
    text = next(line for line in gdb.execute("info files", to_string=True).splitlines() if line.endswith(" is .text"))
    low, high = (int(word, 16) for word in text.split()[0:3:2])
    first = None
    for instruction in gdb.selected_inferior().architecture().disassemble(low, high - 1):
        code = "".join(instruction["asm"].split())
        if code == "mov%rsp,(%rdi)":
            first = instruction["addr"]
        elif code == "jmp*%rdx" and first is not None:
            yield first, instruction["addr"]
            first = None


def step_through_switch(last, entered):
    sides = []
    # At the last switch the fiber's function is over, and what is left of its stack is the first frame.
    ended = entered == "thread" and not contains(stack()[0], FIBER)
    while not sides or at != last:
        at = gdb.newest_frame().pc()
        names, ended_well = stack()
        sides.append(side(names, ended))
        look(ended_well and sides[-1] != "?", names)
        gdb.execute("stepi", to_string=True)
    changes = sum(a != b for a, b in zip(sides, sides[1:]))
    look(changes == 1 and sides[0] != entered, sides)


def step_through_entry():
    while plain(gdb.newest_frame().name()).startswith("rove_entry"):
        names, ended_well = stack()
        look(ended_well and len(names) == 1, names)
        gdb.execute("stepi", to_string=True)


def main():
    for setting in ("confirm off", "pagination off", "debuginfod enabled off", "startup-with-shell off"):
        gdb.execute("set " + setting)
    gdb.Breakpoint("main", temporary=True)
    gdb.execute("run", to_string=True)
    last_of = dict(find_switches())
    for first in last_of:
        gdb.Breakpoint("*%d" % first)
    gdb.execute("continue", to_string=True)
    fiber_runs = False
    while gdb.selected_inferior().pid != 0:
        fiber_runs = not fiber_runs
        step_through_switch(last_of[gdb.newest_frame().pc()], "fiber" if fiber_runs else "thread")
        step_through_entry()
        gdb.execute("continue", to_string=True)
    print("%d passed, %d failed" % (passed, failed))
    gdb.execute("quit %d" % (failed != 0 or passed == 0))


try:
    main()
except Exception as error:
    print("failed:", error)
    gdb.execute("quit 1")
