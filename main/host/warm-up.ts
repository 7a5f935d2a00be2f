import type { Services } from '../services/services.ts';

/** How long a window's engine may rest before its process, and the memory that it holds, is given back. */
export const engineIdleSeconds = 600;

/**
 * Loads the default model and compiles what the first edit will need; answers whether it did (not for large
 * models).
 */
export async function warmUp({ call, engine }: Services): Promise<boolean> {
  const { directory } = await call['models.get']();
  return engine.warmUp({ model: directory });
}

/**
 * Readies the engine for the first edit while the user looks around. That it cannot is told by whatever is
 * asked of it next.
 */
export function warmUpInBackground(services: Services): void {
  if (services.library.status().access === 'write') void warmUp(services).catch(() => {});
}
