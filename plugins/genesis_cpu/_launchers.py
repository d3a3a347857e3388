"""What Python calls to launch a kernel: functions of C that take its objects apart.

``serial(kernel, n, *arguments)``, ``parallel(team, kernel, n, parts, *arguments)``, ``later`` with the same,
``settle()``, ``forget()``, ``put(address, size, number)``, ``member(team)``, ``address(array)``; see
``_threads``. What they do with a team stands in ``_team``, whose text this is a part of.
"""

from __future__ import annotations

NAMES = ("serial", "parallel", "later", "settle", "forget", "put", "member", "address")
#: most arguments of a launch that is seen through later, which the team keeps
MOST = 64


def text() -> str:
    """The instructions, but for what depends on the machine."""
    launches = ""
    for called, leaves, most in (("parallel", "false", 1 << 20), ("later", "true", 4 + MOST)):
        launches += (
            _LAUNCH.replace("$CALLED$", called).replace("$LEAVES$", leaves).replace("$ALL$", str(most))
        )
    whole = _TEXT.replace("$LAUNCHES$", launches)
    for name, value in (("$END$", _END), ("$FAILS$", _FAILS), ("$ROOM$", str(MOST + 16))):
        whole = whole.replace(name, value)
    return whole


_TEXT = """
declare i64 @PyLong_AsLongLong(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyErr_Occurred()
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
declare ptr @PyLong_FromLongLong(i64)
declare i32 @PyObject_GetBuffer(ptr, ptr, i32)
declare void @PyBuffer_Release(ptr)
declare void @PyErr_SetString(ptr, ptr)
@PyFloat_Type = external global i8
@_Py_NoneStruct = external global i8
@PyExc_TypeError = external global ptr
@few = internal constant [40 x i8] c"a launch has other arguments than these\\00"

; put the arguments of a launch into a block: whole numbers, then floats from place 8, or 16, on if the whole
; numbers are fewer; 0 where one of them is no number
define internal i1 @collect(ptr %block, ptr %arguments, i64 %from, i64 %many) {
start:
  br label %loop
loop:
  %i = phi i64 [ %from, %start ], [ %i.next, %stored ]
  %place = phi i64 [ 0, %start ], [ %place.next, %stored ]
  %floats = phi i1 [ false, %start ], [ %floats.next, %stored ]
  %more = icmp slt i64 %i, %many
  br i1 %more, label %one, label %good
one:
  %slot = getelementptr ptr, ptr %arguments, i64 %i
  %object = load ptr, ptr %slot
  %at.type = getelementptr i8, ptr %object, i64 $OBJECT$
  %type = load ptr, ptr %at.type
  %is.float = icmp eq ptr %type, @PyFloat_Type
  br i1 %is.float, label %float, label %whole
whole:
  %value = call i64 @PyLong_AsLongLong(ptr %object)
  %odd = icmp eq i64 %value, -1
  br i1 %odd, label %check, label %stored
check:
  %error = call ptr @PyErr_Occurred()
  %bad = icmp ne ptr %error, null
  br i1 %bad, label %end, label %stored
float:
  %number = call double @PyFloat_AsDouble(ptr %object)
  %bits = bitcast double %number to i64
  %few = icmp ule i64 %place, 8
  %some = icmp ule i64 %place, 16
  %second = select i1 %some, i64 16, i64 %place
  %first = select i1 %few, i64 8, i64 %second
  %float.place = select i1 %floats, i64 %place, i64 %first
  br label %stored
stored:
  %word = phi i64 [ %value, %whole ], [ %value, %check ], [ %bits, %float ]
  %here = phi i64 [ %place, %whole ], [ %place, %check ], [ %float.place, %float ]
  %floats.next = phi i1 [ %floats, %whole ], [ %floats, %check ], [ true, %float ]
  %target = getelementptr i64, ptr %block, i64 %here
  store i64 %word, ptr %target
  %place.next = add i64 %here, 1
  %i.next = add i64 %i, 1
  br label %loop
good:
  br label %end
end:
  %result = phi i1 [ true, %good ], [ false, %check ]
  ret i1 %result
}

define internal ptr @none() {
  call void @Py_IncRef(ptr @_Py_NoneStruct)
  ret ptr @_Py_NoneStruct
}

define internal ptr @too.few() {
  %type = load ptr, ptr @PyExc_TypeError
  call void @PyErr_SetString(ptr %type, ptr @few)
  ret ptr null
}

define ptr @serial(ptr %self, ptr %arguments, i64 %many) {
start:
  %enough = icmp sge i64 %many, 2
  br i1 %enough, label %convert, label %bad
convert:
  %room = add i64 %many, 16
  %block = alloca i64, i64 %room, align 16
  %all = call i1 @collect(ptr %block, ptr %arguments, i64 0, i64 2)
  br i1 %all, label %named, label %failed
named:
  %kernel = load i64, ptr %block
  %at.n = getelementptr i64, ptr %block, i64 1
  %n = load i64, ptr %at.n
  %rest = call i1 @collect(ptr %block, ptr %arguments, i64 2, i64 %many)
  br i1 %rest, label %go, label %failed
go:
  %args = ptrtoint ptr %block to i64
  %call = inttoptr i64 %kernel to ptr
  %thread = call ptr @PyEval_SaveThread()
  %who = ptrtoint ptr %thread to i64
  store atomic i64 %who, ptr @owner seq_cst, align 8
  call void @see.through()
  call void %call(i64 %args, i64 0, i64 %n)
  call void @PyEval_RestoreThread(ptr %thread)
$END$
$LAUNCHES$define ptr @settle(ptr %self, ptr %arguments, i64 %many) {
start:
  %block = alloca i64, i64 17, align 16
  %left = load atomic i64, ptr @left seq_cst, align 8
  %one = icmp eq i64 %many, 1
  br i1 %one, label %convert, label %ask
convert:
  %all = call i1 @collect(ptr %block, ptr %arguments, i64 0, i64 1)
  br i1 %all, label %given, label %failed
given:
  %number = load i64, ptr %block
  %before = icmp ult i64 %number, %left
  %less = select i1 %before, i64 %number, i64 %left
  br label %ask
ask:
  %upto = phi i64 [ %left, %start ], [ %less, %given ]
  %team = load atomic i64, ptr @left.to seq_cst, align 8
  %some = icmp ne i64 %team, 0
  br i1 %some, label %check, label %end
check:
  %at = inttoptr i64 %team to ptr
  %at.complete = getelementptr i8, ptr %at, i64 $COMPLETE$
  %complete = load atomic i64, ptr %at.complete seq_cst, align 8
  %any = icmp ult i64 %complete, %upto
  br i1 %any, label %go, label %end
go:
  %thread = call ptr @PyEval_SaveThread()
  call void @help(i64 %team, i64 %upto, i64 1)
  call void @PyEval_RestoreThread(ptr %thread)
  br label %end
end:
  %none = call ptr @none()
  ret ptr %none
failed:
  ret ptr null
}

define ptr @put(ptr %self, ptr %arguments, i64 %many) {
start:
  %enough = icmp eq i64 %many, 3
  br i1 %enough, label %convert, label %bad
convert:
  %block = alloca i64, i64 19, align 16
  %all = call i1 @collect(ptr %block, ptr %arguments, i64 0, i64 %many)
  br i1 %all, label %go, label %failed
go:
  %place = load i64, ptr %block
  %at = inttoptr i64 %place to ptr
  %at.size = getelementptr i64, ptr %block, i64 1
  %size = load i64, ptr %at.size
  %at.number = getelementptr i64, ptr %block, i64 8
  %number = load double, ptr %at.number
  %long = icmp eq i64 %size, 8
  br i1 %long, label %double, label %single
double:
  store double %number, ptr %at
  br label %end
single:
  %float = fptrunc double %number to float
  store float %float, ptr %at
  br label %end
end:
$END$
define ptr @forget(ptr %self, ptr %arguments, i64 %many) {
  store atomic i64 0, ptr @left.to seq_cst, align 8
  store atomic i64 0, ptr @left seq_cst, align 8
  %none = call ptr @none()
  ret ptr %none
}

define ptr @member(ptr %self, ptr %arguments, i64 %many) {
start:
  %block = alloca i64, align 16
  %one = icmp eq i64 %many, 1
  br i1 %one, label %convert, label %bad
convert:
  %all = call i1 @collect(ptr %block, ptr %arguments, i64 0, i64 1)
  br i1 %all, label %go, label %failed
go:
  %team = load i64, ptr %block
  %thread = call ptr @PyEval_SaveThread()
  call void @live(i64 %team)
  call void @PyEval_RestoreThread(ptr %thread)
$END$
; the address of what a contiguous array holds
define ptr @address(ptr %self, ptr %arguments, i64 %many) {
start:
  %view = alloca [16 x i64], align 16
  %one = icmp eq i64 %many, 1
  br i1 %one, label %ask, label %bad
ask:
  %array = load ptr, ptr %arguments
  %status = call i32 @PyObject_GetBuffer(ptr %array, ptr %view, i32 0)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %take, label %failed
take:
  %place = load i64, ptr %view
  call void @PyBuffer_Release(ptr %view)
  %number = call ptr @PyLong_FromLongLong(i64 %place)
  ret ptr %number
$FAILS$"""

_LAUNCH = """\
define ptr @$CALLED$(ptr %self, ptr %arguments, i64 %many) {
start:
  %some = icmp sge i64 %many, 4
  %fit = icmp sle i64 %many, $ALL$
  %enough = and i1 %some, %fit
  br i1 %enough, label %convert, label %bad
convert:
  %room = add i64 %many, $ROOM$
  %block = alloca i64, i64 %room, align 16
  %all = call i1 @collect(ptr %block, ptr %arguments, i64 0, i64 4)
  br i1 %all, label %named, label %failed
named:
  %team = load i64, ptr %block
  %at.kernel = getelementptr i64, ptr %block, i64 1
  %kernel = load i64, ptr %at.kernel
  %at.n = getelementptr i64, ptr %block, i64 2
  %n = load i64, ptr %at.n
  %at.parts = getelementptr i64, ptr %block, i64 3
  %parts = load i64, ptr %at.parts
  %rest = call i1 @collect(ptr %block, ptr %arguments, i64 4, i64 %many)
  br i1 %rest, label %go, label %failed
go:
  %args = ptrtoint ptr %block to i64
  %thread = call ptr @PyEval_SaveThread()
  %who = ptrtoint ptr %thread to i64
  %result = call i64 @share(i64 %team, i64 %kernel, i64 %n, i64 %parts, i64 %args, i64 %who, i1 $LEAVES$)
  call void @PyEval_RestoreThread(ptr %thread)
  %number = call ptr @PyLong_FromLongLong(i64 %result)
  ret ptr %number
$FAILS$
"""

#: how those end that refuse arguments
_FAILS = """\
bad:
  %error = call ptr @too.few()
  ret ptr %error
failed:
  ret ptr null
}
"""

#: and how most of them do, which give nothing
_END = (
    """\
  %none = call ptr @none()
  ret ptr %none
"""
    + _FAILS
)
