// Hears over one websocket that something changed and lets the page ask for it: a bump of the store
// "live-<topic>" triggers the callbacks that show the topic. At most one such request per topic is under way;
// what is announced meanwhile is asked for once it has come back.
(function () {
  "use strict";
  const TOPICS = { floor: 250, plans: 150, jobs: 250, health: 2000, clock: 250, twin: 250, messages: 1000 }; // ms between two requests
  const SILENCE_MS = 45000; // three missed signs of life
  const GIVE_UP_MS = 10000; // after which an unanswered request no longer holds others back
  const state = {};
  for (const topic of Object.keys(TOPICS)) state[topic] = { pending: false, busy: 0, last: 0, timer: null, n: 0 };

  const outside = window.fetch.bind(window);
  window.fetch = async function (resource, options) {
    const url = String(resource && resource.url ? resource.url : resource);
    if (!url.includes("_dash-")) return outside(resource, options);
    const topics = asked(url, options);
    for (const topic of topics) state[topic].busy = Date.now();
    try {
      const answer = await outside(resource, options);
      if (answer.status !== 401) return answer;
      logIn();
      return new Promise(() => {}); // this page is being left: nobody is to make an error of it
    } finally {
      for (const topic of topics) {
        state[topic].busy = 0;
        schedule(topic);
      }
    }
  };

  function asked(url, options) {
    if (!url.includes("_dash-update-component") || !options || typeof options.body !== "string") return [];
    const changed = JSON.parse(options.body).changedPropIds || [];
    return Object.keys(TOPICS).filter((topic) => changed.includes(`live-${topic}.data`));
  }

  function logIn() {
    const here = window.location.pathname + window.location.search;
    window.location.assign(`/login?next=${encodeURIComponent(here)}`);
  }

  function bump(topic) {
    if (!(topic in state)) return;
    state[topic].pending = true;
    schedule(topic);
  }

  function schedule(topic) {
    const entry = state[topic];
    if (!entry.pending || entry.timer) return;
    const wait = Math.max(entry.last + TOPICS[topic] - Date.now(), 0);
    entry.timer = window.setTimeout(() => {
      entry.timer = null;
      if (entry.busy && Date.now() - entry.busy < GIVE_UP_MS) return; // its end schedules again
      if (!window.dash_clientside || !window.dash_clientside.set_props || !document.getElementById("shell")) {
        entry.last = Date.now();
        schedule(topic);
        return;
      }
      entry.pending = false;
      entry.last = Date.now();
      window.dash_clientside.set_props(`live-${topic}`, { data: ++entry.n });
    }, wait);
  }

  let socket = null;
  let heard = 0;
  let failures = 0;

  function connect() {
    const scheme = window.location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${window.location.host}/live`);
    heard = Date.now();
    socket.onmessage = (event) => {
      heard = Date.now();
      failures = 0;
      show("on");
      for (const topic of JSON.parse(event.data)) bump(topic);
    };
    socket.onclose = () => {
      show("off");
      const wait = Math.min(500 * 2 ** Math.min(failures, 5), 10000) * (0.75 + Math.random() / 2);
      failures += 1;
      window.setTimeout(reconnect, wait);
    };
  }

  async function reconnect() {
    // The socket does not say why it was refused; a request does, and `fetch` above goes to the login page on 401.
    if (failures > 1) {
      try {
        await window.fetch("/_dash-dependencies");
      } catch {
        // The server is away: trying the socket again is all there is to do.
      }
    }
    connect();
  }

  function show(link) {
    document.documentElement.dataset.link = link;
  }

  window.setInterval(() => {
    if (socket && socket.readyState === WebSocket.OPEN && Date.now() - heard > SILENCE_MS) socket.close();
  }, 5000);
  window.addEventListener("online", () => socket && socket.readyState === WebSocket.CLOSED && connect());
  window.forerun = { ...(window.forerun || {}), bump };
  connect();
})();
