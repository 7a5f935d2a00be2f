import type { Random } from '../../main/world/random.ts';

/** What no reader expects where a number, a text or a list belongs. */
const odd = [
  null,
  true,
  '',
  'x',
  '../../../etc/passwd',
  -1,
  0,
  0.5,
  7,
  1000,
  3e7,
  2 ** 53,
  [],
  {},
  [[1]],
  'y'.repeat(10_000),
];

/** One value of a JSON file replaced or taken out, or the text itself broken. */
export function mutateJson(file: Buffer, random: Random): { what: string; bytes: Buffer } {
  if (random.chance(0.1)) return { what: 'cut off', bytes: file.subarray(0, random.index(file.length)) };
  const root = { value: JSON.parse(file.toString('utf8')) };
  let [parent, key]: [Record<string, unknown>, string] = [root, 'value'];
  for (let depth = 0; depth < 6; depth++) {
    const here = parent[key];
    if (typeof here !== 'object' || here === null || Object.keys(here).length === 0) break;
    if (depth > 0 && random.chance(0.2)) break;
    [parent, key] = [here as Record<string, unknown>, random.pick(Object.keys(here))];
  }
  if (random.chance(0.15)) {
    delete parent[key];
    return { what: `${key} taken out`, bytes: Buffer.from(JSON.stringify(root.value) ?? '') };
  }
  const value = random.pick(odd);
  parent[key] = value;
  return { what: `${key} = ${JSON.stringify(value).slice(0, 40)}`, bytes: Buffer.from(JSON.stringify(root.value)) };
}
