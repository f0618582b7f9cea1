"""Goroutines in gdb:  source tools/rove-gdb.py

  info goroutines          every goroutine: number, name, what it does, where it stands
  goroutine N bt           the backtrace of goroutine N
  goroutine N COMMAND      any command, with the goroutine's innermost frame selected: info locals, frame, up 2, ...
  goroutine all bt         the same for each

Live and on core files, on x86-64 and AArch64. The library needs no debug information, but its symbols: the layout comes from
the constant rove_debug_view (src/sched/registry.cpp). A parked goroutine is walked with an unwinder that makes its saved
registers the caller of the current frame, so no register of the process is changed.
"""
import collections
import re
import struct
import types

import gdb
import gdb.unwinder

VERSION = 1
STATES = ["dead", "runnable", "running", "waiting", "syscall", "waiting"]
LEAVING = 5
FIELDS = ("version pointer_size goroutine_size first_block sp pc fp base id state reason flags name stack started_at "
          "stack_low stack_top unborn reason_count").split()
REGISTERS = {"i386:x86-64": ("rsp", "rip", "rbp", "rbx"), "aarch64": ("sp", "pc", "x29", "x19")}

Goroutine = collections.namedtuple("Goroutine", "id name state reason unborn registers stack started_at")


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def number(address, size=8):
    return int.from_bytes(read(address, size), "little")


def text(address, limit=64):
    return read(address, limit).split(b"\0")[0].decode(errors="replace") if address else ""


class View:
    """Where things are in this program's library."""

    def __init__(self):
        try:
            address = int(gdb.parse_and_eval("(unsigned long)&rove_debug_view"))
        except gdb.error as error:
            raise gdb.GdbError("there is no rove in this program, or it is stripped") from error
        words = struct.unpack(f"<{len(FIELDS)}I", read(address, 4 * len(FIELDS)))
        self.at = types.SimpleNamespace(**dict(zip(FIELDS, words)))
        if self.at.version != VERSION:
            raise gdb.GdbError(f"this script knows version {VERSION} of rove_debug_view, not {self.at.version}")
        pointers = (address + 4 * len(FIELDS) + 7) & ~7
        self.block, self.made, self.reasons = struct.unpack("<3Q", read(pointers, 24))

    def reason(self, index):
        size, start = struct.unpack("<2Q", read(self.reasons + 16 * index, 16))
        return text(start, size) if index < self.at.reason_count else "?"

    def addresses(self):
        left, block = number(self.made), 0
        while left > 0:
            count = min(left, self.at.first_block << block)
            start = number(self.block + 8 * block)
            yield from range(start, start + count * self.at.goroutine_size, self.at.goroutine_size)
            left -= count
            block += 1

    def goroutine(self, at):
        stack = number(at + self.at.stack)
        bounds = (number(stack + self.at.stack_low), number(stack + self.at.stack_top)) if stack else None
        state = number(at + self.at.state, 1)
        return Goroutine(
            id=number(at + self.at.id), name=text(number(at + self.at.name)), state=state,
            reason=self.reason(number(at + self.at.reason, 1)), stack=bounds,
            unborn=bool(number(at + self.at.flags, 4) & self.at.unborn), started_at=number(at + self.at.started_at),
            registers=[number(at + offset) for offset in (self.at.sp, self.at.pc, self.at.fp, self.at.base)])

    def goroutines(self):
        alive = (self.goroutine(a) for a in self.addresses() if number(a + self.at.id))
        return sorted(alive, key=lambda g: g.id)


def status(g):
    return g.reason if STATES[g.state] == "waiting" else STATES[g.state]


def is_parked(g):
    return STATES[g.state] in ("runnable", "waiting") and g.state != LEAVING and not g.unborn


def place(address):
    """The function that an address is in."""
    found = gdb.execute(f"info symbol {address:#x}", to_string=True).strip()
    return found.split(" in section ")[0] if " in section " in found else f"{address:#x}"


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Unwinder(gdb.unwinder.Unwinder):
    """While it has a goroutine, that goroutine's frame is the caller of the innermost frame of the current thread."""

    def __init__(self):
        super().__init__("rove goroutines")
        self.innermost = self.registers = self.names = None

    def __call__(self, frame):
        if self.registers is None:
            return None
        sp, pc = (frame.read_register(name) for name in self.names[:2])
        if (int(sp), int(pc)) != self.innermost:
            return None
        info = frame.create_unwind_info(FrameId(sp, pc))
        for name, value in zip(self.names, self.registers):
            info.add_saved_register(name, gdb.Value(value).cast(frame.read_register(name).type))
        return info

    def walk(self, g, do):
        here = gdb.newest_frame()
        self.names = REGISTERS[here.architecture().name()]
        mask = (1 << 64) - 1
        self.innermost = tuple(int(here.read_register(name)) for name in self.names[:2])
        self.registers = [r & mask for r in g.registers]
        gdb.invalidate_cached_frames()
        try:
            do()
        finally:
            self.registers = None
            gdb.invalidate_cached_frames()


UNWINDER = Unwinder()
gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)


def on_thread_of(g, do):
    """Runs `do` with the thread selected that stands on the goroutine's stack; false if there is none."""
    before, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            newest = gdb.newest_frame()
            sp = int(newest.read_register(REGISTERS[newest.architecture().name()][0])) & ((1 << 64) - 1)
            if g.stack and g.stack[0] <= sp <= g.stack[1]:
                do()
                return True
        return False
    finally:
        before.switch()
        frame.select()


def backtrace_of_parked(command):
    """gdb's own backtrace without the frame that the unwinder started from."""
    lines = gdb.execute(command, to_string=True).splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith("#1 ")), len(lines))
    renumbered = (re.sub(r"^#(\d+)( *)", lambda m: f"#{int(m[1]) - 1}".ljust(len(m[0])), line) for line in lines[begin:])
    print("\n".join(renumbered))


def run(g, command):
    is_backtrace = re.match(r"(bt|backtrace|where)\b", command)
    selected = gdb.selected_frame()

    def do():
        if is_backtrace:
            return backtrace_of_parked(command)
        gdb.newest_frame().older().select()
        gdb.execute(command)

    if is_parked(g):
        UNWINDER.walk(g, do)
        if selected.is_valid():
            selected.select()
    elif g.unborn:
        print("not started yet; it comes from " + place(g.started_at))
    elif not on_thread_of(g, lambda: gdb.execute(command)):
        print("it runs, but no thread was found on its stack")


def header(g):
    name = f' "{g.name}"' if g.name else ""
    return f"goroutine {g.id}{name} [{status(g)}]:"


class InfoGoroutines(gdb.Command):
    """List all goroutines."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for g in View().goroutines():
            name = f'"{g.name}" ' if g.name else ""
            where = place(g.registers[1]) if is_parked(g) else ""
            print(f"{g.id:>6}  {status(g):<20} {name}{where}")


class GoroutineCommand(gdb.Command):
    """goroutine N COMMAND, goroutine all COMMAND: a command in a goroutine's innermost frame."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        who, _, command = argument.strip().partition(" ")
        if not who or not command.strip():
            raise gdb.GdbError("goroutine N COMMAND, or goroutine all COMMAND")
        chosen = [g for g in View().goroutines() if who in ("all", str(g.id))]
        if not chosen:
            raise gdb.GdbError(f"there is no goroutine {who}")
        for index, g in enumerate(chosen):
            if who == "all":
                print(("\n" if index else "") + header(g))
            run(g, command.strip())


InfoGoroutines()
GoroutineCommand()
