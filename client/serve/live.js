/* What a page of `sweepctl serve` adds where scripts run: it hears what happens and renews itself. Losses of runs
 * under way are written where they stand; all else is asked of the server again, and what is another is put in its
 * place. Text goes into the page as text alone. */
"use strict";
(function () {
  var state = document.getElementById("state");
  if (!state || typeof EventSource === "undefined") return;
  var PAUSE_MS = 1500; /* at least between two looks; longer where a look takes long */
  var last = null, looking = false, wanted = false, due = 0, next = 0;

  function say(kind) {
    state.className = kind === "live" ? "on" : "off";
    if (state.textContent !== state.dataset[kind]) state.textContent = state.dataset[kind];
  }

  /* --- the page anew ---------------------------------------------------------------------------- */
  function kept(e) { return e.nodeType === 1 && e.hasAttribute("data-keep"); }
  function same_kind(a, b) { return a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.id === b.id; }
  function same_attributes(a, b) { return a.cloneNode(false).isEqualNode(b.cloneNode(false)); }
  /* live shows what `was` said; it is to show what `is` says. */
  function patch(live, was, is) {
    if (was.isEqualNode(is) || kept(live)) return;
    var lives = live.childNodes, wases = was.childNodes, ises = is.childNodes;
    var alike = live.nodeType === 1 && same_kind(was, is) && same_attributes(was, is) && wases.length === ises.length && lives.length === wases.length;
    for (var i = 0; alike && i < ises.length; i++) alike = same_kind(wases[i], ises[i]) && same_kind(lives[i], ises[i]);
    if (!alike) { replace(live, is); return; }
    for (var k = 0; k < ises.length; k++) patch(lives[k], wases[k], ises[k]);
  }
  function replace(live, is) {
    var made = document.importNode(is, true);
    if (live.nodeType === 1) {
      live.querySelectorAll("[data-keep]").forEach(function (e) {
        var place = made.querySelector("#" + e.id);
        if (place) place.replaceWith(e);
      });
      var open = live.querySelectorAll("details"), fresh = made.querySelectorAll("details");
      for (var i = 0; i < open.length && i < fresh.length; i++) fresh[i].open = open[i].open;
    }
    live.replaceWith(made);
  }
  function put(text) {
    var is = new DOMParser().parseFromString(text, "text/html");
    var live = document.getElementById("main"), now = is.getElementById("main");
    if (!now || !is.getElementById("state")) { location.reload(); return; } /* it has ended, or one must log in */
    var data = document.getElementById("data"), fresh = is.getElementById("data");
    if (last) patch(live, last.getElementById("main"), now); else patch(live, live, now);
    if (data && fresh && data.textContent !== fresh.textContent) {
      data.textContent = fresh.textContent;
      if (window.sweepReport) window.sweepReport.renew();
    }
    last = is;
  }
  function look() {
    looking = true;
    wanted = false;
    var began = performance.now();
    fetch(location.href, { cache: "no-store", credentials: "same-origin" }).then(function (r) {
      if (!r.ok && r.status !== 404) throw new Error(r.status);
      return r.text();
    }).then(put).catch(function () { }).then(function () {
      looking = false;
      due = performance.now() + Math.max(PAUSE_MS, 4 * (performance.now() - began));
      if (wanted) want();
    });
  }
  function want() {
    wanted = true;
    if (looking) return;
    clearTimeout(next);
    next = setTimeout(look, Math.max(0, due - performance.now()));
  }

  /* --- what happens ----------------------------------------------------------------------------- */
  /* As the server writes a loss (human_loss), so that a look changes nothing. */
  function loss(v) {
    if (typeof v !== "number") return v;
    var size = Math.abs(v);
    if (v !== 0 && (size < 1e-4 || size >= 1e6)) return v.toExponential(3).replace(/([+-])(\d)$/, "$10$2");
    return size >= 1e4 ? v.toFixed(0) : v.toPrecision(4);
  }
  function cell(run, name, v) {
    var e = document.querySelector('tr[data-run="' + (+run) + '"] [data-' + name + "]");
    if (e && v !== null && v !== undefined) e.textContent = String(v);
    return e !== null;
  }
  function on_point(p) {
    cell(p.run, "train", loss(p.train_loss));
    cell(p.run, "val", loss(p.val_loss));
    /* What is being fetched may be older than this, and would be put over it. */
    if (!cell(p.run, "epoch", +p.epoch.toPrecision(4)) || looking || document.getElementById("chart")) want();
  }
  function on_label(p) { if (!cell(p.run, "label", p.pattern) || looking) want(); }

  var source = new EventSource(state.dataset.events);
  source.onopen = function () { say("live"); };
  source.onerror = function () { say("lost"); };
  source.addEventListener("gone", function () { say("gone"); });
  ["hello", "back"].forEach(function (name) {
    source.addEventListener(name, function () { say("live"); want(); });
  });
  ["run_started", "run_ended", "run_paused", "stage_planned", "sweep_changed", "sweep_ended", "lagged", "snapshot"]
    .forEach(function (name) { source.addEventListener(name, want); });
  source.addEventListener("point", function (e) { on_point(JSON.parse(e.data)); });
  source.addEventListener("label", function (e) { on_label(JSON.parse(e.data)); });
  window.addEventListener("pagehide", function () { source.close(); });
  window.addEventListener("pageshow", function (e) { if (e.persisted) location.reload(); });
})();
