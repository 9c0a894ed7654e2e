"""What a page must have for those who read it by ear, by keyboard or with weak eyes: an expression for the browser
whose value is a list of complaints. The rules are those of WCAG 2.2 AA that a program can see."""

COMPLAINTS = r"""
(function () {
  var out = [];
  function say(e, what) {
    out.push(what + ": " + (e.outerHTML || String(e)).slice(0, 120));
  }
  function all(selector) { return Array.from(document.querySelectorAll(selector)); }
  function seen(e) { return e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0; }
  function name(e) {
    var by = e.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map(function (id) { var v = document.getElementById(id); return v ? v.textContent : ""; }).join(" ").trim();
    return (e.getAttribute("aria-label") || (e.labels && Array.from(e.labels).map(function (l) { return l.textContent; }).join(" ")) ||
            e.textContent || "").trim();
  }
  if (!document.documentElement.lang) out.push("no language");
  if (!document.title.trim()) out.push("no title");
  if (all("main").length !== 1) out.push("not one main");
  if (all("h1").length !== 1) out.push("not one h1");

  var ids = {};
  all("[id]").forEach(function (e) {
    if (ids[e.id]) say(e, "an id twice");
    ids[e.id] = true;
  });
  all("[aria-labelledby],[aria-describedby],[for]").forEach(function (e) {
    ["aria-labelledby", "aria-describedby", "for"].forEach(function (a) {
      (e.getAttribute(a) || "").split(" ").filter(Boolean).forEach(function (id) { if (!document.getElementById(id)) say(e, "names nothing by " + a); });
    });
  });
  var level = 0;
  all("h1,h2,h3,h4,h5,h6").filter(seen).forEach(function (e) {
    var n = +e.tagName[1];
    if (level && n > level + 1) say(e, "a heading left out");
    level = n;
    if (!e.textContent.trim()) say(e, "an empty heading");
  });
  all("a[href],button,input:not([type=hidden]),select,textarea,summary,progress,[role=img],[role=region],[role=button]").forEach(function (e) {
    if (!name(e)) say(e, "no name");
    if (e.tabIndex > 0) say(e, "an order of its own");
  });
  all("img").forEach(function (e) { if (!e.hasAttribute("alt")) say(e, "no alt"); });
  all("svg").forEach(function (e) {
    if (e.getAttribute("aria-hidden") !== "true" && e.getAttribute("role") !== "img") say(e, "a picture that is none");
  });
  all("canvas").forEach(function (e) {
    if (e.getAttribute("aria-hidden") !== "true" && !name(e)) say(e, "a canvas without a name");
  });
  all("table").forEach(function (e) {
    if (!e.querySelector("th")) say(e, "a table without titles");
    e.querySelectorAll("thead th").forEach(function (h) { if (!h.hasAttribute("scope")) say(h, "no scope"); });
  });
  all("ul,ol").forEach(function (e) {
    Array.from(e.children).forEach(function (c) { if (c.tagName !== "LI") say(c, "no item in a list"); });
  });
  all("dl").forEach(function (e) {
    Array.from(e.children).forEach(function (c) { if (!/^(DIV|DT|DD)$/.test(c.tagName)) say(c, "no pair in a list"); });
  });
  all("*").forEach(function (e) { /* what scrolls is reached by the keyboard */
    var s = getComputedStyle(e);
    if (e !== document.documentElement && e !== document.body && /auto|scroll/.test(s.overflowX + s.overflowY) && seen(e) &&
        (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1) && e.tabIndex < 0 && !e.querySelector("a,button,input,select"))
      say(e, "scrolls, and is not reached");
  });
  all("a[href],button,select,input:not([type=hidden])").filter(seen).forEach(function (e) { /* 2.5.8, but for links in a text */
    var r = e.getBoundingClientRect(), inline = getComputedStyle(e).display === "inline";
    if (!inline && e.type !== "checkbox" && r.right > 0 && (r.width < 24 || r.height < 24)) say(e, "hard to hit (" + r.width + " x " + r.height + ")");
  });

  /* --- contrast (1.4.3) --- */
  function channels(text) { var m = text.match(/[\d.]+/g); return m ? m.map(Number) : [0, 0, 0, 0]; }
  function light(c) {
    var v = c.slice(0, 3).map(function (x) { x /= 255; return x <= 0.04045 ? x / 12.92 : Math.pow((x + 0.055) / 1.055, 2.4); });
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
  }
  function ground(e) {
    for (; e; e = e.parentElement) {
      var c = getComputedStyle(e).backgroundColor;
      if (/^rgb/.test(c)) { c = channels(c); if (c.length < 4 || c[3] === 1) return c; }
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  }
  var walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), node, told = {};
  while ((node = walk.nextNode())) {
    var e = node.parentElement;
    if (!node.data.trim() || !e || !seen(e) || /^(SCRIPT|STYLE|TITLE|DESC|OPTION)$/i.test(e.tagName)) continue;
    var s = getComputedStyle(e), svg = e.ownerSVGElement;
    var ink = channels(svg ? s.fill : s.color), back = ground(e), a = light(ink), b = light(back);
    var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(s.fontSize);
    var least = size >= 24 || (size >= 18.66 && +s.fontWeight >= 700) ? 3 : 4.5, key = ink + "/" + back;
    if (ratio < least && !told[key]) { told[key] = true; say(e, "contrast " + ratio.toFixed(2)); }
  }
  return out;
})()
"""
