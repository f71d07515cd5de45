// SPDX-License-Identifier: MIT
// The data of the runs, and small helpers. The files of this folder are put together, in the order of
// render.py, into one function.

// Each run is in two elements: what `ptowsp-run --json` prints, and tasks, edges and tensors, which may be empty.
// #run=2 in the address chooses the second.
const sources = [...document.querySelectorAll("script.run")];
const labels = sources.map((source) => source.dataset.label);
const results = sources.map((source) => JSON.parse(source.textContent));
const wanted = Number(/^#run=(\d+)$/.exec(location.hash)?.[1] ?? 1) - 1;
const shown = wanted >= 0 && wanted < sources.length ? wanted : 0;
function showRun(index) {
  location.hash = "run=" + (index + 1);
  location.reload();
}

const byId = (id) => document.getElementById(id);
const run = results[shown], stats = run.stats;
const data = JSON.parse(sources[shown].nextElementSibling.textContent || "{}");
const tasks = data.tasks ?? { name: [], kernel: [], core: [], aicpu: [], worker: [], dispatch: [], start: [], end: [] };
const { edges } = data;
const manifest = data.manifest ?? { kernels: (stats.kernels ?? []).map((kernel) => ({ name: kernel.name, core_type: "", tiles: [] })) };
const tensors = data.tensors?.length ? data.tensors : run.tensors;
const failed_tasks = data.failed_tasks ?? [];
const kernels = manifest.kernels;
const count = tasks.kernel.length;
const ran = (task) => tasks.core[task] >= 0;


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
const counted = (number, noun) => `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
const percent = (part, whole) => (whole > 0 ? (100 * part / whole).toFixed(1) + " %" : "–");
function bar(part, whole) {
  const width = whole > 0 ? Math.min(100, 100 * part / whole) : 0;
  return element("span", { class: "track" }, element("span", { class: "share", style: { width: width + "%" } }));
}
const colourOf = (kernel) => `hsl(${Math.round(210 + 137.508 * kernel) % 360} 58% 52%)`;
const coreName = (core) => `core ${core} (${core < stats.cores / 3 ? "AIC" : "AIV"})`;
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const wallOf = (result) => (result.wall_ns?.length ? median(result.wall_ns) : result.stats.wall_ns);
