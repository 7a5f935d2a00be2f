import { toLab } from './lab.ts';

/** Cells along L* (0 to 100), a* and b* (-60 to 60). */
const [lightnessCells, chromaCells] = [8, 12];
const widest = 60;
/** However clear colours are, a place can still outvote them. */
const mostOdds = 4;
/** Cells along each of red, green and blue in the table that pictures are looked up in. */
const tableSide = 25;
const tableSides = [tableSide, tableSide, tableSide] as const;
const labSides = [lightnessCells, chromaCells, chromaCells] as const;

export interface ColourOdds {
  /** Log odds of a colour to be the thing's, between the centres of the cells around it. */
  of(lightness: number, a: number, b: number): number;
}

/** Histograms of L*a*b* frames [height, width, 3] inside and outside of a thing (its share of each place, 0 to 1), compared. */
export function colourOdds(frames: readonly Float32Array[], shares: readonly Float32Array[]): ColourOdds {
  const cells = lightnessCells * chromaCells * chromaCells;
  const inside = new Float64Array(cells);
  const outside = new Float64Array(cells);
  for (const [frame, lab] of frames.entries()) {
    const share = shares[frame]!;
    for (let at = 0; at < share.length; at++) {
      const cell = cellOf(lab[3 * at]!, lab[3 * at + 1]!, lab[3 * at + 2]!);
      inside[cell]! += share[at]!;
      outside[cell]! += 1 - share[at]!;
    }
  }
  const odds = compared(spread(inside), spread(outside));
  return {
    of(lightness, a, b) {
      const l = clamped((lightness / 100) * lightnessCells - 0.5, lightnessCells);
      const x = clamped(((a + widest) / (2 * widest)) * chromaCells - 0.5, chromaCells);
      const y = clamped(((b + widest) / (2 * widest)) * chromaCells - 0.5, chromaCells);
      return trilinear(odds, labSides, l, x, y);
    },
  };
}

/** What is true of colours in L*a*b*, as a table over R'G'B' of `tableSide` cubed. */
export function colourTable(of: (lightness: number, a: number, b: number) => number): Float32Array {
  const table = new Float32Array(tableSide ** 3);
  const lab: [number, number, number] = [0, 0, 0];
  const last = tableSide - 1;
  for (let at = 0; at < table.length; at++) {
    const [red, green, blue] = [
      Math.floor(at / tableSide ** 2),
      Math.floor(at / tableSide) % tableSide,
      at % tableSide,
    ];
    toLab([red / last, green / last, blue / last], 0, lab, 0);
    table[at] = of(...lab);
  }
  return table;
}

/** The table's value for a colour of R'G'B' 0 to 1. */
export function lookUp(table: Float32Array, red: number, green: number, blue: number): number {
  const last = tableSide - 1;
  return trilinear(table, tableSides, red * last, green * last, blue * last);
}

const clamped = (place: number, cells: number) => Math.min(cells - 1, Math.max(0, place));

function cellOf(lightness: number, a: number, b: number): number {
  const cell = (share: number, cells: number) => Math.min(cells - 1, Math.max(0, Math.floor(share * cells)));
  const l = cell(lightness / 100, lightnessCells);
  const x = cell((a + widest) / (2 * widest), chromaCells);
  const y = cell((b + widest) / (2 * widest), chromaCells);
  return (l * chromaCells + x) * chromaCells + y;
}

/** 1 2 1 along each direction: few pixels say little about a cell alone. */
function spread(cells: Float64Array): Float64Array {
  let from = cells;
  for (const [stride, count] of [
    [chromaCells ** 2, lightnessCells],
    [chromaCells, chromaCells],
    [1, chromaCells],
  ] as const) {
    const values = from;
    from = values.map((value, at) => {
      const step = Math.floor(at / stride) % count;
      const previous = step > 0 ? values[at - stride]! : 0;
      const next = step < count - 1 ? values[at + stride]! : 0;
      return 0.25 * previous + 0.5 * value + 0.25 * next;
    });
  }
  return from;
}

function compared(inside: Float64Array, outside: Float64Array): Float32Array {
  const total = (cells: Float64Array) =>
    Math.max(
      1e-9,
      cells.reduce((sum, value) => sum + value, 0),
    );
  const [all, rest] = [total(inside), total(outside)];
  return Float32Array.from(inside, (value, cell) => {
    const odds = Math.log((value / all + 3e-6) / (outside[cell]! / rest + 3e-6));
    return Math.min(mostOdds, Math.max(-mostOdds, odds));
  });
}

/** Called for each pixel: nothing is allocated. */
function trilinear(
  table: Float32Array,
  sides: readonly [number, number, number],
  x: number,
  y: number,
  z: number,
): number {
  const second = sides[1];
  const third = sides[2];
  const left = Math.floor(x);
  const top = Math.floor(y);
  const near = Math.floor(z);
  const u = x - left;
  const v = y - top;
  const w = z - near;
  const right = Math.min(sides[0] - 1, left + 1);
  const bottom = Math.min(second - 1, top + 1);
  const far = Math.min(third - 1, near + 1);
  const a = (left * second + top) * third;
  const b = (left * second + bottom) * third;
  const c = (right * second + top) * third;
  const d = (right * second + bottom) * third;
  const ab =
    (1 - v) * (table[a + near]! * (1 - w) + table[a + far]! * w) +
    v * (table[b + near]! * (1 - w) + table[b + far]! * w);
  const cd =
    (1 - v) * (table[c + near]! * (1 - w) + table[c + far]! * w) +
    v * (table[d + near]! * (1 - w) + table[d + far]! * w);
  return ab * (1 - u) + cd * u;
}
