import { AppError } from '../../../shared/ipc/result.ts';
import { damagedTensors } from './tensor-file.ts';

/**
 * Reads the pickles of PyTorch's `state_dict`s (protocol 2, https://docs.python.org/3/library/pickletools.html). A pickle is a program:
 * Python's reader looks up whatever function it names and calls it. Here nothing is looked up and nothing called. A name stays a name, and
 * the few that describe tensors (`torchNames`) are understood; any other is refused.
 */

/** A name in a Python module; nothing but its two texts. */
class PythonName {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Values in a file of their own within the archive. */
class Storage {
  readonly type: string;
  readonly key: string;
  constructor(type: string, key: string) {
    this.type = type;
    this.key = key;
  }
}

/** What a pickle says of a tensor. */
export class PickledTensor {
  /** Name of its type, as `torch FloatStorage` or `torch float8_e4m3fn`. */
  readonly type: string;
  /** The archive's file `data/KEY`. */
  readonly key: string;
  /** Of its first value among those of the file. */
  readonly first: number;
  readonly shape: number[];
  readonly strides: number[];
  constructor(type: string, key: string, first: number, shape: number[], strides: number[]) {
    this.type = type;
    this.key = key;
    this.first = first;
    this.shape = shape;
    this.strides = strides;
  }
}

export type Pickled =
  | string
  | number
  | boolean
  | null
  | PythonName
  | Storage
  | PickledTensor
  | Pickled[]
  | Map<Pickled, Pickled>;

const mark = Symbol('mark');
type Slot = Pickled | typeof mark;

/** The names that are understood, beside those of types of values. */
const torchNames = new Set([
  'collections OrderedDict',
  'torch._utils _rebuild_tensor_v2',
  'torch._utils _rebuild_tensor_v3',
  'torch._utils _rebuild_parameter',
  'torch.storage UntypedStorage',
]);
const typeNames = /^torch ([A-Z][A-Za-z0-9]*Storage|[a-z][a-z0-9_]*)$/;

/**
 * The value that a pickle describes. Throws `invalid-input` for one that wants anything done but tensors described, and `damaged-file` for
 * what is no pickle. `path` is for messages.
 */
export function unpickle(path: string, bytes: Buffer): Pickled {
  const machine = new PickleMachine(path, bytes);
  return machine.run();
}

/** Some forty describe a tensor, and the largest checkpoints have some thousands of those. */
const maximumInstructions = 2_000_000;

class PickleMachine {
  private readonly path: string;
  private readonly bytes: Buffer;
  private at = 0;
  private readonly stack: Slot[] = [];
  private readonly memo = new Map<number, Pickled>();

  constructor(path: string, bytes: Buffer) {
    this.path = path;
    this.bytes = bytes;
  }

  run(): Pickled {
    for (let done = 0; done < maximumInstructions; done++) {
      const opcode = this.bytes[this.at];
      if (opcode === undefined) throw this.damaged('it ends too early');
      this.at++;
      if (opcode === 0x2e) return this.pop(); // STOP
      const value = this.step(opcode);
      if (value !== undefined) this.stack.push(value);
    }
    throw this.damaged(`it has more than ${maximumInstructions} instructions`);
  }

  /** Does what one instruction says; answers what it leaves on the stack. */
  private step(opcode: number): Pickled | undefined {
    switch (opcode) {
      case 0x80: // PROTO
        this.skip(1);
        return undefined;
      case 0x28: // MARK
        this.stack.push(mark);
        return undefined;
      case 0x7d: // EMPTY_DICT
        return new Map();
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return [];
      case 0x4e: // NONE
        return null;
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4b: // BININT1
        return this.bytes.readUInt8(this.skip(1));
      case 0x4d: // BININT2
        return this.bytes.readUInt16LE(this.skip(2));
      case 0x4a: // BININT
        return this.bytes.readInt32LE(this.skip(4));
      case 0x8a: // LONG1
        return this.long();
      case 0x47: // BINFLOAT
        return this.bytes.readDoubleBE(this.skip(8));
      case 0x58: // BINUNICODE
        return this.text();
      case 0x63: // GLOBAL
        return this.name();
      case 0x71: // BINPUT
        return this.remember(this.bytes.readUInt8(this.skip(1)));
      case 0x72: // LONG_BINPUT
        return this.remember(this.bytes.readUInt32LE(this.skip(4)));
      case 0x68: // BINGET
        return this.recall(this.bytes.readUInt8(this.skip(1)));
      case 0x6a: // LONG_BINGET
        return this.recall(this.bytes.readUInt32LE(this.skip(4)));
      case 0x74: // TUPLE
        return this.popToMark();
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return Array.from({ length: opcode - 0x84 }, () => this.pop()).reverse();
      case 0x61: // APPEND
        return this.append([this.pop()]);
      case 0x65: // APPENDS
        return this.append(this.popToMark());
      case 0x73: // SETITEM
        return this.setItems([this.pop(), this.pop()].reverse());
      case 0x75: // SETITEMS
        return this.setItems(this.popToMark());
      case 0x62: // BUILD, of an OrderedDict alone: what it sets are attributes, which tell nothing of tensors
        this.pop();
        this.table();
        return undefined;
      case 0x51: // BINPERSID
        return this.storage(this.pop());
      case 0x52: // REDUCE
        return this.reduce();
      default:
        throw this.refused(`an instruction that no PyTorch checkpoint needs (0x${opcode.toString(16)})`);
    }
  }

  /** What calling a name with arguments describes. */
  private reduce(): Pickled {
    const parts = this.pop();
    const name = this.pop();
    if (!(name instanceof PythonName) || !Array.isArray(parts)) throw this.damaged('a call is described wrongly');
    if (name.text === 'collections OrderedDict' && parts.length === 0) return new Map();
    if (name.text === 'torch._utils _rebuild_parameter' && parts[0] instanceof PickledTensor) return parts[0];
    const version = /^torch\._utils _rebuild_tensor_v([23])$/.exec(name.text)?.[1];
    if (!version) throw this.refused(name.text.replace(' ', '.'));
    const [storage, first, shape, strides, , , type] = parts;
    const isUntyped = version === '3';
    if (
      !(storage instanceof Storage) ||
      !isSize(first) ||
      !isShape(shape) ||
      !isShape(strides) ||
      strides.length !== shape.length ||
      (isUntyped && !(type instanceof PythonName))
    )
      throw this.damaged('a tensor is described wrongly');
    const stored = isUntyped ? (type as PythonName).text : storage.type;
    return new PickledTensor(stored, storage.key, first, shape, strides);
  }

  /** ('storage', type, key, device, count) */
  private storage(parts: Pickled): Storage {
    const [word, type, key] = Array.isArray(parts) ? parts : [];
    if (word !== 'storage' || !(type instanceof PythonName) || typeof key !== 'string')
      throw this.damaged('where values are stored is described wrongly');
    return new Storage(type.text, key);
  }

  private name(): PythonName {
    const end = this.bytes.indexOf(0x0a, this.at);
    const last = end < 0 ? -1 : this.bytes.indexOf(0x0a, end + 1);
    if (last < 0 || last - this.at > 1000) throw this.damaged('a name does not end');
    const text = this.bytes.toString('utf8', this.at, last).replace('\n', ' ');
    this.at = last + 1;
    if (!torchNames.has(text) && !typeNames.test(text)) throw this.refused(text.replace(' ', '.'));
    return new PythonName(text);
  }

  private long(): number {
    const length = this.bytes.readUInt8(this.skip(1));
    if (length > 8) throw this.damaged(`a number has ${length} bytes`);
    const from = this.skip(length);
    const value = length === 0 ? 0 : Number(BigInt.asIntN(8 * length, this.unsigned(from, length)));
    if (!Number.isSafeInteger(value)) throw this.damaged(`${value} is too large a number`);
    return value;
  }

  private unsigned(from: number, length: number): bigint {
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(this.bytes[from + i]!);
    return value;
  }

  private text(): string {
    const length = this.bytes.readUInt32LE(this.skip(4));
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }

  private append(values: Pickled[]): undefined {
    const list = this.stack.at(-1);
    if (!Array.isArray(list)) throw this.damaged('something is appended to what is no list');
    for (const value of values) list.push(value);
  }

  private setItems(items: Pickled[]): undefined {
    const table = this.table();
    if (items.length % 2) throw this.damaged('a table has a name without a value');
    for (let i = 0; i < items.length; i += 2) table.set(items[i]!, items[i + 1]!);
  }

  private table(): Map<Pickled, Pickled> {
    const table = this.stack.at(-1);
    if (!(table instanceof Map)) throw this.damaged('something is set in what is no table');
    return table;
  }

  private remember(key: number): undefined {
    const value = this.stack.at(-1);
    if (value === undefined || value === mark) throw this.damaged('nothing is there to be remembered');
    this.memo.set(key, value);
  }

  private recall(key: number): Pickled {
    const value = this.memo.get(key);
    if (value === undefined) throw this.damaged(`nothing was remembered under ${key}`);
    return value;
  }

  private pop(): Pickled {
    const value = this.stack.pop();
    if (value === undefined || value === mark) throw this.damaged('a value is missing');
    return value;
  }

  private popToMark(): Pickled[] {
    const from = this.stack.lastIndexOf(mark);
    if (from < 0) throw this.damaged('a list has no beginning');
    const values = this.stack.splice(from).slice(1);
    return values as Pickled[];
  }

  /** Moves on by so many bytes and answers where they begin. */
  private skip(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.bytes.length) throw this.damaged('it ends too early');
    return from;
  }

  private damaged(message: string): AppError {
    return damagedTensors(this.path, `its pickle cannot be read: ${message}`);
  }

  private refused(what: string): AppError {
    return new AppError('invalid-input', `${this.path}: its pickle asks for ${what}, which is not run here.`, {
      hint: 'Only plain state dicts of tensors are read. Take a safetensors file of the same weights, and be careful with this one.',
    });
  }
}

const isSize = (value: Pickled | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isShape = (value: Pickled | undefined): value is number[] =>
  Array.isArray(value) && value.length <= 16 && value.every(isSize);
