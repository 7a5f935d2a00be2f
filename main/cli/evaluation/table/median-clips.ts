import type { TableClip, TablePart, Way } from '../../../../shared/domain/evaluation-table.ts';

/** A clip whose strip is shown, and its scene. */
export interface ShownClip {
  scene: string;
  clip: TableClip;
}

/**
 * The median scene of a row by its true error (mean over the shown clips of a scene; the lower of two in the
 * middle), and a clip of it.
 */
export function medianClip(parts: readonly TablePart[], row: string, way: Way): ShownClip | null {
  const scenes = parts
    .filter((part) => part.row === row)
    .flatMap(({ scene, clips }) => {
      const shown = clips.filter((clip) => clip.way === way && clip.strip !== null);
      return shown.length > 0
        ? [{ scene, shown, error: shown.reduce((sum, { mse }) => sum + mse, 0) / shown.length }]
        : [];
    })
    .sort((a, b) => a.error - b.error);
  const median = scenes[Math.floor((scenes.length - 1) / 2)];
  return median ? { scene: median.scene, clip: median.shown[0]! } : null;
}
