// What pages decide in the browser, without asking the server.
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  forerun: {
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
