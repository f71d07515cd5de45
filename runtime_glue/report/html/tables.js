// SPDX-License-Identifier: MIT
// Cores, tensors, schedule.

const core_tasks = new Map();
for (let task = 0; task < count; ++task) if (ran(task)) core_tasks.set(tasks.core[task], (core_tasks.get(tasks.core[task]) ?? 0) + 1);
const busy_cores = (stats.core_busy_ns ?? []).map((ns, core) => [core, ns]).filter(([core, ns]) => core_tasks.has(core) || ns);
byId("cores").append(table([{ name: "core", text: true }, "tasks", "busy", "of the run", { name: "", text: true }],
  busy_cores.map(([core, ns]) => [coreName(core), core_tasks.has(core) ? grouped(core_tasks.get(core)) : "–", time(ns), percent(ns, stats.wall_ns), bar(ns, stats.wall_ns)])));
if (busy_cores.length < stats.cores) byId("cores").append(element("p", { class: "faint" }, `${stats.cores - busy_cores.length} of ${stats.cores} cores had no task.`));

byId("tensors").append(!tensors.length ? element("p", { class: "faint" }, "What is known of this run says nothing of tensors.") : table([{ name: "tensor", text: true }, { name: "type", text: true }, { name: "role", text: true }, "bytes", "least", "mean", "most", "NaN", "inf",
  { name: "compared", text: true }, "largest error", { name: "first difference", text: true }],
  tensors.map((t) => {
    const result = run.tensors.find((r) => r.name === t.name);
    const seen = result?.compared > 0;
    const verdict = !result ? "" : !seen ? element("span", { class: "faint" }, "not compared") : result.differing ? element("span", { class: "wrong" }, `${grouped(result.differing)} of ${grouped(result.compared)} differ`)
      : element("span", { class: "right" }, `${grouped(result.compared)} right`);
    return [t.name, t.shape ? `${t.dtype} ${t.shape.join(" × ")}` : "", t.role, t.bytes === undefined ? "" : bytes(t.bytes), t.least, t.mean, t.most, t.nan === undefined ? "" : grouped(t.nan), t.inf === undefined ? "" : grouped(t.inf), verdict,
      seen ? `${Number(result.max_abs).toPrecision(3)} abs, ${Number(result.max_rel).toPrecision(3)} rel` : "",
      result?.first ? `${result.first.element} is ${result.first.got}, expected ${result.first.expected}` : ""];
  })));

// What each runtime does with each directive: its row of the capability matrix.
const schedule = manifest.schedule ?? [];
const runtimes = [...new Set(schedule.flatMap((directive) => Object.keys(directive.support ?? {})))];
function directiveText({ directive, support, ...values }) {
  return [directive, ...Object.entries(values).map(([name, value]) => `${name.replaceAll("_", " ")} ${Array.isArray(value) ? value.join(", ") : value}`)].join(", ");
}
if (schedule.length)
  byId("schedule").append(table(["directive", ...runtimes].map((name) => ({ name, text: true })),
    schedule.map((directive) => [directiveText(directive), ...runtimes.map((runtime) => directive.support?.[runtime] ?? "")])));
else if (data.manifest?.schedule)
  byId("schedule").append(element("p", { class: "faint" }, "The workload gives no schedule: any ready task may run on any core of its type."));
else byId("schedule").append(element("p", { class: "faint" }, "What is known of this run says nothing of a schedule."));
if (stats.task_window) {
  const { tasks: window, high_water, stalls } = stats.task_window;
  byId("schedule").append(element("p", {}, element("b", {}, "Task window"), ` of ${grouped(window)} tasks: at most ${grouped(high_water)} used; `,
    stalls ? element("b", {}, `${grouped(stalls)} stall${stalls === 1 ? "" : "s"}`) : "no stalls",
    stalls ? `: ${percent(stalls, stats.tasks)} of the tasks were ready and found themselves beyond the window.` : "."));
}
