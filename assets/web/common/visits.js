// Scenes, and the browser's Back and Forward, without a reload: an address is read by the server as the page's own was,
// and what it says is applied to the store.
//
//   visits({ store, base, apply(state, faults), failed(sentence) });
//
// base: where the page's data is asked for; `opening` below it answers {state, faults} for a query string. apply: takes
// the whole state, sets it in one go of store.set() and more around it if need be, and tells the faults. A scene is a turn
// of its own in the history; coming back to one is none. What else is a turn is said to the store (store.js).

export function visits({ store, base, apply, failed }) {
  let newest = 0;

  async function read(query, enter) {
    const turn = ++newest;
    let answer;
    try {
      answer = await (await fetch(`${base}/opening?${query}`)).json();
    } catch (fault) {
      console.debug("an address was not read", fault);
      dispatchEvent(new Event("gallery:unanswered"));
      answer = { error: "The gallery did not answer. It may be restarting: try again in a moment." };
    }
    if (turn !== newest) return;
    if (answer.error) failed(answer.error);
    else enter(() => apply(answer.state, answer.faults));
  }

  addEventListener("gallery:scene", (event) => {
    event.preventDefault();
    read(new URLSearchParams(event.detail.query), store.turn);
  });
  addEventListener("popstate", () => {
    const query = location.search.slice(1);
    if (query !== store.query()) read(query, store.arrive); // else it was a link to another part of the page
  });
}
