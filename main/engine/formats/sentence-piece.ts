/** What kind of piece a word is; the numbers of sentencepiece_model.proto, which GGUF files use too. */
export const pieceType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** A vocabulary of SentencePiece's Unigram kind. */
export interface SentencePieces {
  /** In the order of their ids. */
  pieces: { text: string; score: number; type: number }[];
  unknownId: number;
  endId: number;
  /** -1 where there is none. */
  paddingId: number;
  /** Whether what no piece spells is spelled in bytes. */
  byteFallback: boolean;
  /** SentencePiece's own table of characters that stand for others; empty where it has none. */
  characterMap: Uint8Array;
}

/**
 * Reads a SentencePiece model (sentencepiece_model.proto of github.com/google/sentencepiece), whose fields are a protocol buffer
 * (https://protobuf.dev/programming-guides/encoding). Throws an Error with what is wrong.
 */
export function readSentencePieces(bytes: Uint8Array): SentencePieces {
  const result: SentencePieces = {
    pieces: [],
    unknownId: 0,
    endId: 2,
    paddingId: -1,
    byteFallback: false,
    characterMap: new Uint8Array(),
  };
  for (const { field, value } of fieldsOf(bytes)) {
    if (!(value instanceof Uint8Array)) continue;
    if (field === 1) result.pieces.push(pieceOf(value));
    else if (field === 2) readTraining(value, result);
    else if (field === 3)
      for (const part of fieldsOf(value)) if (part.field === 2) result.characterMap = part.value as Uint8Array;
  }
  if (result.pieces.length === 0) throw new Error('it holds no pieces');
  return result;
}

function pieceOf(bytes: Uint8Array): SentencePieces['pieces'][number] {
  const piece: SentencePieces['pieces'][number] = { text: '', score: 0, type: pieceType.normal };
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) piece.text = new TextDecoder().decode(value);
    else if (field === 2 && value instanceof Uint8Array)
      piece.score = new DataView(value.buffer, value.byteOffset).getFloat32(0, true);
    else if (field === 3 && typeof value === 'number') piece.type = value;
  }
  return piece;
}

/** What of the training's settings reading depends on. */
function readTraining(bytes: Uint8Array, result: SentencePieces): void {
  for (const { field, value } of fieldsOf(bytes)) {
    if (typeof value !== 'number') continue;
    if (field === 3 && value !== 1) throw new Error('it is not of the Unigram kind');
    if (field === 35) result.byteFallback = value !== 0;
    else if (field === 40) result.unknownId = value;
    else if (field === 42) result.endId = value;
    else if (field === 43) result.paddingId = value | 0; // -1 is written in ten bytes
  }
}

/** Fields of a message: numbers, or the bytes of anything else (texts, messages, fixed numbers). */
function* fieldsOf(bytes: Uint8Array): Generator<{ field: number; value: number | Uint8Array }> {
  let at = 0;
  const number = () => {
    let [low, high] = [0, 0];
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63) throw new Error('it ends within a number');
      if (shift < 28) low |= (byte & 127) << shift;
      else if (shift === 28) {
        low |= (byte & 15) << 28;
        high |= (byte & 127) >> 4;
      } else if (shift < 63) high |= (byte & 127) << (shift - 32);
      if (byte < 128) return high === 0 ? low >>> 0 : low; // of a negative number its lower half is enough
    }
  };
  const take = (length: number) => {
    at += length;
    if (at > bytes.length) throw new Error('it ends within a field');
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = number();
    const wire = tag & 7;
    const field = tag >>> 3;
    if (wire === 0) yield { field, value: number() };
    else if (wire === 1) yield { field, value: take(8) };
    else if (wire === 2) yield { field, value: take(number()) };
    else if (wire === 5) yield { field, value: take(4) };
    else throw new Error(`it has a field of the unknown kind ${wire}`);
  }
}
