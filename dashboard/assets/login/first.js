// Runs before anything is drawn, so that neither language nor light/dark flickers.
(function () {
  "use strict";
  const root = document.documentElement;
  let scheme = null;
  try {
    scheme = window.localStorage.getItem("mantine-color-scheme-value");
  } catch {
    scheme = null; // storage is switched off: the system's choice it is
  }
  if (scheme !== "light" && scheme !== "dark") {
    scheme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  root.dataset.mantineColorScheme = scheme;

  document.addEventListener("click", (event) => {
    const choice = event.target.closest && event.target.closest("[data-language]");
    if (!choice) return;
    event.preventDefault();
    document.cookie = `forerun_language=${choice.dataset.language}; path=/; max-age=31536000; samesite=lax`;
    window.location.reload();
  });
})();
