// SPDX-License-Identifier: MIT
// The page of one run. Everything comes from the JSON in #data: {run, manifest, tasks, edges, tensors}.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { run, manifest, tasks, edges } = data;
  const stats = run.stats;
  const count = tasks.kernel.length;
  const ran = (task) => tasks.core[task] >= 0;
  const byId = (id) => document.getElementById(id);

  // ---- small helpers ----

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") node.className = value;
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
      else node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }
  function table(heads, rows) {
    const text = (i) => (heads[i].text ? { class: "text" } : {});
    return element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((h, i) => element("th", { scope: "col", ...text(i) }, h.name ?? h)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell, i) => element("td", text(i), cell ?? ""))))));
  }
  const grouped = (number) => Number(number).toLocaleString("en-US");
  function time(ns) {
    if (ns >= 1e9) return (ns / 1e9).toFixed(3) + " s";
    if (ns >= 1e6) return (ns / 1e6).toFixed(3) + " ms";
    if (ns >= 1e3) return (ns / 1e3).toFixed(2) + " µs";
    return Math.round(ns) + " ns";
  }
  function bytes(n) {
    for (const unit of ["B", "KiB", "MiB"]) {
      if (n < 1024) return (unit === "B" ? n : n.toFixed(1)) + " " + unit;
      n /= 1024;
    }
    return n.toFixed(1) + " GiB";
  }
  const percent = (part, whole) => (whole > 0 ? (100 * part / whole).toFixed(1) + " %" : "–");
  function bar(part, whole) {
    const width = whole > 0 ? Math.min(100, 100 * part / whole) : 0;
    return element("span", { class: "track" }, element("span", { class: "share", style: { width: width + "%" } }));
  }
  const colourOf = (kernel) => `hsl(${Math.round(210 + 137.508 * kernel) % 360} 58% 52%)`;
  const coreName = (core) => `core ${core} (${core < stats.cores / 3 ? "AIC" : "AIV"})`;
  const kernels = manifest.kernels;

  // ---- head ----

  document.title = `${run.name}: ${run.outcome}`;
  byId("title").append(manifest.display_name ? `${run.name}: ${manifest.display_name}` : run.name);
  const good = run.outcome === "right";
  byId("outcome").append(element("strong", { class: good ? "right" : "wrong" },
    good && !run.compared ? "ran; results were not compared" : run.outcome));
  if (run.error) {
    const lines = [`${run.error.place}: ${run.error.message}`, ...run.error.notes.map((note) => "note: " + note)];
    if (run.error.fix) lines.push("fix: " + run.error.fix);
    byId("outcome").append(element("div", { class: "error mono" }, lines.join("\n")));
    const named = data.failed_tasks.filter((task) => task < count);
    if (named.length) {
      const links = element("p", {}, "Go to: ");
      for (const task of named.slice(0, 8)) links.append(taskButton(task));
      byId("outcome").append(links);
    }
  }
  function fact(name, value) {
    byId("facts").append(element("span", {}, name + " ", element("b", {}, value)));
  }
  fact("tasks", grouped(stats.tasks));
  if (stats.completed !== stats.tasks) fact("of them ran", grouped(stats.completed));
  fact("edges", grouped(stats.edges));
  fact("critical path", `${grouped(stats.critical_path)} task${stats.critical_path === 1 ? "" : "s"}` + (stats.critical_path_ns ? `, ${time(stats.critical_path_ns)}` : ""));
  if (stats.build_ns) fact("graph build", time(stats.build_ns));
  fact("wall time", time(stats.wall_ns));
  fact("workers", stats.workers);
  fact("cores", `${stats.cores}, ${stats.aicpus} AICPU${stats.aicpus === 1 ? "" : "s"}`);
  fact("kernel code", run.kernel_arch);
  fact("platform", run.platform);
  for (const [name, value] of Object.entries(stats.task_window ?? {})) fact("task window, " + name.replaceAll("_", " "), grouped(value));

  // ---- timeline: lanes of slices [task, begin, end], sorted by begin ----

  // A task that did not return gets room to be seen.
  const hung = tasks.core.some((core, task) => core >= 0 && tasks.end[task] < 0);
  const last = hung ? Math.max(data.last_ns * 1.25, data.last_ns + 1000) : data.last_ns;
  function lanesOf(showIdle) {
    const cores = new Map(), aicpus = new Map();
    const add = (lanes, key, slice) => { if (!lanes.has(key)) lanes.set(key, []); lanes.get(key).push(slice); };
    for (let task = 0; task < count; ++task) {
      if (!ran(task)) continue;
      add(cores, tasks.core[task], [task, tasks.start[task], tasks.end[task] < 0 ? last : tasks.end[task]]);
      add(aicpus, tasks.aicpu[task], [task, tasks.dispatch[task], tasks.start[task]]);
    }
    if (showIdle) for (let core = 0; core < stats.cores; ++core) if (!cores.has(core)) cores.set(core, []);
    const lane = (name, slices) => ({ name, slices: slices.sort((a, b) => a[1] - b[1]) });
    const sorted = (lanes) => [...lanes.entries()].sort((a, b) => a[0] - b[0]);
    return [...sorted(aicpus).map(([id, slices]) => ({ ...lane(`AICPU ${id}`, slices), dispatch: true })),
            ...sorted(cores).map(([id, slices]) => lane(coreName(id), slices))];
  }

  const canvas = byId("timeline"), context = canvas.getContext("2d");
  const LEFT = 108, TOP = 24, ROW = 22;
  let lanes = lanesOf(false), from = 0, to = Math.max(1, last), selected = -1, matches = null, match_at = -1;
  let frame = 0;
  const draw = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; paint(); }); };

  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function paint() {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = TOP + ROW * Math.max(1, lanes.length) + 6;
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colours = { ink: css("--ink"), faint: css("--faint"), line: css("--line"), dim: css("--dim"), mark: css("--mark"), panel: css("--panel") };
    context.fillStyle = colours.panel;
    context.fillRect(0, 0, width, height);
    const scale = (width - LEFT) / (to - from);
    const x = (ns) => LEFT + (ns - from) * scale;
    drawAxis(width, height, x, colours);
    lanes.forEach((lane, i) => drawLane(lane, TOP + i * ROW, x, scale, colours));
    context.fillStyle = colours.panel;
    context.fillRect(0, TOP, LEFT - 4, height);
    context.fillStyle = colours.ink;
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    lanes.forEach((lane, i) => context.fillText(lane.name, 8, TOP + i * ROW + ROW / 2));
    if (!lanes.length) context.fillText("no task ran", LEFT, TOP + ROW / 2);
  }
  function drawAxis(width, height, x, colours) {
    const span = to - from, rough = span / Math.max(2, (width - LEFT) / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      context.fillStyle = colours.line;
      context.fillRect(x(t), TOP - 6, 1, height);
      context.fillStyle = colours.faint;
      context.fillText(time(t), x(t) + 3, 10);
    }
  }
  // Slices narrower than a pixel share the pixel: the first one of each pixel is drawn, so that a lane
  // never costs more than its width.
  function drawLane(lane, y, x, scale, colours) {
    const { slices } = lane;
    let low = 0, high = slices.length;
    while (low < high) {  // the first slice that may still be seen: they do not overlap in a core's lane
      const middle = (low + high) >> 1;
      if (slices[middle][2] < from) low = middle + 1; else high = middle;
    }
    let filled = -1;
    for (let i = low; i < slices.length && slices[i][1] <= to; ++i) {
      const [task, begin, end] = slices[i];
      const left = Math.max(x(begin), LEFT), right = Math.max(x(end), left + 1);
      const special = task === selected || (matches && matches.has(task));
      if (!special && right <= filled) continue;
      const faded = matches && !matches.has(task) && task !== selected;
      context.fillStyle = faded ? colours.dim : colourOf(tasks.kernel[task]);
      context.globalAlpha = lane.dispatch ? 0.55 : 1;
      context.fillRect(left, y + 2, right - left - (right - left > 3 ? 0.5 : 0), ROW - 4);
      context.globalAlpha = 1;
      if (tasks.end[task] < 0 && !lane.dispatch) hatch(left, y + 2, right - left, colours);
      if (task === selected) {
        context.strokeStyle = colours.mark;
        context.lineWidth = 2;
        context.strokeRect(left, y + 2, Math.max(2, right - left), ROW - 4);
      }
      if (right - left > 46 && !lane.dispatch) label(tasks.name[task], left, right, y);
      filled = Math.max(filled, Math.floor(right));
    }
  }
  function label(text, left, right, y) {
    context.save();
    context.beginPath();
    context.rect(left, y, right - left - 3, ROW);
    context.clip();
    context.fillStyle = "#fff";
    context.font = "11px system-ui, sans-serif";
    context.fillText(text, left + 4, y + ROW / 2);
    context.restore();
  }
  function hatch(left, y, width, colours) {
    context.save();
    context.beginPath();
    context.rect(left, y, width, ROW - 4);
    context.clip();
    context.strokeStyle = colours.mark;
    for (let i = -ROW; i < width; i += 7) {
      context.beginPath();
      context.moveTo(left + i, y + ROW);
      context.lineTo(left + i + ROW, y);
      context.stroke();
    }
    context.restore();
  }

  function clampView(begin, end) {
    const span = Math.min(Math.max(end - begin, 20), Math.max(1, last));
    from = Math.min(Math.max(0, begin), Math.max(0, last - span));
    to = from + span;
    draw();
  }
  function zoom(factor, at = (from + to) / 2) { clampView(at - (at - from) * factor, at + (to - at) * factor); }
  const timeAt = (event) => from + (to - from) * (event.offsetX - LEFT) / (canvas.clientWidth - LEFT);
  canvas.addEventListener("wheel", (event) => {
    if (event.shiftKey) return clampView(from + (to - from) * event.deltaY / 1000, to + (to - from) * event.deltaY / 1000);
    event.preventDefault();
    zoom(Math.exp(event.deltaY / 400), timeAt(event));
  }, { passive: false });
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => { drag = { x: event.offsetX, from, to, moved: false }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const shift = (drag.x - event.offsetX) * (drag.to - drag.from) / (canvas.clientWidth - LEFT);
    if (Math.abs(drag.x - event.offsetX) > 3) { drag.moved = true; canvas.classList.add("dragging"); }
    if (drag.moved) clampView(drag.from + shift, drag.to + shift);
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = drag && !drag.moved;
    drag = null;
    canvas.classList.remove("dragging");
    if (clicked) select(taskAt(event), false);
  });
  function taskAt(event) {
    const lane = lanes[Math.floor((event.offsetY - TOP) / ROW)];
    if (!lane) return -1;
    const at = timeAt(event), slack = (to - from) / (canvas.clientWidth - LEFT) * 2;
    let best = -1, distance = Infinity;
    for (const [task, begin, end] of lane.slices) {
      const away = at < begin ? begin - at : at > end ? at - end : 0;
      if (away < distance) { distance = away; best = task; }
    }
    return distance <= slack ? best : -1;
  }

  // ---- selection and search ----

  const predecessors = [], MANY = 40;
  function predecessorsOf(task) {
    if (!predecessors.length && edges) {
      for (let i = 0; i < count; ++i) predecessors.push([]);
      for (let from_task = 0; from_task < count; ++from_task)
        for (let i = edges.offsets[from_task]; i < edges.offsets[from_task + 1]; ++i) predecessors[edges.successors[i]].push(from_task);
    }
    return predecessors[task] ?? [];
  }
  const successorsOf = (task) => (edges ? edges.successors.slice(edges.offsets[task], edges.offsets[task + 1]) : []);
  function taskButton(task) {
    return element("button", { onclick: () => select(task, true), title: "task " + task }, tasks.name[task]);
  }
  function list(title, found) {
    const line = element("div", {}, `${title} (${found.length}): `);
    for (const task of found.slice(0, MANY)) line.append(taskButton(task));
    if (found.length > MANY) line.append(`… and ${found.length - MANY} more`);
    return line;
  }
  function select(task, reveal) {
    selected = task;
    const details = byId("details");
    details.replaceChildren();
    if (task < 0) { details.append(element("span", { class: "faint" }, "Select a task to see what it waited for.")); return draw(); }
    const kernel = kernels[tasks.kernel[task]];
    const head = element("div", {}, element("strong", { class: "mono" }, tasks.name[task]),
      ` · task ${task} · kernel ${kernel ? kernel.name : "?"}`);
    if (ran(task)) {
      head.append(` · ${coreName(tasks.core[task])} · AICPU ${tasks.aicpu[task]} · worker ${tasks.worker[task]} · `,
        tasks.end[task] < 0 ? element("strong", { class: "wrong" }, `started at ${time(tasks.start[task])} and did not return`)
                            : `from ${time(tasks.start[task])}, ${time(tasks.end[task] - tasks.start[task])} long, waited ${time(tasks.start[task] - tasks.dispatch[task])} for its core`);
    } else head.append(" · ", element("strong", { class: "wrong" }, "did not run"));
    details.append(head, list("waits for", predecessorsOf(task)), list("awaited by", successorsOf(task)));
    if (reveal) {
      if (ran(task)) {
        const end = tasks.end[task] < 0 ? last : tasks.end[task], span = Math.min(to - from, Math.max((end - tasks.start[task]) * 12, 200));
        const middle = (tasks.start[task] + end) / 2;
        if (tasks.start[task] < from || end > to || (end - tasks.start[task]) * 400 < to - from) clampView(middle - span / 2, middle + span / 2);
      }
      byId("timeline-section").scrollIntoView({ block: "nearest" });
    }
    draw();
  }
  function search(text) {
    matches = null;
    match_at = -1;
    const wanted = text.trim().toLowerCase();
    if (wanted) {
      matches = new Set();
      for (let task = 0; task < count; ++task)
        if (tasks.name[task].toLowerCase().includes(wanted) || String(task) === wanted) matches.add(task);
    }
    byId("matches").textContent = matches ? `${grouped(matches.size)} of ${grouped(count)} tasks` : "";
    draw();
  }
  function step(direction) {
    if (!matches || !matches.size) return;
    const found = [...matches];
    match_at = (match_at + direction + found.length) % found.length;
    byId("matches").textContent = `${grouped(match_at + 1)} of ${grouped(found.length)} matches`;
    select(found[match_at], true);
  }
  byId("search").addEventListener("input", (event) => search(event.target.value));
  byId("search").addEventListener("keydown", (event) => { if (event.key === "Enter") step(event.shiftKey ? -1 : 1); });
  byId("next").addEventListener("click", () => step(1));
  byId("previous").addEventListener("click", () => step(-1));
  byId("zoom-in").addEventListener("click", () => zoom(0.5));
  byId("zoom-out").addEventListener("click", () => zoom(2));
  byId("zoom-all").addEventListener("click", () => clampView(0, last));
  byId("idle-lanes").addEventListener("change", (event) => { lanes = lanesOf(event.target.checked); draw(); });

  function theme(name) { document.documentElement.dataset.theme = name; draw(); }
  theme(window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const otherTheme = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  byId("theme").addEventListener("click", otherTheme);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { byId("search").value = ""; byId("search").blur(); search(""); return select(-1, false); }
    if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
    const shift = (to - from) / 10;
    const actions = {
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": () => clampView(0, last),
      "n": () => step(1), "N": () => step(-1), "t": otherTheme, "/": () => byId("search").focus(),
    };
    const on_canvas = { ArrowLeft: () => clampView(from - shift, to - shift), ArrowRight: () => clampView(from + shift, to + shift) };
    const action = actions[event.key] ?? (document.activeElement === canvas ? on_canvas[event.key] : undefined);
    if (action) { event.preventDefault(); action(); }
  });
  new ResizeObserver(draw).observe(byId("timeline-box"));
  window.addEventListener("beforeprint", () => { document.documentElement.dataset.theme = "light"; paint(); });

  // ---- kernels ----

  const per_kernel = kernels.map(() => ({ tasks: 0, total: 0, least: Infinity, most: 0, slowest: -1 }));
  for (let task = 0; task < count; ++task) {
    const entry = per_kernel[tasks.kernel[task]];
    if (!entry || !ran(task) || tasks.end[task] < 0) continue;
    const spent = tasks.end[task] - tasks.start[task];
    ++entry.tasks;
    entry.total += spent;
    entry.least = Math.min(entry.least, spent);
    if (spent >= entry.most) { entry.most = spent; entry.slowest = task; }
  }
  const busy = per_kernel.reduce((sum, entry) => sum + entry.total, 0);
  const size = { f32: 4, i32: 4, f16: 2, bf16: 2 };
  const moved = (kernel) => kernel.tiles.reduce((sum, tile) => sum + tile.rows * tile.cols * size[tile.dtype] * (tile.access === "inout" ? 2 : 1), 0);
  kernels.forEach((kernel, i) => byId("legend").append(element("span", { style: { "--colour": colourOf(i) } }, kernel.name)));
  byId("kernels").append(table(["kernel", "core", "tasks", "time", "share", "", "each", "least", "most", "slowest", "bytes each", "bytes/s"].map((name) => ({ name, text: ["kernel", "core", "", "slowest"].includes(name) })),
    kernels.map((kernel, i) => {
      const entry = per_kernel[i], each = entry.tasks ? entry.total / entry.tasks : 0;
      return [kernel.name, kernel.core_type, grouped(entry.tasks), time(entry.total), percent(entry.total, busy), bar(entry.total, busy),
        entry.tasks ? time(each) : "–", entry.tasks ? time(entry.least) : "–", entry.tasks ? time(entry.most) : "–",
        entry.slowest >= 0 ? taskButton(entry.slowest) : "–", bytes(moved(kernel)), each ? bytes(moved(kernel) / each * 1e9) + "/s" : "–"];
    })));

  // ---- the graph collapsed by kernel, and the critical path by kernel time ----

  function criticalPath() {
    if (!edges || !count) return [];
    const waiting = new Int32Array(count);
    for (const to_task of edges.successors) ++waiting[to_task];
    const reach = new Float64Array(count), before = new Int32Array(count).fill(-1);
    const ready = [];
    for (let task = 0; task < count; ++task) if (!waiting[task]) ready.push(task);
    let end = -1, seen = 0;
    while (ready.length) {
      const task = ready.pop();
      ++seen;
      reach[task] += ran(task) && tasks.end[task] >= 0 ? tasks.end[task] - tasks.start[task] : 0;
      if (end < 0 || reach[task] > reach[end]) end = task;
      for (let i = edges.offsets[task]; i < edges.offsets[task + 1]; ++i) {
        const next = edges.successors[i];
        if (before[next] < 0 || reach[task] > reach[next]) { reach[next] = reach[task]; before[next] = task; }
        if (--waiting[next] === 0) ready.push(next);
      }
    }
    const path = [];
    for (let task = end; task >= 0; task = before[task]) path.push(task);
    return path.reverse();
  }
  const path = criticalPath();
  function kernelGraph() {
    const counts = new Map(), critical = new Set();
    if (edges)
      for (let task = 0; task < count; ++task)
        for (let i = edges.offsets[task]; i < edges.offsets[task + 1]; ++i) {
          const key = tasks.kernel[task] + "," + tasks.kernel[edges.successors[i]];
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
    for (let i = 1; i < path.length; ++i) critical.add(tasks.kernel[path[i - 1]] + "," + tasks.kernel[path[i]]);
    const links = [...counts].map(([key, n]) => ({ from: +key.split(",")[0], to: +key.split(",")[1], n, critical: critical.has(key) }));
    const used = kernels.map((_, i) => i).filter((i) => per_kernel[i].tasks || links.some((link) => link.from === i || link.to === i));
    const layer = new Map(used.map((i) => [i, 0]));
    for (let round = 0; round < used.length; ++round)  // cycles between kernels end after as many rounds
      for (const link of links) if (link.from < link.to || !links.some((other) => other.from === link.to && other.to === link.from))
        if (link.from !== link.to && layer.get(link.to) <= layer.get(link.from) && layer.get(link.from) + 1 < used.length) layer.set(link.to, layer.get(link.from) + 1);
    const rows = [], width = 190, height = 44, gap_x = 70, gap_y = 40, at = new Map();
    for (const i of used) (rows[layer.get(i)] ??= []).push(i);
    rows.filter(Boolean).forEach((row, y) => row.forEach((i, x) => at.set(i, { x: 40 + x * (width + gap_x), y: 20 + y * (height + gap_y) })));
    const space = "http://www.w3.org/2000/svg";
    const shape = (tag, attributes, text) => {
      const node = document.createElementNS(space, tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      if (text !== undefined) node.textContent = text;
      return node;
    };
    const total_width = Math.max(300, ...[...at.values()].map((p) => p.x + width + 90)), total_height = Math.max(60, ...[...at.values()].map((p) => p.y + height + 30));
    const svg = shape("svg", { width: total_width, height: total_height, role: "img", "aria-label": "task graph collapsed by kernel" });
    svg.append(shape("defs", {}));
    svg.firstChild.innerHTML = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker>';
    for (const link of links) {
      const a = at.get(link.from), b = at.get(link.to);
      let curve, label_x, label_y;
      if (link.from === link.to) {
        const x = a.x + width, y = a.y + height / 2;
        curve = `M${x} ${y - 10} C${x + 46} ${y - 26} ${x + 46} ${y + 26} ${x} ${y + 10}`;
        [label_x, label_y] = [x + 38, y + 4];
      } else {
        const down = b.y > a.y, x1 = a.x + width / 2 + (down ? 0 : 24), x2 = b.x + width / 2 + (down ? 0 : 24);
        const y1 = down ? a.y + height : a.y, y2 = down ? b.y : b.y + height;
        curve = b.y === a.y ? `M${a.x + (b.x > a.x ? width : 0)} ${a.y + height / 2} L${b.x + (b.x > a.x ? 0 : width)} ${b.y + height / 2}`
                            : `M${x1} ${y1} C${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2} ${x2} ${y2}`;
        [label_x, label_y] = [(x1 + x2) / 2 + 6, (y1 + y2) / 2 + 4];
      }
      svg.append(shape("path", { d: curve, class: "edge" + (link.critical ? " critical" : ""), "marker-end": "url(#tip)" }),
        shape("text", { x: label_x, y: label_y }, grouped(link.n)));
    }
    for (const [i, p] of at) {
      svg.append(shape("rect", { x: p.x, y: p.y, width, height, rx: 6, class: "node" }),
        shape("rect", { x: p.x, y: p.y, width: 6, height, rx: 3, fill: colourOf(i) }),
        shape("text", { x: p.x + 14, y: p.y + 18 }, kernels[i].name.length > 24 ? kernels[i].name.slice(0, 23) + "…" : kernels[i].name),
        shape("text", { x: p.x + 14, y: p.y + 35 }, `${grouped(per_kernel[i].tasks)} tasks, ${time(per_kernel[i].total)}`));
    }
    return svg;
  }
  byId("graph").append(edges ? kernelGraph() : element("p", { class: "faint" }, data.no_edges));
  if (path.length) {
    const steps = [];
    for (const task of path) {
      const head = steps[steps.length - 1], spent = ran(task) && tasks.end[task] >= 0 ? tasks.end[task] - tasks.start[task] : 0;
      if (head && head.kernel === tasks.kernel[task]) { ++head.n; head.spent += spent; }
      else steps.push({ kernel: tasks.kernel[task], n: 1, spent, first: task });
    }
    const whole = steps.reduce((sum, s) => sum + s.spent, 0);
    const line = element("p", {}, element("b", {}, "Critical path"), ` (${grouped(path.length)} task${path.length === 1 ? "" : "s"}, ${time(whole)} in kernels, ${percent(whole, stats.wall_ns)} of the wall time): `);
    steps.slice(0, 60).forEach((s, i) => line.append(i ? " → " : "", element("button", { onclick: () => select(s.first, true) }, `${kernels[s.kernel]?.name ?? "?"} × ${s.n}, ${time(s.spent)}`)));
    if (steps.length > 60) line.append(` → … ${steps.length - 60} more`);
    byId("critical").append(line);
  }

  // ---- cores, tensors, schedule ----

  const core_tasks = new Map();
  for (let task = 0; task < count; ++task) if (ran(task)) core_tasks.set(tasks.core[task], (core_tasks.get(tasks.core[task]) ?? 0) + 1);
  const busy_cores = stats.core_busy_ns.map((ns, core) => [core, ns]).filter(([core]) => core_tasks.has(core));
  byId("cores").append(table([{ name: "core", text: true }, "tasks", "busy", "of the run", { name: "", text: true }],
    busy_cores.map(([core, ns]) => [coreName(core), grouped(core_tasks.get(core)), time(ns), percent(ns, stats.wall_ns), bar(ns, stats.wall_ns)])));
  if (busy_cores.length < stats.cores) byId("cores").append(element("p", { class: "faint" }, `${stats.cores - busy_cores.length} of ${stats.cores} cores had no task.`));

  byId("tensors").append(table([{ name: "tensor", text: true }, { name: "type", text: true }, { name: "role", text: true }, "bytes", "least", "mean", "most", "NaN", "inf",
    { name: "compared", text: true }, "largest error", { name: "first difference", text: true }],
    data.tensors.map((t) => {
      const result = run.tensors.find((r) => r.name === t.name);
      const verdict = !result ? "" : result.differing ? element("span", { class: "wrong" }, `${grouped(result.differing)} of ${grouped(result.compared)} differ`)
        : element("span", { class: "right" }, `${grouped(result.compared)} right`);
      return [t.name, `${t.dtype} ${t.shape.join(" × ")}`, t.role, bytes(t.bytes), t.least, t.mean, t.most, t.nan === undefined ? "" : grouped(t.nan), t.inf === undefined ? "" : grouped(t.inf), verdict,
        result ? `${Number(result.max_abs).toPrecision(3)} abs, ${Number(result.max_rel).toPrecision(3)} rel` : "",
        result?.first ? `${result.first.element} is ${result.first.got}, expected ${result.first.expected}` : ""];
    })));

  function show(value) {
    if (Array.isArray(value) && value.length && typeof value[0] === "object") {
      const keys = [...new Set(value.flatMap((row) => Object.keys(row)))];
      return table(keys.map((name) => ({ name: name.replaceAll("_", " "), text: true })), value.map((row) => keys.map((key) => show(row[key]))));
    }
    if (value && typeof value === "object" && !Array.isArray(value))
      return table([{ name: "", text: true }, { name: "", text: true }], Object.entries(value).map(([key, inner]) => [key.replaceAll("_", " "), show(inner)]));
    return value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value);
  }
  const schedule = manifest.schedule ?? {};
  byId("schedule").append(Object.keys(schedule).length ? show(schedule) : element("p", { class: "faint" }, "The workload gives no schedule: any ready task may run on any core of its type."));

  select(data.failed_tasks.length && data.failed_tasks[0] < count ? data.failed_tasks[0] : -1, false);
  draw();
})();
