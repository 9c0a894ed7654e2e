"""`sweepctl serve` over HTTP: what is there, who may in, who may change something, what hostile requests get; the
daemon is not touched by any of it."""
import contextlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SWEEPCTL, TIMEOUT_SECONDS, Daemon, make_data, small_spec  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

HOSTILE = "<script>alert('x')</script> \"night\" ]]> &amp; \u202e"
PARAMETERS = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 8}, "kind\"<b>": {"values": ["<b>cnn</b>", "\"mlp\""]}}
BUILT = subprocess.run([SWEEPCTL, "--socket", "none", "serve", "--language", "none"], capture_output=True,
                       text=True).returncode == 2


class Site:
    """The program under test, on a port of its own."""

    def __init__(self, d, *arguments, listen="127.0.0.1:0"):
        self.process = subprocess.Popen(
            [SWEEPCTL, "--socket", d.socket, "--json", "serve", "--listen", listen, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=d.environment)
        said = json.loads(self.process.stdout.readline())
        self.token, self.url = said["token"], said["url"]
        self.port = urllib.parse.urlsplit(self.url).port
        self.host = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(TIMEOUT_SECONDS), 0, "it ends in order")
        self.process.stdout.close()

    def ask(self, path, method="GET", body=None, **headers):
        """(status, headers, text)"""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": self.host, **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
                if value is not None:
                    c.putheader(name, value)
            if body is not None:
                c.putheader("Content-Type", "application/x-www-form-urlencoded")
                c.putheader("Content-Length", str(len(body)))
            c.endheaders(body)
            r = c.getresponse()
            return r.status, r.headers, r.read().decode(errors="replace")
        finally:
            c.close()

    def send(self, path, fields=(), token=True, **headers):
        pairs = list(dict(fields).items()) + ([("token", self.token)] if token is True else
                                              [("token", token)] if token else [])
        return self.ask(path, "POST", urllib.parse.urlencode(pairs).encode(), **headers)

    def raw(self, data):
        """The status line of what answers these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS) as s:
            s.sendall(data)
            line = b""
            with contextlib.suppress(ConnectionError):
                while b"\n" not in line and (part := s.recv(4096)):
                    line += part
            return line.split(b"\r\n")[0].decode()


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def clients_sweep(d, runs=2, points=True, **changes):
    sweep = d.submit({"name": HOSTILE, "task": {"client": {}}, "method": "random", "run_cap": runs, "epochs": 8,
                      "metric": {"name": "val_loss"}, "parameters": PARAMETERS, "repeat_share": 0, **changes})
    c = d.connect()
    asked = [c.call("ask", sweep=sweep) for _ in range(runs)] if points else []
    for r in asked:
        lease = {"run": r["run"], "lease": r["lease"]}
        c.call("report", **lease, points=[{"epoch": e, "train_loss": 1 / e, "val_loss": 1.1 / e + e / 50}
                                          for e in range(1, 9)])
        c.call("tell", **lease, result={"status": "completed"})
    c.close()
    return sweep, [r["run"] for r in asked]


def refused(status, text=""):
    check(status in (400, 403, 404, 405, 413, 414, 421, 431), f"refused: {status} {text[:80]}")


def test_routes():
    with Daemon(workers=1) as d:
        sweep, runs = clients_sweep(d)
        bare, _ = clients_sweep(d, points=False)
        failed = d.submit({"name": "failed", "task": {"client": {}}, "method": "random", "run_cap": 1, "epochs": 2,
                           "metric": {"name": "val_loss"}, "parameters": PARAMETERS, "repeat_share": 0})
        asked = d.call("ask", sweep=failed)
        d.call("tell", run=asked["run"], lease=asked["lease"],
               result={"status": "failed", "error": "exited", "text": HOSTILE + "y" * 10000})
        with Site(d) as s:
            for path in ("/", f"/sweep/{sweep}", f"/sweep/{sweep}/runs", f"/sweep/{bare}", f"/sweep/{failed}",
                         f"/run/{runs[0]}", f"/run/{asked['run']}", "/compare",
                         f"/compare?run={runs[0]}&run={runs[1]}", "/guide", "/submit", "/login",
                         f"/?before={bare}", f"/sweep/{sweep}/runs?after=1"):
                status, headers, text = s.ask(path)
                equal(status, 200, path)
                policy = headers["Content-Security-Policy"]
                check("default-src 'none'" in policy and "unsafe" not in policy, f"{path}: {policy}")
                equal(headers["Access-Control-Allow-Origin"], None, "no CORS")
                equal(headers["X-Content-Type-Options"], "nosniff", path)
                equal(headers["Cache-Control"], "no-store", path)
                page = Page(text)
                for tag, attrs in page.elements:
                    check(tag != "b", f"{path}: a name is no element")
                    check(tag != "script" or attrs.get("src", "").startswith("/") or
                          attrs.get("type") == "application/json", f"{path}: {attrs}")
                    check(not [a for a in attrs if a.startswith("on") or a == "style"], f"{path}: {attrs}")
                check("\u202e" not in text, f"{path}: nothing turns the line around")
            check("<script>alert" in Page(s.ask("/")[2]).text, "the name is there, as text")
            check(f"/run/{runs[0]}" in s.ask(f"/sweep/{sweep}")[2], "runs are links")
            check("G4.4" in s.ask("/guide")[2], "the rules")
            for path, kind in (("/style.css", "text/css"), ("/live.js", "text/javascript"),
                               ("/explore.js", "text/javascript"), ("/chart.js", "text/javascript")):
                status, headers, text = s.ask(path)
                equal((status, headers["Content-Type"].split(";")[0]), (200, kind), path)
            status, headers, text = s.ask(f"/sweep/{sweep}/plot?kind=history")
            equal((status, headers["Content-Type"]), (200, "image/svg+xml"), "a chart")
            check(ElementTree.fromstring(text).tag.endswith("svg"), "a chart")
            policy = headers["Content-Security-Policy"]
            check("default-src 'none'" in policy and "script" not in policy, f"its style and nothing else: {policy}")
            for path in (f"/sweep/{sweep}/plot?kind=none", "/sweep/999", "/run/999", "/sweep/0", "/sweep/01", "/sweep/-1",
                         "/sweep/1e3", "/sweep/", "/sweep/99999999999999999999", "/nothing", "/style.css/",
                         "/compare?run=999"):
                equal(s.ask(path)[0], 404, path)
            equal(s.ask(f"/sweep/{sweep}", "HEAD")[::2], (200, ""), "HEAD")
            for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"):
                equal(s.ask("/", method)[0], 405, method)
            equal(s.ask(f"/sweep/{sweep}/pause")[0], 405, "not by GET")
            equal(s.ask("/guide", "POST", b"")[0], 405, "not by POST")


def test_language():
    with Daemon(workers=1) as d:
        clients_sweep(d)
        with Site(d, "--language", "zh") as s:
            for path, word in (("/", "扫描"), ("/guide", "调参指南"), ("/submit", "提交"), ("/nothing", "没有此页面")):
                check(word in s.ask(path)[2], path)


def test_foreign_hosts():
    """A stranger's name that leads here (DNS rebinding), a page of another site."""
    with Daemon(workers=1) as d, Site(d) as s:
        for host in ("evil.example", f"evil.example:{s.port}", "127.0.0.1.evil.example", "localhost.evil.example",
                     "192.168.0.1", "[::2]", "0x7f.1", "127.0.0.1:80:80", "127.0.0.1:x", "", "localhost.", "[", "[::1",
                     "a" * 300, "127.0.0.1@evil.example", "127.0.0.1:123456"):
            status, _, text = s.ask("/", Host=host)
            check(status in (400, 403) and "sweep" not in text.split("<main")[-1].replace("sweeps", ""), f"{host!r}: {status}")
            status = s.send("/submit", {"spec": "{}"}, Host=host)[0]
            check(status in (400, 403), f"{host!r}: {status}")
        for host in (s.host, "localhost", f"localhost:{s.port}", "[::1]:9", "127.0.0.1:9000", "LOCALHOST", "127.3.2.1"):
            equal(s.ask("/", Host=host)[0], 200, f"{host}: ours, also behind a forwarded port")
        check(" 40" in s.raw(b"GET / HTTP/1.1\r\n\r\n"), "no Host")
        check(" 40" in s.raw(b"GET / HTTP/1.0\r\n\r\n"), "no Host, as of old")
        twice = f"GET / HTTP/1.1\r\nHost: {s.host}\r\nHost: evil.example\r\n\r\n".encode()
        check(" 40" in s.raw(twice), "two")
        sweep, _ = clients_sweep(d, points=False)
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{s.port + 1}", "http://localhost"):
            equal(s.send(f"/sweep/{sweep}/pause", Origin=origin)[0], 403, origin)
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "queued", "untouched")
        for site, mode, status in (("cross-site", "no-cors", 403), ("same-site", "cors", 403), ("cross-site", None, 403),
                                   ("cross-site", "navigate", 200), ("same-origin", "cors", 200), ("none", "navigate", 200)):
            for path in ("/guide", f"/sweep/{sweep}", "/style.css"):
                equal(s.ask(path, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode)[0], status, f"{path} {site} {mode}: what a page loads")
            check(status == 200 or s.ask("/events", Sec_Fetch_Site=site, Sec_Fetch_Mode=mode)[0] == 403, f"a stream {site}")
        equal(s.send(f"/sweep/{sweep}/pause", Origin=f"http://{s.host}")[0], 303, "our own page")
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "paused", "paused")


def test_token():
    with Daemon(workers=1) as d, Site(d) as s:
        sweep, _ = clients_sweep(d, points=False)
        wrong = [None, "", "x", s.token[:-1], s.token + "0", s.token.upper() + "x", "0" * 64, "%00", s.token[:-1] + "\u00e9"]
        for path in (f"/sweep/{sweep}/pause", f"/sweep/{sweep}/cancel", f"/sweep/{sweep}/resume", "/submit", "/run/1/treat",
                     f"/sweep/{sweep}/enqueue", "/run/1/cancel"):
            for token in wrong:
                status = s.send(path, token=token)[0]
                check(status in (400, 403), f"{path} with {token!r}: {status}")
        equal(s.send(f"/sweep/{sweep}/pause", token=None, Authorization="Bearer x")[0], 403, "a wrong bearer")
        equal(s.send(f"/sweep/{sweep}/pause", token=None, Authorization=f"Basic {s.token}")[0], 403, "another scheme")
        equal(s.ask(f"/sweep/{sweep}/pause?token={s.token}", "POST", b"")[0], 403, "not in an address")
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "queued", "untouched")
        check(s.token in s.ask(f"/sweep/{sweep}")[2], "the page of one's own user has it")
        status, headers, _ = s.send(f"/sweep/{sweep}/pause", token=None, Authorization=f"Bearer {s.token}")
        equal((status, headers["Location"]), (303, f"/sweep/{sweep}"), "a program has it so")
        equal(s.send(f"/sweep/{sweep}/resume")[0], 303, "resumed")
        equal(s.send(f"/sweep/{sweep}/resume")[0], 409, "not twice")
        equal(s.send(f"/sweep/{sweep}/cancel")[0], 303, "cancelled")
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "cancelled", "cancelled")
        equal(s.send("/sweep/999/pause")[0], 404, "none")


def test_changes():
    with Daemon(workers=1) as d, Site(d) as s:
        spec = small_spec(make_data(d.home), method="grid", epochs=3, run_cap=None, parameters={"depth": {"values": [1, 2]}})
        status, _, text = s.send("/submit", {"spec": json.dumps(spec, indent=1), "dry_run": "yes"})
        check(status == 200 and "grid" in Page(text).text and not d.call("list")["sweeps"], f"a dry run: {status}")
        form = s.ask("/submit")[2]
        own = re.search(r'name="id" value="([^"]+)"', form).group(1)
        status, headers, _ = s.send("/submit", {"spec": json.dumps(spec), "id": own})
        sweep = int(headers["Location"].split("/")[-1])
        equal((status, headers["Location"]), (303, f"/sweep/{sweep}"), "submitted")
        equal(s.send("/submit", {"spec": json.dumps(spec), "id": own})[1]["Location"], f"/sweep/{sweep}", "once, sent twice")
        equal(len(d.call("list")["sweeps"]), 1, "one sweep")
        wrong = json.dumps({**spec, "methd": "grid", "epochs": 0, "name": HOSTILE}, indent=1)
        status, _, text = s.send("/submit", {"spec": wrong})
        page = Page(text)
        check(status == 422 and "methd" in page.text and "epochs" in page.text, f"all that is wrong: {status}")
        check(re.search(r"\d+:\d+: ", page.text), "with its line")
        check("<script>alert" in page.text, "the text is still there")
        for bad in ("", "{", "[]", "\x01", "x" * 1000):
            status = s.send("/submit", {"spec": bad})[0]
            equal(status, 422, f"{bad[:5]!r}")
        d.wait(sweep)
        run_id = d.call("runs", sweep=sweep)["runs"][0]["run_id"]
        remedies = d.call("explain", run=run_id)["remedies"]
        if remedies:
            check("/treat" in s.ask(f"/run/{run_id}")[2], "a form")
            status, headers, _ = s.send(f"/run/{run_id}/treat", {"remedy": remedies[0]["remedy"]})
            equal(status, 303, "treated")
            child = int(headers["Location"].split("/")[-1])
            equal(d.call("run", run=child)["run"]["parent_id"], run_id, "its child")
        equal(s.send(f"/run/{run_id}/treat", {"remedy": HOSTILE})[0], 422, "no such remedy")

        held, _ = clients_sweep(d, 1002, points=False)  # more than are planned ahead
        values = {"value.lr": "0.5", "value.layers": "2", "value.kind\"<b>": "<b>cnn</b>"}
        status, headers, _ = s.send(f"/sweep/{held}/enqueue", values)
        equal(status, 303, "enqueued")
        made = d.call("run", run=int(headers["Location"].split("/")[-1]))["run"]
        equal(made["params"], {"lr": 0.5, "layers": 2, "kind\"<b>": "<b>cnn</b>"}, "with these")
        equal(s.send(f"/run/{made['id']}/cancel")[0], 303, "cancelled")
        status, _, text = s.send(f"/sweep/{held}/enqueue", {**values, "value.layers": "99"})
        check(status == 422 and "layers" in text, f"not of the space: {status}")
        for fields in ({}, {**values, "value.": "1"}, {"value.lr": "nan"}, [("value.lr", "1")] * 2):
            pairs = list(fields.items()) if isinstance(fields, dict) else fields
            body = urllib.parse.urlencode(pairs + [("token", s.token)]).encode()
            check(s.ask(f"/sweep/{held}/enqueue", "POST", body)[0] == 422, f"{fields}")


def test_hostile_requests():
    with Daemon(workers=1) as d, Site(d) as s:
        for path in ("/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/style.css/../../x",
                     "//etc/passwd", "/./", "/sweep/1/../../etc/passwd", "/static/../style.css", "/style.css%00.js",
                     "/%", "/%zz", "/\\..\\..\\windows", "/sweep/%31%00", "/?a=%", "/?a=%00", "/?" + "&".join(["a=1"] * 600),
                     "/~root", "/proc/self/environ", "http://evil.example/", "*"):
            status, _, text = s.ask(path)
            check(status in (400, 403, 404, 200) and "root:" not in text, f"{path}: {status}")
            check(status != 200 or path.startswith("http"), f"{path[:40]}: {status}")
        refused(s.ask("/" + "a" * 100000)[0])
        refused(s.ask("/", Cookie="a" * 100000)[0])
        refused(s.ask("/submit", "POST", b"spec=" + b"a" * (2 << 20))[0])
        refused(s.ask("/submit", "POST", b"spec=%zz&token=" + s.token.encode())[0])
        head = f"POST /submit HTTP/1.1\r\nHost: {s.host}\r\n"
        s.raw((head + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"fffff\r\n" + b"a" * 0xfffff + b"\r\n" +
              b"fffff\r\n" + b"a" * 0xfffff + b"\r\n")
        for data in (b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\xff\xfe\r\n\r\n", b"GET / HTTP/1.1\r\n:\r\n\r\n",
                     head.encode() + b"Content-Length: -1\r\n\r\n", head.encode() + b"Content-Length: 99999999999999999999\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", s.port), TIMEOUT_SECONDS) as c:
                c.sendall(data)
                with contextlib.suppress(ConnectionError):
                    while data.endswith(b"\n") and c.recv(4096):
                        pass
        equal(s.ask("/")[0], 200, "it is still there")
        equal(d.call("list")["sweeps"], [], "the daemon was told nothing")


def test_slow_connections():
    """A thousand that send a request's beginning and no more: others get their answer at once, and the daemon hears of
    none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    count = min(1000, min(hard, 4096) - 100)
    with Daemon(workers=1) as d, Site(d) as s:
        clients = d.call("status").get("clients")
        slow = []
        for i in range(count):
            c = socket.create_connection(("127.0.0.1", s.port), TIMEOUT_SECONDS)
            c.sendall((b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\na",
                       b"", b"G")[i % 4])
            slow.append(c)
            if i % 100 == 99:
                equal(s.ask("/")[0], 200, f"beside {i + 1} slow ones")
        equal(s.ask("/guide")[0], 200, "beside all of them")
        now = d.call("status").get("clients")
        check(clients is None or now <= clients + 1, f"the daemon has {now} clients, {clients} before")
        for c in slow:
            c.close()
        equal(s.ask("/")[0], 200, "and behind them")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Stream:
    """Server-sent events, as they come."""

    def __init__(self, s, query="", **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", s.port, timeout=TIMEOUT_SECONDS)
        self.connection.request("GET", "/events" + query, headers={"Host": s.host, **headers})
        self.response = self.connection.getresponse()

    def event(self):
        """(name, data) of the next one."""
        name = None
        while True:
            line = self.response.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return name, json.loads(line[6:])

    def until(self, name):
        while True:
            got, data = self.event()
            if got == name:
                return data

    def close(self):
        self.connection.close()
        self.response.close()


def test_events():
    with Daemon(workers=1) as d, Site(d) as s:
        sweep, _ = clients_sweep(d, points=False)
        other, _ = clients_sweep(d, points=False)
        every, one = Stream(s), Stream(s, f"?sweep={sweep}")
        equal(every.response.getheader("Content-Type"), "text/event-stream", "of its type")
        equal((every.event()[0], one.event()[0]), ("hello", "hello"), "it begins")
        for at in (other, sweep):
            asked = d.call("ask", sweep=at)
            d.call("report", run=asked["run"], lease=asked["lease"], points=[{"epoch": 1, "train_loss": "nan", "val_loss": 2}])
        equal(one.until("run_started")["sweep"], sweep, "of one sweep alone")
        point = one.until("point")
        equal((point["sweep"], point["val_loss"]), (sweep, 2), "a point")
        equal(every.until("point")["sweep"], other, "of all")
        streams = [Stream(s) for _ in range(62)]
        equal([c.response.status for c in streams], [200] * 62, "64 of them")
        beyond = Stream(s)
        equal(beyond.response.status, 503, "and no more")
        for c in streams + [beyond]:
            c.close()
        d.process.kill()
        d.process.wait()
        one.until("gone")
        equal(s.ask("/")[0], 503, "no daemon, said so")
        d.start()
        one.until("back")
        equal(s.ask("/")[0], 200, "and again")
        every.close()
        one.close()


def test_passwords():
    with Daemon(workers=1) as d:
        path = os.path.join(d.home, "password")
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            done = d.ctl("serve", "--listen", address)
            check(done.returncode == 2 and "--password-file" in done.stderr, f"{address}: {done.stderr}")
        for address in ("example.com:80", "127.0.0.1:99999", "127.0.0.1:", "::1:80", "1.2.3:80", "[::1", ":80"):
            done = d.ctl("serve", "--listen", address)
            check(done.returncode == 2 and "--listen" in done.stderr, f"{address}: {done.stderr}")
        for text, mode in (("correct horse\n", 0o644), ("short\n", 0o600), ("", 0o600)):
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(path, mode)
            done = d.ctl("serve", "--listen", "127.0.0.1:0", "--password-file", path)
            check(done.returncode == 2 and "--password-file" in done.stderr, f"{text!r}: {done.stderr}")
        with open(path, "w", encoding="utf-8") as f:
            f.write("correct horse\nmore\n")
        with Site(d, "--password-file", path, listen="0.0.0.0:0") as s:
            for where in ("/", "/sweep/1", "/events", "/guide", "/submit"):
                status, headers, text = s.ask(where)
                equal(status, 401, f"{where}: who are you?")
                check(s.token not in text, "no token")
            equal(s.ask("/style.css")[0], 200, "the style is for all")
            equal(s.send("/login", {"password": "wrong"}, token=None)[0], 403, "a wrong one")
            equal(s.send("/login", {"password": s.token}, token=None)[0], 403, "the token is no password")
            equal(s.send("/login", {"password": "correct horse"}, token=None, Origin="http://evil.example")[0], 403, "from afar")
            status, headers, _ = s.send("/login", {"password": "correct horse"}, token=None)
            cookie = headers["Set-Cookie"]
            check(status == 303 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, f"{status} {cookie}")
            cookie = cookie.split(";")[0]
            check(s.token in s.ask("/submit", Cookie="a=b; " + cookie)[2], "in")
            equal(s.ask("/", Cookie=cookie[:-1])[0], 401, "another session")
            equal(s.ask("/", Cookie=cookie, Host="192.0.2.7:80")[0], 200, "by any address of its own")
            equal(s.ask("/", Cookie=cookie, Host="evil.example")[0], 403, "but no name")
            equal(s.ask("/", Authorization=f"Bearer {s.token}")[0], 200, "a program, by the token")
            last = [s.send("/login", {"password": f"guess {i}"}, token=None)[0] for i in range(12)][-1]
            equal(last, 429, "guesses are slowed down")
            equal(s.send("/login", {"password": "correct horse"}, token=None)[0], 429, "also a right one")


AS_NOBODY = """
import os, socket, sys
c = socket.socket()
os.setgid(65534); os.setuid(65534)
c.close()
c = socket.socket()
c.connect(("127.0.0.1", int(sys.argv[1])))
c.sendall(b"GET /submit HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
text = b""
while part := c.recv(4096):
    text += part
print(text.split()[1].decode(), sys.argv[2].encode() in text)
"""


def test_other_users():
    """Of this machine: what the socket's mode keeps from them, the page does too."""
    if os.geteuid() != 0:
        raise Skip("needs root: a request by another user")
    with Daemon(workers=1) as d, Site(d) as s:
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(s.port), s.token], capture_output=True, text=True)
        equal(done.stdout.split(), ["401", "False"], done.stderr)
        equal(s.send("/login", {"password": s.token}, token=None)[0], 303, "with the token they may, as it is given to them")


def test_no_daemon():
    with Daemon(workers=1) as d:
        d.stop()
        done = d.ctl("serve", "--listen", "127.0.0.1:0")
        check(done.returncode == 3 and "sweepctl start" in done.stderr, f"{done.returncode}: {done.stderr}")


def test_absent():
    """Without the library the verb says how to get it."""
    with Daemon(workers=1) as d:
        done = d.ctl("serve")
        check(done.returncode == 1 and "libmicrohttpd" in done.stderr, done.stderr)


if __name__ == "__main__":
    run(*([test_routes, test_language, test_foreign_hosts, test_token, test_changes, test_hostile_requests,
           test_slow_connections, test_events, test_passwords, test_other_users, test_no_daemon]
          if BUILT else [test_absent]))
