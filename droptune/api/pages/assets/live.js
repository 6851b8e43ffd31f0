// Keeps an open page true: asks whether it has changed, and puts in what did. Without this script
// the page shows the same and reloads itself.
"use strict";
(() => {
  const root = document.documentElement;
  const offset = Date.parse(root.dataset.now) - Date.now() || 0;
  const served = new Map();
  let etag = root.dataset.etag;
  let pause = Number(root.dataset.poll) * 1000;
  let failures = 0;
  let timer = 0;
  let isLooking = false;

  const byId = (id) => document.getElementById(id);
  const now = () => Date.now() + offset;

  // Words for ages as the server writes them.
  function length(seconds) {
    if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
    const minutes = Math.round(seconds / 60);
    if (minutes < 120) return `${minutes} min`;
    const hours = Math.round(minutes / 60);
    return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
  }

  function took(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const two = (big, a, small, b) => (b ? `${big} ${a} ${small} ${b}` : `${big} ${a}`);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return two(Math.floor(whole / 60), "min", whole % 60, "s");
    if (whole < 86400) return two(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
    return two(Math.floor(whole / 86400), "d", Math.floor((whole % 86400) / 3600), "h");
  }

  function age() {
    for (const each of document.querySelectorAll("time[data-ago]")) {
      const seconds = (now() - Date.parse(each.dateTime)) / 1000;
      const text = seconds < 0 ? `in ${length(-seconds)}` : seconds < 5 ? "just now" : `${length(seconds)} ago`;
      if (each.textContent !== text) each.textContent = text;
    }
    for (const each of document.querySelectorAll("[data-since]")) {
      each.textContent = took((now() - Date.parse(each.dataset.since)) / 1000);
    }
  }

  // What a person has opened, typed and focused stays when a part of the page is replaced.
  function replace(old, fresh) {
    const open = [...old.querySelectorAll("details[id]")].map((each) => [each.id, each.open]);
    const typed = [...old.querySelectorAll("input[id]")].map((each) => [each.id, each.value]);
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(fresh);
    for (const [id, isOpen] of open) if (byId(id)) byId(id).open = isOpen;
    for (const [id, value] of typed) if (byId(id) && value) byId(id).value = value;
    if (focused && byId(focused)) byId(focused).focus({ preventScroll: true });
  }

  const hasTyped = () =>
    [...document.querySelectorAll("main input")].some((each) => each.value !== each.defaultValue);

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = page.documentElement;
    if (fresh.dataset.version !== root.dataset.version && !hasTyped()) {
      location.reload();
      return;
    }
    document.title = page.title;
    for (const part of page.querySelectorAll("[data-live]")) {
      const text = part.outerHTML;
      const old = byId(part.id);
      if (!old || served.get(part.id) === text) continue;
      if (part.dataset.say && part.dataset.say !== old.dataset.say) byId("said").textContent = part.dataset.say;
      replace(old, document.adoptNode(part));
      served.set(part.id, text);
    }
    age();
    pause = Number(fresh.dataset.poll) * 1000;
  }

  function away(text, link) {
    const banner = byId("away");
    if (banner.textContent !== text) banner.textContent = text;
    if (link) {
      const anchor = document.createElement("a");
      anchor.href = location.href;
      anchor.textContent = link;
      banner.append(" ", anchor);
    }
    banner.hidden = false;
    byId("live")?.classList.add("off");
    if (byId("live")) byId("live").textContent = "Not live";
  }

  function back() {
    failures = 0;
    if (byId("away").hidden) return;
    byId("away").hidden = true;
    byId("live")?.classList.remove("off");
    if (byId("live")) byId("live").textContent = "Live";
    byId("said").textContent = "Droptune answers again.";
  }

  function later(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(look, milliseconds);
  }

  function failed(answer) {
    failures += 1;
    const since = new Date().toLocaleTimeString();
    if (failures === 1) away(`Droptune does not answer since ${since}. This page shows what was known then, and goes on by itself once it does.`);
    const asked = Number(answer?.headers.get("Retry-After")) * 1000 || 0;
    later(Math.max(asked, Math.min(30000, 1000 * 2 ** Math.min(failures, 5))));
  }

  async function ask() {
    const headers = etag ? { "If-None-Match": etag } : {};
    return fetch(location.href, { headers, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(20000) });
  }

  async function look() {
    if (isLooking) return;
    isLooking = true;
    let answer;
    let html = "";
    try {
      answer = await ask();
      if (answer.ok) html = await answer.text();
    } catch {
      failed();
      return;
    } finally {
      isLooking = false;
    }
    if (answer.status === 304) {
      back();
      pause = Math.min(pause * 1.25, Number(root.dataset.poll) * 5000);
    } else if (answer.ok) {
      back();
      etag = answer.headers.get("ETag");
      show(html);
    } else if (answer.status === 401) {
      away("You are signed out, so this page is not kept up to date.", "Sign in");
      return;
    } else if (answer.status === 404) {
      away("What this page shows is not there any more.", "Look again");
      return;
    } else {
      failed(answer);
      return;
    }
    if (pause) later(document.hidden ? 60000 : pause);
    else if (byId("live")) byId("live").hidden = true;
  }

  for (const part of document.querySelectorAll("[data-live]")) served.set(part.id, part.outerHTML);
  age();
  setInterval(age, 1000);
  if (!pause) return;
  if (byId("live")) byId("live").hidden = false;
  const lookNow = () => pause && !document.hidden && later(0);
  document.addEventListener("visibilitychange", lookNow);
  addEventListener("online", lookNow);
  addEventListener("pageshow", (event) => event.persisted && lookNow());
  later(pause);
})();
