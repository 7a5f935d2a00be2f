import type { Services } from './service-interface.ts';

/** How long a window's engine may rest before its process, and the memory that it holds, is given back. */
export const engineIdleSeconds = 600;

/** Readies the engine for the first edit while the user looks around. That it cannot is told by whatever is asked of it next. */
export function warmUpInBackground(services: Services): void {
  if (services.library.status().access === 'write') void services.device.warmUp().catch(() => {});
}
