/** How a client can be asked to confirm a call. */
export interface Dialogue {
  readonly kind: 'later';
}
