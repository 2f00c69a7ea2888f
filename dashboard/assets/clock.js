// Carries the plant clock on between two messages: the header's time, how long states last ("12 min") and where
// "now" lies in the state strips. The server says where the clock stands; the wall's passing is all that is added.
(function () {
  "use strict";
  let read = null; // what the clock element said, and the wall's moment at which it said so
  let format = null;

  function plantNow() {
    const clock = document.getElementById("clock");
    if (!clock || !clock.dataset.now) return null;
    const said = `${clock.dataset.now}|${clock.dataset.rate}|${clock.dataset.until}`;
    if (!read || read.said !== said) read = { said, at: performance.now(), over: false };
    const passed = (performance.now() - read.at) * Number(clock.dataset.rate);
    const until = clock.dataset.until ? Number(clock.dataset.until) : Infinity;
    const now = Number(clock.dataset.now) + passed;
    if (now > until && !read.over) {
      read.over = true; // it jumps over closed hours: ask where to
      window.forerun && window.forerun.bump && window.forerun.bump("clock");
    }
    return { now: Math.min(now, until), clock };
  }

  function text(clock, now) {
    const key = `${clock.dataset.locale}|${clock.dataset.zone}`;
    if (!format || format.key !== key) {
      const options = { timeZone: clock.dataset.zone, hour12: false };
      const day = { weekday: "short", day: "numeric", month: "short", ...options };
      format = {
        key,
        day: new Intl.DateTimeFormat(clock.dataset.locale, day),
        time: new Intl.DateTimeFormat(clock.dataset.locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: clock.dataset.zone }),
      };
    }
    return [format.day.format(now), format.time.format(now)];
  }

  function duration(ms, units) {
    const minutes = Math.max(Math.floor(ms / 60000), 0);
    if (minutes < 60) return units.minutes.replace("{m}", minutes);
    if (minutes < 1440) {
      return units.hours.replace("{h}", Math.floor(minutes / 60)).replace("{m}", String(minutes % 60).padStart(2, "0"));
    }
    return units.days.replace("{d}", Math.floor(minutes / 1440)).replace("{h}", Math.floor((minutes % 1440) / 60));
  }

  function set(element, value) {
    if (element && element.textContent !== value) element.textContent = value;
  }

  function tick() {
    const found = plantNow();
    if (!found) return;
    const { now, clock } = found;
    const [day, time] = text(clock, now);
    set(clock.querySelector(".day"), day);
    set(clock.querySelector(".time"), time);
    const units = clock.dataset;
    for (const since of document.querySelectorAll("[data-since]")) {
      set(since, duration(now - Number(since.dataset.since), units));
    }
    const shift = document.querySelector(".window[data-start]");
    if (shift) {
      const start = Number(shift.dataset.start);
      const share = (now - start) / (Number(shift.dataset.end) - start);
      const percent = `${(Math.min(Math.max(share, 0), 1) * 100).toFixed(2)}%`;
      const root = document.documentElement.style;
      if (root.getPropertyValue("--plant-now") !== percent) root.setProperty("--plant-now", percent);
    }
  }

  // The line of now in a schedule: moved when that can be seen, about a pixel.
  function moveLine(now, zone) {
    const graph = document.querySelector(".gantt .js-plotly-plot");
    const axis = graph && graph.layout && graph.layout.xaxis;
    const line = graph && graph.layout && (graph.layout.shapes || [])[0];
    if (!line || !axis || !window.Plotly || !Array.isArray(axis.range)) return;
    const local = new Date(now).toLocaleString("sv-SE", { timeZone: zone }); // 2026-01-05 11:21:00, as plotly writes it
    const ms = (text) => new Date(String(text).replace(" ", "T") + "Z").getTime();
    const pixel = (ms(axis.range[1]) - ms(axis.range[0])) / 1000;
    if (!(Math.abs(ms(local) - ms(line.x0)) > pixel)) return;
    window.Plotly.relayout(graph, { "shapes[0].x0": local, "shapes[0].x1": local });
  }

  window.setInterval(() => {
    tick();
    const found = plantNow();
    if (found) moveLine(found.now, found.clock.dataset.zone);
  }, 250);
  new MutationObserver(tick).observe(document.documentElement, { childList: true, subtree: true });
})();
