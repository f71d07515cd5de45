# SPDX-License-Identifier: MIT
"""Names for what the user made: that of the variable it is assigned to, made fit for emitted code.

Here are neither tensors nor kernels, only how Python's variables and C++'s rules for names meet.
"""
from __future__ import annotations

import opcode
import sys

from pto_wsp.errors import user_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

# What generator/verify/names.cpp refuses: for everything, and for all but kernels. tests/dsl
# compares the lists.
WORDS = frozenset("""
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t
char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr
constinit continue decltype default delete do double dynamic_cast else enum explicit export extern
false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public register reinterpret_cast requires restrict return short
signed sizeof static static_assert static_cast struct switch template this thread_local throw true
try typedef typeid typename typeof union unsigned using virtual void volatile wchar_t while xor
xor_eq
BUFSIZ CHAR_BIT CHAR_MAX CHAR_MIN DBL_MAX DBL_MIN EDOM EINVAL ENOMEM EOF ERANGE EXIT_FAILURE
EXIT_SUCCESS FLT_EPSILON FLT_MAX FLT_MIN HUGE_VAL INFINITY INT16_MAX INT16_MIN INT32_MAX INT32_MIN
INT64_C INT64_MAX INT64_MIN INT8_MAX INT8_MIN INT_MAX INT_MIN LONG_MAX LONG_MIN M_E M_PI NAN NDEBUG
NULL RAND_MAX SIZE_MAX UINT16_MAX UINT32_MAX UINT64_C UINT64_MAX UINT8_MAX UINT_MAX ULONG_MAX assert
errno i386 isfinite isinf isnan linux math_errhandling offsetof setjmp signbit stderr stdin stdout
unix va_arg va_end va_list va_start
""".split())
LIBRARY = frozenset("""
FILE Runtime Task TensorPair abort abs acos acosh asin asinh atan atan2 atanh atexit atof atoi atol
bsearch calloc cbrt ceil clock copysign cos cosh div div_t double_t erf erfc exit exp exp2 expm1
fabs fclose fdim fflush float_t floor fma fmax fmin fmod fopen fprintf fread free frexp fwrite gamma
getchar getenv hypot index int16_t int32_t int64_t int8_t intmax_t intptr_t isalnum isalpha isdigit
isspace j0 j1 jn labs ldexp lgamma llabs llrint llround log log10 log1p log2 logb longjmp lrint
lround main malloc memchr memcmp memcpy memmove memset modf nan nearbyint nextafter perror pow
printf ptrdiff_t putchar puts qsort raise rand read realloc remainder remove remquo rename rint
round scanf signal sin sinh size_t snprintf sprintf sqrt srand sscanf ssize_t std strcat strchr
strcmp strcpy strlen strncmp strncpy strstr strtod strtol system tan tanh tgamma time time_t trunc
uint16_t uint32_t uint64_t uint8_t uintmax_t uintptr_t write y0 y1 yn
""".split())
_OWN_PREFIXES = ("ptowsp", "PTOWSP", "RUNTIME_MAX_")
_LONGEST = 100  # leaves room for a number that makes a name unique


def fit(name: str, otherwise: str, refused: frozenset[str] = WORDS | LIBRARY) -> str:
    """`name` as emitted code can have it; `otherwise` when nothing of it is left."""
    letters = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    while "__" in letters:
        letters = letters.replace("__", "_")
    letters = letters.lstrip("_")[:_LONGEST]
    if not letters or letters[0].isdigit() or (len(letters) == 1 and not name.isascii()):
        letters = otherwise
    if letters.startswith(_OWN_PREFIXES):
        letters = f"{otherwise}_{letters}"
    return f"{letters}_" if letters in refused else letters


def unique(name: str, taken: set[str]) -> str:
    """`name`, or it with the first free number; the result is taken from then on."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}" if not name.endswith("_") else f"{name}{number}"
    taken.add(candidate)
    return candidate


def assigned_name() -> str | None:
    """The variable or attribute to which the value of the user's current call goes, if it goes to
    one.

    A helper that returns the value hands the question on to its caller. What is packed into a tuple
    or a list first has no name yet.
    """
    frame = user_frame(2)
    while frame is not None:
        names, returns = _targets(frame)
        if names or not returns:
            return names[0] if names else None
        frame = frame.f_back
    return None


def bound_name(value: object) -> str | None:
    """A variable in the user's function, or of its module, that is `value`."""
    frame = user_frame(2)
    if frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for name, bound in scope.items():
                if bound is value and not name.startswith("__"):
                    return name
    return None


def loop_names() -> list[str]:
    """The variables of the user's `for` statement that asks for its next item."""
    frame = user_frame(2)
    return _targets(frame)[0] if frame is not None else []


_STORES = ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF")
_LOADS = ("LOAD_FAST", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF")  # the object of a STORE_ATTR
_SKIPPED = ("CACHE", "COPY", "DUP_TOP", "UNPACK_SEQUENCE", "PRECALL", "NOP", "NOT_TAKEN")
_NEW_CELLS = sys.version_info >= (3, 11)


def _targets(frame: FrameType) -> tuple[list[str], bool]:
    # The stores right behind the instruction that is under way, and whether it is returned instead.
    # Names only serve to be read: on an interpreter with other instructions there are none.
    code, names, extended = frame.f_code, [], 0
    raw = code.co_code
    wanted, object_loaded = 1, False
    for at in range(frame.f_lasti + 2, len(raw) - 1, 2):
        name, argument = opcode.opname[raw[at]], raw[at + 1] | extended
        extended = 0
        if name == "EXTENDED_ARG":
            extended = argument << 8
        elif name == "UNPACK_SEQUENCE":
            wanted = argument
        elif name == "STORE_ATTR" or (name in _STORES and not object_loaded):
            names.append(_stored(code, name, argument))
        elif name == "STORE_FAST_LOAD_FAST":
            names.append(code.co_varnames[argument >> 4])
            break
        elif name == "STORE_FAST_STORE_FAST":
            names += [code.co_varnames[argument >> 4], code.co_varnames[argument & 15]]
        elif name in _LOADS and not object_loaded and not names:
            object_loaded = True
        elif name == "RETURN_VALUE" and not object_loaded:
            return names, not names
        elif name not in _SKIPPED and not name.startswith("<"):
            break
        if len(names) >= wanted:
            break
    return names[:wanted], False


def _stored(code: CodeType, name: str, argument: int) -> str:
    if name == "STORE_FAST":
        return code.co_varnames[argument]
    if name == "STORE_DEREF":
        if _NEW_CELLS:
            return code._varname_from_oparg(argument)  # type: ignore[attr-defined]
        return (code.co_cellvars + code.co_freevars)[argument]
    return code.co_names[argument]
