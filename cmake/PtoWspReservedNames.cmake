# SPDX-License-Identifier: MIT
# What a workload may be called. generator/verify/names.cpp has the rules for names inside workload
# files.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)

# _ptowsp_check_name(): w_name names a target, a test, a C++ namespace and a header <name>.h.
function(_ptowsp_check_name)
  string(CONCAT rule
    "a workload's name is a C identifier: letters, digits and single underscores, a letter first, "
    "at most 128")
  string(LENGTH "${w_name}" length)
  if(NOT w_name MATCHES "^[A-Za-z][A-Za-z0-9_]*$" OR w_name MATCHES "__" OR length GREATER 128)
    _ptowsp_fail("'${w_name}' cannot be the name; ${rule}")
  endif()
  set(cpp alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t
    char32_t char8_t class co_await co_return co_yield compl concept const const_cast consteval
    constexpr constinit continue decltype default delete do double dynamic_cast else enum explicit
    export extern false float for friend goto if inline int long mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
    restrict return short signed sizeof static static_assert static_cast struct switch template
    this thread_local throw true try typedef typeid typename typeof union unsigned using virtual
    void volatile wchar_t while xor xor_eq)
  set(cmake all ALL_BUILD clean Continuous depend edit_cache Experimental help INSTALL install
    list_install_components Nightly NightlyMemoryCheck PACKAGE package package_source preinstall
    rebuild_cache RUN_TESTS test ZERO_CHECK)
  if(w_name IN_LIST cpp)
    _ptowsp_fail("'${w_name}' cannot be the name; it is a C++ keyword")
  elseif(w_name IN_LIST cmake)
    _ptowsp_fail("'${w_name}' cannot be the name; CMake reserves it for a target of its own")
  endif()
  _ptowsp_is_c_library_name("${w_name}" reserved)
  if(reserved)
    _ptowsp_fail("'${w_name}' cannot be the name; it is a name or a header of the C library")
  elseif(w_name MATCHES "^(main|std|[Pp][Tt][Oo][Ww][Ss][Pp].*)$")
    _ptowsp_fail("'${w_name}' cannot be the name; main, std and ptowsp... have a meaning already")
  elseif(TARGET "${w_name}")
    _ptowsp_fail("a target named '${w_name}' exists already")
  endif()
endfunction()

# _ptowsp_is_c_library_name(<name> <variable>): what the headers of C17, and the common ones of
# POSIX, declare in the global namespace, and these headers' own names.
function(_ptowsp_is_c_library_name name variable)
  # Each of these also exists with f and l at its end.
  set(math acos acosh asin asinh atan atan2 atanh cabs cacos cacosh carg casin casinh catan catanh
    cbrt ccos ccosh ceil cexp cimag clog conj copysign cos cosh cpow cproj creal csin csinh csqrt
    ctan ctanh drem erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin fmod frexp gamma
    hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan
    nearbyint nextafter nexttoward pow remainder remquo rint round scalb scalbln scalbn significand
    sin sincos sinh sqrt tan tanh tgamma trunc j0 j1 jn y0 y1 yn)
  set(c abort abs aligned_alloc asctime at_quick_exit atexit atof atoi atol atoll bsearch btowc
    c16rtomb c32rtomb call_once calloc clearerr clock ctime difftime div errno exit fclose
    feclearexcept fegetenv fegetexceptflag fegetround feholdexcept feof feraiseexcept ferror
    fesetenv fesetexceptflag fesetround fetestexcept feupdateenv fflush fgetc fgetpos fgets fgetwc
    fgetws fopen fprintf fputc fputs fputwc fputws fread free freopen fscanf fseek fsetpos ftell
    fwide fwprintf fwrite fwscanf getc getchar getenv gets getwc getwchar gmtime imaxabs imaxdiv
    isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper
    iswalnum iswalpha iswblank iswcntrl iswctype iswdigit iswgraph iswlower iswprint iswpunct
    iswspace iswupper iswxdigit isxdigit labs ldiv llabs lldiv localeconv localtime longjmp malloc
    mblen mbrlen mbrtoc16 mbrtoc32 mbrtowc mbsinit mbsrtowcs mbstowcs mbtowc memchr memcmp memcpy
    memmove memset mktime perror printf putc putchar puts putwc putwchar qsort quick_exit raise
    rand realloc remove rename rewind scanf setbuf setjmp setlocale setvbuf signal snprintf sprintf
    srand sscanf stderr stdin stdout strcat strchr strcmp strcoll strcpy strcspn strerror strftime
    strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtod strtof strtoimax strtok
    strtol strtold strtoll strtoul strtoull strtoumax strxfrm swprintf swscanf system time
    timespec_get tmpfile tmpnam tolower toupper towctrans towlower towupper ungetc ungetwc vfprintf
    vfscanf vfwprintf vfwscanf vprintf vscanf vsnprintf vsprintf vsscanf vswprintf vswscanf
    vwprintf vwscanf wcrtomb wcscat wcschr wcscmp wcscoll wcscpy wcscspn wcsftime wcslen wcsncat
    wcsncmp wcsncpy wcspbrk wcsrchr wcsrtombs wcsspn wcsstr wcstod wcstof wcstoimax wcstok wcstol
    wcstold wcstoll wcstombs wcstoul wcstoull wcstoumax wcsxfrm wctob wctomb wctrans wctype wmemchr
    wmemcmp wmemcpy wmemmove wmemset wprintf wscanf)
  set(posix accept access acct alarm alphasort basename bcmp bcopy bind brk bzero chdir chmod chown
    chroot close closedir confstr connect creat crypt daemon daylight dirname dlclose dlerror
    dlopen dlsym dprintf drand48 dup dup2 dup3 dysize encrypt endpwent environ execl execle execlp
    execv execve execvp fchdir fchmod fchown fcntl fdatasync fdopen ffs fileno flock fork fsync
    ftruncate ftw getcwd getdelim getegid geteuid getgid gethostname getline getlogin getopt
    getpagesize getpass getpid getppid getsid getuid getw glob index initstate ioctl isatty jrand48
    kill killpg lchown lfind link listen lockf lsearch lseek lstat memccpy mkdir mkdtemp mkfifo
    mknod mkstemp mktemp mlock mmap mprotect mrand48 msync munlock munmap nanosleep nftw nice
    nrand48 open opendir openat optarg opterr optind optopt pathconf pause pclose pipe poll popen
    pread ptrace putenv putw pwrite random read readdir readlink readv realpath recv regcomp
    regexec regfree rewinddir rindex rmdir rpmatch sbrk scandir seed48 seekdir select send sendto
    setenv setgid setpgid setsid setstate setuid shutdown sigaction signgam sigpause sleep socket
    srand48 srandom stat statvfs stpcpy strdup strndup strsep strsignal swab symlink sync syscall
    sysconf syslog tcgetpgrp telldir timegm timelocal times timezone toascii truncate ttyname
    tzname tzset ualarm umask uname unlink unsetenv usleep utime utimes valloc vfork vhangup wait
    waitpid write writev)
  set(headers assert byteswap complex ctype dirent dlfcn endian fcntl features fenv inttypes iso646
    limits locale math memory pthread regex runtime sched semaphore setjmp spawn stdalign stdarg
    stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings termios tgmath threads
    uchar unistd values wchar)
  set(types FILE Runtime Task TensorPair div_t double_t float_t int16_t int32_t int64_t int8_t
    intmax_t intptr_t ptrdiff_t size_t ssize_t time_t uint16_t uint32_t uint64_t uint8_t uintmax_t
    uintptr_t)
  set(macros BUFSIZ CHAR_BIT CHAR_MAX CHAR_MIN DBL_MAX DBL_MIN EDOM EINVAL ENOMEM EOF ERANGE
    EXIT_FAILURE EXIT_SUCCESS FLT_EPSILON FLT_MAX FLT_MIN HUGE_VAL INFINITY INT16_MAX INT16_MIN
    INT32_MAX INT32_MIN INT64_C INT64_MAX INT64_MIN INT8_MAX INT8_MIN INT_MAX INT_MIN LONG_MAX
    LONG_MIN M_E M_PI NAN NDEBUG NULL RAND_MAX SIZE_MAX UINT16_MAX UINT32_MAX UINT64_C UINT64_MAX
    UINT8_MAX UINT_MAX ULONG_MAX i386 isfinite isinf isnan linux math_errhandling offsetof signbit
    unix va_arg va_end va_list va_start)
  string(REGEX REPLACE "[fl]$" "" stem "${name}")
  set(${variable} FALSE PARENT_SCOPE)
  if(name IN_LIST math OR stem IN_LIST math OR name IN_LIST c OR name IN_LIST posix
      OR name IN_LIST headers OR name IN_LIST types OR name IN_LIST macros)
    set(${variable} TRUE PARENT_SCOPE)
  endif()
endfunction()
