import { MediaQuery } from 'svelte/reactivity';
import { z } from 'zod';

export type Side = 'left' | 'right' | 'bottom';

/** Of a panel's width, or of the height of that below the picture. */
const limits = {
  left: { low: 160, high: 560, share: '45vw' },
  right: { low: 260, high: 640, share: '45vw' },
  bottom: { low: 120, high: 720, share: '60vh' },
} as const;
const stored = z.object({ size: z.number().nullable(), isOpen: z.boolean().nullable() });
type Panel = z.infer<typeof stored>;
const asDesigned: Panel = { size: null, isOpen: null };

/** How large the panels around the picture are, and whether they are there; kept across starts of the window. */
export class PanelsState {
  left = $state.raw<Panel>(readPanel('left'));
  right = $state.raw<Panel>(readPanel('right'));
  bottom = $state.raw<Panel>(readPanel('bottom'));

  /** As at 200 % on a laptop: the picture would have no room beside both panels. */
  readonly #narrow = new MediaQuery('max-width: 900px');

  isOpen(side: Side): boolean {
    return this[side].isOpen ?? (side === 'right' || (side === 'left' && !this.#narrow.current));
  }

  /** For the layout; undefined: as designed for a window of this size. */
  sizeOf(side: Side): string | undefined {
    if (!this.isOpen(side)) return '0px';
    const { size } = this[side];
    return size === null ? undefined : `min(${size}px, ${limits[side].share})`;
  }

  toggle(side: Side, isOpen = !this.isOpen(side)): void {
    this.#put(side, { ...this[side], isOpen });
  }

  resize(side: Side, size: number): void {
    const { low, high } = limits[side];
    this.#put(side, { ...this[side], size: Math.round(Math.min(high, Math.max(low, size))) });
  }

  /** As designed: as large as the window has room for. */
  reset(side: Side): void {
    this.#put(side, side === 'bottom' ? { ...this[side], size: null } : asDesigned);
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
