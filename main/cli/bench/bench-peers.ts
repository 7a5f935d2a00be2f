import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { findInCheckout } from './checkout.ts';
import { type PartResult, parts, peerRows, verdicts } from './peers.ts';
import { peersReport } from './peers-report.ts';
import { allContenders, measurePart } from './run-peers.ts';

export interface PeersBenchOptions {
  only?: string[];
  contender?: string[];
  rounds: number;
  out: string;
  seconds: number;
}

/** Ours against PyTorch's, part by part; what is measured is kept. */
export async function benchPeers(context: CommandContext, options: PeersBenchOptions, command: Command): Promise<void> {
  const python = process.env.MOTIF_PEER_PYTHON;
  const peerScript = findInCheckout('test/bench/peer.py');
  if (!python || !peerScript)
    command.error(
      'error: --peers needs a checkout, and MOTIF_PEER_PYTHON naming a Python with torch, diffusers and peft.',
    );
  const { only = parts.map(({ name }) => name), contender = allContenders } = options;
  for (const [given, known] of [
    [only, parts.map(({ name }) => name)],
    [contender, allContenders],
  ] as const) {
    const unknown = given.find((name) => !known.includes(name));
    if (unknown)
      command.error(`error: there is nothing called "${unknown}" to compare; there are ${known.join(', ')}.`);
  }
  const model = await context.withServices({ access: 'read' }, (services) =>
    services.call['models.get']({ model: context.global.model }),
  );
  const results: PartResult[] = [];
  for (const part of parts.filter(({ name }) => only.includes(name))) {
    const result = await measurePart(part, {
      folder: resolve(options.out),
      model: model.directory,
      ownScript: join(import.meta.dirname, 'bench-measure.js'),
      peerScript: peerScript!,
      python: python!,
      contenders: contender.filter((name) => options.contender || !part.growth || !name.startsWith('compiled')),
      rounds: part.growth ? 1 : options.rounds,
      seconds: options.seconds,
      signal: context.signal,
      onProgress: (phase, done, total) =>
        context.output.progress('Measuring', { phase, done, total, unit: '', perSecond: null, etaSeconds: null }),
    });
    results.push(result);
    context.output.event('part', { ...result, verdicts: verdicts(part, peerRows(result)) });
  }
  context.output.endProgress();
  const report = peersReport(results);
  await mkdir(resolve(options.out), { recursive: true });
  await writeFile(resolve(options.out, 'peers.txt'), `${report.text}\n`);
  await writeFile(resolve(options.out, 'peers.json'), JSON.stringify(report.data, null, 1));
  if (report.plot) await writeFile(resolve(options.out, 'peers.svg'), report.plot);
  context.output.result('bench-peers', report.data, report.text);
}
