# SPDX-License-Identifier: MIT
# ptowsp_add_workload(): one call turns a workload file into an artifact and a test. This one file serves
# in-tree, from a build tree and installed; cmake/README.md is its reference.
#
# What the build does for a workload w, in this order (tool -> result):
#   1. list   this file, `cmake -P`   -> kernel_list     which kernels there are; a change configures again
#      of a Python workload the tracer, started here, also writes <name>.json, its locations and arrays
#   2. emit   ptowsp-gen emit         -> kernels/, manifest.json; deletes `ready` first
#   3. eval   ptowsp-gen eval         -> inputs/, expected/
#   4. build  compiler and linker     -> orchestration.<runtime>.so, kernel_<k>.so
#   5. seal   ptowsp-gen seal         -> ready           written last; the runner demands it
# The list is a function of the workload file alone and needs no generator, so that a generator that
# does not compile never stands in the way of configuring again. A Python file with a mistake becomes
# {"ptowsp": 1, "error": "..."}: emission reports it, and that one workload fails alone.
include_guard(GLOBAL)
cmake_policy(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/PtoWspFindPython.cmake")

# ptowsp_add_workload(<name> SOURCE <file> [keyword...])
#   1. read the arguments and refuse what is wrong or not supported
#   2. find tools, runtimes and the kernel levels to build for
#   3. bring the kernel list up to date and watch it
#   4. add the rules: emit, eval, one library for each runtime and for each kernel, seal
#   5. add the target <name>, which builds all of it
#   6. add the test <name>.a2a3sim, and <name>.a2a3sim.builtin where there is a pto-runtime, and
#      <name>.a2a3sim.limits where it is asked for
# _ptowsp_<step>() below is each one's code; what they share is handed on in variables w_*.
function(ptowsp_add_workload)
  _ptowsp_parse_arguments(${ARGV})
  _ptowsp_find_generator()
  _ptowsp_find_runtimes()
  _ptowsp_kernel_levels()
  _ptowsp_update_kernel_list()
  _ptowsp_add_emission()
  _ptowsp_add_evaluation()
  _ptowsp_add_orchestrations()
  _ptowsp_add_kernels()
  _ptowsp_add_artifact()
  if(NOT w_NO_TEST AND NOT w_NO_DATA)
    _ptowsp_add_test()
  endif()
endfunction()

# _ptowsp_fail(<text>...): every error of ptowsp_add_workload() ends here.
function(_ptowsp_fail)
  set(text "")
  foreach(i RANGE 1 ${ARGC})  # one by one: as a list they would lose their semicolons
    math(EXPR i "${i} - 1")
    string(APPEND text "${ARGV${i}}")
  endforeach()
  message(FATAL_ERROR "ptowsp_add_workload(${w_name}): ${text}")
endfunction()

# ---- 1. arguments -------------------------------------------------------------------------------

# _ptowsp_parse_arguments(<arguments of ptowsp_add_workload>)
# Sets w_name, w_<KEYWORD> for each keyword, w_source (absolute), w_python (whether it is a Python file),
# w_dir (the artifact's folder) and w_workload (the JSON that the generator reads: the source, or the trace).
function(_ptowsp_parse_arguments)
  set(options NO_TEST NO_DATA EXCLUDE_FROM_ALL)
  set(one_value SOURCE WORKLOAD BLOCK_DIM AICPU_THREADS DEPENDENCIES RACES SEED RTOL ATOL TIMEOUT
    OUTPUT_DIRECTORY)
  set(multi_value PARAMETERS PLATFORMS INPUTS EXPECTED LABELS)
  set(keywords ${options} ${one_value} ${multi_value})
  set(w_name "")
  if(ARGC GREATER 0)
    set(w_name "${ARGV0}")
  endif()
  if(w_name STREQUAL "" OR w_name IN_LIST keywords)
    set(w_name "")
    _ptowsp_fail("the first argument must be the workload's name")
  endif()
  _ptowsp_check_name()

  cmake_parse_arguments(PARSE_ARGV 1 w "${options}" "${one_value}" "${multi_value}")
  if(DEFINED w_UNPARSED_ARGUMENTS)
    list(GET w_UNPARSED_ARGUMENTS 0 unknown)
    list(JOIN keywords " " known)
    _ptowsp_fail("unknown argument '${unknown}'; the keywords are ${known}")
  endif()
  if(DEFINED w_KEYWORDS_MISSING_VALUES)
    list(GET w_KEYWORDS_MISSING_VALUES 0 keyword)
    _ptowsp_fail("${keyword} needs a value")
  endif()
  set(given ${ARGV})
  list(FILTER given INCLUDE REGEX "^[A-Z_]+$")
  foreach(keyword IN LISTS keywords)
    set(same "${given}")
    list(FILTER same INCLUDE REGEX "^${keyword}$")
    list(LENGTH same times)
    if(times GREATER 1)
      _ptowsp_fail("${keyword} is given ${times} times")
    endif()
  endforeach()

  foreach(keyword IN ITEMS INPUTS EXPECTED SEED)
    if(w_NO_DATA AND DEFINED w_${keyword})
      _ptowsp_fail("${keyword} and NO_DATA contradict each other; remove one of them")
    endif()
  endforeach()
  foreach(platform IN LISTS w_PLATFORMS)
    if(NOT platform MATCHES "^(a2a3sim|a2a3)$")
      _ptowsp_fail("PLATFORMS '${platform}' is unknown; the platforms are a2a3sim and a2a3")
    endif()
  endforeach()

  _ptowsp_check_choice(DEPENDENCIES dataflow program_order explicit)
  _ptowsp_check_choice(RACES error allow)
  _ptowsp_check_number(SEED "^[0-9]+$" "an integer of 0 or more")
  _ptowsp_check_number(BLOCK_DIM "^[1-9][0-9]*$" "an integer of 1 or more")
  if(DEFINED w_SEED)
    string(REGEX REPLACE "^0+(.)" "\\1" seed "${w_SEED}")
    string(LENGTH "${seed}" digits)
    if(digits GREATER 20 OR (digits EQUAL 20 AND seed STRGREATER "18446744073709551615"))
      _ptowsp_fail("SEED is '${w_SEED}', expected an integer below 2^64")
    endif()
  endif()
  if(DEFINED w_BLOCK_DIM AND w_BLOCK_DIM GREATER 1048576)
    _ptowsp_fail("BLOCK_DIM is '${w_BLOCK_DIM}', expected 1048576 at most")
  endif()
  _ptowsp_check_number(AICPU_THREADS "^([1-9]|[1-5][0-9]|6[0-4])$" "an integer from 1 to 64")
  _ptowsp_check_number(TIMEOUT "^[1-9][0-9]*$" "a whole number of seconds, 1 or more")
  foreach(keyword IN ITEMS RTOL ATOL)
    _ptowsp_check_number(${keyword} "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][-+]?[0-9]+)?$"
      "a number of 0 or more, like 0.001 or 1e-3")
  endforeach()
  if(DEFINED w_AICPU_THREADS AND DEFINED w_BLOCK_DIM)
    math(EXPR rest "${w_BLOCK_DIM} % ${w_AICPU_THREADS}")
    if(NOT rest EQUAL 0)
      _ptowsp_fail("AICPU_THREADS ${w_AICPU_THREADS} does not divide BLOCK_DIM ${w_BLOCK_DIM}; every "
        "scheduler thread needs the same number of blocks")
    endif()
  endif()
  _ptowsp_check_source()
  _ptowsp_check_parameters()
  _ptowsp_check_files(INPUTS)
  _ptowsp_check_files(EXPECTED)

  set(w_dir "${w_name}.ptowsp")
  if(DEFINED w_OUTPUT_DIRECTORY)
    set(w_dir "${w_OUTPUT_DIRECTORY}")
  endif()
  cmake_path(ABSOLUTE_PATH w_dir BASE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" NORMALIZE)
  string(REGEX REPLACE "/$" "" w_dir "${w_dir}")
  get_property(owner GLOBAL PROPERTY "_PTOWSP_OWNER_OF_${w_dir}")
  if(owner)
    _ptowsp_fail("OUTPUT_DIRECTORY '${w_dir}' is the one of workload '${owner}' already")
  endif()
  set_property(GLOBAL PROPERTY "_PTOWSP_OWNER_OF_${w_dir}" "${w_name}")

  set(w_workload "${w_source}")
  if(w_python)
    set(w_workload "${w_dir}/${w_name}.json")
  endif()
  foreach(variable IN LISTS keywords ITEMS name source python workload dir)
    if(DEFINED w_${variable})
      set(w_${variable} "${w_${variable}}" PARENT_SCOPE)
    else()
      unset(w_${variable} PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# _ptowsp_check_name(): w_name names a target, a test, a C++ namespace and a header <name>.h.
function(_ptowsp_check_name)
  set(rule "a workload's name is a C identifier: letters, digits and single underscores, a letter first, at most 128")
  string(LENGTH "${w_name}" length)
  if(NOT w_name MATCHES "^[A-Za-z][A-Za-z0-9_]*$" OR w_name MATCHES "__" OR length GREATER 128)
    _ptowsp_fail("'${w_name}' cannot be the name; ${rule}")
  endif()
  set(cpp alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t
    char32_t char8_t class co_await co_return co_yield compl concept const const_cast consteval
    constexpr constinit continue decltype default delete do double dynamic_cast else enum explicit
    export extern false float for friend goto if inline int long mutable namespace new noexcept not
    not_eq nullptr operator or or_eq private protected public register reinterpret_cast requires
    restrict return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename union unsigned using virtual void volatile
    wchar_t while xor xor_eq)
  set(cmake all clean depend edit_cache help install list_install_components package package_source
    preinstall rebuild_cache test ALL_BUILD Continuous Experimental INSTALL Nightly
    NightlyMemoryCheck PACKAGE RUN_TESTS ZERO_CHECK)
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

# _ptowsp_is_c_library_name(<name> <variable>): what the headers of C17, and the common ones of POSIX,
# declare in the global namespace, and these headers' own names.
function(_ptowsp_is_c_library_name name variable)
  # Each of these also exists with f and l at its end.
  set(math acos acosh asin asinh atan atan2 atanh cabs cacos cacosh carg casin casinh catan catanh cbrt
    ccos ccosh ceil cexp cimag clog conj copysign cos cosh cpow cproj creal csin csinh csqrt ctan ctanh
    drem erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin fmod frexp gamma hypot ilogb ldexp
    lgamma llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter nexttoward
    pow remainder remquo rint round scalb scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma
    trunc j0 j1 jn y0 y1 yn)
  set(c abort abs aligned_alloc asctime at_quick_exit atexit atof atoi atol atoll bsearch btowc c16rtomb
    c32rtomb call_once calloc clearerr clock ctime difftime div errno exit fclose feclearexcept fegetenv
    fegetexceptflag fegetround feholdexcept feof feraiseexcept ferror fesetenv fesetexceptflag fesetround
    fetestexcept feupdateenv fflush fgetc fgetpos fgets fgetwc fgetws fopen fprintf fputc fputs fputwc
    fputws fread free freopen fscanf fseek fsetpos ftell fwide fwprintf fwrite fwscanf getc getchar getenv
    gets getwc getwchar gmtime imaxabs imaxdiv isalnum isalpha isascii isblank iscntrl isdigit isgraph
    islower isprint ispunct isspace isupper iswalnum iswalpha iswblank iswcntrl iswctype iswdigit iswgraph
    iswlower iswprint iswpunct iswspace iswupper iswxdigit isxdigit labs ldiv llabs lldiv localeconv
    localtime longjmp malloc mblen mbrlen mbrtoc16 mbrtoc32 mbrtowc mbsinit mbsrtowcs mbstowcs mbtowc
    memchr memcmp memcpy memmove memset mktime perror printf putc putchar puts putwc putwchar qsort
    quick_exit raise rand realloc remove rename rewind scanf setbuf setjmp setlocale setvbuf signal
    snprintf sprintf srand sscanf stderr stdin stdout strcat strchr strcmp strcoll strcpy strcspn strerror
    strftime strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtod strtof strtoimax strtok
    strtol strtold strtoll strtoul strtoull strtoumax strxfrm swprintf swscanf system time timespec_get
    tmpfile tmpnam tolower toupper towctrans towlower towupper ungetc ungetwc vfprintf vfscanf vfwprintf
    vfwscanf vprintf vscanf vsnprintf vsprintf vsscanf vswprintf vswscanf vwprintf vwscanf wcrtomb wcscat
    wcschr wcscmp wcscoll wcscpy wcscspn wcsftime wcslen wcsncat wcsncmp wcsncpy wcspbrk wcsrchr wcsrtombs
    wcsspn wcsstr wcstod wcstof wcstoimax wcstok wcstol wcstold wcstoll wcstombs wcstoul wcstoull
    wcstoumax wcsxfrm wctob wctomb wctrans wctype wmemchr wmemcmp wmemcpy wmemmove wmemset wprintf wscanf)
  set(posix accept access acct alarm alphasort basename bcmp bcopy bind brk bzero chdir chmod chown chroot
    close closedir confstr connect creat crypt daemon daylight dirname dlclose dlerror dlopen dlsym dprintf
    drand48 dup dup2 dup3 dysize encrypt endpwent environ execl execle execlp execv execve execvp fchdir
    fchmod fchown fcntl fdatasync fdopen ffs fileno flock fork fsync ftruncate ftw getcwd getdelim getegid
    geteuid getgid gethostname getline getlogin getopt getpagesize getpass getpid getppid getsid getuid
    getw glob index initstate ioctl isatty jrand48 kill killpg lchown lfind link listen lockf lsearch lseek
    lstat memccpy mkdir mkdtemp mkfifo mknod mkstemp mktemp mlock mmap mprotect mrand48 msync munlock
    munmap nanosleep nftw nice nrand48 open opendir openat optarg opterr optind optopt pathconf pause
    pclose pipe poll popen pread ptrace putenv putw pwrite random read readdir readlink readv realpath
    recv regcomp regexec regfree rewinddir rindex rmdir rpmatch sbrk scandir seed48 seekdir select send
    sendto setenv setgid setpgid setsid setstate setuid shutdown sigaction signgam sigpause sleep socket
    srand48 srandom stat statvfs stpcpy strdup strndup strsep strsignal swab symlink sync syscall sysconf
    syslog tcgetpgrp telldir timegm timelocal times timezone toascii truncate ttyname tzname tzset ualarm
    umask uname unlink unsetenv usleep utime utimes valloc vfork vhangup wait waitpid write writev)
  set(headers assert byteswap complex ctype dirent dlfcn endian fcntl features fenv inttypes iso646 limits
    locale math memory pthread regex runtime sched semaphore setjmp spawn stdalign stdarg stdatomic stdbool
    stddef stdint stdio stdlib stdnoreturn string strings termios tgmath threads uchar unistd values wchar)
  string(REGEX REPLACE "[fl]$" "" stem "${name}")
  set(${variable} FALSE PARENT_SCOPE)
  if(name IN_LIST math OR stem IN_LIST math OR name IN_LIST c OR name IN_LIST posix
      OR name IN_LIST headers)
    set(${variable} TRUE PARENT_SCOPE)
  endif()
endfunction()

function(_ptowsp_check_choice keyword)
  if(DEFINED w_${keyword} AND NOT w_${keyword} IN_LIST ARGN)
    list(JOIN ARGN " or " choices)
    _ptowsp_fail("${keyword} is '${w_${keyword}}', expected ${choices}")
  endif()
endfunction()

function(_ptowsp_check_number keyword pattern expected)
  if(DEFINED w_${keyword} AND NOT w_${keyword} MATCHES "${pattern}")
    _ptowsp_fail("${keyword} is '${w_${keyword}}', expected ${expected}")
  endif()
endfunction()

# _ptowsp_check_source(): makes w_source, the absolute path of SOURCE, and w_python in the caller.
function(_ptowsp_check_source)
  if(NOT DEFINED w_SOURCE)
    _ptowsp_fail("SOURCE is missing; it names the workload file (.json or .py)")
  endif()
  cmake_path(GET w_SOURCE EXTENSION LAST_ONLY extension)
  set(w_python FALSE PARENT_SCOPE)
  if(extension STREQUAL ".py")
    set(w_python TRUE PARENT_SCOPE)
  elseif(NOT extension STREQUAL ".json")
    _ptowsp_fail("SOURCE '${w_SOURCE}': expected a workload file that ends in .json or .py")
  endif()
  cmake_path(ABSOLUTE_PATH w_SOURCE BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE
    OUTPUT_VARIABLE path)
  if(NOT EXISTS "${path}" OR IS_DIRECTORY "${path}")
    _ptowsp_fail("SOURCE '${w_SOURCE}': there is no such file; looked for ${path}")
  endif()
  set(w_source "${path}" PARENT_SCOPE)
endfunction()

# _ptowsp_check_parameters(): WORKLOAD and PARAMETERS. Their names and values mean something to the Python
# file only; the tracer checks them.
function(_ptowsp_check_parameters)
  foreach(keyword IN ITEMS WORKLOAD PARAMETERS)
    if(DEFINED w_${keyword} AND NOT w_python)
      _ptowsp_fail("${keyword} belongs to Python workloads, and SOURCE '${w_SOURCE}' is none; remove it")
    endif()
  endforeach()
  if(DEFINED w_WORKLOAD AND NOT w_WORKLOAD MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    _ptowsp_fail("WORKLOAD is '${w_WORKLOAD}', expected the name of a Python function")
  endif()
  set(names "")
  foreach(item IN LISTS w_PARAMETERS)
    if(NOT item MATCHES "^([A-Za-z_][A-Za-z0-9_]*)=.")
      _ptowsp_fail("PARAMETERS '${item}', expected <name>=<value>")
    endif()
    set(name "${CMAKE_MATCH_1}")
    if(item MATCHES "[;\n]")
      _ptowsp_fail("PARAMETERS '${item}': a value has neither semicolons nor line breaks")
    elseif(item MATCHES "\\$<")
      _ptowsp_fail("PARAMETERS '${item}': a value is needed at configure, where generator expressions have none")
    elseif(name IN_LIST names)
      _ptowsp_fail("PARAMETERS names '${name}' twice")
    endif()
    list(APPEND names "${name}")
  endforeach()
endfunction()

# _ptowsp_check_files(INPUTS|EXPECTED): replaces w_<keyword> in the caller by tensor=<absolute path>.
# A relative path is looked up as add_custom_command(DEPENDS) does it: source folder, then build folder.
function(_ptowsp_check_files keyword)
  set(result "")
  set(tensors "")
  foreach(item IN LISTS w_${keyword})
    if(NOT item MATCHES "^([A-Za-z_][A-Za-z0-9_]*)=(.+)$")
      _ptowsp_fail("${keyword} '${item}', expected <tensor>=<file>.npy")
    endif()
    set(tensor "${CMAKE_MATCH_1}")
    set(file "${CMAKE_MATCH_2}")
    if(tensor IN_LIST tensors)
      _ptowsp_fail("${keyword} names the tensor '${tensor}' twice")
    endif()
    list(APPEND tensors "${tensor}")
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE
      OUTPUT_VARIABLE path)
    if(NOT EXISTS "${path}")
      cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" NORMALIZE
        OUTPUT_VARIABLE path)
    endif()
    get_source_file_property(generated "${path}" GENERATED)
    if(NOT EXISTS "${path}" AND NOT generated)
      # Without this the whole build would stop at "no known rule to make", other workloads included.
      _ptowsp_fail("${keyword} '${item}': there is no such file, and no add_custom_command() above "
        "this call makes it")
    endif()
    list(APPEND result "${tensor}=${path}")
  endforeach()
  if(result)
    set(w_${keyword} "${result}" PARENT_SCOPE)
  endif()
endfunction()

# ---- 2. tools, runtimes, levels -----------------------------------------------------------------

# _ptowsp_find_generator(): sets w_generator, what COMMAND and DEPENDS name. Building for this machine
# it is the target PtoWsp::ptowsp-gen; cross compiling, the program of a host installation of the same
# version under PtoWsp_HOST_ROOT.
function(_ptowsp_find_generator)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "CXX" IN_LIST languages)
    _ptowsp_fail("the project does not enable C++, which orchestration and kernels are compiled as; "
      "write project(... LANGUAGES CXX)")
  endif()
  if(NOT CMAKE_CROSSCOMPILING)
    if(NOT TARGET PtoWsp::ptowsp-gen)
      _ptowsp_fail("the generator PtoWsp::ptowsp-gen is not known here; call "
        "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
    endif()
    set(w_generator PtoWsp::ptowsp-gen PARENT_SCOPE)
    return()
  endif()
  set(PtoWsp_HOST_ROOT "" CACHE PATH
    "Prefix of a PtoWsp installation for the build machine, used when cross compiling")
  set(program "${PtoWsp_HOST_ROOT}/bin/ptowsp-gen")
  if(PtoWsp_HOST_ROOT STREQUAL "" OR NOT EXISTS "${program}")
    _ptowsp_fail("cross compiling needs a generator for the build machine, and "
      "PtoWsp_HOST_ROOT='${PtoWsp_HOST_ROOT}' has no bin/ptowsp-gen; set PtoWsp_HOST_ROOT to the "
      "prefix of a PtoWsp installed for the build machine")
  endif()
  get_property(checked GLOBAL PROPERTY _PTOWSP_HOST_GENERATOR)
  if(NOT checked STREQUAL program)
    execute_process(COMMAND "${program}" --version OUTPUT_VARIABLE found ERROR_VARIABLE found
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
    get_property(version GLOBAL PROPERTY PTOWSP_VERSION)
    string(REPLACE "." "\\." pattern "${version}")
    if(NOT found MATCHES "(^|[^0-9.])${pattern}($|[^0-9.])")
      _ptowsp_fail("the host generator ${program} says '${found}', but this PtoWsp is ${version}; "
        "install the same version for the build machine and set PtoWsp_HOST_ROOT to it")
    endif()
    set_property(GLOBAL PROPERTY _PTOWSP_HOST_GENERATOR "${program}")
  endif()
  set(w_generator "${program}" PARENT_SCOPE)
endfunction()

# _ptowsp_find_runtimes(): sets w_runtimes, the runtimes to compile an orchestration for, the preferred one
# first, and for each w_runtime_<r>_includes, where its runtime.h lies, w_runtime_<r>_definitions,
# what it is compiled with, w_runtime_<r>_library, what the runner is given, and w_runtime_<r>_ready, what has to be built before a test.
function(_ptowsp_find_runtimes)
  if(NOT TARGET PtoWsp::sim)
    _ptowsp_fail("the built-in runtime PtoWsp::sim is not known here; call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  set(runtimes builtin)
  if(PTOWSP_TEST_PINNED_LIMITS)
    # The built-in runtime, as if it had the limits of the pinned pto-runtime. The last: it has a test
    # with a name of its own.
    list(APPEND runtimes builtin_limits)
    set(w_runtime_builtin_limits_includes
      "$<TARGET_PROPERTY:PtoWsp::sim,INTERFACE_INCLUDE_DIRECTORIES>" PARENT_SCOPE)
    set(w_runtime_builtin_limits_definitions RUNTIME_MAX_TASKS=1024 RUNTIME_MAX_FANOUT=512
      RUNTIME_MAX_ARGS=16 RUNTIME_MAX_TENSOR_PAIRS=64 PARENT_SCOPE)
    set(w_runtime_builtin_limits_library "$<TARGET_FILE:PtoWsp::sim>" PARENT_SCOPE)
  endif()
  set(w_runtime_builtin_includes "$<TARGET_PROPERTY:PtoWsp::sim,INTERFACE_INCLUDE_DIRECTORIES>"
    PARENT_SCOPE)
  set(w_runtime_builtin_library "$<TARGET_FILE:PtoWsp::sim>" PARENT_SCOPE)
  _ptowsp_find_pto_runtime(root)
  if(root AND DEFINED w_AICPU_THREADS AND w_AICPU_THREADS GREATER 4)
    _ptowsp_fail("AICPU_THREADS is '${w_AICPU_THREADS}', and pto-runtime (${root}) has 4 scheduler "
      "threads; use 1 to 4, or configure with PTO_RUNTIME_PATH=OFF for the built-in runtime, which "
      "has up to 64")
  endif()
  if(root)
    list(PREPEND runtimes pto-runtime)
    _ptowsp_add_pto_runtime("${root}")
    get_property(includes GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_INCLUDES)
    get_property(folder GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_FOLDER)
    set(w_runtime_pto-runtime_includes "${includes}" PARENT_SCOPE)
    set(w_runtime_pto-runtime_library "${folder}" PARENT_SCOPE)
  endif()
  set(w_runtimes ${runtimes} PARENT_SCOPE)
endfunction()

# _ptowsp_find_pto_runtime(<variable>): the checkout of pto-runtime: PTO_RUNTIME_PATH of the cache or the
# environment, else 3rdparty/pto-runtime of this PtoWsp's sources or of the project, where it is populated;
# empty for the built-in runtime alone.
function(_ptowsp_find_pto_runtime variable)
  set(PTO_RUNTIME_PATH "$ENV{PTO_RUNTIME_PATH}" CACHE STRING
    "Checkout of pto-runtime to run workloads on, besides the built-in runtime; OFF for none; empty for \
3rdparty/pto-runtime where it is populated")
  set(root "${PTO_RUNTIME_PATH}")
  if(root STREQUAL "")
    set(root "$ENV{PTO_RUNTIME_PATH}")
  endif()
  if(root STREQUAL "OFF" OR CMAKE_CROSSCOMPILING)
    set(root "")
  elseif(root STREQUAL "")
    foreach(tree IN ITEMS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/.." "${CMAKE_SOURCE_DIR}")
      cmake_path(NORMAL_PATH tree)
      if(root STREQUAL "" AND EXISTS "${tree}/3rdparty/pto-runtime/python/bindings.py")
        cmake_path(APPEND tree 3rdparty pto-runtime OUTPUT_VARIABLE root)
      endif()
    endforeach()
  elseif(NOT IS_DIRECTORY "${root}")
    _ptowsp_fail("PTO_RUNTIME_PATH is '${root}', and there is no such folder; set it to a checkout of "
      "pto-runtime, or to OFF for the built-in runtime. Where pto-runtime is a submodule: git submodule "
      "update --init --recursive")
  else()
    cmake_path(ABSOLUTE_PATH root BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" NORMALIZE)
  endif()
  set(${variable} "${root}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_pto_runtime(<root>): once for a build tree, the target ptowsp.pto_runtime, which has
# pto-runtime's own RuntimeBuilder make its libraries. Which version it is, and what that means, is for
# versions.py to say.
function(_ptowsp_add_pto_runtime root)
  if(TARGET ptowsp.pto_runtime)
    return()
  endif()
  get_property(bridge GLOBAL PROPERTY PTOWSP_BRIDGE)
  if(bridge STREQUAL "" OR NOT EXISTS "${bridge}/versions.py")
    _ptowsp_fail("the bridge to pto-runtime is not known here, or not there (${bridge}); call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  include("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/PtoWspFindPython.cmake")
  ptowsp_find_python(python)
  if(NOT python)
    _ptowsp_fail("running on pto-runtime needs Python 3.9 or newer, and there is no such python3 on PATH. "
      "On Debian: apt install python3; or set PTOWSP_PYTHON to an interpreter, or PTO_RUNTIME_PATH to OFF")
  endif()
  execute_process(COMMAND "${python}" -I -S -B "${bridge}/versions.py" "${root}" RESULT_VARIABLE failed
    OUTPUT_VARIABLE said ERROR_VARIABLE error OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
  if(failed)
    _ptowsp_fail("PTO_RUNTIME_PATH: ${error}")
  endif()
  string(REPLACE "\n" ";" said "${said}")
  list(POP_FRONT said version)
  set(folder "${CMAKE_BINARY_DIR}/ptowsp.pto_runtime")
  add_custom_command(OUTPUT "${folder}/runtime.json"
    BYPRODUCTS "${folder}/host.so" "${folder}/aicpu.so" "${folder}/aicore.so"
    COMMAND "${python}" -B "${bridge}/build_runtime.py" "${root}" -o "${folder}" --depfile "${folder}/build.d"
    DEPFILE "${folder}/build.d"
    COMMENT "Building the libraries of pto-runtime ${version}" VERBATIM)
  add_custom_target(ptowsp.pto_runtime DEPENDS "${folder}/runtime.json")
  set_property(GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_INCLUDES "${said}")
  set_property(GLOBAL PROPERTY _PTOWSP_PTO_RUNTIME_FOLDER "${folder}")
  message(STATUS "PtoWsp: workloads run on pto-runtime ${version} in ${root}, too")
endfunction()

# _ptowsp_kernel_levels(): sets w_levels from PTOWSP_KERNEL_ARCH: one level, or `multi` for all of the
# processor's. Always a named level and never `native`, so that caches and remote compilers can share.
function(_ptowsp_kernel_levels)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
    set(all aarch64)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(all x86-64-v2 x86-64-v3 x86-64-v4)
  else()
    _ptowsp_fail("the processor ${CMAKE_SYSTEM_PROCESSOR} is not supported; kernels are built for "
      "x86_64 and aarch64")
  endif()
  if(NOT DEFINED PTOWSP_KERNEL_ARCH OR PTOWSP_KERNEL_ARCH STREQUAL "")
    _ptowsp_level_of_build_machine("${all}" level)
    set(PTOWSP_KERNEL_ARCH "${level}" CACHE STRING
      "Processor level that kernels are built for: ${all}, or multi for all of them" FORCE)
  endif()
  if(PTOWSP_KERNEL_ARCH STREQUAL "multi")
    set(w_levels ${all} PARENT_SCOPE)
  elseif(PTOWSP_KERNEL_ARCH IN_LIST all)
    set(w_levels ${PTOWSP_KERNEL_ARCH} PARENT_SCOPE)
  else()
    list(JOIN all ", " choices)
    _ptowsp_fail("PTOWSP_KERNEL_ARCH is '${PTOWSP_KERNEL_ARCH}', expected ${choices} or multi")
  endif()
endfunction()

# _ptowsp_level_of_build_machine(<levels> <variable>): the highest level whose processor flags are all
# there (x86-64 psABI); the lowest where that cannot be known.
function(_ptowsp_level_of_build_machine levels variable)
  list(GET levels 0 level)
  if(level STREQUAL "x86-64-v2" AND NOT CMAKE_CROSSCOMPILING AND EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo flags LIMIT_COUNT 1 REGEX "^flags[ \t]*:")
    string(REGEX REPLACE "[ \t]+" ";" flags "${flags}")
    set(v3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave)
    set(v4 ${v3} avx512f avx512bw avx512cd avx512dq avx512vl)
    foreach(candidate IN ITEMS v3 v4)
      list(REMOVE_ITEM ${candidate} ${flags})
      if("${${candidate}}" STREQUAL "")
        set(level "x86-64-${candidate}")
      endif()
    endforeach()
  endif()
  set(${variable} "${level}" PARENT_SCOPE)
endfunction()

# ---- 3. kernel list -----------------------------------------------------------------------------

# _ptowsp_list_kernels(<source> <list>): writes the kernel list, one `aiv:<kernel>` a line, if it
# changed. A workload file that cannot be listed keeps its old list: emission is where errors are
# reported, so that one broken workload fails alone and configuring never does.
function(_ptowsp_list_kernels source list)
  set(old "")
  if(EXISTS "${list}")
    file(READ "${list}" old)
  else()
    file(WRITE "${list}" "")
  endif()
  if(NOT EXISTS "${source}")  # renamed; configuring again knows the new name
    return()
  endif()
  file(READ "${source}" text)
  _ptowsp_is_nested_too_deep("${text}" too_deep)
  if(too_deep)
    return()
  endif()
  string(JSON kernels ERROR_VARIABLE error GET "${text}" kernels)
  string(JSON type ERROR_VARIABLE no_type TYPE "${text}" kernels)
  if(error OR NOT type STREQUAL "ARRAY")
    return()
  endif()
  string(JSON count LENGTH "${kernels}")
  set(names "")
  set(new "")
  if(count GREATER 0)
    math(EXPR last "${count} - 1")
    foreach(i RANGE ${last})
      string(JSON name ERROR_VARIABLE error GET "${kernels}" ${i} name)
      if(error OR NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$" OR name IN_LIST names)
        return()
      endif()
      list(APPEND names "${name}")
      string(APPEND new "aiv:${name}\n")
    endforeach()
  endif()
  if(NOT new STREQUAL old)
    file(WRITE "${list}" "${new}")
  endif()
endfunction()

# _ptowsp_is_nested_too_deep(<text> <variable>): string(JSON) ends CMake itself at a nesting of 1000.
function(_ptowsp_is_nested_too_deep text variable)
  set(${variable} FALSE PARENT_SCOPE)
  string(LENGTH "${text}" length)
  if(length LESS 1000)
    return()
  endif()
  string(REGEX REPLACE "[^][{}]+" "" brackets "${text}")
  foreach(level RANGE 900)
    string(LENGTH "${brackets}" length)
    if(length LESS 900)
      return()
    endif()
    set(before ${length})
    string(REPLACE "[]" "" brackets "${brackets}")
    string(REPLACE "{}" "" brackets "${brackets}")
    string(LENGTH "${brackets}" length)
    if(length EQUAL before)
      break()
    endif()
  endforeach()
  set(${variable} TRUE PARENT_SCOPE)
endfunction()

# _ptowsp_find_tracer(): sets w_tracer, the command that starts the tracer, and w_tracer_files, what it
# consists of. The interpreter is the first with numpy, else the first: whether a workload needs numpy
# is known only when it runs.
function(_ptowsp_find_tracer)
  get_property(folder GLOBAL PROPERTY PTOWSP_PYTHON_PACKAGES)
  if(folder STREQUAL "" OR NOT EXISTS "${folder}/pto_wsp/pto.py")
    _ptowsp_fail("the Python package of PtoWsp is not known here, or not there (${folder}/pto_wsp); call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  ptowsp_find_python(python numpy)
  if(NOT python)
    ptowsp_find_python(python)
  endif()
  if(NOT python AND PTOWSP_PYTHON)
    _ptowsp_fail("PTOWSP_PYTHON is '${PTOWSP_PYTHON}', which does not run or is older than Python 3.9")
  elseif(NOT python)
    _ptowsp_fail("Python workloads need Python 3.9 or newer, and there is no such python3 on PATH. "
      "On Debian: apt install python3; or set PTOWSP_PYTHON to an interpreter")
  endif()
  file(GLOB files "${folder}/pto_wsp/*.py")
  # The environment of whoever starts the build has no say in what is imported.
  set(w_tracer "${CMAKE_COMMAND}" -E env "PYTHONPATH=${folder}" --unset=PYTHONHOME --unset=PYTHONSTARTUP
    "${python}" -B -m pto_wsp trace PARENT_SCOPE)
  set(w_tracer_files ${files} PARENT_SCOPE)
endfunction()

# _ptowsp_trace(<command> <source> <workload>): runs the tracer in the folder of the source. It always
# succeeds: mistakes come out of emission, and a tracer that crashed is one of them.
function(_ptowsp_trace command source workload)
  cmake_path(GET source PARENT_PATH folder)
  cmake_path(GET workload PARENT_PATH artifact_folder)
  execute_process(COMMAND ${command} WORKING_DIRECTORY "${folder}" RESULT_VARIABLE failed)
  if(failed)
    string(REGEX REPLACE "[\\\"]" "\\\\\\0" source "${source}")
    file(WRITE "${workload}" "{\"ptowsp\": 1, \"error\": \"${source}: error: the Python interpreter ended "
      "with '${failed}' while tracing it; its output stands above\"}\n")
    string(REPLACE " " "\\ " artifact "${artifact_folder}")
    file(WRITE "${artifact_folder}/list.d" "${artifact}/list.stamp: \\\n  ${artifact}/list.stamp.retry\n")
  endif()
endfunction()

# _ptowsp_update_kernel_list(): sets w_kernels. Ninja runs the listing rule before it looks whether to
# configure again, so that one build converges; make knows no such rule and configures again whenever
# the workload file changed. The workload file itself is in the depfiles of these rules only: as a DEPENDS it
# would keep Ninja from configuring again when the file was renamed.
function(_ptowsp_update_kernel_list)
  set(list "${w_dir}/kernel_list")
  file(MAKE_DIRECTORY "${w_dir}")
  if(w_python)
    _ptowsp_update_trace()
  else()
    _ptowsp_list_kernels("${w_source}" "${list}")
    if(CMAKE_GENERATOR MATCHES "Ninja")
      add_custom_command(OUTPUT "${w_dir}/list.stamp" BYPRODUCTS "${list}"
        COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_SOURCE=${w_source}" "-DPTOWSP_LIST=${list}"
          "-DPTOWSP_STAMP=${w_dir}/list.stamp" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" list
        DEPFILE "${w_dir}/list.d"
        COMMENT "Listing the kernels of ${w_name}" VERBATIM)
    else()
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_source}")
    endif()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    add_custom_target(${w_name}.stage.list DEPENDS "${w_dir}/list.stamp")
  endif()

  file(STRINGS "${list}" kernels REGEX "^aiv:")
  list(TRANSFORM kernels REPLACE "^aiv:" "")
  _ptowsp_remove_stale_libraries("${kernels}")
  set(w_kernels "${kernels}" PARENT_SCOPE)
  set(w_data "${w_data}" PARENT_SCOPE)
  set(w_reads "${w_reads}" PARENT_SCOPE)
  if(DEFINED w_DEPENDENCIES)
    set(w_DEPENDENCIES "${w_DEPENDENCIES}" PARENT_SCOPE)
  endif()
endfunction()

# _ptowsp_update_trace(): traces when there is no trace yet, and adds the rule that does it again. Sets
# w_data, the arrays that came out: <w_dir>/<name>.<tensor>.npy and, of golden(), golden/<tensor>.npy;
# w_reads, the arrays that tensors name by init; and w_DEPENDENCIES as the workload wants them, unless the call said so.
function(_ptowsp_update_trace)
  _ptowsp_find_tracer()
  set(list "${w_dir}/kernel_list")
  set(stamp "${w_dir}/list.stamp")
  set(command ${w_tracer} "${w_source}" -o "${w_workload}" --kernel-list "${list}"
    --build-list "${w_dir}/build_list" --depfile "${w_dir}/list.d" --depfile-target "${stamp}" --defer-errors)
  if(NOT w_NO_DATA)
    list(APPEND command --expected "${w_dir}/golden")
  endif()
  if(DEFINED w_SEED)
    list(APPEND command --seed ${w_SEED})
  endif()
  if(DEFINED w_WORKLOAD)
    list(APPEND command --workload ${w_WORKLOAD})
  endif()
  foreach(parameter IN LISTS w_PARAMETERS)
    list(APPEND command -p "${parameter}")
  endforeach()

  foreach(file IN ITEMS kernel_list build_list)
    if(NOT EXISTS "${w_dir}/${file}")
      file(WRITE "${w_dir}/${file}" "")  # an absent file would be dropped from what configuring depends on
      file(REMOVE "${stamp}")
    endif()
  endforeach()
  _ptowsp_is_trace_old("${command}" old)
  if(old)
    _ptowsp_trace("${command}" "${w_source}" "${w_workload}")
    file(WRITE "${w_dir}/list.command" "${command}")
    file(TOUCH "${stamp}")
  endif()

  file(STRINGS "${w_dir}/build_list" data REGEX "^npy:")
  list(TRANSFORM data REPLACE "^npy:" "${w_dir}/")
  file(STRINGS "${w_dir}/build_list" dependences REGEX "^dependences:")
  if(dependences AND NOT DEFINED w_DEPENDENCIES)
    string(REPLACE "dependences:" "" dependences "${dependences}")
    set(w_DEPENDENCIES "${dependences}" PARENT_SCOPE)
  endif()
  set(made "${w_workload}" "${w_dir}/${w_name}.locations.json" ${data})
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_dir}/build_list")
    add_custom_command(OUTPUT "${stamp}" BYPRODUCTS "${list}" "${w_dir}/build_list" ${made}
      COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_SOURCE=${w_source}" "-DPTOWSP_WORKLOAD=${w_workload}"
        "-DPTOWSP_STAMP=${stamp}" "-DPTOWSP_COMMAND=${command}" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" trace
      DEPENDS ${w_tracer_files} DEPFILE "${w_dir}/list.d"
      COMMENT "Tracing ${w_name}" VERBATIM)
  else()
    _ptowsp_read_depfile("${w_dir}/list.d" files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_source}" ${files} ${w_tracer_files}
      ${made} "${w_dir}/build_list")
    if(files MATCHES "/list[.]stamp[.]retry")
      # CMake does not watch what is not there, so this one is there now, and emission deletes it.
      file(TOUCH "${w_dir}/retry")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${w_dir}/retry")
    endif()
  endif()
  set(w_data "${data}" PARENT_SCOPE)
  file(STRINGS "${w_dir}/build_list" reads REGEX "^reads:")
  list(TRANSFORM reads REPLACE "^reads:" "${w_dir}/")
  set(w_reads "${reads}" PARENT_SCOPE)
endfunction()

# _ptowsp_is_trace_old(<command> <variable>): whether configuring has to trace. With Ninja only when there
# is no trace: the build does it again when needed, and would do it twice.
function(_ptowsp_is_trace_old command variable)
  set(${variable} TRUE PARENT_SCOPE)
  set(stamp "${w_dir}/list.stamp")
  if(NOT EXISTS "${stamp}" OR NOT EXISTS "${w_workload}")
    return()
  endif()
  if(NOT CMAKE_GENERATOR MATCHES "Ninja")
    set(last "")
    if(EXISTS "${w_dir}/list.command")
      file(READ "${w_dir}/list.command" last)
    endif()
    if(NOT last STREQUAL "${command}")
      return()
    endif()
    _ptowsp_read_depfile("${w_dir}/list.d" files)
    file(STRINGS "${w_dir}/build_list" data REGEX "^npy:")
    list(TRANSFORM data REPLACE "^npy:" "${w_dir}/")
    foreach(file IN LISTS data ITEMS "${w_dir}/${w_name}.locations.json")
      if(NOT EXISTS "${file}")
        return()
      endif()
    endforeach()
    foreach(file IN LISTS files w_tracer_files ITEMS "${w_source}")
      if("${file}" IS_NEWER_THAN "${stamp}")  # or absent
        return()
      endif()
    endforeach()
  endif()
  set(${variable} FALSE PARENT_SCOPE)
endfunction()

# _ptowsp_read_depfile(<depfile> <variable>): the files that it says its target depends on.
function(_ptowsp_read_depfile depfile variable)
  set(text "")
  if(EXISTS "${depfile}")
    file(READ "${depfile}" text)
  endif()
  string(REGEX REPLACE "^([^\\\n]|\\\\[^\n])*: " "" text "${text}")
  string(REPLACE "\\\n" "\n" text "${text}")
  string(REPLACE "\\ " " " text "${text}")
  string(REPLACE "\\#" "#" text "${text}")
  string(REPLACE "$$" "$" text "${text}")
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  set(files "")
  foreach(line IN LISTS lines)
    string(STRIP "${line}" line)
    if(NOT line STREQUAL "")
      list(APPEND files "${line}")
    endif()
  endforeach()
  set(${variable} "${files}" PARENT_SCOPE)
endfunction()

# _ptowsp_remove_stale_libraries(<kernels>): removes the libraries of kernels that the list of the last
# configure named and this one does not; never anything that no list named.
function(_ptowsp_remove_stale_libraries kernels)
  set(configured "${w_dir}/kernel_list.configured")
  set(stale "")
  if(EXISTS "${configured}")
    file(STRINGS "${configured}" stale)
  endif()
  if(stale AND kernels)
    list(REMOVE_ITEM stale ${kernels})
  endif()
  foreach(kernel IN LISTS stale)
    foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES ITEMS .)
      foreach(level IN LISTS w_levels ITEMS "")
        _ptowsp_kernel_file("${kernel}" "${level}" file)
        file(REMOVE "${w_dir}/${config}/${file}.so")
      endforeach()
    endforeach()
  endforeach()
  list(JOIN kernels "\n" text)
  file(CONFIGURE OUTPUT "${configured}" CONTENT "${text}\n" @ONLY)
endfunction()

# ---- 4. rules -----------------------------------------------------------------------------------

# _ptowsp_list_sim_support(<variable>): the headers that emitted sim kernels include.
function(_ptowsp_list_sim_support variable)
  set(headers double elementwise float16 math matmul reduce tile vector)
  list(TRANSFORM headers REPLACE "(.+)" "kernels/sim_support/ptowsp_\\1.h")
  set(${variable} "${headers}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_emission(): the rule for emit.stamp. The emitted files are by-products, written only when
# their bytes change, so that what depends on them is as exact as they are.
function(_ptowsp_add_emission)
  set(emitted manifest.json kernels/kernel_config.py kernels/orchestration/pto_wsp_orch.cpp
    kernels/orchestration/ptowsp/orchestration.h kernels/orchestration/ptowsp/task_graph.h
    kernels/orchestration/ptowsp/argument_blocks.h kernels/orchestration/ptowsp/launch_graph.h
    kernels/orchestration/ptowsp/limits.h kernels/orchestration/ptowsp/segments.h)
  _ptowsp_list_sim_support(support)
  list(APPEND emitted ${support})
  foreach(kernel IN LISTS w_kernels)
    list(APPEND emitted kernels/aiv_sim/kernel_${kernel}.cpp)
  endforeach()
  list(TRANSFORM emitted PREPEND "${w_dir}/")

  _ptowsp_ready_options(options)
  if(w_python AND NOT CMAKE_GENERATOR MATCHES "Ninja")
    list(APPEND options --ready "${w_dir}/retry")
  endif()
  if(DEFINED w_DEPENDENCIES)
    list(APPEND options --dependences ${w_DEPENDENCIES})
  endif()
  if(DEFINED w_RACES)
    list(APPEND options --races ${w_RACES})
  endif()
  if(NOT w_runtimes STREQUAL "builtin")
    list(APPEND options --limits pinned)
  endif()
  set(platforms --platform a2a3sim)
  if("a2a3" IN_LIST w_PLATFORMS)
    list(APPEND platforms --platform a2a3)
  endif()
  set(command "${w_generator}" emit "${w_workload}" -o "${w_dir}" --name ${w_name} ${options}
    ${platforms} --stamp "${w_dir}/emit.stamp" --depfile "${w_dir}/emit.d")
  set(byproducts "")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set(byproducts BYPRODUCTS ${emitted})
  else()
    # make does not look for by-products. A rule without DEPENDS brings a deleted file back, in the
    # target that uses the file, and does nothing as long as it is there.
    foreach(file IN LISTS emitted)
      add_custom_command(OUTPUT "${file}" COMMAND ${command}
        COMMENT "Emitting ${w_name} again" VERBATIM)
    endforeach()
  endif()
  add_custom_command(OUTPUT "${w_dir}/emit.stamp" ${byproducts}
    COMMAND ${command}
    DEPENDS "${w_workload}" ${w_generator} DEPFILE "${w_dir}/emit.d"
    COMMENT "Emitting ${w_name}" VERBATIM)
  add_custom_target(${w_name}.stage.emit DEPENDS "${w_dir}/emit.stamp")
  if(TARGET ${w_name}.stage.list)
    add_dependencies(${w_name}.stage.emit ${w_name}.stage.list)
  endif()
  set(w_emitted "${emitted}" PARENT_SCOPE)
endfunction()

# _ptowsp_ready_options(<variable>): --ready for the file of every configuration. What changes the
# artifact deletes them first: a test never passes on what an older build left.
function(_ptowsp_ready_options variable)
  set(options "")
  if(CMAKE_CONFIGURATION_TYPES)
    foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES)
      list(APPEND options --ready "${w_dir}/${config}/ready")
    endforeach()
  else()
    set(options --ready "${w_dir}/ready")
  endif()
  set(${variable} "${options}" PARENT_SCOPE)
endfunction()

# _ptowsp_add_evaluation(): the rule for eval.stamp. It waits for emission, so that a mistake in the
# workload is reported once. With NO_DATA there is none, and the folders it would fill stay empty.
function(_ptowsp_add_evaluation)
  if(w_NO_DATA)
    file(MAKE_DIRECTORY "${w_dir}/inputs" "${w_dir}/expected")
    return()
  endif()
  _ptowsp_ready_options(options)
  if(DEFINED w_SEED)
    list(APPEND options --seed ${w_SEED})
  endif()
  set(files "")
  foreach(keyword IN ITEMS INPUTS EXPECTED)
    foreach(item IN LISTS w_${keyword})
      string(REGEX REPLACE "S$" "" option "${keyword}")
      string(TOLOWER "--${option}" option)
      list(APPEND options ${option} "${item}")
      string(REGEX REPLACE "^[^=]*=" "" file "${item}")
      list(APPEND files "${file}")
    endforeach()
  endforeach()
  foreach(file IN LISTS w_data)
    list(APPEND files "${file}")
    if(file MATCHES "/golden/([^/]+)[.]npy$")
      set(tensor "${CMAKE_MATCH_1}")
      if(NOT ";${w_EXPECTED}" MATCHES ";${tensor}=")
        list(APPEND options --expected "${tensor}=${file}")
      endif()
    endif()
  endforeach()
  set(depfile DEPFILE "${w_dir}/eval.d")
  if(w_python AND NOT CMAKE_GENERATOR MATCHES "Ninja")
    # make would go on asking for arrays that the Python file has no more; all are in `files` here, but
    # for those that do not exist, of which the evaluation tells.
    set(depfile "")
    foreach(file IN LISTS w_reads)
      if(EXISTS "${file}")
        list(APPEND files "${file}")
      endif()
    endforeach()
  endif()
  add_custom_command(OUTPUT "${w_dir}/eval.stamp"
    COMMAND ${w_generator} eval "${w_workload}" -o "${w_dir}" ${options}
      --stamp "${w_dir}/eval.stamp" --depfile "${w_dir}/eval.d"
    DEPENDS "${w_workload}" "${w_dir}/emit.stamp" ${files} ${w_generator} ${depfile}
    COMMENT "Evaluating ${w_name}" VERBATIM)
endfunction()

# _ptowsp_add_module(<target> <file name> <source>): a MODULE library of generated code in the artifact's
# folder. The user's flags and launchers hold, but nothing that inspects or rewrites the user's own code:
# warnings, linters, unity builds, postfixes.
function(_ptowsp_add_module target file source)
  add_library(${target} MODULE "${source}")
  add_dependencies(${target} ${w_name}.stage.emit)
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX ".so" OUTPUT_NAME "${file}"
    LIBRARY_OUTPUT_DIRECTORY "${w_dir}"
    CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    INTERPROCEDURAL_OPTIMIZATION OFF UNITY_BUILD OFF AUTOMOC OFF AUTOUIC OFF AUTORCC OFF
    CXX_CLANG_TIDY "" CXX_CPPCHECK "" CXX_CPPLINT "" CXX_INCLUDE_WHAT_YOU_USE "" LINK_WHAT_YOU_USE OFF
    EXCLUDE_FROM_ALL "${w_EXCLUDE_FROM_ALL}")
  foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES CMAKE_BUILD_TYPE)
    # Set for each configuration too: the user's CMAKE_<...>_<CONFIG> variables would win otherwise.
    string(TOUPPER "${config}" upper)
    set(folder "${w_dir}")
    if(CMAKE_CONFIGURATION_TYPES)
      set(folder "${w_dir}/${config}")
    endif()
    set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY_${upper} "${folder}"
      ${upper}_POSTFIX "" INTERPROCEDURAL_OPTIMIZATION_${upper} OFF)
  endforeach()
  target_compile_options(${target} PRIVATE -w)
endfunction()

# _ptowsp_add_orchestrations(): <name>.orchestration.<runtime> for each runtime. Another runtime is
# another entry of w_runtimes.
function(_ptowsp_add_orchestrations)
  foreach(runtime IN LISTS w_runtimes)
    set(target ${w_name}.orchestration.${runtime})
    _ptowsp_add_module(${target} orchestration.${runtime}
      "${w_dir}/kernels/orchestration/pto_wsp_orch.cpp")
    target_include_directories(${target} SYSTEM PRIVATE "${w_runtime_${runtime}_includes}")
    target_compile_definitions(${target} PRIVATE ${w_runtime_${runtime}_definitions})
    # It builds graphs as fast with -O1, and compiles in half the time of -O3.
    target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
    if(NOT CMAKE_GENERATOR MATCHES "Ninja")
      foreach(header IN ITEMS orchestration task_graph argument_blocks launch_graph limits segments)
        target_sources(${target} PRIVATE "${w_dir}/kernels/orchestration/ptowsp/${header}.h")
      endforeach()
    endif()
  endforeach()
endfunction()

# _ptowsp_kernel_file(<kernel> <level> <variable>): the library's name without suffix. Only builds for
# several levels carry the level in it.
function(_ptowsp_kernel_file kernel level variable)
  list(LENGTH w_levels levels)
  if(levels GREATER 1 AND level)
    set(${variable} kernel_${kernel}.${level} PARENT_SCOPE)
  else()
    set(${variable} kernel_${kernel} PARENT_SCOPE)
  endif()
endfunction()

# _ptowsp_add_kernels(): <name>.<kernel> (or <name>.<kernel>.<level> for several levels).
function(_ptowsp_add_kernels)
  _ptowsp_uses_instrumentation(instrumented)
  foreach(kernel IN LISTS w_kernels)
    foreach(level IN LISTS w_levels)
      _ptowsp_kernel_file(${kernel} ${level} file)
      string(REGEX REPLACE "^kernel_" "${w_name}." target "${file}")
      _ptowsp_add_module(${target} ${file} "${w_dir}/kernels/aiv_sim/kernel_${kernel}.cpp")
      if(NOT CMAKE_GENERATOR MATCHES "Ninja")
        _ptowsp_list_sim_support(support)
        list(TRANSFORM support PREPEND "${w_dir}/")
        target_sources(${target} PRIVATE ${support})
      endif()
      # Debug keeps the user's level of optimisation, for stepping through; everything else, no build
      # type included, gets -O3: a kernel without it is an order of magnitude slower.
      target_compile_options(${target} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O3> -fno-fast-math -ffp-contract=off
        -fno-stack-protector)
      if(level STREQUAL "aarch64")
        # Out-of-line atomics would need libgcc, which kernels are linked without.
        target_compile_options(${target} PRIVATE -march=armv8-a -mno-outline-atomics)
      else()
        target_compile_options(${target} PRIVATE -march=${level})
      endif()
      # A kernel calls no library. Linked without any, a call that slipped in is an error here and not
      # a crash on the device, and the link takes a quarter of the time.
      if(NOT instrumented)
        target_link_options(${target} PRIVATE -nostdlib -Wl,-z,defs)
      endif()
    endforeach()
  endforeach()
endfunction()

# _ptowsp_uses_instrumentation(<variable>): sanitizers, coverage and profiling call a library of theirs.
function(_ptowsp_uses_instrumentation variable)
  get_directory_property(options COMPILE_OPTIONS)
  get_directory_property(link_options LINK_OPTIONS)
  set(flags "${options} ${link_options} ${CMAKE_CXX_FLAGS} ${CMAKE_MODULE_LINKER_FLAGS}")
  foreach(config IN LISTS CMAKE_CONFIGURATION_TYPES CMAKE_BUILD_TYPE)
    string(TOUPPER "${config}" upper)
    string(APPEND flags " ${CMAKE_CXX_FLAGS_${upper}} ${CMAKE_MODULE_LINKER_FLAGS_${upper}}")
  endforeach()
  set(${variable} FALSE PARENT_SCOPE)
  if(flags MATCHES "-fsanitize|--coverage|-fprofile|-ftest-coverage|-finstrument|(^|[ ;])-pg")
    set(${variable} TRUE PARENT_SCOPE)
  endif()
endfunction()

# ---- 5. the target ------------------------------------------------------------------------------

# _ptowsp_add_artifact(): the rule for `ready` and the library <name> around it. Building <name> builds
# the whole artifact; a program that links <name> has it built before.
function(_ptowsp_add_artifact)
  _ptowsp_binary_directory(folder)
  set(arguments --manifest "${w_dir}/manifest.json" --ready "${folder}/ready"
    --inputs "${w_dir}/inputs" --expected "${w_dir}/expected")
  set(libraries "")
  foreach(level IN LISTS w_levels)
    list(APPEND arguments --arch ${level})
  endforeach()
  foreach(runtime IN LISTS w_runtimes)
    set(target ${w_name}.orchestration.${runtime})
    list(APPEND arguments --orchestration "${runtime}=$<TARGET_FILE:${target}>")
    list(APPEND libraries ${target})
  endforeach()
  foreach(kernel IN LISTS w_kernels)
    foreach(level IN LISTS w_levels)
      _ptowsp_kernel_file(${kernel} ${level} file)
      string(REGEX REPLACE "^kernel_" "${w_name}." target "${file}")
      list(APPEND arguments --kernel "${kernel}:${level}=$<TARGET_FILE:${target}>")
      list(APPEND libraries ${target})
    endforeach()
  endforeach()
  if(DEFINED w_BLOCK_DIM)
    list(APPEND arguments --block-dim ${w_BLOCK_DIM})
  endif()
  if(DEFINED w_AICPU_THREADS)
    list(APPEND arguments --aicpu-threads ${w_AICPU_THREADS})
  endif()
  set(stamps "${w_dir}/emit.stamp")
  if(NOT w_NO_DATA)
    list(APPEND stamps "${w_dir}/eval.stamp")
  endif()
  add_custom_command(OUTPUT "${folder}/ready"
    COMMAND ${w_generator} seal ${arguments}
    DEPENDS ${stamps} ${libraries} ${w_generator}
    COMMENT "Sealing ${w_name}" VERBATIM)

  set(exclude "")
  if(w_EXCLUDE_FROM_ALL)
    set(exclude EXCLUDE_FROM_ALL)
  endif()
  set(sources "${folder}/ready")
  if(NOT CMAKE_GENERATOR MATCHES "Ninja")
    list(APPEND sources "${w_dir}/manifest.json" "${w_dir}/kernels/kernel_config.py")
  endif()
  add_library(${w_name} INTERFACE ${exclude} ${sources})
  add_dependencies(${w_name} ${w_name}.stage.emit)
  if(TARGET PtoWsp::glue)
    target_link_libraries(${w_name} INTERFACE PtoWsp::glue)
  endif()
endfunction()

# _ptowsp_binary_directory(<variable>): where what depends on the configuration lies.
function(_ptowsp_binary_directory variable)
  if(CMAKE_CONFIGURATION_TYPES)
    set(${variable} "${w_dir}/$<CONFIG>" PARENT_SCOPE)
  else()
    set(${variable} "${w_dir}" PARENT_SCOPE)
  endif()
endfunction()

# ---- 6. the test --------------------------------------------------------------------------------

# _ptowsp_add_test(): <name>.a2a3sim on the preferred runtime, and <name>.a2a3sim.builtin where that is not
# the built-in one, and <name>.a2a3sim.limits
# with PTOWSP_TEST_PINNED_LIMITS. The runner compares the hash of the workload file with the one the
# artifact was made from, so that a build that did not happen cannot pass. Of a Python workload that is
# the trace's hash; that the trace is the file's is for ptowsp.build, which traces again when needed.
function(_ptowsp_add_test)
  if(NOT TARGET PtoWsp::ptowsp-run)
    _ptowsp_fail("the runner PtoWsp::ptowsp-run is not known here; call "
      "find_package(PtoWsp CONFIG REQUIRED) in this folder or one above it")
  endif()
  _ptowsp_add_build_fixture()
  _ptowsp_binary_directory(folder)
  set(options "")
  if(DEFINED w_RTOL)
    list(APPEND options --rtol ${w_RTOL})
  endif()
  if(DEFINED w_ATOL)
    list(APPEND options --atol ${w_ATOL})
  endif()
  if(DEFINED w_TIMEOUT)
    list(APPEND options --timeout ${w_TIMEOUT})
  endif()
  # Few workers, said to ctest, so that many tests share a big machine; a chip of n blocks has 3 n cores.
  _ptowsp_count_processors(workers)
  if(workers GREATER 4)
    set(workers 4)
  endif()
  if(DEFINED w_BLOCK_DIM AND w_BLOCK_DIM EQUAL 1 AND workers GREATER 3)
    set(workers 3)
  endif()
  set(test ${w_name}.a2a3sim)
  foreach(runtime IN LISTS w_runtimes)
    set(labels a2a3sim ${w_LABELS})
    set(processors ${workers})
    set(arguments --workers ${workers})
    if(runtime STREQUAL "builtin_limits")
      set(test ${w_name}.a2a3sim.limits)
      list(APPEND arguments --pinned-limits)
    elseif(NOT runtime STREQUAL "builtin")
      # Its scheduler and its cores wait in loops: a core that is not scheduled looks to it like one that
      # hangs. So as few tests beside it as possible.
      cmake_host_system_information(RESULT processors QUERY NUMBER_OF_LOGICAL_CORES)
      list(APPEND labels ${runtime})
      set(arguments "")
      add_dependencies(ptowsp.workloads ptowsp.pto_runtime)
    endif()
    add_test(NAME ${test} COMMAND PtoWsp::ptowsp-run "${folder}" --platform a2a3sim
      --source "${w_workload}" --runtime "${w_runtime_${runtime}_library}" ${arguments} ${options})
    set_tests_properties(${test} PROPERTIES LABELS "${labels}" SKIP_RETURN_CODE 77
      FIXTURES_REQUIRED ptowsp.build PROCESSORS ${processors})
    if(DEFINED w_TIMEOUT)
      # The runner ends first and says which task hung; ctest's own limit is for a runner that hangs.
      math(EXPR limit "${w_TIMEOUT} + 30")
      set_tests_properties(${test} PROPERTIES TIMEOUT ${limit})
    endif()
    set(test ${w_name}.a2a3sim.builtin)  # the second one, when the preferred runtime is another
  endforeach()
  add_dependencies(ptowsp.workloads ${w_name})
  set_property(TARGET ptowsp.workloads APPEND PROPERTY PTOWSP_READY "${folder}/ready")
endfunction()

# _ptowsp_add_build_fixture(): once for a build tree, the test ptowsp.build, which builds the workloads
# that have tests, and the target ptowsp.workloads, which stands for them.
function(_ptowsp_add_build_fixture)
  if(TARGET ptowsp.workloads)
    return()
  endif()
  add_custom_target(ptowsp.workloads)
  foreach(tool IN ITEMS ptowsp-run sim)
    get_target_property(real PtoWsp::${tool} ALIASED_TARGET)
    if(real)
      add_dependencies(ptowsp.workloads ${real})
    endif()
  endforeach()
  set(ready "${CMAKE_CURRENT_BINARY_DIR}/ptowsp.workloads.txt")
  if(CMAKE_CONFIGURATION_TYPES)
    set(ready "${CMAKE_CURRENT_BINARY_DIR}/ptowsp.workloads.$<CONFIG>.txt")
  endif()
  set(files "$<TARGET_GENEX_EVAL:ptowsp.workloads,$<TARGET_PROPERTY:ptowsp.workloads,PTOWSP_READY>>")
  file(GENERATE OUTPUT "${ready}" CONTENT "$<JOIN:${files},\n>\n")
  set(keep_going -k)
  if(CMAKE_GENERATOR MATCHES "Ninja")
    list(APPEND keep_going 0)
  endif()
  _ptowsp_count_processors(processors)
  add_test(NAME ptowsp.build
    COMMAND "${CMAKE_COMMAND}" "-DPTOWSP_BUILD=${CMAKE_BINARY_DIR}" "-DPTOWSP_CONFIG=$<CONFIG>"
      "-DPTOWSP_READY_LIST=${ready}" "-DPTOWSP_KEEP_GOING=${keep_going}"
      "-DPTOWSP_JOBS=${processors}" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" build)
  set_tests_properties(ptowsp.build PROPERTIES FIXTURES_SETUP ptowsp.build
    PROCESSORS ${processors} TIMEOUT 7200)
endfunction()

# _ptowsp_count_processors(<variable>): at least 1; CMake says 0 where it cannot tell (no /proc).
function(_ptowsp_count_processors variable)
  cmake_host_system_information(RESULT count QUERY NUMBER_OF_LOGICAL_CORES)
  if(count LESS 1)
    set(count 1)
  endif()
  set(${variable} ${count} PARENT_SCOPE)
endfunction()

# _ptowsp_build_workloads(): builds what the tests need and always succeeds: a workload that does not
# build fails its own test. What could not be rebuilt must not pass on what an older build left, so after
# a failure every `ready` goes and only what can be sealed again comes back.
function(_ptowsp_build_workloads)
  set(command "${CMAKE_COMMAND}" --build "${PTOWSP_BUILD}" --target ptowsp.workloads)
  if(PTOWSP_CONFIG)
    list(APPEND command --config "${PTOWSP_CONFIG}")
  endif()
  if(NOT DEFINED ENV{CMAKE_BUILD_PARALLEL_LEVEL})
    list(APPEND command --parallel ${PTOWSP_JOBS})
  endif()
  list(APPEND command -- ${PTOWSP_KEEP_GOING})
  execute_process(COMMAND ${command} RESULT_VARIABLE failed)
  if(failed)
    file(READ "${PTOWSP_READY_LIST}" ready)  # file(STRINGS) would cut paths at their non-ASCII letters
    string(REGEX REPLACE "\n" ";" ready "${ready}")
    file(REMOVE ${ready})
    execute_process(COMMAND ${command} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    message("ptowsp.build: not everything could be built (see above); the tests of what is missing fail.")
  endif()
endfunction()

# _ptowsp_write_depfile(<stamp> <file>): list.d beside the stamp, the depfile of a list made from one file.
function(_ptowsp_write_depfile stamp file)
  cmake_path(GET stamp PARENT_PATH folder)
  foreach(path IN ITEMS stamp file)
    string(REPLACE "$" "$$" ${path} "${${path}}")
    string(REGEX REPLACE "([ #])" "\\\\\\1" ${path} "${${path}}")
  endforeach()
  file(WRITE "${folder}/list.d" "${stamp}: ${file}\n")
endfunction()

# ---- script mode: what the rules above run as `cmake -D... -P <this file> list|trace|build` ---------------

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  math(EXPR last "${CMAKE_ARGC} - 1")
  if(CMAKE_ARGV${last} STREQUAL "list")
    _ptowsp_list_kernels("${PTOWSP_SOURCE}" "${PTOWSP_LIST}")
    _ptowsp_write_depfile("${PTOWSP_STAMP}" "${PTOWSP_SOURCE}")
    file(TOUCH "${PTOWSP_STAMP}")
  elseif(CMAKE_ARGV${last} STREQUAL "trace")
    _ptowsp_trace("${PTOWSP_COMMAND}" "${PTOWSP_SOURCE}" "${PTOWSP_WORKLOAD}")
    file(TOUCH "${PTOWSP_STAMP}")
  elseif(CMAKE_ARGV${last} STREQUAL "build")
    _ptowsp_build_workloads()
  endif()
endif()
