import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The folder of test clips beside the checkout, or wherever MOTIF_SHARED points. Tests that need it are skipped where it is absent. */
export const sharedFolder = resolve(process.env.MOTIF_SHARED ?? `${import.meta.dirname}/../../shared`);

export const hasShared = existsSync(`${sharedFolder}/clips/river_rapids_512.mp4`);
