// What pages decide in the browser, without asking the server.
// See dashboard/changes.py: an update is taken if it stands on what this page shows, and asked for again if not.
function takesUpdates(topic) {
  return function (update, seen) {
    const { no_update, set_props } = window.dash_clientside;
    if (!update || !seen) return no_update;
    if (update.on !== seen.count) {
      window.forerun.bump(topic);
      return no_update;
    }
    for (const [id, props] of update.changes) set_props(id, props);
    return { count: seen.count + 1, parts: update.parts };
  };
}

window.dash_clientside = Object.assign({}, window.dash_clientside, {
  forerun: {
    take_floor: takesUpdates("floor"),
    take_plans: takesUpdates("plans"),
    take_jobs: takesUpdates("jobs"),
    take_health: takesUpdates("health"),
    take_twin: takesUpdates("twin"),
    take_messages: takesUpdates("messages"),
    title: function (title) {
      if (title) document.title = title;
    },
    // The address names the plan that is shown, so that it can be sent to somebody.
    planAddress: function (plan) {
      if (plan && window.location.pathname === "/plan") {
        window.history.replaceState(window.history.state, "", `/plan?plan=${encodeURIComponent(plan)}`);
      }
    },
    tooShort: function (reason) {
      return (reason || "").trim().length < 10;
    },
  },
});
