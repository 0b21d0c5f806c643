// Points of the latent plane as the first room's decoder draws them: at a few moments of their way, in one sheet.

import { picture as decoded } from "../common/sheet.js";

export const FOLLOWED = 24; // points that are decoded as they travel: more hide each other
const MOMENTS = 40; // of a way at which each is: 24 x 40 are below what one request may hold

/** Decode a few points of a walk along their way; resolves with what a pane draws them from. */
export async function thumbsOf(app, shape, walk) {
  const indices = Array.from({ length: Math.min(FOLLOWED, walk.n) }, (_, i) => i);
  const out = new Float32Array(2 * walk.n);
  const byMoment = Array.from({ length: MOMENTS }, (_, m) => walk.at((m / (MOMENTS - 1)) * walk.top, out).slice(0, 2 * indices.length));
  const places = indices.flatMap((i) => byMoment.map((row) => inLatent(shape, row[2 * i], row[2 * i + 1])));
  const sheet = await sheetOf(app, places);
  return { indices, sheet, moments: MOMENTS, top: walk.top };
}

export const momentAt = (thumbs, share) => Math.round(Math.max(0, Math.min(1, share / thumbs.top)) * (thumbs.moments - 1));

export async function sheetOf(app, places) {
  const answer = await app.post("plane/pictures", { places });
  return { image: await decoded(answer.uri), columns: answer.columns, side: answer.side };
}

export const inLatent = ({ centre, scale }, x, y) => [Number((centre[0] + scale * x).toFixed(3)), Number((centre[1] + scale * y).toFixed(3))];
