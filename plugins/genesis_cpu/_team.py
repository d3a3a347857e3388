"""A team of threads that share the parts of one kernel: whoever is free takes the next part.

The thread that launches a kernel is one of the team and works as the others do, so a launch is over even when
no other thread gets a core: on a busy machine a step takes what one core needs, and never waits for a thread
that the system has put aside (but for a part that such a thread has begun). Which thread takes a part changes
nothing in the results.

A ticket, one atomic word, says all that there is to agree upon: the number of the launch (32 bits), into how
many parts it is cut (16), and which part is next (16). Idle threads look at it for a while, because the next
kernel of a training step comes within microseconds, and then sleep until they are called.

A launch may also be left to the others (``leave``): it is pending until somebody has seen it through, which
every other launch does first, by taking parts as well. There is one at most.

All this, and what Python calls (``_launchers``), is written as LLVM instructions because a machine that has
no kernel yet would otherwise spend its first second on it.
"""

from __future__ import annotations

import os
import platform

from genesis_cpu import _launchers

# Places in the memory of a team, in bytes; what different threads write to lies on different cache lines.
_TICKET, _DONE, _BUSY, _FUNCTION, _N, _ARGS, _SLEEPERS, STOP, MUTEX, CONDITION, _BLOCK = (
    0, 64, 128, 136, 144, 152, 192, 200, 256, 320, 384,
)  # fmt: skip
BYTES = 512
#: how often an idle thread looks at the ticket before it sleeps, and how often before it lets others run in
#: between: half a millisecond or one, and 20 microseconds
_LOOKS, _FIRST_LOOKS = 30000, 600


def text() -> str:
    """The instructions for this machine."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64", "i686"):
        pause = "call void @llvm.x86.sse2.pause()"
        declared = "declare void @llvm.x86.sse2.pause()"
    elif machine in ("arm64", "aarch64"):
        pause, declared = "call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"
    else:
        pause = declared = ""
    windows = os.name == "nt"
    names = {
        "PAUSE": pause,
        "DECLARED": declared,
        "LET_RUN": "call i32 @SwitchToThread()" if windows else "call i32 @sched_yield()",
        "BLOCK_BYTES": str(8 * _launchers.MOST),
        "OBJECT": str(object.__basicsize__ - 8),  # where an object has its type: its last word
    }
    names |= {name: str(value) for name, value in globals().items() if isinstance(value, int)}
    whole = _TEXT + _launchers.text() + (_WINDOWS if windows else _POSIX)
    for name in sorted(names, key=len, reverse=True):
        whole = whole.replace(f"${name.strip('_')}$", names[name])
    return whole


# An address is an i64; %at.X is the place of X in the memory of the team.
_TEXT = """
$DECLARED$
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
; the launch that has returned before it was over, as its ticket was; 0 if there is none
@pending = internal global i64 0
@pending.team = internal global i64 0

; part number %part of %parts of the range 0 ... %n - 1
define internal void @run(i64 %kernel, i64 %args, i64 %n, i64 %part, i64 %parts) {
  %next = add i64 %part, 1
  %a = mul i64 %n, %part
  %b = mul i64 %n, %next
  %lo = udiv i64 %a, %parts
  %hi = udiv i64 %b, %parts
  %call = inttoptr i64 %kernel to ptr
  call void %call(i64 %args, i64 %lo, i64 %hi)
  ret void
}

; take parts while there are any; the ticket when there are none
define internal i64 @work(i64 %team) {
start:
  %at = inttoptr i64 %team to ptr
  %at.done = getelementptr i8, ptr %at, i64 $DONE$
  %at.function = getelementptr i8, ptr %at, i64 $FUNCTION$
  %at.n = getelementptr i8, ptr %at, i64 $N$
  %at.args = getelementptr i8, ptr %at, i64 $ARGS$
  br label %look
look:
  %ticket = load atomic i64, ptr %at seq_cst, align 8
  %high = lshr i64 %ticket, 16
  %parts = and i64 %high, 65535
  %part = and i64 %ticket, 65535
  %none = icmp uge i64 %part, %parts
  br i1 %none, label %over, label %try
try:
  ; the number of the launch is in the ticket, so a part of a launch that is over cannot be taken
  %later = add i64 %ticket, 1
  %pair = cmpxchg ptr %at, i64 %ticket, i64 %later seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %take, label %look
take:
  %function = load i64, ptr %at.function
  %n = load i64, ptr %at.n
  %args = load i64, ptr %at.args
  call void @run(i64 %function, i64 %args, i64 %n, i64 %part, i64 %parts)
  %before = atomicrmw add ptr %at.done, i64 1 seq_cst
  br label %look
over:
  ret i64 %ticket
}

; let a moment pass between two looks, and from some on let others run in it; one look more
define internal i64 @pass(i64 %looks) {
  $PAUSE$
  %looked = add i64 %looks, 1
  %long = icmp ugt i64 %looked, $FIRST_LOOKS$
  br i1 %long, label %patient, label %end
patient:
  %x = $LET_RUN$
  br label %end
end:
  ret i64 %looked
}

; see the launch through that has returned before it was over, if there is one
define internal void @see.through() {
start:
  br label %look
look:
  %looks = phi i64 [ 0, %start ], [ %looked, %again ]
  %pending = load atomic i64, ptr @pending seq_cst, align 8
  %none = icmp eq i64 %pending, 0
  br i1 %none, label %end, label %help
help:
  %team = load i64, ptr @pending.team
  %seen = call i64 @work(i64 %team)
  %at = inttoptr i64 %team to ptr
  %at.done = getelementptr i8, ptr %at, i64 $DONE$
  %at.busy = getelementptr i8, ptr %at, i64 $BUSY$
  %done = load atomic i64, ptr %at.done seq_cst, align 8
  %high = lshr i64 %pending, 16
  %parts = and i64 %high, 65535
  %over = icmp uge i64 %done, %parts
  br i1 %over, label %free, label %again
again:
  %looked = call i64 @pass(i64 %looks)
  br label %look
free:
  ; of several threads that see it through one sets the team free
  %pair = cmpxchg ptr @pending, i64 %pending, i64 0 seq_cst seq_cst
  %first = extractvalue { i64, i1 } %pair, 1
  br i1 %first, label %tell, label %end
tell:
  store atomic i64 0, ptr %at.busy seq_cst, align 8
  br label %end
end:
  ret void
}

; what all threads read about a launch, the ticket apart; the ticket that it will have
define internal i64 @announce(ptr %at, i64 %kernel, i64 %n, i64 %parts, i64 %args) {
  %at.done = getelementptr i8, ptr %at, i64 $DONE$
  %at.function = getelementptr i8, ptr %at, i64 $FUNCTION$
  %at.n = getelementptr i8, ptr %at, i64 $N$
  %at.args = getelementptr i8, ptr %at, i64 $ARGS$
  store i64 %kernel, ptr %at.function
  store i64 %n, ptr %at.n
  store i64 %args, ptr %at.args
  store atomic i64 0, ptr %at.done seq_cst, align 8
  %ticket = load atomic i64, ptr %at seq_cst, align 8
  %old = lshr i64 %ticket, 32
  %count = add i64 %old, 1
  %number = and i64 %count, 2147483647
  %top = shl i64 %number, 32
  %middle = shl i64 %parts, 16
  %new = or i64 %top, %middle
  ret i64 %new
}

; give the team a kernel and return; what it needs of %args is copied. Where the number of parts is negative,
; nobody is woken for it
define internal void @leave(i64 %team, i64 %kernel, i64 %n, i64 %signed, i64 %args) {
start:
  call void @see.through()
  %any = icmp ne i64 %team, 0
  br i1 %any, label %see, label %alone
see:
  %at = inttoptr i64 %team to ptr
  %at.sleepers = getelementptr i8, ptr %at, i64 $SLEEPERS$
  %sleeping = load atomic i64, ptr %at.sleepers seq_cst, align 8
  %asleep = icmp ne i64 %sleeping, 0
  %little = icmp slt i64 %signed, 0
  %opposite = sub i64 0, %signed
  %parts = select i1 %little, i64 %opposite, i64 %signed
  %no = and i1 %asleep, %little
  br i1 %no, label %alone, label %ask
ask:
  %at.busy = getelementptr i8, ptr %at, i64 $BUSY$
  %pair = cmpxchg ptr %at.busy, i64 0, i64 1 seq_cst seq_cst
  %free = extractvalue { i64, i1 } %pair, 1
  br i1 %free, label %lead, label %alone
alone:
  %function = inttoptr i64 %kernel to ptr
  call void %function(i64 %args, i64 0, i64 %n)
  br label %end
lead:
  %at.block = getelementptr i8, ptr %at, i64 $BLOCK$
  %source = inttoptr i64 %args to ptr
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %at.block, ptr align 8 %source, i64 $BLOCK_BYTES$, i1 false)
  %copy = ptrtoint ptr %at.block to i64
  %ticket = call i64 @announce(ptr %at, i64 %kernel, i64 %n, i64 %parts, i64 %copy)
  store i64 %team, ptr @pending.team
  store atomic i64 %ticket, ptr @pending seq_cst, align 8
  store atomic i64 %ticket, ptr %at seq_cst, align 8
  call void @wake(i64 %team, i64 %parts)
  br label %end
end:
  ret void
}

; run a kernel in at most 65535 parts; alone if there is no team, or it is busy with another launch
define internal void @share(i64 %team, i64 %kernel, i64 %n, i64 %parts, i64 %args) {
start:
  %at = inttoptr i64 %team to ptr
  %at.done = getelementptr i8, ptr %at, i64 $DONE$
  %at.busy = getelementptr i8, ptr %at, i64 $BUSY$
  call void @see.through()
  %any = icmp ne i64 %team, 0
  br i1 %any, label %ask, label %alone
ask:
  %pair = cmpxchg ptr %at.busy, i64 0, i64 1 seq_cst seq_cst
  %free = extractvalue { i64, i1 } %pair, 1
  br i1 %free, label %lead, label %alone
alone:
  %part = phi i64 [ 0, %start ], [ 0, %ask ], [ %next, %one ]
  %more = icmp ult i64 %part, %parts
  br i1 %more, label %one, label %end
one:
  call void @run(i64 %kernel, i64 %args, i64 %n, i64 %part, i64 %parts)
  %next = add i64 %part, 1
  br label %alone
lead:
  %new = call i64 @announce(ptr %at, i64 %kernel, i64 %n, i64 %parts, i64 %args)
  store atomic i64 %new, ptr %at seq_cst, align 8
  %others = sub i64 %parts, 1
  call void @wake(i64 %team, i64 %others)
  %seen = call i64 @work(i64 %team)
  br label %wait
wait:
  %looks = phi i64 [ 0, %lead ], [ %looked, %again ]
  %done = load atomic i64, ptr %at.done seq_cst, align 8
  %ready = icmp uge i64 %done, %parts
  br i1 %ready, label %free.again, label %again
again:
  %looked = call i64 @pass(i64 %looks)
  br label %wait
free.again:
  store atomic i64 0, ptr %at.busy seq_cst, align 8
  br label %end
end:
  ret void
}

; what a thread of the team does all its life
define internal void @live(i64 %team) {
start:
  %at = inttoptr i64 %team to ptr
  %at.stop = getelementptr i8, ptr %at, i64 $STOP$
  br label %day
day:
  %stop = load atomic i64, ptr %at.stop seq_cst, align 8
  %stays = icmp eq i64 %stop, 0
  br i1 %stays, label %shift, label %end
shift:
  %seen = call i64 @work(i64 %team)
  br label %look
look:
  %looks = phi i64 [ 0, %shift ], [ %looked, %idle ], [ %looked, %polite ]
  %ticket = load atomic i64, ptr %at seq_cst, align 8
  %same = icmp eq i64 %ticket, %seen
  br i1 %same, label %still, label %day
still:
  %awake = icmp ult i64 %looks, $LOOKS$
  br i1 %awake, label %idle, label %tired
idle:
  $PAUSE$
  %looked = add i64 %looks, 1
  %long = icmp ugt i64 %looked, $FIRST_LOOKS$
  %rest = and i64 %looked, 15
  %sixteenth = icmp eq i64 %rest, 0
  %yields = and i1 %long, %sixteenth
  br i1 %yields, label %polite, label %look
polite:
  %x = $LET_RUN$
  br label %look
tired:
  call void @rest(i64 %team, i64 %seen)
  br label %day
end:
  ret void
}
"""

_WINDOWS = """
declare i32 @SwitchToThread()
declare void @Sleep(i32)

; sleepers look again every millisecond
define internal void @rest(i64 %team, i64 %seen) {
  call void @Sleep(i32 1)
  ret void
}

define internal void @wake(i64 %team, i64 %many) {
  ret void
}
"""

_POSIX = """
declare i32 @sched_yield()
declare i32 @pthread_mutex_lock(i64)
declare i32 @pthread_mutex_unlock(i64)
declare i32 @pthread_cond_wait(i64, i64)
declare i32 @pthread_cond_signal(i64)

; sleep until the ticket is another
define internal void @rest(i64 %team, i64 %seen) {
start:
  %at = inttoptr i64 %team to ptr
  %at.sleepers = getelementptr i8, ptr %at, i64 $SLEEPERS$
  %at.stop = getelementptr i8, ptr %at, i64 $STOP$
  %mutex = add i64 %team, $MUTEX$
  %condition = add i64 %team, $CONDITION$
  %a = call i32 @pthread_mutex_lock(i64 %mutex)
  ; before the last look: who launches looks here after it changed the ticket
  %b = atomicrmw add ptr %at.sleepers, i64 1 seq_cst
  br label %look
look:
  %ticket = load atomic i64, ptr %at seq_cst, align 8
  %same = icmp eq i64 %ticket, %seen
  %stop = load atomic i64, ptr %at.stop seq_cst, align 8
  %stays = icmp eq i64 %stop, 0
  %sleeps = and i1 %same, %stays
  br i1 %sleeps, label %sleep, label %awake
sleep:
  %c = call i32 @pthread_cond_wait(i64 %condition, i64 %mutex)
  br label %look
awake:
  %d = atomicrmw add ptr %at.sleepers, i64 -1 seq_cst
  %e = call i32 @pthread_mutex_unlock(i64 %mutex)
  ret void
}

define internal void @wake(i64 %team, i64 %many) {
start:
  %at = inttoptr i64 %team to ptr
  %at.sleepers = getelementptr i8, ptr %at, i64 $SLEEPERS$
  %sleeping = load atomic i64, ptr %at.sleepers seq_cst, align 8
  %some = icmp ne i64 %sleeping, 0
  br i1 %some, label %call, label %end
call:
  %mutex = add i64 %team, $MUTEX$
  %condition = add i64 %team, $CONDITION$
  %a = call i32 @pthread_mutex_lock(i64 %mutex)
  %less = icmp slt i64 %many, %sleeping
  %wanted = select i1 %less, i64 %many, i64 %sleeping
  br label %loop
loop:
  %i = phi i64 [ 0, %call ], [ %next, %signal ]
  %more = icmp slt i64 %i, %wanted
  br i1 %more, label %signal, label %done
signal:
  %b = call i32 @pthread_cond_signal(i64 %condition)
  %next = add i64 %i, 1
  br label %loop
done:
  %c = call i32 @pthread_mutex_unlock(i64 %mutex)
  br label %end
end:
  ret void
}
"""
