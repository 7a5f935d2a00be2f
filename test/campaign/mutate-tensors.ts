import type { Random } from '../../main/world/random.ts';

/** A safetensors file taken apart, each tensor with its bytes. */
interface Parts {
  metadata: Record<string, string>;
  tensors: { name: string; dtype: string; shape: number[]; bytes: Buffer }[];
}

function takeApart(file: Buffer): Parts {
  const length = Number(file.readBigUInt64LE());
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(file.toString('utf8', 8, 8 + length));
  const tensors = Object.entries(entries).map(([name, entry]) => {
    const { dtype, shape, data_offsets } = entry as { dtype: string; shape: number[]; data_offsets: [number, number] };
    const [start, end] = data_offsets.map((offset) => 8 + length + offset);
    return { name, dtype, shape, bytes: Buffer.from(file.subarray(start, end)) };
  });
  return { metadata, tensors };
}

/** A file whose header describes what is in it, whatever that is. */
function putTogether({ metadata, tensors }: Parts): Buffer {
  let position = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const data_offsets = [position, position + bytes.length];
    position += bytes.length;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`;
  });
  const header = `{"__metadata__":${JSON.stringify(metadata)}${entries.map((entry) => `,${entry}`).join('')}}`;
  return withHeader(header, Buffer.concat(tensors.map(({ bytes }) => bytes)));
}

function withHeader(text: string, values: Buffer): Buffer {
  const header = Buffer.from(text);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, values]);
}

const headerText = (file: Buffer) => file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE()));
const valuesOf = (file: Buffer) => file.subarray(8 + Number(file.readBigUInt64LE()));

/** What no reader expects where a number, a text or a list belongs. */
const oddities = [
  'null',
  'true',
  '""',
  '"NaN"',
  '[]',
  '{}',
  '-1',
  '0',
  '0.5',
  '1e999',
  '-1e999',
  '9007199254740993',
  '4294967296',
  '"../../x"',
  '[[1]]',
] as const;

const oddNumbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1e-45, 70000, 0];

type Mutation = (file: Buffer, random: Random) => Buffer;

/** Changes to the parts; the header is made to fit them. */
const ofParts = (change: (parts: Parts, random: Random) => void): Mutation => {
  return (file, random) => {
    const parts = takeApart(file);
    change(parts, random);
    return putTogether(parts);
  };
};

const mutations: Record<string, Mutation> = {
  'cut off': (file, random) => file.subarray(0, random.index(file.length)),
  'longer than it says': (file, random) => Buffer.concat([file, Buffer.alloc(1 + random.index(40), 7)]),
  'bytes turned': (file, random) => {
    const changed = Buffer.from(file);
    for (let count = 1 + random.index(8); count > 0; count--) changed[random.index(changed.length)] = random.index(256);
    return changed;
  },
  'bytes of the header turned': (file, random) => {
    const changed = Buffer.from(file);
    const length = 8 + Number(file.readBigUInt64LE());
    for (let count = 1 + random.index(4); count > 0; count--) changed[random.index(length)] = random.index(256);
    return changed;
  },
  'a value of the header replaced': (file, random) => {
    const text = headerText(file);
    const values = [...text.matchAll(/(?<=[:[,])\s*("(?:[^"\\]|\\.)*"|-?\d+)/g)];
    const { index, 0: value } = random.pick(values);
    return withHeader(text.slice(0, index) + random.pick(oddities) + text.slice(index + value.length), valuesOf(file));
  },
  'a key of the header given twice': (file, random) => {
    const text = headerText(file);
    const { name } = random.pick(takeApart(file).tensors);
    const again = `"${name}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`;
    return withHeader(
      random.chance(0.5) ? `{${again},${text.slice(1)}` : `${text.trimEnd().slice(0, -1)},${again}}`,
      valuesOf(file),
    );
  },
  'the length of the header': (file, random) => {
    const changed = Buffer.from(file);
    changed.writeBigUInt64LE(random.pick([0n, 1n, 2n, 2n ** 32n, 2n ** 63n, BigInt(random.index(4000))]));
    return changed;
  },
  'odd numbers among the values': ofParts(({ tensors }, random) => {
    const { dtype, bytes } = random.pick(tensors);
    const value = random.pick(oddNumbers);
    const size = dtype === 'F32' ? 4 : 2;
    const places = bytes.length / size;
    for (let count = random.pick([1, 1, places]); count > 0; count--) {
      const place = size * random.index(places);
      if (size === 4) bytes.writeFloatLE(value, place);
      else bytes.writeUInt16LE(random.pick([0x7c00, 0x7e00, 0xfc00, 0x7bff, 1]), place);
    }
  }),
  'large numbers everywhere': ofParts(({ tensors }, random) => {
    const factor = random.pick([1e10, 1e20, 3e38]);
    for (const { dtype, bytes } of tensors)
      if (dtype === 'F32')
        for (let at = 0; at < bytes.length; at += 4) bytes.writeFloatLE(Math.sign(bytes.readFloatLE(at)) * factor, at);
  }),
  'another shape of as many values': ofParts(({ tensors }, random) => {
    const tensor = random.pick(tensors);
    const total = tensor.shape.reduce((product, length) => product * length, 1);
    tensor.shape = random.pick([
      tensor.shape.toReversed(),
      [total],
      [...tensor.shape, 1],
      [1, total],
      [total, 1, 1, 1],
    ]);
  }),
  'another size': ofParts(({ tensors }, random) => {
    const tensor = random.pick(tensors);
    const shape = tensor.shape.map((length) => random.pick([length, length, 0, 1, length + 1, 2 * length, 300]));
    const size = { F64: 8, F32: 4, I64: 8, I32: 4 }[tensor.dtype] ?? 2;
    tensor.shape = shape;
    tensor.bytes = Buffer.alloc(size * shape.reduce((product, length) => product * length, 1), random.index(60));
  }),
  'another type': ofParts(({ tensors }, random) => {
    const tensor = random.pick(tensors);
    const [type, size] = random.pick([
      ['F64', 8],
      ['I64', 8],
      ['I8', 1],
      ['BOOL', 1],
      ['F16', 2],
      ['BF16', 2],
      ['F8_E4M3', 1],
      ['X', 4],
    ] as const);
    tensor.dtype = type;
    const total = tensor.shape.reduce((product, length) => product * length, 1);
    tensor.bytes = Buffer.from(Array.from({ length: total * size }, () => random.index(256)));
  }),
  'a tensor left out': ofParts(({ tensors }, random) => void tensors.splice(random.index(tensors.length), 1)),
  'nothing in it': ofParts(({ tensors }) => void tensors.splice(0)),
  'a tensor under another name': ofParts(({ tensors }, random) => {
    const tensor = random.pick(tensors);
    const others = [
      random.pick(tensors).name,
      '__proto__',
      'constructor',
      '',
      'x'.repeat(5000),
      `${tensor.name}.weight`,
    ];
    tensor.name = random.pick([
      ...others,
      tensor.name.replace(/\d+/, () => String(random.index(1e9))),
      tensor.name.replace('lora_A', 'lora_B'),
      tensor.name.replace('lora_A.weight', 'lora_A.default.weight'),
    ]);
  }),
  'a tensor added': ofParts(({ tensors }, random) => {
    const { name } = random.pick(tensors);
    const names = [
      name.replace(/lora_\w+\.weight|lora_\w+$/, 'alpha'),
      'transformer.x.lora_A.weight',
      `${name}.dora_scale`,
      'base_model.model.y',
    ];
    const shape = random.pick([[], [1], [3], [0], [2, 2]]);
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(
      random.pick(oddNumbers),
    );
    tensors.push({ name: random.pick(names), dtype: 'F32', shape, bytes: Buffer.from(values.buffer) });
  }),
  'a layer described again in another way': ofParts(({ tensors }, random) => {
    const { name, ...rest } = random.pick(tensors);
    tensors.push({ ...rest, name: name.startsWith('transformer.') ? name.slice(12) : `transformer.${name}` });
  }),
  'other metadata': ofParts((parts, random) => {
    const value = random.pick(oddities);
    const key = random.pick([
      'r',
      'lora_alpha',
      'rank_pattern',
      'alpha_pattern',
      'use_rslora',
      'use_dora',
      'lora_bias',
      'peft_type',
    ]);
    const pattern = random.pick(['(a+)+$', '.*.*.*.*x', '[', 'to_q', '^blocks', '\\d+(\\d+)+']);
    parts.metadata = {
      lora_adapter_metadata: random.pick([
        'no JSON',
        value,
        `{"transformer.${key}":${value}}`,
        `{"transformer.alpha_pattern":{${JSON.stringify(pattern)}:${random.pick(['1', '1e999', '-5', 'null'])}}}`,
        `{"transformer.r":${random.index(9)},"transformer.lora_alpha":${random.pick(['1e300', '-1', '0', '16'])}}`,
      ]),
    };
  }),
};

/** One of many ways in which a safetensors file can be wrong, and its name. */
export function mutateTensors(file: Buffer, random: Random): { what: string; bytes: Buffer } {
  const what = random.pick(Object.keys(mutations));
  return { what, bytes: mutations[what]!(file, random) };
}
