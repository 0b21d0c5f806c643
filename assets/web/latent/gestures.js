// Mouse, finger, pen and keys on the map. A mouse looks by hovering, pans by dragging and pins by clicking;
// one finger looks, two zoom and pan, a tap pins.

const SLIP = 5; // pixels a press may slip and still be a click
const STEP = 1 / 60; // of the map's width, one press of an arrow key
const LEAP = 6; // times as far with shift

export function listen(map, host) {
  const fingers = new Map();
  let press = null;
  let pinch = null;

  const at = (event) => {
    const box = host.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const look = (pixel, event) => map.handlers.hover?.(map.inside(pixel) ? map.fromPixel(pixel) : null, event);
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(a[0] - b[0], a[1] - b[1]) || 1 };
  };

  host.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("button")) return;
    host.setPointerCapture(event.pointerId);
    const pixel = at(event);
    press = { pixel, last: pixel, slipped: false };
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, pixel);
    pinch = fingers.size === 2 ? spread() : null;
    if (pinch) press.slipped = true;
    else look(pixel, event);
  });

  host.addEventListener("pointermove", (event) => {
    const pixel = at(event);
    if (press && Math.hypot(pixel[0] - press.pixel[0], pixel[1] - press.pixel[1]) > SLIP) press.slipped = true;
    if (event.pointerType === "touch") {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, pixel);
      if (!pinch) return look(pixel, event);
      const now = spread();
      map.panBy(now.middle[0] - pinch.middle[0], now.middle[1] - pinch.middle[1]);
      map.zoomAt(now.middle, now.apart / pinch.apart);
      pinch = now;
      return;
    }
    if (press?.slipped && event.buttons & 1) {
      map.panBy(pixel[0] - press.last[0], pixel[1] - press.last[1]);
      host.classList.add("grabbing");
    }
    if (press) press.last = pixel;
    look(pixel, event);
  });

  const release = (event) => {
    host.classList.remove("grabbing");
    fingers.delete(event.pointerId);
    if (fingers.size < 2) pinch = null;
  };
  host.addEventListener("pointerup", (event) => {
    const pixel = at(event);
    if (press && !press.slipped && map.inside(pixel) && !event.target.closest("button")) {
      map.primary.focus({ preventScroll: true }); // the arrow keys go on from where one clicked
      map.handlers.pick?.({ p: map.fromPixel(pixel), index: map.codeAt(pixel, event.pointerType === "touch" ? 16 : undefined), event });
    }
    release(event);
    if (!fingers.size) press = null;
  });
  host.addEventListener("pointercancel", (event) => {
    release(event);
    press = null;
  });
  host.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch") map.handlers.hover?.(null, event);
  });
  host.addEventListener("dblclick", (event) => {
    if (!event.target.closest("button")) map.handlers.double?.();
  });
  host.addEventListener("wheel", (event) => {
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016));
    if (map.zoomAt(at(event), factor)) event.preventDefault();
  }, { passive: false });

  map.primary.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = map.view.width * STEP * (event.shiftKey ? LEAP : 1);
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[event.key]) map.handlers.step?.(moves[event.key]);
    else if (event.key === "Home") map.handlers.home?.();
    else if (event.key === "Enter" || event.key === " ") map.handlers.pick?.({ p: map.here, index: null, event });
    else if (event.key === "+" || event.key === "=") map.zoomAt(map.toPixel(map.here), 1.25);
    else if (event.key === "-") map.zoomAt(map.toPixel(map.here), 0.8);
    else if (event.key === "0") map.reset();
    else if (event.key === "Delete" || event.key === "Backspace") map.handlers.unpin?.();
    else return;
    event.preventDefault();
  });
}
