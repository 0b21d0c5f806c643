// Room around the map for its scales, in css pixels.

export const LEFT = 44; // the vertical axis
export const BELOW = 30; // the horizontal one
