import { MediaQuery } from 'svelte/reactivity';
import { z } from 'zod';

export type Side = 'left' | 'right';

const limits = { left: { low: 160, high: 560 }, right: { low: 260, high: 640 } } as const;
const stored = z.object({ width: z.number().nullable(), isOpen: z.boolean().nullable() });
type Panel = z.infer<typeof stored>;
const asDesigned: Panel = { width: null, isOpen: null };

/** How wide the panels beside the picture are, and whether they are there; kept across starts of the window. */
export class PanelsState {
  left = $state.raw<Panel>(readPanel('left'));
  right = $state.raw<Panel>(readPanel('right'));

  /** As at 200 % on a laptop: the picture would have no room beside both panels. */
  readonly #narrow = new MediaQuery('max-width: 900px');

  isOpen(side: Side): boolean {
    return this[side].isOpen ?? (side === 'right' || !this.#narrow.current);
  }

  /** For the layout; undefined: as designed for a window of this size. */
  columnOf(side: Side): string | undefined {
    if (!this.isOpen(side)) return '0px';
    const { width } = this[side];
    return width === null ? undefined : `min(${width}px, 45vw)`;
  }

  toggle(side: Side): void {
    this.#put(side, { ...this[side], isOpen: !this.isOpen(side) });
  }

  resize(side: Side, width: number): void {
    const { low, high } = limits[side];
    this.#put(side, { ...this[side], width: Math.round(Math.min(high, Math.max(low, width))) });
  }

  /** As designed: as wide as the window has room for, and away where it has none. */
  reset(side: Side): void {
    this.#put(side, asDesigned);
  }

  #put(side: Side, panel: Panel): void {
    this[side] = panel;
    localStorage.setItem(keyOf(side), JSON.stringify(panel));
  }
}

const keyOf = (side: Side) => `motif.panel.${side}`;

function readPanel(side: Side): Panel {
  return stored.safeParse(JSON.parse(localStorage.getItem(keyOf(side)) ?? 'null')).data ?? asDesigned;
}
