// Keeps a page live: it is fetched anew when the stream of changes says so, and its times count down in between.
"use strict";
(() => {
  const MINUTE = 60000, HOUR = 3600000, TICK = 250;
  let live = null, from = 0;

  // The same words as on the server: the two largest units, cut off.
  const duration = (ms) => {
    if (ms < 0) return "−" + duration(-ms);
    const hours = Math.floor(ms / HOUR), minutes = Math.floor((ms % HOUR) / MINUTE), seconds = Math.floor((ms % MINUTE) / 1000);
    const parts = [[hours, "h"], [minutes, "min"], [seconds, "s"]];
    while (parts.length > 1 && !parts[0][0]) parts.shift();
    return parts.slice(0, 2).filter(([number], place) => number || !place).map(([number, unit]) => `${number} ${unit}`).join(" ");
  };

  const tick = () => {
    if (!live) return;
    const passed = (performance.now() - from) * Number(live.dataset.speed || 1);
    for (const one of live.querySelectorAll("[data-left]")) {
      const left = Number(one.dataset.left) - (one.dataset.runs === "1" ? passed : 0);
      const text = one.dataset.floor && left <= 0 ? "due now" : duration(Math.trunc(left));
      if (one.textContent !== text) one.textContent = text;
      one.classList.toggle("over", left < 0);
    }
  };

  const begin = () => {
    live = document.querySelector("[data-live], [data-ticks]");
    from = performance.now();
    tick();
  };

  let wanted = false, busy = false;
  const renew = () => {
    if (!live || live.dataset.live === undefined) return;
    if (busy || document.hidden) { wanted = true; return; }
    wanted = false;
    busy = true;
    htmx.ajax("GET", location.pathname + location.search, { source: "#live", target: "#live", select: "#live", swap: "morph:outerHTML" })
      .catch(() => {})
      .finally(() => { busy = false; begin(); if (wanted) renew(); });
  };

  const connect = () => {
    const state = document.getElementById("connection");
    const stream = new EventSource("/changes");
    const show = (text, lost) => { state.textContent = text; state.classList.toggle("lost", lost); };
    stream.addEventListener("changed", () => { show("live", false); renew(); });
    stream.onerror = () => {
      show("no connection", true);
      // A stream that was refused stays closed: it is asked for again.
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 10000);
    };
    addEventListener("pagehide", () => stream.close());
  };

  // What became of a form that was sent without loading the page anew, for whoever does not see the page as well.
  const tell = (text, bad) => {
    const told = document.getElementById("told");
    told.textContent = text;
    told.classList.toggle("bad", bad);
    told.classList.toggle("good", !bad);
    told.hidden = false;
  };
  const listen = () => {
    document.body.addEventListener("htmx:afterSwap", begin);
    document.body.addEventListener("htmx:afterRequest", (event) => {
      const form = event.detail.requestConfig.elt;  // it may be gone from the page by now
      if (!form.matches("[data-responds]")) return;
      const answer = event.detail.xhr;
      if (event.detail.successful) {
        tell(form.dataset.responds, false);
        form.reset();
        return;
      }
      const page = new DOMParser().parseFromString(answer.responseText, "text/html");
      const what = page.getElementById("what");
      tell(what ? what.textContent : "It was not written: the server does not answer.", true);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    listen();
    for (const form of document.querySelectorAll("[data-submits-itself]")) {
      form.classList.add("submits-itself");
      form.addEventListener("change", () => {
        const wanted = new URLSearchParams();
        for (const [name, value] of new FormData(form)) if (value) wanted.append(name, value);
        const query = wanted.toString();
        location.assign(form.getAttribute("action") + (query ? "?" + query : ""));
      });
    }
    begin();
    document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) renew(); });
    setInterval(tick, TICK);
    if (live && live.dataset.live !== undefined) connect(); else document.getElementById("connection").hidden = true;
  });
})();
