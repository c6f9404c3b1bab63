"use strict";
// Shows recorded episodes step by step. All that it shows stands in the JSON beside it (watch/data.py says what);
// every name goes into the page as text, never as markup.
(function () {
  const SVG = "http://www.w3.org/2000/svg";
  const ACCESS = ["none", "user", "privileged"];
  const ACTIVITY = { 0: "", 1: "scan", 3: "exploit" };
  const BELIEF = ["", "unknown", "user", "privileged"], SHORT_BELIEF = ["", "?", "user", "priv."];
  const PAUSE_MS = 900;
  const MOST_SCALE = 1.5, LEAST_SCALE = 0.92, ABOUT = 0.95;
  const SWIPE_PX = 45;
  const EYE = "M1 5c2-3 6-3 8 0c-2 3-6 3-8 0zM5 3.6a1.4 1.4 0 1 0 .01 0z";
  const SHIELD = "M5 .5l4 1.5v3c0 2.4-1.7 4-4 5c-2.3-1-4-2.6-4-5v-3z";
  const LOCK = "M2 4.5h6v5h-6zM3.2 4.5v-1.5a1.8 1.8 0 0 1 3.6 0v1.5";
  const OPEN_LOCK = "M2 4.5h6v5h-6zM3.2 4.5v-2a1.8 1.8 0 0 1 3.4-.8";
  const PLAY = "M4 2l9 6l-9 6z", PAUSE = "M4 2h3v12h-3zM9 2h3v12h-3z";

  function html(tag, className, words) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (words !== undefined) node.textContent = words;
    return node;
  }

  function svg(tag, attributes, words) {
    const node = document.createElementNS(SVG, tag);
    for (const name in attributes) node.setAttribute(name, attributes[name]);
    if (words !== undefined) node.textContent = words;
    return node;
  }

  function points(value, digits) {
    const text = value.toFixed(digits === undefined ? 1 : digits);
    return /[1-9]/.test(text) ? text.replace("-", "\u2212") : text.replace("-", "");
  }

  function percent(share) {
    const value = 100 * share;
    return (value < 0.05 ? "<0.1" : value.toFixed(value >= 9.95 ? 0 : 1)) + "\u00a0%";
  }

  function listed(words) {
    return words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words[words.length - 1];
  }

  const pen = document.createElement("canvas").getContext("2d");
  const fitted = new Map();
  let family = "sans-serif";
  function widthOf(words, font) {
    pen.font = font + " " + family;
    return pen.measureText(words).width;
  }

  function fit(words, font, room) {
    // As much of some words as there is room for: the end often tells one name from another.
    const key = font + room + words;
    if (fitted.has(key)) return fitted.get(key);
    widthOf("", font);
    let text = words;
    const letters = Array.from(words);
    const last = Math.min(4, Math.floor(letters.length / 2));
    for (let kept = letters.length - last; kept > 0 && pen.measureText(text).width > room; kept -= 1) {
      text = letters.slice(0, kept - 1).join("") + "\u2026" + letters.slice(letters.length - last).join("");
    }
    fitted.set(key, text);
    return text;
  }

  function mount(root) {
    const data = JSON.parse(root.querySelector(".w-data").textContent);
    const network = data.network, hosts = network.hosts, subnets = network.subnets;
    const one = (name) => root.querySelector(".w-" + name);
    const map = one("svg"), strip = one("strip"), slider = one("slider");
    let episode = 0, step = 0, selected = -1, timer = 0, layout = null, cards = [], locks = [], overlay = null;

    const current = () => data.episodes[episode];
    const taken = () => current().steps[step - 1];
    const situation = (i) => (i === 0 ? current().start : current().steps[i - 1].after);
    const nameOf = (host) => hosts[host].name;
    const verbOf = (action, host) => action.slice(0, -nameOf(host).length - 1);

    // The map -------------------------------------------------------------------------------------------------------
    function chooseLayout() {
      const room = one("map").clientWidth;
      const isWide = getComputedStyle(root).getPropertyValue("--w-wide").trim() === "1";
      const height = isWide ? Math.max(360, window.innerHeight - one("time").offsetHeight - 150) : Infinity;
      const whole = (plan) => Math.min(room / plan.width, height / plan.height, MOST_SCALE);
      const largest = Math.max(...data.layouts.map(whole));
      let best = data.layouts.filter((plan) => whole(plan) >= ABOUT * largest).pop(); // the lowest of those about as large
      let scale = whole(best);
      if (!isWide || scale < LEAST_SCALE) { // all of it does not fit: as much side by side as can be read
        best = data.layouts.filter((plan) => room / plan.width >= LEAST_SCALE).pop() || data.layouts[0];
        scale = Math.min(room / best.width, MOST_SCALE);
      }
      map.setAttribute("width", Math.floor(best.width * scale));
      map.setAttribute("height", Math.floor(best.height * scale));
      if (best === layout) return;
      layout = best;
      drawMap();
      showMap();
    }

    function drawMap() {
      map.setAttribute("viewBox", "0 0 " + layout.width + " " + layout.height);
      map.replaceChildren();
      const defs = svg("defs", {});
      const tip = svg("marker", { id: "w-tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" });
      tip.append(svg("path", { d: "M0 0L8 4L0 8z", class: "w-tip" }));
      defs.append(tip);
      map.append(defs);
      locks = subnets.map((subnet, i) => drawPanel(subnet, layout.panels[i]));
      cards = hosts.map((host, i) => drawCard(host, i, layout.cards[i]));
      overlay = svg("g", { class: "w-over" });
      map.append(overlay);
    }

    function drawPanel(subnet, box) {
      const panel = svg("rect", { x: box[0], y: box[1], width: box[2], height: box[3], rx: 10, class: "w-panel" });
      const name = fit(subnet.name, "600 12.5px", box[2] - (subnet.guards ? 29 : 16));
      const title = svg("text", { x: box[0] + 9, y: box[1] + 17, class: "w-subnet" }, name);
      const lock = svg("path", { class: "w-lock", transform: "translate(" + (box[0] + box[2] - 18) + " " + (box[1] + 6) + ")" });
      const words = svg("text", { x: box[0] + box[2] - 22, y: box[1] + 17, class: "w-wall", "text-anchor": "end" });
      panel.append(svg("title", {}, subnet.name + (subnet.wall ? ": " + subnet.wall : "")));
      map.append(panel, title, lock, words);
      return { panel, lock, words, room: box[2] - 48 - widthOf(name, "600 12.5px") };
    }

    function drawCard(host, index, box) {
      const group = svg("g", { class: "w-card", transform: "translate(" + box[0] + " " + box[1] + ")" });
      const width = box[2];
      const frame = svg("rect", { width, height: box[3], rx: 7, class: "w-frame" });
      const truth = svg("text", { x: 21, y: 49, class: "w-truth" }), sees = svg("text", { x: 21, y: 62, class: "w-sees" });
      const dot = svg("circle", { cx: 14, cy: 45.5, r: 3.5, class: "w-dot" });
      const eye = svg("path", { d: EYE, transform: "translate(9 53.5)", class: "w-eye" });
      const notes = svg("g", { transform: "translate(9 68)" });
      const title = svg("title", {});
      const worth = host.worth ? points(host.worth) : "";
      const kind = network.types[host.type] + (host.start ? ", start" : host.goal ? ", goal" : "");
      group.append(title, frame, svg("rect", { x: 5, y: 9, width: 3.5, height: 24, rx: 1.75, class: "w-type w-type" + host.type }));
      group.append(svg("text", { x: 13, y: 19, class: "w-name" }, fit(host.name, "600 12px", width - 19)));
      group.append(svg("text", { x: 13, y: 32, class: "w-kind" }, fit(kind, "10px", width - 19 - (worth ? 6.2 * worth.length + 6 : 0))));
      group.append(svg("text", { x: width - 7, y: 32, class: "w-worth", "text-anchor": "end" }, worth));
      group.append(dot, truth, eye, sees, notes);
      group.addEventListener("click", () => { selected = selected === index ? -1 : index; showMap(); showHost(); });
      map.append(group);
      return { group, frame, dot, truth, eye, sees, notes, title, width };
    }

    function showMap() {
      const now = situation(step);
      const decoys = new Map(now.decoys), down = new Set(now.down);
      hosts.forEach((host, i) => {
        const card = cards[i], access = Number(now.access[i]), seen = seenOf(now, i);
        card.group.setAttribute("class", "w-card w-" + ACCESS[access] + (i === selected ? " w-selected" : ""));
        card.truth.textContent = fit(access ? ACCESS[access] : "no access", "600 10.5px", card.width - 26);
        const isLong = widthOf(seen, "600 10.5px") > card.width - 26;
        card.sees.textContent = fit(isLong ? seenOf(now, i, SHORT_BELIEF) : seen || "\u2013", "600 10.5px", card.width - 26);
        card.eye.parentNode.classList.toggle("w-alarm", Boolean(seen));
        card.title.textContent = hostWords(now, i);
        showNotes(card, host, decoys.get(i) || [], down.has(i));
      });
      subnets.forEach((subnet, i) => showLock(subnet, locks[i], now));
      showMoves();
      map.setAttribute("aria-label", mapWords(now));
    }

    function seenOf(now, host, words) {
      return [ACTIVITY[now.activity[host]], (words || BELIEF)[now.belief[host]]].filter(Boolean).join(" \u00b7 ");
    }

    function showNotes(card, host, decoys, isDown) {
      card.notes.replaceChildren();
      let left = 0;
      const room = card.width - 18;
      if (host.service) {
        const font = isDown ? "700 10px" : "10px";
        const words = fit(host.service + (isDown ? " down" : ""), font, room - (decoys.length ? 26 : 0));
        card.notes.append(svg("text", { x: left, y: 9, class: isDown ? "w-stopped" : "w-service" }, words));
        left += widthOf(words, font) + 7;
      }
      if (decoys.length) {
        card.notes.append(svg("path", { d: SHIELD, class: "w-decoy", transform: "translate(" + left + " 0)" }));
        const words = decoys.length === 1 ? network.decoys[decoys[0]] : decoys.length + " decoys", space = room - left - 13;
        const isShort = decoys.length > 1 && widthOf(words, "10px") > space || space < 36;
        card.notes.append(svg("text", { x: left + 13, y: 9, class: "w-decoys" }, isShort ? String(decoys.length) : fit(words, "10px", space)));
      }
    }

    function showLock(subnet, lock, now) {
      if (!subnet.guards) return;
      const held = subnet.guards.filter((host) => now.access[host] !== "0");
      lock.lock.setAttribute("d", held.length ? OPEN_LOCK : LOCK);
      lock.lock.classList.toggle("w-unlocked", held.length > 0);
      const through = held.length ? "open through " + nameOf(held[0]) + (held.length > 1 ? " +" + (held.length - 1) : "") : "locked";
      lock.words.textContent = lock.room > 44 ? fit(through, "10.5px", lock.room) : "";
    }

    function centre(host) {
      const box = layout.cards[host];
      return [box[0] + box[2] / 2, box[1] + box[3] / 2];
    }

    function edge(from, box) {
      // Where a line from a point meets a card.
      const x = box[0] + box[2] / 2, y = box[1] + box[3] / 2, dx = from[0] - x, dy = from[1] - y;
      const scale = Math.min(box[2] / 2 / Math.max(Math.abs(dx), 1e-6), box[3] / 2 / Math.max(Math.abs(dy), 1e-6));
      return scale > 1 ? [x, y] : [x + dx * scale, y + dy * scale];
    }

    function arrow(from, to, className, hasTip) {
      const dx = to[0] - from[0], dy = to[1] - from[1], bend = 0.14;
      const path = "M" + from.join(" ") + "Q" + [from[0] + dx / 2 - dy * bend, from[1] + dy / 2 + dx * bend].join(" ") + " " + to.join(" ");
      overlay.append(svg("path", { d: path, class: className, "marker-end": hasTip ? "url(#w-tip)" : "none" }));
    }

    function ring(host, className, inset) {
      const box = layout.cards[host];
      overlay.append(svg("rect", { x: box[0] - 2 + inset, y: box[1] - 2 + inset, width: box[2] + 4 - 2 * inset, height: box[3] + 4 - 2 * inset, rx: 8, class: className }));
    }

    function pill(host, words, className, atBottom, atLeft) {
      const box = layout.cards[host];
      const text = fit(words, "600 10px", box[2] - 16);
      const width = widthOf(text, "600 10px") + 12;
      const x = atLeft ? box[0] + 4 : box[0] + box[2] - width - 4, y = atBottom ? box[1] + box[3] - 6 : box[1] - 10;
      const group = svg("g", { class: "w-pill " + className, transform: "translate(" + x + " " + y + ")" });
      group.append(svg("rect", { width, height: 15, rx: 7.5 }), svg("text", { x: width / 2, y: 11, "text-anchor": "middle" }, text));
      overlay.append(group);
    }

    function showMoves() {
      overlay.replaceChildren();
      locks.forEach((lock) => lock.panel.classList.remove("w-swept"));
      if (step === 0) return;
      const now = taken();
      if (now.green_host >= 0) {
        ring(now.green_host, "w-ring w-green", 0);
        pill(now.green_host, "scan", "w-green", true, true);
      }
      if (now.red_from >= 0) {
        let from = centre(now.red_from);
        const failed = now.red_success === false ? " w-failed" : now.red_success === null ? " w-going" : "";
        if (now.red_through.length && now.red_through[0] !== now.red_from) {
          const via = centre(now.red_through[0]);
          arrow(edge(via, layout.cards[now.red_from]), edge(from, layout.cards[now.red_through[0]]), "w-arrow" + failed, false);
          from = via;
        }
        if (now.red_host >= 0 && now.red_host !== now.red_from) {
          const start = now.red_through.length ? now.red_through[0] : now.red_from;
          if (start !== now.red_host) arrow(edge(centre(now.red_host), layout.cards[start]), edge(from, layout.cards[now.red_host]), "w-arrow" + failed, true);
        } else if (now.red_subnet >= 0) {
          const box = layout.panels[now.red_subnet], home = layout.panels[hosts[now.red_from].subnet];
          if (box !== home) arrow(edge([box[0] + 40, box[1] + 12], layout.cards[now.red_from]), [box[0] + Math.min(60, box[2] / 2), box[1] + 22], "w-arrow" + failed, true);
        }
      }
      if (now.red_subnet >= 0) locks[now.red_subnet].panel.classList.add("w-swept");
      if (now.red_host >= 0) {
        ring(now.red_host, "w-ring w-red", 0);
        const mark = now.red_success === null ? "" : now.red_success ? " \u2713" : " \u2717";
        pill(now.red_host, data.red_words[now.red_kind] + mark, "w-red", true, false);
      }
      const own = new Set();
      for (const [name, host, left] of now.under_way) {
        ring(host, "w-ring w-busy", 3);
        pill(host, verbOf(name, host) + " \u00b7 " + left, "w-busy", false, true);
        own.add(name);
      }
      if (now.blue_host >= 0 && !own.has(now.blue)) {
        ring(now.blue_host, "w-ring w-blue", 3);
        pill(now.blue_host, verbOf(now.blue, now.blue_host) + (now.in_vain ? " in vain" : ""), "w-blue", false, false);
      }
      for (const [name, host] of now.ended) {
        if (name !== now.blue) pill(host, verbOf(name, host) + " done", "w-blue", false, false);
      }
    }

    // The words -----------------------------------------------------------------------------------------------------
    function hostWords(now, host) {
      const level = ACCESS[now.access[host]], seen = seenOf(now, host).replace(" \u00b7 ", ", believes ");
      const decoys = (now.decoys.find((one) => one[0] === host) || [0, []])[1].map((d) => network.decoys[d]);
      const sessions = now.sessions.find((one) => one[0] === host);
      const parts = [nameOf(host) + ": " + network.types[hosts[host].type] + (hosts[host].worth ? ", worth " + points(hosts[host].worth) : "")];
      parts.push("truth: " + (level === "none" ? "no red session" : level + ", " + listed(sessionWords(sessions))));
      if (now.malware.includes(host)) parts.push("red\u2019s files");
      parts.push("blue sees: " + (seen || "nothing"));
      if (decoys.length) parts.push("decoys: " + decoys.join(", "));
      if (hosts[host].service) parts.push(hosts[host].service + (now.down.includes(host) ? " is down" : " runs"));
      return parts.join("; ");
    }

    function sessionWords(sessions) {
      const parts = [];
      if (sessions && sessions[1]) parts.push(sessions[1] + " user session" + (sessions[1] > 1 ? "s" : ""));
      if (sessions && sessions[2]) parts.push(sessions[2] + " privileged session" + (sessions[2] > 1 ? "s" : ""));
      return parts;
    }

    function holding(now) {
      return hosts.map((host, i) => i).filter((i) => now.access[i] !== "0");
    }

    function mapWords(now) {
      const held = holding(now).map((i) => nameOf(i) + " (" + ACCESS[now.access[i]] + ")");
      return "Map of " + network.name + " after step " + step + ". Red holds " + (held.length ? listed(held) : "nothing") + ".";
    }

    function setText(name, words) { one(name).textContent = words; }

    function setLines(name, lines) {
      one(name).replaceChildren(...lines.map((line) => (typeof line === "string" ? html("li", "", line) : line)));
      one(name).closest("section").hidden = lines.length === 0;
    }

    function badge(name, success, underWay) {
      const node = one(name);
      const words = underWay ? "under way" : success === null ? "" : success ? "worked" : "failed";
      node.textContent = words;
      node.className = "w-badge w-" + name + (words ? " w-" + words.replace(" ", "-") : "");
    }

    function total() {
      return current().steps.slice(0, step).reduce((sum, one) => sum + one.reward, 0);
    }

    function showWords() {
      const last = current().steps.length;
      setText("number", step === 0 ? "Start" : "Step " + step);
      setText("of", "of " + last);
      setText("total", points(total()));
      setText("reward", step === 0 ? "\u2013" : points(taken().reward));
      const now = step === 0 ? null : taken();
      setText("red-does", now ? now.red : "holds " + listed(holding(situation(0)).map(nameOf)));
      badge("red-badge", now ? now.red_success : null, false);
      setText("red-how", now ? redWords(now) : "");
      setText("blue-does", now ? now.blue : "waits for the first step");
      const isOwn = Boolean(now) && now.ended.every((one) => one[0] === now.blue);  // the outcome is of what ended
      badge("blue-badge", isOwn ? now.blue_success : null, Boolean(now) && now.under_way.some((one) => one[0] === now.blue));
      setText("blue-how", now ? blueWords(now) : "");
      setText("green-does", now && now.green_host >= 0 ? "scans the ports of " + nameOf(now.green_host) : "sleeps");
      one("green-line").hidden = !data.green;
      showUnderWay(now);
      showSight();
      showOrder(now);
      setLines("causes", now ? now.causes.map(causeLine) : []);
      showPolicy(now);
      showHost();
      showTable();
    }

    function redWords(now) {
      const parts = [];
      if (now.red_from >= 0 && now.red_from !== now.red_host) parts.push("from " + nameOf(now.red_from));
      if (now.red_through.length) parts.push("let in by " + listed(now.red_through.map(nameOf)));
      if (now.red_why) parts.push(now.red_why);
      return parts.join("; ");
    }

    function blueWords(now) {
      const parts = now.in_vain ? ["in vain: all crews are busy"] : [];
      for (const [name, , words] of now.ended) parts.push(name === now.blue && now.ended.length === 1 ? words : name + ": " + words);
      return parts.join("; ");
    }

    function showUnderWay(now) {
      setLines("crews", (now ? now.under_way : []).map(([name, host, left, steps]) => {
        const line = html("li", "", name + ", " + left + (left > 1 ? " steps left" : " step left"));
        const bar = html("span", "w-progress");
        bar.append(html("i"));
        bar.firstChild.style.width = 100 * (steps - left) / Math.max(steps, 1) + "%";
        line.append(bar);
        return line;
      }));
    }

    function showSight() {
      const now = situation(step), lines = [];
      const shown = (digits, words) => hosts.map((host, i) => i).filter((i) => words[digits[i]]);
      const events = shown(now.activity, ACTIVITY).map((i) => ACTIVITY[now.activity[i]] + " on " + nameOf(i));
      const believed = shown(now.belief, BELIEF);
      const line = (label, words) => {
        const node = html("li");
        node.append(html("b", "", label + " "), document.createTextNode(words));
        return node;
      };
      lines.push(line("Blue sees", events.length ? listed(events) : "nothing new"));
      lines.push(line("Blue believes", believed.length ? listed(believed.map((i) => nameOf(i) + " (" + BELIEF[now.belief[i]] + ")")) : "all clean"));
      const held = holding(now);
      lines.push(line("Red holds", held.length ? listed(held.map((i) => nameOf(i) + " (" + ACCESS[now.access[i]] + ")")) : "nothing"));
      const missed = held.filter((i) => now.belief[i] === "0"), wrong = believed.filter((i) => now.access[i] === "0");
      if (missed.length) lines.push(line("Unknown to blue", listed(missed.map(nameOf))));
      if (wrong.length) lines.push(line("Clean in truth", listed(wrong.map(nameOf))));
      setLines("sight", lines);
    }

    function showOrder(now) {
      const box = one("order").closest("section");
      box.hidden = !data.order;
      if (!data.order) return;
      one("order").replaceChildren(...data.order.map((type) => html("li", now && now.due === type ? "w-due" : "", type)));
      setText("verdict", now ? verdictWords(now) : "");
      one("verdict").className = "w-verdict w-" + (now && now.verdict ? now.verdict : "no-fix");
    }

    function verdictWords(now) {
      const held = now.compromised.filter((i) => network.types[hosts[i].type] === now.due).map(nameOf);
      const due = now.due ? now.due + " was due (red held " + listed(held) + ")" : "nothing was due";
      if (!now.verdict) return now.due ? "No fix was begun; " + due + "." : "No fix was begun.";
      const fixed = network.types[hosts[now.blue_host].type];
      const tested = now.tested ? " It put the order to the test: more than one type was held." : " It was no test of the order.";
      const words = now.verdict === "follows" ? "The fix follows the order: " + due + "." : "The fix departs from the order: " + due + ", and " + fixed + " was fixed.";
      return words + tested;
    }

    function causeLine([host, cause, cost]) {
      const words = { held: " is held with privileges", down: ": " + hosts[host].service + " is down", restored: " was restored" }[cause];
      const line = html("li", "w-cause", nameOf(host) + words);
      line.append(html("span", "w-cost", points(cost)));
      return line;
    }

    function showPolicy(now) {
      setLines("policy", (now ? now.likeliest : []).map(([name, share]) => policyLine(name, share, name === now.blue)));
      if (!now || !now.likeliest.length || now.likeliest.some((one) => one[0] === now.blue)) return;
      one("policy").append(policyLine(now.blue, now.chosen_prob, true));
    }

    function policyLine(name, share, isChosen) {
      const line = html("li", isChosen ? "w-chosen" : "");
      const bar = html("span", "w-share");
      bar.append(html("i"));
      bar.firstChild.style.width = Math.max(0.5, 100 * share) + "%";
      line.append(html("span", "w-what", name + (isChosen ? " (chosen)" : "")), html("span", "w-percent", percent(share)), bar);
      return line;
    }

    function showHost() {
      one("host").closest("section").hidden = selected < 0;
      if (selected < 0) return;
      const words = hostWords(situation(step), selected);
      const parts = words.slice(nameOf(selected).length + 2).split("; ");
      setText("host-name", nameOf(selected));
      one("host").replaceChildren(...parts.map((part) => html("li", "", part)));
    }

    function showTable() {
      if (!one("hosts").open) return;
      const now = situation(step), decoys = new Map(now.decoys), sessions = new Map(now.sessions.map((row) => [row[0], row]));
      one("rows").replaceChildren(...hosts.map((host, i) => {
        const row = html("tr");
        const notes = [];
        if (decoys.has(i)) notes.push("decoys: " + decoys.get(i).map((d) => network.decoys[d]).join(", "));
        if (now.malware.includes(i)) notes.push("red\u2019s files");
        if (host.service) notes.push(host.service + (now.down.includes(i) ? " is down" : " runs"));
        const cells = [subnets[host.subnet].name, network.types[host.type], points(host.worth), seenOf(now, i) || "\u2013",
          now.access[i] === "0" ? "\u2013" : listed(sessionWords(sessions.get(i))), notes.join("; ")];
        const head = html("th", "", host.name);
        head.scope = "row";
        row.append(head, ...cells.map((cell) => html("td", "", cell)));
        return row;
      }));
    }

    function summary() {
      if (step === 0) return "Start. " + mapWords(situation(0));
      const now = taken(), how = redWords(now), own = blueWords(now);
      const outcome = (success) => (success === null ? "" : success ? ", worked" : ", failed");
      return "Step " + step + " of " + current().steps.length + ". Red: " + now.red + outcome(now.red_success) + (how ? ", " + how : "") +
        ". Blue: " + now.blue + outcome(now.blue_success) + (own ? ", " + own : "") + ". Reward " + points(now.reward) + ", total " + points(total()) + ".";
    }

    // Time ----------------------------------------------------------------------------------------------------------
    function drawStrip() {
      const steps = current().steps, width = strip.clientWidth || 300, height = 46;
      const at = (number) => 10 + (width - 20) * number / Math.max(steps.length, 1);
      const most = Math.max(1, ...steps.map((one) => -one.reward));
      const bar = Math.max(1, Math.min(9, (width - 20) / steps.length - 1));
      strip.setAttribute("viewBox", "0 0 " + width + " " + height);
      strip.replaceChildren(svg("line", { x1: 10, x2: width - 10, y1: height - 0.5, y2: height - 0.5, class: "w-base" }));
      for (const one of steps) {
        const x = at(one.number);
        if (one.reward < 0) {
          const tall = Math.max(1.5, 28 * Math.sqrt(-one.reward / most));
          strip.append(svg("rect", { x: x - bar / 2, y: height - tall, width: bar, height: tall, class: "w-loss" }));
        }
        if (one.red_kind === data.exploit && one.red_success) strip.append(svg("circle", { cx: x, cy: 4, r: 2.6, class: "w-breach" }));
        if (data.fixes.includes(one.blue_kind) && !one.in_vain) {
          const d = "M" + (x - 3.2) + " 14.5h6.4l-3.2 -5.5z";
          strip.append(svg("path", { d, class: "w-fix" + (one.verdict === "departs" ? " w-departs" : "") }));
        }
      }
      strip.append(svg("line", { y1: 0, y2: height, class: "w-cursor" }));
      moveCursor();
    }

    function moveCursor() {
      const cursor = strip.querySelector(".w-cursor"), width = strip.clientWidth || 300;
      const x = 10 + (width - 20) * step / Math.max(current().steps.length, 1);
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
    }

    function go(number) {
      const last = current().steps.length;
      step = Math.max(0, Math.min(last, number));
      slider.value = step;
      slider.setAttribute("aria-valuetext", step === 0 ? "Start" : "Step " + step + ", reward " + points(taken().reward));
      showMap();
      showWords();
      moveCursor();
      if (!timer) setText("live", summary());
      if (timer && step === last) halt();
    }

    function isNotable(one) {
      return Boolean(one.verdict) || data.fixes.includes(one.blue_kind) || one.ended.some((end) => end[2] === data.evicted) ||
        (one.red_success && one.red_kind >= data.exploit);
    }

    function goToEvent(direction) {
      const steps = current().steps;
      for (let number = step + direction; number >= 1 && number <= steps.length; number += direction) {
        if (isNotable(steps[number - 1])) { go(number); return; }
      }
      go(direction > 0 ? steps.length : 0);
    }

    function openEpisode(number) {
      episode = number;
      slider.max = current().steps.length;
      const words = data.episodes[number];
      setText("return", points(words.env_return));
      setText("seed", "seed " + words.seed);
      setText("compliance", words.compliance === null ? "" : "compliance " + percent(words.compliance));
      drawStrip();
      go(0);
    }

    function start() {
      if (step === current().steps.length) go(0);
      timer = window.setInterval(() => go(step + 1), PAUSE_MS / Number(one("speed").value));
      showTimer();
    }

    function halt() {
      window.clearInterval(timer);
      timer = 0;
      showTimer();
      setText("live", summary());
    }

    function showTimer() {
      one("play").setAttribute("aria-label", timer ? "Pause" : "Play");
      one("play").querySelector("path").setAttribute("d", timer ? PAUSE : PLAY);
    }

    function toggle() { if (timer) halt(); else start(); }

    // What the reader does ------------------------------------------------------------------------------------------
    function onKey(event) {
      const target = event.target;
      if (event.altKey || event.ctrlKey || event.metaKey || /^(SELECT|TEXTAREA)$/.test(target.tagName)) return;
      if (!root.contains(target) && target !== document.body) return;
      const isSlider = target === slider;
      const keys = {
        ArrowLeft: () => go(step - (event.shiftKey ? 10 : 1)), ArrowRight: () => go(step + (event.shiftKey ? 10 : 1)),
        Home: () => go(0), End: () => go(current().steps.length), n: () => goToEvent(1), p: () => goToEvent(-1),
        Escape: () => { selected = -1; showMap(); showHost(); },
      };
      if (data.alone) Object.assign(keys, { PageDown: () => go(step + 10), PageUp: () => go(step - 10) });
      if (event.key === " " && !/^(BUTTON|SUMMARY)$/.test(target.tagName)) keys[" "] = toggle;
      const isOwn = isSlider || root.contains(target) || data.alone;
      const act = isOwn ? keys[event.key] : undefined;
      if (!act) return;
      event.preventDefault();
      act();
    }

    function onStrip(event) {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = strip.getBoundingClientRect();
      go(Math.round((event.clientX - box.left - 10) / (box.width - 20) * current().steps.length));
    }

    let touched = null;
    one("map").addEventListener("pointerdown", (event) => { touched = event.pointerType === "mouse" ? null : [event.clientX, event.clientY]; });
    one("map").addEventListener("pointerup", (event) => {
      const dx = touched ? event.clientX - touched[0] : 0, dy = touched ? event.clientY - touched[1] : 0;
      if (Math.abs(dx) > SWIPE_PX && Math.abs(dx) > 2 * Math.abs(dy)) go(step + (dx < 0 ? 1 : -1));
      touched = null;
    });
    document.addEventListener("keydown", onKey);
    slider.addEventListener("input", () => go(Number(slider.value)));
    strip.addEventListener("pointerdown", onStrip);
    strip.addEventListener("pointermove", onStrip);
    one("play").addEventListener("click", toggle);
    one("back").addEventListener("click", () => go(step - 1));
    one("on").addEventListener("click", () => go(step + 1));
    one("event").addEventListener("click", () => goToEvent(1));
    one("speed").addEventListener("change", () => { if (timer) { halt(); start(); } });
    one("hosts").addEventListener("toggle", showTable);
    one("episode").addEventListener("change", () => { if (timer) halt(); openEpisode(Number(one("episode").value)); });
    one("episode").replaceChildren(...data.episodes.map((each, i) => {
      const option = html("option", "", each.title + " (" + points(each.env_return) + ")");
      option.value = i;
      return option;
    }));
    one("picker").hidden = data.episodes.length < 2;
    one("types").replaceChildren(...network.types.map((type, i) => {
      const item = html("li", "", type);
      item.prepend(html("i", "w-swatch w-ground" + i));
      return item;
    }));
    new ResizeObserver(() => { chooseLayout(); drawStrip(); }).observe(one("map"));
    family = getComputedStyle(root).fontFamily;
    root.classList.add("w-ready");
    chooseLayout();
    const asked = new URLSearchParams(window.location.hash.slice(1));
    const wanted = Math.min(data.episodes.length, Math.max(1, Number(asked.get("episode")) || 1)) - 1;
    one("episode").value = wanted;
    openEpisode(wanted);
    chooseLayout();
    if (asked.has("step")) go(Number(asked.get("step")) || 0);
  }

  document.querySelectorAll(".watch").forEach(mount);
})();
