// SPDX-License-Identifier: MIT
// Several runs side by side; times as multiples of those of the first run of the same workload, or kernel.

function multiple(value, first) {
  return value && first ? (value / first).toFixed(2) + " ×" : "–";
}
function utilisation({ stats }) {
  const busy = (stats.core_busy_ns ?? []).filter((ns) => ns > 0);
  return percent(busy.reduce((sum, ns) => sum + ns, 0), busy.length * stats.wall_ns);
}
function largestError(result) {
  const errors = result.tensors.filter((t) => t.compared).map((t) => Number(t.max_abs));
  return errors.length ? Math.max(...errors.map((e) => (Number.isNaN(e) ? Infinity : e))).toPrecision(3) : "–";
}
function compareRuns() {
  const longest = Math.max(...results.map(wallOf));
  const firsts = new Map();
  for (const result of results) if (!firsts.has(result.name)) firsts.set(result.name, wallOf(result));
  const same = firsts.size === 1 || results.every((result, i) => result.name === labels[i]), again = firsts.size < results.length;
  const heads = [{ name: "run", text: true }, ...(same ? [] : [{ name: "workload", text: true }]), { name: "outcome", text: true }, "tasks", "wall time",
    { name: "", text: true }, ...(again ? ["to the first"] : []), "graph build", "critical path", "workers", "busy cores", "largest error"];
  byId("compare").append(table(heads, results.map((result, i) => {
    const { stats } = result, wall = wallOf(result);
    return [element("button", i === shown ? { "aria-current": "true" } : { onclick: () => showRun(i) }, labels[i]), ...(same ? [] : [result.name]), outcomeOf(result), grouped(stats.tasks), time(wall), bar(wall, longest),
      ...(again ? [multiple(wall, firsts.get(result.name))] : []), stats.build_ns ? time(stats.build_ns) : "–", stats.critical_path_ns ? time(stats.critical_path_ns) : "–",
      stats.workers ?? "–", utilisation(result), largestError(result)];
  })));
  // A kernel by its name, whichever workload it is of: the same kernel in two versions is what is compared.
  const by_name = new Map();
  results.forEach((result, i) => (result.stats.kernels ?? []).forEach((kernel) => {
    if (!by_name.has(kernel.name)) by_name.set(kernel.name, []);
    by_name.get(kernel.name)[i] = kernel;
  }));
  const shared = [...by_name].filter(([, found]) => Object.keys(found).length > 1);
  if (!shared.length) return;
  byId("compare").append(element("h3", {}, "Kernels, time of one task"));
  byId("compare").append(table([{ name: "kernel", text: true }, ...labels], shared.map(([name, found]) => {
    const each = (kernel) => (kernel?.tasks ? kernel.total_ns / kernel.tasks : 0);
    const reference = each(found.find((kernel) => kernel));
    return [name, ...labels.map((_, i) => (each(found[i]) ? `${time(each(found[i]))}, ${multiple(each(found[i]), reference)}` : "–"))];
  })));
}
if (sources.length > 1) {
  byId("compare-section").hidden = false;
  compareRuns();
}
