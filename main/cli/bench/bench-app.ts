import { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';
import type { CommandContext } from '../context.ts';
import { formatNumber } from '../progress-text.ts';
import { formatTable } from '../tables.ts';
import { findInCheckout } from './checkout.ts';
import { runChild } from './run-child.ts';

const appRows = z.array(
  z.object({ what: z.string(), value: z.number().nullable(), unit: z.string(), atMost: z.number(), note: z.string() }),
);

/** The editor's own measurements, which need the browser that comes with a checkout. */
export async function benchApp(context: CommandContext): Promise<void> {
  const script = findInCheckout('test/e2e/bench.ts');
  if (!script)
    throw new AppError(
      'not-found',
      'The measurements of the editor are part of a checkout, not of an installed package.',
    );
  const progress = { phase: 'the editor in a browser', done: 0, total: 1, unit: '', perSecond: null, etaSeconds: null };
  context.output.progress('Measuring', progress);
  const rows = await runChild(process.execPath, [script], context.signal, appRows);
  context.output.endProgress();
  const cells = rows.map(({ what, value, unit, atMost, note }) => [
    what,
    value === null ? '-' : `${formatNumber(value)} ${unit}`,
    `${atMost} ${unit} ${value === null ? '' : value <= atMost ? 'met' : 'MISSED'}`.trim(),
    note,
  ]);
  context.output.result('bench-app', { rows }, formatTable(['what', 'measured', 'at most', 'note'], cells));
}
