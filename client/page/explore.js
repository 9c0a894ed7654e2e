/* What the page adds where scripts run: filters that all charts obey. Names come from JSON and go into the
 * page as text alone. */
"use strict";
(function () {
  var source = document.getElementById("data");
  if (!source) return;
  var data = JSON.parse(source.textContent), words = data.words;
  var SVG = "http://www.w3.org/2000/svg", CURVES = 60, ROWS = 100, POINTS = 1500, LINES = 1500, LINES_MOVING = 400;
  var LARGEST = 1e307; /* on an axis of the library's: its ticks beyond it are no numbers, and it looks for them for ever */

  function element(name, attributes, text) {
    var e = document.createElement(name);
    for (var k in attributes || {}) e.setAttribute(k, attributes[k]);
    if (text !== undefined) e.textContent = text;
    return e;
  }
  function shape(name, attributes) {
    var e = document.createElementNS(SVG, name);
    for (var k in attributes) e.setAttribute(k, attributes[k]);
    return e;
  }
  function short(v) {
    if (v === null || v === undefined) return "–";
    if (typeof v !== "number") return v;
    return v !== 0 && (Math.abs(v) < 1e-4 || Math.abs(v) > LARGEST) ? v.toExponential(3) : String(+v.toPrecision(4));
  }
  function drawable(v) { return v === null ? null : Math.max(-LARGEST, Math.min(LARGEST, v)); }
  var shades = {};
  function colour(pattern) { /* as the style has it, light or dark */
    return shades[pattern] || (shades[pattern] = shade(pattern));
  }
  function shade(pattern) {
    var probe = document.querySelector("svg.probe .p-" + (pattern < 0 ? "none" : data.patterns[pattern]));
    return probe ? getComputedStyle(probe).fill : "#888";
  }
  function style(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

  /* Two series of n numbers, each a share of its range in 16 bits; 65535: none. */
  function decode(curve) {
    var text = atob(curve[5]), n = curve[0], out = [[], [], []];
    for (var k = 0; k < (curve[6] ? 3 : 2) * n; k++) {
      var series = Math.floor(k / n), v = text.charCodeAt(2 * k) | text.charCodeAt(2 * k + 1) << 8;
      var low = series < 2 ? curve[1 + 2 * series] : curve[6][0], high = series < 2 ? curve[2 + 2 * series] : curve[6][1];
      out[series].push(v === 65535 ? null : low * (1 - v / 65534) + high * v / 65534);
    }
    for (var i = 0; i < n && !curve[6]; i++) out[2].push(i + 1);
    return out;
  }

  /* A run is [id, number, status, pattern, metric, seconds, values…, objectives beyond the metric…]. */
  /* kept: the filters of one before it, which is made anew with newer data. */
  function explorer(root, sweep, kept) {
    var first = 6, axes = [], shown = sweep.runs, chosen = null;
    var others = sweep.objectives.map(function (o, i) {
      return { name: o.name, maximize: o.maximize, column: first + sweep.parameters.length + i };
    });
    var goals = [{ name: sweep.metric, maximize: sweep.maximize, column: 4 }].concat(others);
    var labels = {}, scatter, curves;
    sweep.runs.forEach(function (r) { labels[r[3]] = (labels[r[3]] || 0) + 1; });

    function axis(name, column, parameter, goal) {
      var numbers = sweep.runs.map(function (r) { return r[column]; }).filter(function (v) { return v !== null; });
      var low = Math.min.apply(null, numbers), high = Math.max.apply(null, numbers);
      if (!numbers.length) { low = 0; high = 1; }
      if (goal && numbers.length > 7) { /* far worse runs stand at the edge */
        var sorted = numbers.slice().sort(function (a, b) { return a - b; }), n = sorted.length;
        var q1 = sorted[n >> 2], q3 = sorted[n - 1 - (n >> 2)], reach = 4 * Math.max(q3 - q1, Math.abs(q3) * 1e-3);
        if (goal.maximize) low = Math.max(low, q1 - reach); else high = Math.min(high, q3 + reach);
      }
      if (!(high > low)) { /* an axis has a length, also where one more is the same number */
        var length = Math.max(1, Math.abs(low) * 0.1);
        if (isFinite(low + length)) high = low + length; else low -= length;
      }
      return { name: name, column: column, log: !!(parameter && parameter.log && low > 0), low: low, high: high,
               choices: parameter && parameter.choices, range: null, off: {} };
    }
    function place(a, v) { /* 0 … 1 */
      v = Math.max(a.low, Math.min(a.high, v));
      /* halves: the span of two huge values stays finite */
      return a.log ? Math.log(v / a.low) / Math.log(a.high / a.low) : (v / 2 - a.low / 2) / (a.high / 2 - a.low / 2);
    }
    function value(a, u) { return a.log ? a.low * Math.pow(a.high / a.low, u) : a.low * (1 - u) + a.high * u; }

    sweep.parameters.forEach(function (p, i) { axes.push(axis(p.name, first + i, p)); });
    others.forEach(function (o) { axes.push(axis(o.name, o.column, null, o)); });
    axes.push(axis(sweep.metric, 4, null, goals[0]));

    function passes(r) {
      if (labels[r[3]] === false) return false;
      return axes.every(function (a) {
        var v = r[a.column];
        if (v === null) return !a.range;
        if (a.choices && a.off[v]) return false;
        return !a.range || (v >= a.range[0] && v <= a.range[1]);
      });
    }

    /* --- the filters: brushes on the axes, and the same as fields for the keyboard ------------- */
    var form = element("form", { "aria-label": words.filters });
    var count = element("p", { role: "status", "aria-live": "polite" });
    function numbers(a) {
      var set = element("fieldset"), low = element("input", { type: "number", step: "any", "aria-label": a.name + " ≥" }),
          high = element("input", { type: "number", step: "any", "aria-label": a.name + " ≤" });
      set.append(element("legend", {}, a.name), low, element("span", {}, "…"), high);
      function read() {
        a.range = low.value === "" && high.value === "" ? null
          : [low.value === "" ? -Infinity : +low.value, high.value === "" ? Infinity : +high.value];
        update();
      }
      low.addEventListener("change", read);
      high.addEventListener("change", read);
      a.show = function () {
        low.value = a.range && isFinite(a.range[0]) ? +a.range[0].toPrecision(4) : "";
        high.value = a.range && isFinite(a.range[1]) ? +a.range[1].toPrecision(4) : "";
      };
      return set;
    }
    function boxes(title, names, is, changed) {
      var set = element("fieldset");
      set.append(element("legend", {}, title));
      names.forEach(function (name, i) {
        var label = element("label"), box = element("input", { type: "checkbox" });
        box.checked = is(i);
        box.addEventListener("change", function () { changed(i, box.checked); update(); });
        label.append(box, " " + name);
        set.append(label);
      });
      return set;
    }
    if (kept) {
      axes.forEach(function (a) {
        var before = kept.axes[a.name];
        if (!before) return;
        a.range = before.range;
        (a.choices || []).forEach(function (name, i) { if (before.off.indexOf(name) >= 0) a.off[i] = true; });
      });
      Object.keys(labels).forEach(function (p) { if (kept.labels.indexOf(p) >= 0) labels[p] = false; });
    }
    axes.forEach(function (a) {
      form.append(a.choices ? boxes(a.name, a.choices, function (i) { return !a.off[i]; }, function (i, on) { a.off[i] = !on; }) : numbers(a));
      if (a.show) a.show();
    });
    var ids = Object.keys(labels).map(Number).sort(function (a, b) { return a - b; });
    form.append(boxes(words.label, ids.map(function (p) { return p < 0 ? words.no_label : data.patterns[p]; }),
                      function (i) { return labels[ids[i]] !== false; }, function (i, on) { labels[ids[i]] = on; }));
    var clear = element("button", { type: "button" }, words.clear);
    clear.addEventListener("click", function () {
      axes.forEach(function (a) { a.range = null; a.off = {}; if (a.show) a.show(); });
      ids.forEach(function (p) { labels[p] = true; });
      form.querySelectorAll("input[type=checkbox]").forEach(function (b) { b.checked = true; });
      update();
    });
    form.append(clear);
    form.addEventListener("submit", function (e) { e.preventDefault(); });

    /* --- parallel coordinates: none of the libraries draws them -------------------------------- */
    var W = Math.max(90 * axes.length, Math.round(root.clientWidth) - 28), H = 300, T = 24, B = 250;
    var svg = shape("svg", { "class": "chart", viewBox: "0 0 " + W + " " + H, role: "img", "aria-label": words.parallel });
    function axisX(i) { return axes.length > 1 ? 70 + (W - 140) * i / (axes.length - 1) : W / 2; }
    function axisY(a, v) { return B - (B - T) * place(a, v); }
    /* The lines lie on a canvas below: a thousand of them are drawn anew in each frame of a drag. */
    var drag = null, fine = sweep.runs.length > 500 ? 1 : 2;
    var paint = element("canvas", { width: fine * W, height: fine * H, "aria-hidden": "true" }), stack = element("div", { "class": "stack" });
    var step = Math.ceil(sweep.runs.length / LINES), drawn = sweep.runs.filter(function (r, k) { return r[4] !== null && k % step === 0; });
    var wide = element("div", { "class": "wide", tabindex: "0", role: "group", "aria-label": words.parallel });
    stack.style.minWidth = 90 * axes.length + "px"; /* below it, it scrolls */
    stack.append(paint, svg);
    wide.append(stack);
    function drawLines(set) { /* all of them when the hand rests */
      var every = drag ? Math.ceil(drawn.length / LINES_MOVING) : 1, pen = paint.getContext("2d");
      pen.setTransform(fine, 0, 0, fine, 0, 0);
      pen.clearRect(0, 0, W, H);
      pen.lineWidth = 1;
      pen.globalAlpha = 0.45;
      drawn.forEach(function (r, k) {
        if (k % every !== 0 || !set.has(r)) return;
        pen.strokeStyle = colour(r[3]);
        pen.beginPath();
        var down = false;
        axes.forEach(function (a, i) {
          if (r[a.column] === null) { down = false; return; }
          if (down) pen.lineTo(axisX(i), axisY(a, r[a.column])); else pen.moveTo(axisX(i), axisY(a, r[a.column]));
          down = true;
        });
        pen.stroke();
      });
    }
    axes.forEach(function (a, i) {
      var x = axisX(i), rule = shape("line", { "class": "rule", x1: x, x2: x, y1: T, y2: B });
      var name = shape("text", { x: x, y: B + 36, "text-anchor": "middle" }), brush = shape("rect", { "class": "brush", x: x - 8, width: 16, y: T, height: 0 });
      name.textContent = a.name.length > 18 ? a.name.slice(0, 17) + "…" : a.name;
      svg.append(rule, brush, name);
      [[a.low, B + 14], [a.high, T - 8]].forEach(function (end) {
        var t = shape("text", { x: x, y: end[1], "text-anchor": "middle" });
        t.textContent = a.choices ? String(a.choices[end[0]]).slice(0, 14) : short(end[0]);
        svg.append(t);
      });
      a.draw = function () {
        var y0 = a.range ? axisY(a, Math.min(a.range[1], a.high)) : T, y1 = a.range ? axisY(a, Math.max(a.range[0], a.low)) : T;
        brush.setAttribute("y", y0);
        brush.setAttribute("height", a.range ? Math.max(1, y1 - y0) : 0);
      };
    });
    function at(e) {
      var box = svg.getBoundingClientRect();
      return { x: (e.clientX - box.left) * W / box.width, y: (e.clientY - box.top) * H / box.height };
    }
    function up(y) { return Math.max(0, Math.min(1, (B - y) / (B - T))); }
    svg.addEventListener("pointerdown", function (e) {
      var p = at(e), near = 0;
      axes.forEach(function (a, i) { if (Math.abs(axisX(i) - p.x) < Math.abs(axisX(near) - p.x)) near = i; });
      if (Math.abs(axisX(near) - p.x) > 40 || axes[near].choices) return;
      drag = { axis: axes[near], from: up(p.y) };
      svg.setPointerCapture(e.pointerId);
    });
    svg.addEventListener("pointermove", function (e) {
      if (!drag) return;
      var to = up(at(e).y), low = Math.min(drag.from, to), high = Math.max(drag.from, to), a = drag.axis;
      a.range = high - low < 0.01 ? null : [low === 0 ? -Infinity : value(a, low), high === 1 ? Infinity : value(a, high)];
      if (a.show) a.show();
      update();
    });
    function rest() { drag = null; update(); }
    svg.addEventListener("pointerup", rest);
    svg.addEventListener("pointercancel", rest); /* the finger scrolls */

    /* --- charts by the library, where the build had it ------------------------------------------ */
    function choice(name, options, before) {
      var select = element("select", { "aria-label": name });
      options.forEach(function (o) { select.append(element("option", { value: o[1] }, o[0])); });
      if (before) select.value = before;
      select.addEventListener("change", update);
      return select;
    }
    function option(goal) { return [goal.name, goal.column]; }
    var pick = choice(words.horizontal, [[words.number, 1], [words.seconds, 5]]
      .concat(sweep.parameters.map(function (p, i) { return [p.name, first + i]; }), others.length ? goals.map(option) : []), kept && kept.pick);
    var rise = choice(words.vertical, goals.map(option), kept && kept.rise);
    var thinned = element("p", { "class": "soft" });
    var two = element("div", { "class": "two" }), boxA = element("div", { "class": "canvas" }), boxB = element("div", { "class": "canvas" });
    var canvasA = element("canvas", { role: "img", "aria-label": sweep.metric }), canvasB = element("canvas", { role: "img", "aria-label": words.curves });
    boxA.append(canvasA);
    boxB.append(canvasB);
    two.append(boxA, boxB);
    function scales(x, y, log, yLog) {
      var grid = { color: style("--line") }, ticks = { color: style("--soft") };
      return { x: { type: log ? "logarithmic" : "linear", title: { display: true, text: x, color: style("--soft") }, grid: grid, ticks: ticks },
               y: { type: yLog ? "logarithmic" : "linear", title: { display: true, text: y, color: style("--soft") }, grid: grid, ticks: ticks } };
    }
    /* Of two objectives: the runs that no other betters in both, the best in the first one first. */
    function front(runs, x, y) {
      var a = goals.find(function (g) { return g.column === x; }), b = goals.find(function (g) { return g.column === y; }), kept = [];
      if (!a || !b || a === b) return kept;
      function order(g, u, v) { return g.maximize ? v[g.column] - u[g.column] : u[g.column] - v[g.column]; }
      runs.slice().sort(function (u, v) { return order(a, u, v) || order(b, u, v); }).forEach(function (r) {
        if (!kept.length || order(b, r, kept[kept.length - 1]) < 0) kept.push(r);
      });
      return kept;
    }
    function draw() {
      if (typeof Chart === "undefined") { two.hidden = true; return; }
      var column = +pick.value, height = +rise.value, p = sweep.parameters[column - first], groups = {};
      function onAxis(c, v) { /* what is far worse stands at the edge */
        var a = axes.find(function (one) { return one.column === c; });
        return drawable(a ? Math.max(a.low, Math.min(a.high, v)) : v);
      }
      function point(r) { return { x: onAxis(column, r[column]), y: onAxis(height, r[height]), run: r }; }
      var points = shown.filter(function (r) { return r[height] !== null && r[column] !== null; });
      /* Of very many every so many-th, and the best: who scrolls does not wait for a picture of ten thousand. */
      var goal = goals.find(function (g) { return g.column === height; }), every = Math.ceil(points.length / POINTS);
      var top = points.reduce(function (a, r) {
        return a === null || (goal.maximize ? r[height] > a[height] : r[height] < a[height]) ? r : a;
      }, null);
      var some = points.filter(function (r, k) { return k % every === 0 || r === top; });
      some.forEach(function (r) { (groups[r[3]] = groups[r[3]] || []).push(point(r)); });
      thinned.hidden = some.length === points.length;
      thinned.textContent = words.points.replace("%1", some.length).replace("%2", points.length);
      if (scatter) scatter.destroy();
      scatter = new Chart(canvasA, { type: "scatter",
        data: { datasets: Object.keys(groups).map(function (k) {
          return { label: +k < 0 ? words.no_label : data.patterns[k], data: groups[k], backgroundColor: colour(+k), pointRadius: 3 };
        }).concat({ label: "", data: front(points, column, height).map(point), showLine: true, stepped: "before", pointRadius: 0,
                    borderColor: style("--text"), borderWidth: 1.5 }) },
        options: { animation: false, maintainAspectRatio: false, parsing: false,
          scales: scales(pick.selectedOptions[0].textContent, rise.selectedOptions[0].textContent, p && p.log, false),
          plugins: { legend: { display: false }, tooltip: { callbacks: { label: function (c) {
            var r = c.raw.run;
            return [words.run + " " + r[0] + ": " + short(r[4])].concat(sweep.parameters.map(function (q, i) {
              var v = r[first + i];
              return q.name + " " + (q.choices && v !== null ? q.choices[v] : short(v));
            }), others.map(function (o) { return o.name + " " + short(r[o.column]); }));
          } } } },
          onClick: function (e, hits) { if (hits.length) { chosen = hits[0].element.$context.raw.run[0]; drawCurves(); } } } });
      settled = setTimeout(drawCurves, 0); /* a task of its own */
    }
    function drawCurves() {
      if (typeof Chart === "undefined") return;
      var runs = chosen !== null ? shown.filter(function (r) { return r[0] === chosen; }) : shown;
      var sets = [], top = axes[axes.length - 1], all = [];
      runs = runs.filter(function (r) { return sweep.curves[r[0]]; })
        .sort(function (a, b) { return a[4] === null ? 1 : b[4] === null ? -1 : sweep.maximize ? b[4] - a[4] : a[4] - b[4]; }).slice(0, CURVES);
      runs.forEach(function (r) {
        var c = decode(sweep.curves[r[0]]);
        [[c[1], []], [c[0], [5, 4]]].forEach(function (s, which) {
          if (which === 1 && runs.length > 12) return;
          sets.push({ label: words.run + " " + r[0] + (which ? " train" : ""), borderColor: colour(r[3]), borderWidth: 1.2, borderDash: s[1], pointRadius: 0,
                      data: s[0].map(function (v, i) { all.push(drawable(v)); return { x: drawable(c[2][i]), y: drawable(v) }; }) });
        });
      });
      all = all.filter(function (v) { return v !== null; }).sort(function (a, b) { return a - b; });
      var options = { animation: false, maintainAspectRatio: false, parsing: false, interaction: { mode: "nearest" },
        scales: scales(words.epoch, words.loss, false, false), plugins: { legend: { display: false } } };
      if (all.length) options.scales.y.max = Math.min(all[all.length - 1], all[Math.floor(all.length * 0.9)] * 1.5 + 1e-9);
      if (curves) curves.destroy();
      curves = new Chart(canvasB, { type: "line", data: { datasets: sets }, options: options });
    }

    /* --- the runs that pass, best first ---------------------------------------------------------- */
    var table = element("table"), head = element("tr"), body = element("tbody"), thead = element("thead");
    [words.run, "#", words.label].concat(goals.map(function (g) { return g.name; }), sweep.parameters.map(function (p) { return p.name; }))
      .forEach(function (t) { head.append(element("th", { scope: "col" }, t)); });
    thead.append(head);
    table.append(thead, body);
    function list() {
      var best = shown.filter(function (r) { return r[4] !== null; })
        .sort(function (a, b) { return sweep.maximize ? b[4] - a[4] : a[4] - b[4]; }).slice(0, ROWS);
      body.replaceChildren();
      best.forEach(function (r) {
        var row = element("tr"), cell = element("td"), button = element("button", { type: "button" }, r[0]);
        button.addEventListener("click", function () { chosen = r[0]; drawCurves(); });
        if (sweep.curves[r[0]] && typeof Chart !== "undefined") cell.append(button); else cell.textContent = r[0];
        row.append(cell, element("td", {}, "#" + r[1]), element("td", {}, r[3] < 0 ? "–" : data.patterns[r[3]]));
        goals.forEach(function (g) { row.append(element("td", {}, short(r[g.column]))); });
        sweep.parameters.forEach(function (p, i) {
          var v = r[first + i];
          row.append(element("td", {}, p.choices && v !== null ? p.choices[v] : short(v)));
        });
        body.append(row);
      });
    }
    var waiting = false, settled = 0;
    function update() { /* lines at once, the rest when the hand rests */
      clearTimeout(settled);
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(function () { /* what is shown is known only then */
        apply();
        clearTimeout(settled);
        settled = setTimeout(function () { draw(); list(); }, drag ? 400 : 0);
      });
    }
    function apply() {
      waiting = false;
      chosen = null;
      shown = sweep.runs.filter(passes);
      var set = new Set(shown);
      drawLines(set);
      axes.forEach(function (a) { a.draw(); });
      count.textContent = words.shown.replace("%1", shown.length).replace("%2", sweep.runs.length);
    }
    var scroll = element("div", { "class": "scroll", tabindex: "0", role: "group", "aria-label": words.runs });
    var label = element("label", {}, words.horizontal + " "), label2 = element("label", {}, " " + words.vertical + " ");
    label.append(pick);
    label2.append(rise);
    label2.hidden = !others.length;
    thinned.hidden = true;
    scroll.append(table);
    root.append(element("p", { "class": "soft" }, words.how), form, count, wide, label, label2, thinned, two, scroll);
    root.closest("section").hidden = false;
    apply();
    settled = setTimeout(function () { list(); settled = setTimeout(draw, 0); }, 0); /* who scrolls goes on between */
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { shades = {}; update(); });
    return {
      busy: function () { return drag !== null || form.contains(document.activeElement); },
      end: function () {
        clearTimeout(settled);
        if (scatter) scatter.destroy();
        if (curves) curves.destroy();
        root.replaceChildren();
      },
      keep: function () {
        var v = { axes: {}, labels: Object.keys(labels).filter(function (p) { return labels[p] === false; }), pick: pick.value, rise: rise.value };
        axes.forEach(function (a) {
          v.axes[a.name] = { range: a.range, off: (a.choices || []).filter(function (name, i) { return a.off[i]; }) };
        });
        return v;
      }
    };
  }

  /* Those that were looked at, by their sweeps; of the others the newest data is taken then. */
  var shownOnes = {};
  function sweepOf(id) { return data.sweeps.find(function (s) { return s.id === id; }); }
  function watch(id) {
    var root = document.getElementById("explore-" + id);
    if (!root || !sweepOf(id).runs.length) return;
    /* After the first paint; when it is looked at, or before it, when the page has nothing else to do. */
    function begin() {
      if (shownOnes[id] !== null) return;
      seen.disconnect();
      shownOnes[id] = explorer(root, sweepOf(id));
    }
    var seen = new IntersectionObserver(function (entries) {
      if (entries.some(function (e) { return e.isIntersecting; })) begin();
    }, { rootMargin: "400px" });
    root.closest("section").hidden = false;
    shownOnes[id] = null;
    seen.observe(root);
    if (window.requestIdleCallback && document.readyState !== "complete")
      window.addEventListener("load", function () { requestIdleCallback(begin); });
  }
  data.sweeps.forEach(function (sweep) { watch(sweep.id); });

  /* The page's data is newer: what is drawn follows, with the filters as they are; not under a hand that moves them. */
  window.sweepReport = {
    renew: function () {
      data = JSON.parse(source.textContent);
      data.sweeps.forEach(function (sweep) {
        var one = shownOnes[sweep.id], root = document.getElementById("explore-" + sweep.id);
        if (one === undefined) { watch(sweep.id); return; }
        if (one === null || one.busy() || !root) return;
        var kept = one.keep();
        one.end();
        shownOnes[sweep.id] = explorer(root, sweep, kept);
      });
    }
  };
})();
