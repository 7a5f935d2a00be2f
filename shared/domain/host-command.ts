import { z } from 'zod';

/** What the system's menu asks of the window that has the focus. */
export const hostCommand = z.enum(['import', 'export', 'settings', 'undo', 'redo', 'shortcuts']);
export type HostCommand = z.infer<typeof hostCommand>;
