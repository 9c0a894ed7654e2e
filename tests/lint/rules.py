"""The house's rules as functions from (path, text) to complaints. test_lint.py runs them over the
tree and, for each, over a planted violation."""
import re

FOLDERS = ("include", "common", "daemon", "worker", "client", "schema")
# who may include whom: folder → prefixes of quoted includes
ALLOWED = {
    "include": ("sweep/",),
    "common": ("sweep/", "common/"),
    "daemon": ("sweep/", "daemon/", "schema/"),
    "worker": ("sweep/", "worker/"),
    "client": ("sweep/", "client/"),
}
# Within the daemon, pair by pair: folder, or file of the root folder → what it may include.
GROUND = ("loop", "config")
ARROWS = {
    "causes": ("causes",),
    "plan": ("plan", "causes"),
    "engine": ("engine", "plan", "causes"),
    "store": ("store", "engine/rows.h", "engine/restored.h", "engine/replay.h"),
    "launch": ("launch", "engine", "loop"),
    "serve": ("serve", "engine", "plan", "causes/cause.h", "causes/remedy.h",
              "causes/relabelling.h", "store", "launch", "state") + GROUND,
    "config": ("config",),
    "loop": ("loop", "engine"),
    "state": ("state", "engine", "store", "launch") + GROUND,
    "main": ("daemon", "config", "check"),
    "check": ("check", "config"),
    "sweepd": ("state", "launch"),
    "apply": ("sweepd", "state", "engine", "store", "launch", "serve") + GROUND,
    "daemon": ("daemon", "sweepd", "state", "engine", "store", "launch", "serve") + GROUND,
}
# Arrows that still point the wrong way: each must occur, or its row goes.
EXCEPTIONS = {
    ("daemon/causes/labelling.h", "daemon/engine/rows.h"),       # labels and facts are rows
    ("daemon/causes/labelling.h", "daemon/plan/study.h"),        # it labels trials
}
# Within common/, pair by pair: folder → folders it may include and call (circles.py).
COMMON_ARROWS = {
    "base": ("base",),
    "space": ("space", "base"),
    "run": ("run", "base"),
    "label": ("label", "run", "base"),
    "text": ("text", "base"),
    "curves": ("curves", "text", "run", "base"),
    "task": ("task", "space", "run", "base"),
    "spec": ("spec", "task", "space", "run", "base"),
    "importance": ("importance", "space", "run", "base"),
}
# Which folder of common/ a shared header belongs to: each has its row.
HOMES = {
    "base": ("buf", "crc32", "err", "json", "lingering", "log", "paths", "require", "process", "rng", "rpc",
             "sha256", "shape"),
    "space": ("space",),
    "run": ("curve", "curve_title", "kept_points", "layer_stat", "metrics", "preprocessing",
            "record", "reported_point", "run", "spool", "weights_hash"),
    "label": ("diagnosis", "pattern", "stats"),
    "text": ("csv_scan", "dialect", "encoding", "foreign", "nothing", "number", "number_form", "text"),
    "curves": ("curve_file", "loose_json", "metric_word", "plain_pairs", "terminal_text",
               "training_log"),
    "task": ("command", "dataset", "model", "model_option", "run_config", "setting",
             "task", "trainer"),
    "spec": ("limits", "method", "place", "remedy", "resources", "spec", "stop"),
    "importance": ("importance",),
}
# A task reads the spec that holds it; what it calls lies below (circles.py).
READ_BY_TASKS = "sweep/spec.h"
# What decides by a space alone: no word of settings, networks or the spec.
METHODS = re.compile(r"daemon/plan/(search|stop)/")
UNSEEN_BY_METHODS = ("sweep/setting.h", "sweep/model.h", "sweep/model_option.h",
                     "sweep/trainer.h", "sweep/spec.h")
# third party header → the only files that may see it
FENCES = {
    # … and the one reader of databases that other programs left: a process of its own reads them
    # … and the one writer of a database that another program opens, and the client's reader of one
    "sqlite3.h": r"(daemon/store/\w+|worker/command/database_log|client/export/tables|client/import/database)\.[ch]$",
    "cJSON.h": r"common/base/json\.c$",
    "cjson/cJSON.h": r"common/base/json\.c$",
    "cblas.h": r"worker/nn/gemm\.c$",
    "uv.h": r"daemon/((main|daemon|sweepd|loop)\.[ch]$|(serve|launch|store)/)",
    "openssl/sha.h": r"common/base/sha256_libcrypto\.c$",
    "zlib.h": r"worker/data/\w+\.[ch]$",
    "bzlib.h": r"worker/data/unpack\.c$",
    "lzma.h": r"worker/data/unpack\.c$",
    "zstd.h": r"worker/data/unpack\.c$",
    "microhttpd.h": r"client/serve/server\.c$",
}
# call → what to use instead
BANNED = {
    "assert": "REQUIRE (sweep/require.h)", "strcpy": "str_copy", "strcat": "buf_puts",
    "sprintf": "snprintf or buf_printf", "vsprintf": "buf_vprintf", "strtok": "strchr",
    "gets": "fgets", "atoi": "strtoll with checks", "atof": "strtod with checks",
    "atol": "strtoll with checks", "alloca": "a workspace", "system": "posix_spawn",
    "rand": "rng_next", "srand": "rng_init", "setlocale": "nothing",
    "malloc": "xmalloc", "calloc": "xcalloc", "realloc": "xrealloc", "strdup": "xstrdup",
}
MAY_ALLOCATE = "common/base/buf.c"
MAX_FUNCTION_LINES = 100
MAX_FILE_LINES = 600
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
PURE = re.compile(r"daemon/(engine|plan|causes)/|common/(space|importance|label|text|curves)/")


def strip(text):
    """Comments and strings become blanks; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text,
                  flags=re.S)


def includes(path, text):
    folder = path.split("/")[0]
    uncommented = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    for kind, name in INCLUDE.findall(uncommented):
        fence = FENCES.get(name) or FENCES.get(name.split("/")[-1])
        if fence:
            if not re.search(fence, path):
                yield f"{path}: {name} is fenced: only {fence}"
        elif kind == '"':
            if "/" not in name:
                yield f'{path}: "{name}": write the folder too'
            elif not name.startswith(ALLOWED.get(folder, ("",))):
                yield f"{path}: {folder} may not include {name}"


def may_include(path, name):
    """Does an arrow lead from that file of the daemon to that one?"""
    room = path.split("/")[1].split(".")[0]
    return any(name == f"daemon/{to}" or name.startswith((f"daemon/{to}/", f"daemon/{to}."))
               for to in ARROWS.get(room, ()))


def arrows(path, text):
    if not path.startswith("daemon/"):
        return
    for kind, name in INCLUDE.findall(text):
        if kind == '"' and name.startswith("daemon/") and not may_include(path, name) \
                and (path, name) not in EXCEPTIONS:
            yield f"{path}: no arrow leads to {name}"


def home(name):
    """The folder of common/ that an included header belongs to."""
    if name.startswith("common/"):
        return name.split("/")[1]
    stem = name[len("sweep/"):-len(".h")]
    return next((room for room, stems in HOMES.items() if stem in stems), stem)


def common_arrows(path, text):
    if not path.startswith("common/"):
        return
    room = path.split("/")[1]
    for kind, name in INCLUDE.findall(text):
        if kind == '"' and home(name) not in COMMON_ARROWS.get(room, ()) \
                and not (room == "task" and name == READ_BY_TASKS):
            yield f"{path}: no arrow leads to {name} (common/{home(name)})"


def methods(path, text):
    """Search methods and stopping rules see spaces only."""
    if METHODS.match(path):
        for _, name in INCLUDE.findall(text):
            if name in UNSEEN_BY_METHODS:
                yield f"{path}: a method sees the space, not {name}"


def purity(path, text):
    """Deciding code does no I/O and reads no clock."""
    if not PURE.search(path):
        return
    for kind, name in INCLUDE.findall(text):
        if kind == "<" and name in ("time.h", "unistd.h", "fcntl.h", "sys/socket.h"):
            yield f"{path}: pure code includes <{name}>"
    for call in ("printf", "fopen", "open", "time", "clock_gettime", "getenv", "read", "write"):
        for match in re.finditer(rf"(?<![\w.>]){call}\s*\(", strip(text)):
            yield f"{path}: pure code calls {call}()"


def banned(path, text):
    code = strip(text)
    for call, instead in BANNED.items():
        if path == MAY_ALLOCATE and instead.startswith("x"):
            continue
        for match in re.finditer(rf"(?<![\w.>]){call}\s*\(", code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {call}(): use {instead}"


def functions(text):
    """(name, first line, lines) of each function body that starts in column 0."""
    name, start = None, 0
    lines = strip(text).split("\n")
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
            head = " ".join(lines[max(0, number - 8):number - 1])
            found = re.findall(r"(\w+)\s*\(", head)
            name = found[-1] if found else "?"
        elif line == "}" and start:
            yield name, start, number - start + 1
            start = 0


def sizes(path, text):
    if not path.endswith(".c"):
        return
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{path}: {lines} lines; at most {MAX_FILE_LINES}"
    for name, start, length in functions(text):
        if length > MAX_FUNCTION_LINES:
            yield f"{path}:{start}: {name}() has {length} lines; at most {MAX_FUNCTION_LINES}"


def style(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > 100:
            yield f"{path}:{number}: {len(line)} columns; at most 100"
        if line != line.rstrip():
            yield f"{path}:{number}: blanks at the end"
        if "\t" in line:
            yield f"{path}:{number}: a tab"
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"


def guards(path, text):
    if path.endswith(".h") and not re.search(r"#ifndef \w+\n#define \w+|#pragma once", text):
        yield f"{path}: no include guard"


def standing_alone(path, text):
    """The project speaks of itself alone."""
    for match in re.finditer(r"\.\./shared|/work/|TODO|FIXME|XXX", text):
        yield f"{path}: says {match.group(0)!r}"


RULES = (includes, arrows, common_arrows, methods, purity, banned, sizes, style, guards, standing_alone)
# One planted violation for each rule: it must be found.
PLANTED = {
    includes: [("worker/a.c", '#include "daemon/store/store.h"\n'), ("daemon/a.c", "#include <cblas.h>\n"),
               ("include/sweep/a.h", "#include <uv.h>\n"), ("client/a.c", '#include "a.h"\n')],
    arrows: [(f"daemon/{a}.c", f'#include "daemon/{b}.h"\n') for a, b in (
        ("causes/a", "plan/treat"), ("causes/a", "store/store"), ("plan/a", "engine/engine"),
        ("plan/search/a", "store/store"), ("plan/a", "serve/request"), ("engine/a", "store/sql"),
        ("engine/a", "launch/pool"), ("engine/a", "loop"), ("store/a", "causes/labelling"),
        ("store/a", "engine/engine"), ("store/a", "launch/rundir"), ("launch/a", "serve/request"),
        ("launch/a", "store/store"), ("launch/a", "state"), ("launch/a", "daemon"),
        ("launch/a", "plan/treat"), ("serve/a", "daemon"), ("serve/cmd/a", "daemon"),
        ("serve/a", "causes/labelling"), ("config", "loop"), ("loop", "state"),
        ("loop", "store/store"),
        ("state", "serve/request"), ("state", "daemon"), ("main", "engine/engine"),
        ("new", "loop"))],
    common_arrows: [(f"common/{a}/a.c", f'#include "{b}.h"\n') for a, b in (
        ("base", "common/space/a"), ("base", "sweep/curve"), ("space", "sweep/setting"),
        ("space", "sweep/curve"), ("space", "sweep/spec"), ("run", "sweep/space"),
        ("run", "sweep/trainer"), ("run", "sweep/spec"), ("run", "sweep/diagnosis"),
        ("curves", "sweep/space"), ("curves", "sweep/diagnosis"), ("text", "sweep/curve"),
        ("text", "sweep/training_log"), ("label", "sweep/training_log"),
        ("label", "sweep/space"), ("label", "sweep/setting"), ("label", "sweep/spec"),
        ("importance", "sweep/spec"),
        ("task", "common/spec/part"), ("task", "sweep/method"), ("task", "sweep/pattern"),
        ("spec", "sweep/diagnosis"), ("spec", "sweep/new"), ("new", "sweep/buf"))],
    methods: [(f"daemon/plan/{a}/a.c", f'#include "sweep/{b}.h"\n')
              for a in ("search", "stop") for b in ("setting", "model", "trainer", "spec")],
    purity: [("daemon/engine/engine.c", "#include <time.h>\n"),
             ("daemon/plan/search/a.c", "int f(void)\n{\n    return time(0);\n}\n")],
    banned: [("client/a.c", "void f(void)\n{\n    assert(1);\n}\n"),
             ("client/a.c", "void f(char *p)\n{\n    p = malloc(3);\n}\n")],
    sizes: [("client/a.c", "void f(void)\n{\n" + "    g();\n" * 120 + "}\n"),
            ("client/a.c", "\n" * 700)],
    style: [("client/a.c", "x" * 101 + "\n"), ("client/a.c", "int a; \n"), ("client/a.c", "\tint a;\n")],
    guards: [("include/sweep/a.h", "int f(void);\n")],
    standing_alone: [("client/a.c", "/* see " + "../" + "shared */\n")],
}
