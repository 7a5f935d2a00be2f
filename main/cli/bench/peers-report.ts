import { formatBytes, formatNumber } from '../progress-text.ts';
import { formatTable } from '../tables.ts';
import { drawGrowthPlot, type GrowthPanel } from './growth-plot.ts';
import { bestPeer, type PartResult, type PeerRow, parts, peerRows, type Verdict, verdicts } from './peers.ts';

export interface PeersReport {
  data: { parts: (PartResult & { verdicts: Verdict[] })[] };
  text: string;
  /** An SVG; null where nothing that grows was measured. */
  plot: string | null;
}

/** What was measured as data, as tables and as a plot. */
export function peersReport(results: readonly PartResult[]): PeersReport {
  const found = results.map((result) => {
    const part = parts.find(({ name }) => name === result.part);
    if (!part) throw new Error(`there is no part "${result.part}"`);
    const rows = peerRows(result);
    return { part, result, rows, verdicts: verdicts(part, rows) };
  });
  const { processor, threads, memoryBytes } = results[0]?.machine ?? { processor: '', threads: 0, memoryBytes: 0 };
  const machine = `${processor}, ${threads} threads, ${formatBytes(memoryBytes)}`;
  const sections = found.map(({ part, result, rows }) =>
    [`${part.title} (${result.measuredAt.slice(0, 16)}Z)`, table(rows)].join('\n'),
  );
  const summary = verdictTable(found.flatMap((each) => each.verdicts));
  const panels = found.flatMap(({ part, rows }) => (part.growth ? growthPanels(part.title, rows) : []));
  return {
    data: { parts: found.map(({ result, verdicts: own }) => ({ ...result, verdicts: own })) },
    text: [machine, ...sections, ...(summary ? [`As ratios to PyTorch's best of the same run\n${summary}`] : [])].join(
      '\n\n',
    ),
    plot: panels.length > 0 ? drawGrowthPlot(machine, panels) : null,
  };
}

function table(rows: readonly PeerRow[]): string {
  const grows = rows.some(({ size }) => size !== null);
  const header = [
    'who',
    ...(grows ? ['size'] : []),
    'ms',
    'processor ms',
    'peak memory',
    'of the best peer',
    'first start',
    'later start',
    'note',
  ];
  const cells = rows.map((row) => {
    const peer = bestPeer(rows, row.size);
    const comparable = peer?.milliseconds != null && row.milliseconds !== null;
    return [
      row.contender,
      ...(grows ? [String(row.size)] : []),
      row.milliseconds === null ? '-' : formatNumber(row.milliseconds),
      row.processorMilliseconds === null ? '' : formatNumber(row.processorMilliseconds),
      row.milliseconds === null ? '-' : formatBytes(row.peakBytes),
      comparable
        ? `${(row.milliseconds! / peer.milliseconds!).toFixed(2)} / ${(row.peakBytes / peer.peakBytes).toFixed(2)}`
        : '',
      seconds(row.coldStartMilliseconds),
      seconds(row.warmStartMilliseconds),
      row.note,
    ];
  });
  return formatTable(header, cells);
}

const seconds = (value: number | null) => (value === null ? '' : `${(value / 1000).toFixed(1)} s`);

function verdictTable(found: readonly Verdict[]): string | null {
  if (found.length === 0) return null;
  const cells = found.map(({ title, device, peer, time, processorTime, memory, target, met }) => [
    title,
    device,
    peer,
    `${time.toFixed(2)} of ${target.time}`,
    processorTime === null ? '' : processorTime.toFixed(2),
    `${memory.toFixed(2)} of ${target.memory}`,
    met
      ? 'met'
      : `MISSED: ${[time > target.time ? 'time' : '', memory > target.memory ? 'memory' : ''].filter(Boolean).join(' and ')}`,
  ]);
  return formatTable(['what', 'device', 'against', 'time', 'processor time', 'peak memory', ''], cells);
}

function growthPanels(title: string, rows: readonly PeerRow[]): GrowthPanel[] {
  const contenders = [...new Set(rows.map(({ contender }) => contender))];
  const panel = (label: string, pick: (row: PeerRow) => number | null): GrowthPanel => ({
    title,
    label,
    curves: contenders.map((name) => ({
      name,
      points: rows.flatMap((row) => {
        const value = row.milliseconds === null ? null : pick(row);
        return row.contender === name && value !== null ? [{ size: row.size!, value }] : [];
      }),
    })),
  });
  return [panel('ms', (row) => row.milliseconds), panel('peak memory, MB', (row) => row.peakBytes / 1e6)];
}
