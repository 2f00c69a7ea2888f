// Drags an operation in the schedule: along the time axis, and to another machine's row. What is let go of is told to
// the page (store "plan-dropped"), which asks before anything happens. Touching moves the picture as ever, and so does
// dragging with Shift held; who cannot drag has the form behind the button beside it.
//
// The figure says what may be dragged: bars that carry job orders (customdata, a batch's in several lines), and in its
// meta the machines of the rows and by job order the rows that can take it. See dashboard/figures/gantt.py.
(function () {
  "use strict";
  const STEP_MS = 5 * 60000; // starts are set to whole five minutes; the form takes any
  const FROM_PX = 5; // a shorter way is a click
  let drag = null;
  const read = new WeakMap(); // bars by the figure's data

  // Times in a figure are those of the plant's clock, without a zone: reckoned as if they were UTC.
  const time = (text) => Date.parse(`${text}Z`);

  function bars(graph) {
    if (!read.has(graph.data)) {
      const found = [];
      for (const trace of graph.data) {
        if (!trace.customdata || trace.visible === "legendonly") continue;
        trace.base.forEach((base, n) => {
          const from = time(base);
          found.push({ jobs: trace.customdata[n], from, to: from + trace.x[n], y: trace.y[n], width: trace.width[n] });
        });
      }
      read.set(graph.data, found);
    }
    return read.get(graph.data);
  }

  function axes(graph) {
    const { xaxis, yaxis } = graph._fullLayout;
    const place = graph.getBoundingClientRect();
    return { x: xaxis, y: yaxis, left: place.left + xaxis._offset, top: place.top + yaxis._offset };
  }

  function graphOf(event) {
    const graph = event.target.closest && event.target.closest(".gantt .js-plotly-plot");
    return graph && event.target.closest(".nsewdrag") && graph.layout.meta && graph.layout.meta.able ? graph : null;
  }

  function under(graph, event) {
    const { x, y, left, top } = axes(graph);
    const at = x.p2c(event.clientX - left);
    const row = y.p2c(event.clientY - top);
    return bars(graph).find((bar) => bar.from <= at && at <= bar.to && Math.abs(bar.y - row) <= bar.width / 2);
  }

  // All parts of an operation, its changeover included.
  function whole(graph, jobs) {
    const parts = bars(graph).filter((bar) => bar.jobs === jobs);
    return { from: Math.min(...parts.map((bar) => bar.from)), to: Math.max(...parts.map((bar) => bar.to)) };
  }

  function begin(event) {
    if (event.button !== 0 || event.shiftKey || event.pointerType === "touch") return;
    const graph = graphOf(event);
    const bar = graph && under(graph, event);
    if (!bar) return;
    event.preventDefault(); // plotly hears of it by the mouse event that now does not come
    const jobs = bar.jobs.split("\n");
    const { meta } = graph.layout;
    const rows = new Set((meta.able[jobs[0]] || "").split(" ").filter(Boolean).map(Number));
    const row = Math.round(bar.y);
    drag = { graph, jobs, rows, machines: meta.machines, ...whole(graph, bar.jobs), x: event.clientX, row, at: null, ghost: null };
  }

  function move(event) {
    if (!drag) {
      const graph = graphOf(event);
      if (graph) graph.classList.toggle("over-step", Boolean(under(graph, event)));
      return;
    }
    if (!drag.ghost && Math.abs(event.clientX - drag.x) < FROM_PX && Math.abs(event.movementY) < FROM_PX && rowAt(event) === drag.row) return;
    if (!drag.ghost) {
      drag.ghost = document.createElement("div");
      drag.ghost.className = "drag-ghost";
      document.body.appendChild(drag.ghost);
      document.documentElement.classList.add("dragging-step");
    }
    const { x } = axes(drag.graph);
    const start = x.p2c(x.c2p(drag.from) + event.clientX - drag.x);
    drag.at = { start: Math.round(start / STEP_MS) * STEP_MS, row: rowAt(event) };
    show();
  }

  function rowAt(event) {
    const { y, top } = axes(drag.graph);
    return Math.min(Math.max(Math.round(y.p2c(event.clientY - top)), 0), drag.machines.length - 1);
  }

  function show() {
    const { x, y, left, top } = axes(drag.graph);
    const { start, row } = drag.at;
    const height = Math.abs(y.c2p(1) - y.c2p(0)) * 0.74;
    const style = drag.ghost.style;
    style.left = `${left + x.c2p(start)}px`;
    style.top = `${top + y.c2p(row) - height / 2}px`;
    style.width = `${Math.max(x.c2p(drag.to) - x.c2p(drag.from), 4)}px`;
    style.height = `${height}px`;
    drag.ghost.classList.toggle("unable", !drag.rows.has(row));
    const told = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" };
    const when = new Date(start).toLocaleString(document.documentElement.lang, told);
    drag.ghost.dataset.told = `${drag.machines[row]} · ${when}`;
  }

  function end(event) {
    if (!drag) return;
    const { jobs, machines, at } = drag;
    stop();
    if (!at || event.type === "pointercancel") return;
    const start = new Date(at.start).toISOString().slice(0, 19).replace("T", " ");
    const data = { jobs, machine: machines[at.row], start, n: Date.now() };
    window.dash_clientside.set_props("plan-dropped", { data });
  }

  function stop() {
    if (drag && drag.ghost) drag.ghost.remove();
    document.documentElement.classList.remove("dragging-step");
    drag = null;
  }

  document.addEventListener("pointerdown", begin, true);
  document.addEventListener("pointermove", move, true);
  document.addEventListener("pointerup", end, true);
  document.addEventListener("pointercancel", end, true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && stop(), true);
})();
