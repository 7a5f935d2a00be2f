import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { toErrorShape } from '../../../shared/ipc/result.ts';
import { benchApp } from '../bench/bench-app.ts';
import { benchLooks } from '../bench/bench-looks.ts';
import { benchPeers, type PeersBenchOptions } from '../bench/bench-peers.ts';
import { findInCheckout } from '../bench/checkout.ts';
import {
  type Measurement,
  measurement,
  meetsTarget,
  middle,
  type Row,
  ratios,
  type Task,
  tasks,
  workload,
} from '../bench/measurement.ts';
import { parts } from '../bench/peers.ts';
import { runChild } from '../bench/run-child.ts';
import { allContenders } from '../bench/run-peers.ts';
import type { CommandContext, Registration } from '../context.ts';
import { collect, parseInteger, parseNumber, parsePlace } from '../options.ts';
import { formatBytes, formatNumber } from '../progress-text.ts';
import { formatTable } from '../tables.ts';

interface BenchOptions extends PeersBenchOptions {
  peers?: true;
}

export const registerBench: Registration = (program, run) => {
  program
    .command('bench')
    .argument(
      '[subject]',
      '`looks` measures looks, from dropping a clip to the exported video; `app` measures the editor in a headless browser (in a checkout)',
    )
    .description('Measures the speed and peak memory of everything that takes time, each in its own process.')
    .option('--only <task>', `one of ${tasks.map(({ name }) => name).join(', ')}; repeat for several`, collect)
    .option('--rounds <n>', 'how often each is measured', parseInteger(1, 20), 2)
    .option(
      '--peers',
      'compares with PyTorch, eager and compiled, in float32 and bfloat16, and shows what grows with size',
    )
    .option('--contender <name>', `with --peers: one of ${allContenders.join(', ')}; repeat for several`, collect)
    .option(
      '--out <folder>',
      'with --peers: where results are kept; finished parts are not measured again',
      parsePlace,
      'out/bench',
    )
    .option('--seconds <n>', 'with --peers: how long each is repeated', parseNumber(0.1, 600), 3)
    .addHelpText(
      'after',
      `
With MOTIF_PEER_PYTHON naming a Python that has torch, diffusers and peft, the same work is measured there in turn with ours,
and the table has ratios. Compare only numbers of one run: a busy machine changes them all.

With --peers the parts for --only are ${parts.map(({ name }) => name).join(', ')}.
Each is measured in one go, all contenders in turn, and kept: a run that was ended goes on with the next part, or in a part in which a
size grows with the next size. PyTorch compiles for minutes; the parts in which a size grows leave its compiled forms out unless they are named with --contender.

Examples:
  motif bench
  motif bench --only matmul --only preview --rounds 5
  motif bench looks --device onnxruntime
  motif bench app
  MOTIF_PEER_PYTHON=python3 motif bench --json
  MOTIF_PEER_PYTHON=python3 motif bench --peers --only edit --only depth`,
    )
    .action(
      run(async (context, subject: string | undefined, options: BenchOptions, command: Command) => {
        if (subject === 'app') return benchApp(context);
        if (subject === 'looks') return benchLooks(context, options.rounds);
        if (subject !== undefined)
          command.error(`error: there is nothing called "${subject}" to measure; there are looks and app.`);
        if (options.peers) return benchPeers(context, options, command);
        const unknown = options.only?.find((name) => !tasks.some((task) => task.name === name));
        if (unknown)
          command.error(
            `error: there is no measurement "${unknown}"; there are ${tasks.map(({ name }) => name).join(', ')}.`,
          );
        const chosen = tasks.filter(({ name }) => options.only?.includes(name) ?? true);
        const model = await context.withServices({ access: 'read' }, (services) =>
          services.call['models.get']({ model: context.global.model }),
        );
        const rows: Row[] = [];
        const total = chosen.length;
        for (const [done, task] of chosen.entries()) {
          context.output.progress('Measuring', {
            phase: task.title,
            done,
            total,
            unit: '',
            perSecond: null,
            etaSeconds: null,
          });
          const row = await measure(context, task, model.directory, options.rounds);
          rows.push(row);
          context.output.event('measurement', { ...row, ratios: ratios(row), meetsTarget: meetsTarget(row) });
        }
        context.output.endProgress();
        const machine = {
          processor: cpus()[0]?.model ?? 'unknown',
          threads: availableParallelism(),
          node: process.versions.node,
        };
        const report = rows.map((row) => ({ ...row, ratios: ratios(row), meetsTarget: meetsTarget(row) }));
        context.output.result(
          'bench',
          { machine, model: model.name, rows: report },
          [
            `${machine.processor}, ${machine.threads} threads, Node ${machine.node}, model ${model.name}`,
            '',
            table(rows),
          ].join('\n'),
        );
      }),
    );
};

/** Ours and the peer's in turn, so that a busy moment of the machine hits both. */
async function measure(context: CommandContext, task: Task, model: string, rounds: number): Promise<Row> {
  const words = [task.name, '--model', model, ...workload];
  const device = context.global.device ? ['--device', context.global.device] : [];
  const python = process.env.MOTIF_PEER_PYTHON;
  const peerScript = findInCheckout('test/bench/peer.py');
  const ours: Measurement[] = [];
  const peers: Measurement[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(
      await attempt(context, process.execPath, [join(import.meta.dirname, 'bench-measure.js'), ...words, ...device]),
    );
    if (python && peerScript && task.peer) peers.push(await attempt(context, python, [peerScript, ...words]));
  }
  return { ...task, ours: middle(ours), peers: peers.length > 0 ? middle(peers) : null };
}

/** A measurement that fails is a row that says why; the others are still worth having. */
async function attempt(context: CommandContext, program: string, words: string[]): Promise<Measurement> {
  try {
    return await runChild(program, words, context.signal, measurement);
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    return { milliseconds: null, repetitions: 0, peakBytes: 1, note: toErrorShape(thrown).message };
  }
}

function table(rows: Row[]): string {
  const withPeer = rows.some(({ peers }) => peers);
  const header = ['what', 'ms', 'outside', 'GFLOP/s', 'peak memory'];
  if (withPeer) header.push('PyTorch ms', 'PyTorch memory', 'time ratio', 'memory ratio', 'target');
  header.push('note');
  const cells = (row: Row): string[] => {
    const { ours, peers } = row;
    const found = ratios(row);
    const line = [
      row.title,
      milliseconds(ours),
      share(ours),
      ours.gflops ? formatNumber(ours.gflops) : '',
      memory(ours),
    ];
    if (withPeer) {
      line.push(
        peers ? milliseconds(peers) : '',
        peers ? memory(peers) : '',
        found ? found.time.toFixed(2) : '',
        found ? found.memory.toFixed(2) : '',
        targetText(row),
      );
    }
    line.push([ours.note, peers?.milliseconds === null ? `PyTorch: ${peers.note}` : ''].filter(Boolean).join('; '));
    return line;
  };
  return formatTable(header, rows.map(cells));
}

function targetText(row: Row): string {
  const { target } = row;
  if (!target) return '';
  const met = meetsTarget(row);
  const limits = `${target.time}${target.memory === undefined ? '' : ` / ${target.memory}`}`;
  return met === null ? limits : `${limits} ${met ? 'met' : 'MISSED'}`;
}

function milliseconds(measured: Measurement): string {
  return measured.milliseconds === null ? '-' : formatNumber(measured.milliseconds);
}

/** Time outside of compiled programs, in percent. */
function share({ outsideShare }: Measurement): string {
  return outsideShare === undefined ? '' : `${(100 * outsideShare).toFixed(1)} %`;
}

function memory(measured: Measurement): string {
  return measured.milliseconds === null ? '-' : formatBytes(measured.peakBytes);
}
