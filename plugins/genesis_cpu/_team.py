"""A team of threads that share the parts of one kernel: whoever is free takes the next part.

The thread that launches a kernel is one of the team and works as the others do, so a launch is over even when
no other thread gets a core: on a busy machine a step takes what one core needs, and never waits for a thread
that the system has put aside (but for a part that such a thread has begun). Which thread takes a part changes
nothing in the results.

Launches wait in a queue, in their order; one begins when the one before it is over. Each has a slot with a
ticket, one atomic word, which says all that there is to agree upon: the number of the launch (28 bits), into
how many parts it is cut, and how many of them have been taken from the front and from the end (12 bits each).
The thread that launches takes parts from the front, the others take them from the end: so in kernel after
kernel most of what a core reads is what it has written itself. Idle threads look for a launch for a while,
because the next kernel of a training step comes within microseconds, and then sleep until they are called.

A launch may be left in the queue: the call returns, and Python goes on. Whoever launches another one that
is not left, or looks at memory (``settle``), sees it through first, by taking parts as well. Who finds the
queue in use by another thread of Python works alone, after what was left.

All this, and what Python calls (``_launchers``), is written as LLVM instructions because a machine that has
no kernel yet would otherwise spend its first second on it.
"""

from __future__ import annotations

import os
import platform

from genesis_cpu import _launchers

# Places in the memory of a team, in bytes; what different threads write to lies on different cache lines.
_LAST, _COMPLETE, _DONE, _LOCK, _SLEEPERS, STOP, MUTEX, CONDITION, _SLOTS = (
    0, 64, 128, 192, 200, 208, 256, 320, 512,
)  # fmt: skip
# Places in a slot
_FUNCTION, _N, _ARGS, _BLOCK, _SLOT = 64, 72, 80, 128, 1024
#: how many launches may be pending
_MANY = 16
#: into how many parts a launch can be cut
_PARTS = 4095
BYTES = _SLOTS + _MANY * _SLOT
#: how often an idle thread looks for a launch before it sleeps, and how often before it lets others run in
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
; the last launch that has returned before it was over, and its team; 0 if there was none
@left = internal global i64 0
@left.to = internal global i64 0
; the thread of Python that launched the last kernel
@owner = internal global i64 0

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

; the slot of launch number %i
define internal ptr @slot(ptr %at, i64 %i) {
  %index = urem i64 %i, $MANY$
  %distance = mul i64 %index, $SLOT$
  %place = add i64 %distance, $SLOTS$
  %slot = getelementptr i8, ptr %at, i64 %place
  ret ptr %slot
}

; take parts of the launches up to number %upto, one launch after the other, until all are over; %own is 1 for
; who takes them from the front, 4096 for who takes them from the end
define internal void @help(i64 %team, i64 %upto, i64 %own) {
start:
  %at = inttoptr i64 %team to ptr
  %at.complete = getelementptr i8, ptr %at, i64 $COMPLETE$
  %at.done = getelementptr i8, ptr %at, i64 $DONE$
  %front = icmp eq i64 %own, 1
  br label %look
look:
  %looks = phi i64 [ 0, %start ], [ 0, %try ], [ 0, %take ], [ 0, %finish ], [ %looked, %again ]
  %complete = load atomic i64, ptr %at.complete seq_cst, align 8
  %over = icmp uge i64 %complete, %upto
  br i1 %over, label %end, label %open
open:
  %i = add i64 %complete, 1
  %slot = call ptr @slot(ptr %at, i64 %i)
  %ticket = load atomic i64, ptr %slot seq_cst, align 8
  %number = lshr i64 %ticket, 36
  %wanted = and i64 %i, 268435455
  %same = icmp eq i64 %number, %wanted
  br i1 %same, label %count, label %again
count:
  %a = lshr i64 %ticket, 24
  %parts = and i64 %a, 4095
  %b = lshr i64 %ticket, 12
  %high = and i64 %b, 4095
  %low = and i64 %ticket, 4095
  %taken = add i64 %low, %high
  %none = icmp uge i64 %taken, %parts
  br i1 %none, label %again, label %try
try:
  %later = add i64 %ticket, %own
  %pair = cmpxchg ptr %slot, i64 %ticket, i64 %later seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %take, label %look
take:
  %c = sub i64 %parts, 1
  %end.part = sub i64 %c, %high
  %part = select i1 %front, i64 %low, i64 %end.part
  %at.function = getelementptr i8, ptr %slot, i64 $FUNCTION$
  %at.n = getelementptr i8, ptr %slot, i64 $N$
  %at.args = getelementptr i8, ptr %slot, i64 $ARGS$
  %function = load i64, ptr %at.function
  %n = load i64, ptr %at.n
  %args = load i64, ptr %at.args
  call void @run(i64 %function, i64 %args, i64 %n, i64 %part, i64 %parts)
  %before = atomicrmw add ptr %at.done, i64 1 seq_cst
  %now = add i64 %before, 1
  %last = icmp eq i64 %now, %parts
  br i1 %last, label %finish, label %look
finish:
  store atomic i64 0, ptr %at.done seq_cst, align 8
  store atomic i64 %i, ptr %at.complete seq_cst, align 8
  br label %look
again:
  %looked = call i64 @pass(i64 %looks)
  br label %look
end:
  ret void
}

; see through what was left, by whomever
define internal void @see.through() {
start:
  %team = load atomic i64, ptr @left.to seq_cst, align 8
  %none = icmp eq i64 %team, 0
  br i1 %none, label %end, label %look
look:
  %left = load atomic i64, ptr @left seq_cst, align 8
  call void @help(i64 %team, i64 %left, i64 1)
  br label %end
end:
  ret void
}

; queue a launch, which nobody else may do at the same time; its number
define internal i64 @queue(i64 %team, i64 %kernel, i64 %n, i64 %parts, i64 %args, i1 %copies) {
start:
  %at = inttoptr i64 %team to ptr
  %last = load atomic i64, ptr %at seq_cst, align 8
  %i = add i64 %last, 1
  ; whose slot it gets
  %enough = icmp ugt i64 %i, $MANY$
  %before = sub i64 %i, $MANY$
  %first = select i1 %enough, i64 %before, i64 0
  call void @help(i64 %team, i64 %first, i64 1)
  %slot = call ptr @slot(ptr %at, i64 %i)
  %at.function = getelementptr i8, ptr %slot, i64 $FUNCTION$
  %at.n = getelementptr i8, ptr %slot, i64 $N$
  %at.args = getelementptr i8, ptr %slot, i64 $ARGS$
  store i64 %kernel, ptr %at.function
  store i64 %n, ptr %at.n
  br i1 %copies, label %copy, label %keep
copy:
  %at.block = getelementptr i8, ptr %slot, i64 $BLOCK$
  %source = inttoptr i64 %args to ptr
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %at.block, ptr align 8 %source, i64 $BLOCK_BYTES$, i1 false)
  %copied = ptrtoint ptr %at.block to i64
  br label %keep
keep:
  %arguments = phi i64 [ %args, %start ], [ %copied, %copy ]
  store i64 %arguments, ptr %at.args
  %number = shl i64 %i, 36
  %middle = shl i64 %parts, 24
  %ticket = or i64 %number, %middle
  store atomic i64 %ticket, ptr %slot seq_cst, align 8
  store atomic i64 %i, ptr %at seq_cst, align 8
  ret i64 %i
}

; run a kernel in parts; the number of the launch if it is left, else 0. It is left where %leaves, if the
; last kernel was launched by the same thread of Python, %who; its %args are copied then. For a negative
; number of parts nobody is woken
define internal i64 @share(i64 %team, i64 %kernel, i64 %n, i64 %signed, i64 %args, i64 %who, i1 %leaves) {
start:
  %little = icmp slt i64 %signed, 0
  %opposite = sub i64 0, %signed
  %many = select i1 %little, i64 %opposite, i64 %signed
  %most = icmp ult i64 %many, $PARTS$
  %parts = select i1 %most, i64 %many, i64 $PARTS$
  %at = inttoptr i64 %team to ptr
  %at.complete = getelementptr i8, ptr %at, i64 $COMPLETE$
  %at.lock = getelementptr i8, ptr %at, i64 $LOCK$
  %at.sleepers = getelementptr i8, ptr %at, i64 $SLEEPERS$
  ; what a thread leaves, the others have to wait for: so it leaves nothing where they take turns
  %owner = load atomic i64, ptr @owner seq_cst, align 8
  %same = icmp eq i64 %owner, %who
  store atomic i64 %who, ptr @owner seq_cst, align 8
  %returns = and i1 %same, %leaves
  %any = icmp ne i64 %team, 0
  br i1 %any, label %see, label %alone
see:
  %sleeping = load atomic i64, ptr %at.sleepers seq_cst, align 8
  %asleep = icmp ne i64 %sleeping, 0
  %no = and i1 %asleep, %little
  br i1 %no, label %alone, label %compare
compare:
  ; one part is left behind what is pending, as it must wait for that anyway; else it is done here
  %one.part = icmp eq i64 %parts, 1
  %last = load atomic i64, ptr %at seq_cst, align 8
  %complete = load atomic i64, ptr %at.complete seq_cst, align 8
  %idle = icmp eq i64 %last, %complete
  %here = and i1 %one.part, %idle
  br i1 %here, label %alone, label %ask
ask:
  %pair = cmpxchg ptr %at.lock, i64 0, i64 1 seq_cst seq_cst
  %free = extractvalue { i64, i1 } %pair, 1
  br i1 %free, label %lead, label %alone
alone:
  call void @see.through()
  br label %next.part
next.part:
  %part = phi i64 [ 0, %alone ], [ %next, %one ]
  %more = icmp ult i64 %part, %parts
  br i1 %more, label %one, label %end
one:
  call void @run(i64 %kernel, i64 %args, i64 %n, i64 %part, i64 %parts)
  %next = add i64 %part, 1
  br label %next.part
lead:
  %i = call i64 @queue(i64 %team, i64 %kernel, i64 %n, i64 %parts, i64 %args, i1 %returns)
  br i1 %returns, label %leave, label %stay
leave:
  store atomic i64 %i, ptr @left seq_cst, align 8
  store atomic i64 %team, ptr @left.to seq_cst, align 8
  call void @wake(i64 %team, i64 %parts)
  br label %free.again
stay:
  %others = sub i64 %parts, 1
  call void @wake(i64 %team, i64 %others)
  call void @help(i64 %team, i64 %i, i64 1)
  br label %free.again
free.again:
  %pending = phi i64 [ %i, %leave ], [ 0, %stay ]
  store atomic i64 0, ptr %at.lock seq_cst, align 8
  br label %end
end:
  %result = phi i64 [ 0, %next.part ], [ %pending, %free.again ]
  ret i64 %result
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
  %seen = load atomic i64, ptr %at seq_cst, align 8
  call void @help(i64 %team, i64 %seen, i64 4096)
  br label %look
look:
  %looks = phi i64 [ 0, %shift ], [ %looked, %idle ], [ %looked, %polite ]
  %last = load atomic i64, ptr %at seq_cst, align 8
  %same = icmp eq i64 %last, %seen
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

; sleep until there is another launch
define internal void @rest(i64 %team, i64 %seen) {
start:
  %at = inttoptr i64 %team to ptr
  %at.sleepers = getelementptr i8, ptr %at, i64 $SLEEPERS$
  %at.stop = getelementptr i8, ptr %at, i64 $STOP$
  %mutex = add i64 %team, $MUTEX$
  %condition = add i64 %team, $CONDITION$
  %a = call i32 @pthread_mutex_lock(i64 %mutex)
  ; before the last look: who launches looks here afterwards
  %b = atomicrmw add ptr %at.sleepers, i64 1 seq_cst
  br label %look
look:
  %last = load atomic i64, ptr %at seq_cst, align 8
  %same = icmp eq i64 %last, %seen
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
