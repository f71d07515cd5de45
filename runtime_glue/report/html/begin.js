// SPDX-License-Identifier: MIT
// Shows the page, at the task that a failure is about.

select(failed_tasks.length && failed_tasks[0] < count ? failed_tasks[0] : -1, failed_tasks.length > 0);
draw();
requestAnimationFrame(() => performance.mark("drawn"));  // for who measures
