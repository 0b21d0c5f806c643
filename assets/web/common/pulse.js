// Whether the gallery answers. Asks /health now and then, and at once when somebody on the page got no answer and says so:
//
//   pulse(base, (health) => { ... });                          // health: null while there is no answer
//   dispatchEvent(new Event("gallery:unanswered"));
//
// While the gallery is away a sentence stands on the page; when it is back the window hears "gallery:back", and whoever
// waits for something asks again.

const SENTENCE = "The gallery does not answer: it was stopped, or is starting anew. This page goes on by itself once it is back.";
const PATIENCE_MS = 8000; // a hub that stands still is away, too
const WELL_MS = 5000;
const SOON_MS = 1500; // while it starts, or is away

export function pulse(base, tell) {
  const sentence = Object.assign(document.createElement("p"), { className: "g-away", role: "alert" });
  let timer = 0, asking = false, leaving = false;

  function away(now) {
    if (now === (sentence.textContent !== "")) return;
    sentence.textContent = now ? SENTENCE : "";
    document.documentElement.toggleAttribute("data-away", now);
    if (!now) dispatchEvent(new Event("gallery:back"));
  }

  async function look() {
    clearTimeout(timer);
    if (asking) return;
    asking = true;
    let health = null;
    try {
      const answer = await fetch(`${base}/health`, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.ok) health = await answer.json();
    } catch { /* no answer: that is what is told */ }
    asking = false;
    if (leaving) return;
    away(!health);
    tell(health);
    if (!document.hidden) timer = setTimeout(look, health?.ready ? WELL_MS : SOON_MS);
  }

  document.body.append(sentence);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  addEventListener("gallery:unanswered", look);
  addEventListener("pagehide", () => { leaving = true; }); // what is cut short by leaving is no silence
  addEventListener("pageshow", (event) => { leaving = false; if (event.persisted) look(); });
  if ("requestIdleCallback" in window) requestIdleCallback(look, { timeout: 1500 }); else setTimeout(look, 300);
}
