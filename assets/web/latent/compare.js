// A second map beside the first: the same data with and without the KL term, and what each decodes from the
// emptiest places among its codes.

export function createCompare(app) {
  return { toggle() {}, mirror() {}, retheme() {}, app };
}
