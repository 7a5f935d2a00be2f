/** The frame that a subject is drawn into: width over height, and where the ground meets the far. */
export interface Frame {
  aspect: number;
  horizon: number;
}
